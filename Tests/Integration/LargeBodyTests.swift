import Foundation
import TestSupport
import Testing

@Suite(.allLanes, .serialized)
struct LargeBodyTests {
    @Test(arguments: QueueKind.allCases)
    func theLargest(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let directory = try TemporaryDirectory("large")
        let file = directory.path("body")
        let made = try await run(
            .init(path: "/bin/sh"),
            ["-c", #"head -c "$2" /dev/urandom > "$1"; sha256sum < "$1""#, "sh", file, "\(kind.traits.largestBody)"])
        let expected = made.stdoutText
        try #require(made.status == .exited(0) && expected.count > 64)

        try await queue.put([Array(try Data(contentsOf: URL(fileURLWithPath: file)))])
        let byHand = try await Worker.run(queue, task: ["sha256sum"], timeout: .seconds(180))
        #expect(byHand.status == .exited(0), "\(byHand.stderr)")
        #expect(byHand.text == expected)

        try await Semelctl.enqueue(queue, file: file)
        let task = Shell.run(#"sha256sum < "$SEMEL_MESSAGE_FILE""#)
        let bySemelctl = try await Worker.run(queue, ["--input", "file"], task: task, timeout: .seconds(180))
        #expect(bySemelctl.status == .exited(0), "\(bySemelctl.stderr)")
        #expect(bySemelctl.text == expected)
        #expect(try await queue.left() == .nothing)
    }
}
