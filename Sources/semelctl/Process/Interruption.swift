import Glibc
import Semel
import Synchronization

/// The wish that the running command stops where it can say what it has done.
enum Interruption {
    static let signal = OneShot<CInt>()
    private static let awaited = Atomic(false)

    static var isAwaited: Bool { awaited.load(ordering: .acquiring) }

    /// From now on the first signal does not end the process but calls `action`.
    static func await(_ action: @escaping @Sendable () -> Void) {
        awaited.store(true, ordering: .releasing)
        Task {
            if await signal.wait() != nil { action() }
        }
    }

    static var outcome: (outcome: Outcome, name: String)? {
        switch signal.value {
        case SIGINT: (.interrupted, "SIGINT")
        case .some: (.terminated, "SIGTERM")
        case nil: nil
        }
    }
}
