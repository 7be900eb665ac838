import AsyncHTTPClient
import NIOCore

/// The lines of an answer, as they come.
struct KubernetesLines {
    /// An object of Kubernetes has at most a few megabytes.
    private static let longest = 64 << 20

    private var chunks: HTTPClientResponse.Body.AsyncIterator
    private let http: KubernetesHTTP
    private var buffer: [UInt8] = []
    /// How far the buffer has been searched for a line's end.
    private var searched = 0
    private var start = 0

    init(_ body: HTTPClientResponse.Body, _ http: KubernetesHTTP) {
        chunks = body.makeAsyncIterator()
        self.http = http
    }

    /// Without its end; `nil` at the end of the answer. What comes after the last line's end is half of a line and dropped.
    mutating func next() async throws(KubernetesError) -> ArraySlice<UInt8>? {
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer {
                    start = end + 1
                    searched = start
                }
                return buffer[start..<end]
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            guard buffer.count <= Self.longest else { throw .unreachable("a line of more than \(Self.longest) bytes") }
            do {
                guard let chunk = try await chunks.next() else {
                    if Task.isCancelled { throw KubernetesError.cancelled }
                    return nil
                }
                buffer += chunk.readableBytesView
            } catch {
                throw http.failure(error)
            }
        }
    }
}

extension KubernetesClient {
    /// Of an answer that says why there is no other.
    static func start(of body: HTTPClientResponse.Body) async -> [UInt8] {
        let whole = try? await body.collect(upTo: 1 << 20)
        return whole.map { Array($0.readableBytesView) } ?? []
    }
}
