import Testing

/// Lets only so many test cases run at once: each starts processes, and a small machine that runs hundreds of them at
/// the same time finishes none in time.
struct Lanes: TestTrait, SuiteTrait, TestScoping {
    fileprivate static let all = 6
    private static let gate = Gate(free: all)

    /// How many of the lanes a test case takes.
    fileprivate let count: Int

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.gate.enter(count)
        do {
            try await function()
        } catch {
            await Self.gate.leave(count)
            throw error
        }
        await Self.gate.leave(count)
    }

    private actor Gate {
        private var free: Int
        /// In the order of their coming, so that a wide one is not passed by for ever.
        private var queue: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        init(free: Int) {
            self.free = free
        }

        func enter(_ count: Int) async {
            if queue.isEmpty && free >= count {
                free -= count
                return
            }
            await withCheckedContinuation { queue.append((count, $0)) }
        }

        func leave(_ count: Int) {
            free += count
            while let next = queue.first, free >= next.count {
                free -= next.count
                queue.removeFirst().continuation.resume()
            }
        }
    }
}

extension Trait where Self == Lanes {
    /// Beside a few others.
    static var oneLane: Lanes { Lanes(count: 1) }
    /// With the machine to itself.
    static var allLanes: Lanes { Lanes(count: Lanes.all) }
}
