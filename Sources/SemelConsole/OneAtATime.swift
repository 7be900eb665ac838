import Semel
import Synchronization

/// Lets whoever comes wait until those before are through, in the order in which they came.
final class OneAtATime: Sendable {
    private let last = Mutex<OneShot<Bool>?>(nil)

    func run<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let own = OneShot<Bool>()
        let previous = last.withLock { last in
            defer { last = own }
            return last
        }
        // Also when the caller is cancelled: the one before may still be at work.
        if let previous { _ = await Task { await previous.wait() }.value }
        defer { own.fulfil(true) }
        return try await body()
    }
}
