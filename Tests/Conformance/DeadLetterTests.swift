import Semel
import Synchronization
import TestSupport
import Testing

/// The dead letters of a queue: every fact is kept, and each goes where it is told to.
@Suite(.gated, .timeLimit(.minutes(5)))
struct DeadLetterTests {
    /// A queue with dead letters of these bodies, in this order.
    private func queue(_ kind: QueueKind, _ bodies: String...) async throws -> any QueueUnderTest {
        let queue = try await kind.make()
        for (number, body) in bodies.enumerated() {
            try await queue.put(body)
            var letter = DeadLetter.example
            letter.time = "2026-11-21T13:27:4\(number).000Z"
            try await queue.mustClaim().settle(.deadLetter(letter))
        }
        return queue
    }

    private func texts(_ letters: [StoredDeadLetter]) -> [String] {
        letters.map { String(decoding: $0.body, as: UTF8.self) }
    }

    @Test(arguments: QueueKind.allCases, [Int32?.none, 65])
    func keepEveryFact(_ kind: QueueKind, _ exit: Int32?) async throws {
        let queue = try await kind.make()
        var letter = DeadLetter.example
        letter.exit = exit
        try await queue.put("a")
        try await queue.mustClaim().settle(.deadLetter(letter))
        let stored = try #require(try await queue.visit().first)
        #expect(stored.letter == letter)
        #expect(texts([stored]) == ["a"])
        #expect(!stored.messageID.isEmpty)
    }

    @Test(arguments: QueueKind.allCases)
    func thereAreNone(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        #expect(try await queue.visit { _ in .retry }.isEmpty)
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func areKept(_ kind: QueueKind) async throws {
        let queue = try await queue(kind, "a", "b", "c")
        for _ in 1...2 {
            let seen = texts(try await queue.visit())
            #expect(kind.traits.keepsOrder ? seen == ["a", "b", "c"] : seen.sorted() == ["a", "b", "c"])
        }
        try await queue.waitUntilLeft(Left(dead: 3))
    }

    /// Each as it is told, with the count of attempts begun anew.
    @Test(arguments: QueueKind.allCases)
    func areRetriedAndDropped(_ kind: QueueKind) async throws {
        let queue = try await queue(kind, "keep", "retry", "drop")
        let seen = try await queue.visit { letter in
            switch String(decoding: letter.body, as: UTF8.self) {
            case "retry": .retry
            case "drop": .drop
            default: .keep
            }
        }
        #expect(seen.count == 3)
        try await queue.waitUntilLeft(Left(ready: 1, dead: 1))
        #expect(try await queue.readyTexts() == ["retry"])
        #expect(texts(try await queue.visit()) == ["keep"])
        let holder = try await queue.mustClaim()
        #expect(try holder.message.text == "retry")
        try await holder.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.oneDead)
    }

    @Test(arguments: QueueKind.allCases)
    func areRetriedWithAFreshCount(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        try await queue.mustClaim().settle(.retry(after: .zero))
        let second = try await queue.mustClaim()
        #expect(second.message.attempt == 2)
        try await second.settle(.deadLetter(.example))
        _ = try await queue.visit { _ in .retry }
        let again = try await queue.mustClaim()
        #expect(again.message.attempt == 1)
        #expect(!again.message.attemptIsUncounted)
        try await again.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func areLeftAloneAfterAStop(_ kind: QueueKind) async throws {
        let queue = try await queue(kind, "a", "b", "c")
        let met = Counter()
        let seen = try await queue.visit { _ in met.next() == 1 ? .drop : .stop }
        #expect(seen.count == 2)
        try await queue.waitUntilLeft(Left(dead: 2))
    }

    /// Whoever looked is gone in the middle of it.
    @Test(arguments: QueueKind.allCases)
    func areAllThereAfterALookThatWasGivenUp(_ kind: QueueKind) async throws {
        let queue = try await queue(kind, "a", "b", "c")
        let begun = OneShot<Bool>()
        let look = Task {
            try await queue.visit { _ in
                begun.fulfil(true)
                return .keep
            }
        }
        _ = await begun.wait()
        look.cancel()
        _ = await look.result
        try await eventually(timeout: .seconds(30), "all are there") {
            try await texts(queue.visit()).sorted() == ["a", "b", "c"]
        }
    }

    /// Whatever is retried and dies again is not met a second time.
    @Test(arguments: QueueKind.allCases)
    func thatComeMeanwhileAreLeftOut(_ kind: QueueKind) async throws {
        let queue = try await queue(kind, "a", "b")
        let worker = Task {
            for _ in 1...2 {
                let holder = try await queue.mustClaim()
                var letter = DeadLetter.example
                letter.time = Timestamp.now.rfc3339
                try await holder.settle(.deadLetter(letter))
            }
        }
        #expect(try await queue.visit { _ in .retry }.count == 2)
        try await worker.value
        try await queue.waitUntilLeft(Left(dead: 2))
    }
}

/// Counts calls.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
