import NIOCore
import NIOPosix
import Semel

/// What SwiftNIO's errors hold, which is written there for programmers, as text for people.
package enum ConnectionWords {
    package static func text(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { return text(of: failure.error) }
            return error.dnsAError == nil && error.dnsAAAAError == nil ? "no connection" : "unknown host"
        case let error as IOError: return SystemError(doing: "connect", code: error.errnoCode).description
        case ChannelError.connectTimeout(let limit):
            return "no connection within \(Units.text(.nanoseconds(limit.nanoseconds)))"
        case is ChannelError: return "the connection was closed"
        default: return "\(error)"
        }
    }
}

extension TLSFailure {
    /// What kept an attempt to connect from being made secure, where it was that.
    package init?(within error: any Error) {
        let inner = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        guard let failure = inner as? TLSFailure else { return nil }
        self = failure
    }
}
