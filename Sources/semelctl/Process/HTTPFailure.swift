import AsyncHTTPClient
import NIOCore
import Semel

enum HTTPFailure {
    /// Why there is no answer, for the end of a sentence. No URL, which may hold a secret.
    static func words(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError:
            error == .connectTimeout || error == .deadlineExceeded
                ? "no answer within 10 s" : error.shortDescription.lowercased()
        case let error as IOError: SystemError(doing: "connect", code: error.errnoCode).description
        default: "no connection"
        }
    }
}
