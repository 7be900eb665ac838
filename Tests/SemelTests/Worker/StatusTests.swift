import Testing

@testable import Semel

@Suite struct WorkerStatusTests {
    private func message(attempt: Int = 2) throws -> Message {
        Message(id: "m", body: try MessageBody("body".utf8), attempt: attempt)
    }

    @Test func idle() {
        let shown = WorkerStatus(queue: "spool:/x").snapshot
        #expect(shown.state == .idle)
        #expect(shown.queue == "spool:/x")
        #expect(shown.messageID == nil)
        #expect(shown.progress == nil)
        #expect(shown.outcome == nil)
        #expect(shown.ran == .zero)
        #expect(shown.waited >= .zero)
    }

    @Test func running() throws {
        let status = WorkerStatus(queue: "q")
        let deadline = Timestamp(milliseconds: 5)
        status.claimed(try message(), maxAttempts: 5, deadline: deadline, lease: .seconds(30))
        status.leaseExtended()
        status.leaseExtended()
        status.claimLost(ClaimLoss("gone"))
        let shown = status.snapshot
        #expect(shown.state == .running)
        #expect(shown.messageID == "m")
        #expect(shown.attempt == 2)
        #expect(shown.maxAttempts == 5)
        #expect(shown.deadline == deadline)
        #expect(shown.lease == .seconds(30))
        #expect(shown.leaseExtensions == 2)
        #expect(shown.claimLost == "gone")
        #expect(try #require(shown.claimed) >= shown.started)
    }

    @Test func spansStandStillAtTheEnd() throws {
        let status = WorkerStatus(queue: "q")
        status.claimed(try message(), maxAttempts: 5, deadline: nil, lease: nil)
        status.ended(.retry, reason: "why")
        let shown = status.snapshot
        #expect(shown.state == .failed)
        #expect(shown.outcome == .retry)
        #expect(shown.reason == "why")
        #expect(shown.progress == nil)
        let later = status.snapshot
        #expect(later.ran == shown.ran)
        #expect(later.waited == shown.waited)
    }

    @Test func whatIsCompletedIsWholly() throws {
        let status = WorkerStatus(queue: "q")
        status.claimed(try message(), maxAttempts: 5, deadline: nil, lease: nil)
        status.progress(0.5, "half")
        status.ended(.completed, reason: nil)
        #expect(status.snapshot.state == .completed)
        #expect(status.snapshot.progress == 1)
        #expect(status.snapshot.note == "half")
    }

    @Test func progressStaysBetweenNothingAndAll() {
        let status = WorkerStatus(queue: "q")
        status.progress(0.25, "first")
        #expect(status.snapshot.progress == 0.25)
        status.progress(-3, nil)
        #expect(status.snapshot.progress == 0)
        #expect(status.snapshot.note == "first")
        status.progress(7, "second")
        #expect(status.snapshot.progress == 1)
        #expect(status.snapshot.note == "second")
        status.progress(.nan, "never")
        status.progress(.infinity, "never")
        #expect(status.snapshot.progress == 1)
        #expect(status.snapshot.note == "second")
    }

    @Test func countsAndKeepsOutput() {
        let status = WorkerStatus(queue: "q")
        status.output("one\ntwo\n")
        status.output("three")
        #expect(status.snapshot.outputBytes == 13)
        #expect(status.lastOutput == ["one", "two", "three"])
    }
}

@Suite struct OutputTailTests {
    private func tail(_ pieces: [String]) -> OutputTail {
        var tail = OutputTail()
        for piece in pieces { Array(piece.utf8).withUnsafeBytes { tail.append($0) } }
        return tail
    }

    @Test func nothing() {
        #expect(OutputTail().lines == [])
        #expect(tail([""]).lines == [])
        #expect(tail(["\n", "\n\n"]).lines == [])
    }

    @Test func linesAcrossPieces() {
        #expect(tail(["on", "e\ntw", "o\n", "thr"]).lines == ["one", "two", "thr"])
        #expect(tail(["a\n\n\nb\n"]).lines == ["a", "b"])
    }

    @Test func onlyTheLastLines() {
        let all = (0..<200).map { "line \($0)" }
        #expect(tail([all.joined(separator: "\n")]).lines == Array(all.suffix(50)))
        #expect(tail(all.map { $0 + "\n" }).lines == Array(all.suffix(50)))
    }

    @Test func aLineWithoutEndIsCut() {
        let capacity = OutputTail.capacity
        #expect(tail([String(repeating: "x", count: 3 * capacity)]).lines == [String(repeating: "x", count: capacity)])
        #expect(
            tail(Array(repeating: String(repeating: "y", count: 1_000), count: 1_000)).lines
                == [String(repeating: "y", count: capacity)])
    }

    /// Every size of piece about the places where it cuts; compared with the end of the whole.
    @Test(arguments: [1, 7, 100, 4_095, 16_383, 16_384, 16_385, 32_768, 40_000])
    func isTheEndOfWhatWasWritten(size: Int) {
        let all = (0..<20_000).map { "\($0 % 9_973)" }.joined(separator: "\n")
        let bytes = Array(all.utf8)
        var tail = OutputTail()
        var start = 0
        while start < bytes.count {
            let end = min(start + size, bytes.count)
            bytes[start..<end].withUnsafeBytes { tail.append($0) }
            start = end
        }
        let lines = String(decoding: bytes.suffix(OutputTail.capacity), as: UTF8.self).split(separator: "\n").suffix(50)
        #expect(tail.lines == lines.map { String($0) })
    }

    @Test func bytesThatAreNoTextAreReplaced() {
        var tail = OutputTail()
        [UInt8]([0x61, 0xFF, 0x62, 0x0A, 0xC3]).withUnsafeBytes { tail.append($0) }
        #expect(tail.lines == ["a\u{FFFD}b", "\u{FFFD}"])
    }
}

extension WorkerStatus {
    fileprivate func output(_ text: String) {
        Array(text.utf8).withUnsafeBytes { output($0) }
    }
}
