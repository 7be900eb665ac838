import Semel
import TestSupport
import Testing

/// What is queued is what is claimed, after a retry and as a dead letter as well.
@Suite(.gated, .timeLimit(.minutes(5)))
struct BodyTests {
    enum Sample: String, CaseIterable {
        case empty, oneByte, everyByte, mebibyte

        var bytes: [UInt8] {
            switch self {
            case .empty: []
            case .oneByte: [0]
            case .everyByte: Array(0...255)
            case .mebibyte: (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            }
        }

        /// Of those that this queue can hold.
        static func all(for kind: QueueKind) -> [[UInt8]] {
            allCases.map { Array($0.bytes.prefix(kind.traits.largestBody)) }
        }
    }

    @Test(arguments: QueueKind.allCases)
    func areBytes(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for body in Sample.all(for: kind) {
            try await queue.put([body])
            try await expect(body, in: queue)
            try await queue.enqueue(OutgoingMessage(body: body))
            try await expect(body, in: queue)
        }
        try await queue.waitUntilLeft(.nothing)
    }

    private func expect(_ body: [UInt8], in queue: any QueueUnderTest) async throws {
        let holder = try await queue.mustClaim()
        #expect(holder.message.size == body.count)
        #expect(try holder.message.bytes == body)
        try await holder.settle(.complete(result: nil))
    }

    @Test(arguments: QueueKind.allCases)
    func outliveTheirAttempts(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for body in Sample.all(for: kind) {
            try await queue.put([body])
            try await queue.mustClaim().settle(.retry(after: .zero))
            try await queue.mustClaim().settle(.release)
            let third = try await queue.mustClaim()
            #expect(try third.message.bytes == body)
            try await third.settle(.deadLetter(.example))
            #expect(try await queue.visit { _ in .drop }.map(\.body) == [body])
        }
        try await queue.waitUntilLeft(.nothing)
    }

    /// A message over the worker's limit is claimed so that it can be dead-lettered, whole.
    @Test(arguments: QueueKind.allCases)
    func overTheLimit(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        var request = ClaimRequest.soon
        request.maxMessageBytes = 1_024
        for (size, isOver) in [(1_024, false), (1_025, true)] {
            let body = [UInt8](repeating: 7, count: size)
            try await queue.put([body])
            let holder = try await queue.mustClaim(request)
            #expect(holder.message.size == size)
            #expect(holder.message.body.count == (isOver && kind.traits.sparesLargeBodies ? 0 : size))
            try await holder.settle(.deadLetter(.example))
            #expect(try await queue.visit { _ in .drop }.map(\.body) == [body])
        }
    }

    /// At most once there is no second way to the body: it comes in any case.
    @Test(arguments: QueueKind.allCases)
    func overTheLimitAtMostOnce(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        var request = ClaimRequest.soon.delivery(.atMostOnce)
        request.maxMessageBytes = 1_024
        let body = [UInt8](repeating: 7, count: 1_025)
        try await queue.put([body])
        let holder = try await queue.mustClaim(request)
        #expect(holder.message.size == body.count)
        try await holder.settle(.deadLetter(.example))
        #expect(try await queue.visit().map(\.body) == [body])
    }
}
