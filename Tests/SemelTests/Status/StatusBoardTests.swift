import Testing

@testable import Semel

/// What is shown of several workers, one after the other.
@Suite struct StatusBoardTests {
    private let message: Message

    init() throws {
        message = Message(id: "m", body: try MessageBody("body".utf8), attempt: 1)
    }

    private func live(_ status: WorkerStatus, on board: StatusBoard, printing bytes: Int = 0) {
        status.claimed(message, maxAttempts: 5, deadline: nil, lease: .seconds(30))
        status.printed(bytes)
        status.leaseExtended()
        status.progress(0.5, "half")
        status.ended(.completed, reason: nil)
        board.ended(.completed)
    }

    @Test func countersNeverGoBack() {
        let board = StatusBoard(queue: "q", readiness: .claimed)
        var seen: [Int] = []
        func look() { seen.append(board.snapshot.worker.outputBytes) }
        for bytes in [3, 5] {
            look()
            let status = board.next()
            look()
            live(status, on: board, printing: bytes)
            look()
        }
        _ = board.next()
        look()
        #expect(seen == [0, 0, 3, 3, 3, 8, 8])
        #expect(board.snapshot.worker.leaseExtensions == 2)
        #expect(board.snapshot.messages == [.completed: 2])
    }

    @Test func theRestBeginsAnew() {
        let board = StatusBoard(queue: "q", readiness: .claimed)
        live(board.next(), on: board)
        _ = board.next()
        let shown = board.snapshot.worker
        #expect(shown.state == .idle && shown.progress == nil && shown.note == nil && shown.messageID == nil)
        #expect(board.lastOutput.isEmpty)
    }

    @Test func anEarlierWorkerMayBeShownAgain() {
        let board = StatusBoard(queue: "q", readiness: .claimed)
        let first = board.next()
        live(first, on: board, printing: 7)
        _ = board.next()
        board.showAgain(first)
        #expect(board.snapshot.worker.state == .completed)
        #expect(board.snapshot.worker.outputBytes == 7)
    }

    @Test func readyFromTheFirstClaimOn() {
        let board = StatusBoard(queue: "q", readiness: .claimed)
        let status = board.next()
        board.connected()
        #expect(!board.snapshot.isReady)
        live(status, on: board)
        _ = board.next()
        #expect(board.snapshot.isReady)
    }

    @Test func readyWhileTheQueueAnswers() {
        let board = StatusBoard(queue: "q", readiness: .connected)
        #expect(!board.snapshot.isReady)
        board.connected()
        #expect(board.snapshot.isReady)
        board.unreachable("gone")
        #expect(!board.snapshot.isReady)
        board.connected()
        #expect(board.snapshot.isReady)
    }

    /// Long enough for the queue to come back, and then somebody else may try with a new process.
    @Test func illWhenTheQueueIsOutOfReachForLong() {
        let patient = StatusBoard(queue: "q", readiness: .connected, patience: .seconds(3_600))
        patient.unreachable("gone")
        #expect(patient.snapshot.ailment == nil)
        let board = StatusBoard(queue: "q", readiness: .connected, patience: .zero)
        #expect(board.snapshot.ailment == nil)
        board.unreachable("gone")
        #expect(board.snapshot.ailment == "queue out of reach: gone")
        board.connected()
        #expect(board.snapshot.ailment == nil)
    }

    @Test func aSingleWorkerIsShownAsItIs() {
        let status = WorkerStatus(queue: "q")
        let board = StatusBoard(status)
        #expect(board.snapshot.messages == nil && !board.snapshot.isReady)
        status.claimed(message, maxAttempts: 5, deadline: nil, lease: nil)
        status.claimLost(ClaimLoss("taken"))
        #expect(board.snapshot.isReady && board.snapshot.ailment == "claim lost: taken")
    }
}
