import AsyncAlgorithms
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import ServiceLifecycle

extension Response {
    private static let pause = Duration.seconds(2)
    /// So that proxies which close silent connections do not, and a browser that is gone is noticed.
    private static let longestSilence = Duration.seconds(15)

    /// Server-sent events: what is made, whenever it has changed, until the browser goes or the console stops.
    static func events(_ make: @escaping @Sendable () async -> String) -> Response {
        let body = ResponseBody { writer in
            var last = ""
            var written = ContinuousClock.now
            let ticks = AsyncTimerSequence(interval: pause, clock: .continuous)
            for await _ in ticks.cancelOnGracefulShutdown() {
                let now = await make()
                if now != last {
                    try await writer.write(ByteBuffer(string: event(now)))
                    (last, written) = (now, .now)
                } else if .now - written > longestSilence {
                    try await writer.write(ByteBuffer(string: ": still here\n\n"))
                    written = .now
                }
            }
            try await writer.finish(nil)
        }
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // An nginx in front would keep events until it has a page full of them.
        if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
        return Response(status: .ok, headers: headers, body: body)
    }

    static func event(_ text: String) -> String {
        // A carriage return ends a line, too, and progress bars are full of them.
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
            .map { "data: \($0)\n" }.joined() + "\n"
    }
}
