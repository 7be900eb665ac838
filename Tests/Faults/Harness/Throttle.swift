import Testing

/// Lets only so many test cases run at once. Most of them wait for a lease or a heartbeat to end, so it may be more than
/// a small machine could otherwise bear.
struct Throttle: TestTrait, SuiteTrait, TestScoping {
    private static let gate = Gate(places: 10)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.gate.enter()
        do {
            try await function()
        } catch {
            await Self.gate.leave()
            throw error
        }
        await Self.gate.leave()
    }

    private actor Gate {
        private var places: Int
        private var queue: [CheckedContinuation<Void, Never>] = []

        init(places: Int) {
            self.places = places
        }

        func enter() async {
            if places > 0 {
                places -= 1
            } else {
                await withCheckedContinuation { queue.append($0) }
            }
        }

        func leave() {
            if queue.isEmpty {
                places += 1
            } else {
                queue.removeFirst().resume()
            }
        }
    }
}

extension Trait where Self == Throttle {
    static var throttled: Throttle { Throttle() }
}
