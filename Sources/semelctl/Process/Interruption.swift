import Glibc
import Semel
import Synchronization

/// The wish that the running command stops where it can say what it has done.
enum Interruption {
    static let signal = OneShot<CInt>()
    private static let awaited = Atomic(false)
    private static let secondAction = OneShot<@Sendable () -> Void>()

    /// From now on the first signal does not end the process but calls `action`.
    ///
    /// - Parameter again: What the next one does, on the thread that waits for signals, in place of ending the process.
    ///   A command that has it listens to SIGHUP and SIGQUIT as well.
    static func await(_ action: @escaping @Sendable () -> Void, again: (@Sendable () -> Void)? = nil) {
        if let again { secondAction.fulfil(again) }
        awaited.store(true, ordering: .releasing)
        Task {
            if await signal.wait() != nil { action() }
        }
    }

    /// Whether the command has taken a signal, so that it does not end the process.
    static func takes(_ number: CInt) -> Bool {
        guard awaited.load(ordering: .acquiring) else { return false }
        guard let again = secondAction.value else {
            return [SIGINT, SIGTERM].contains(number) && signal.fulfil(number)
        }
        if !signal.fulfil(number) { again() }
        return true
    }

    static var outcome: (outcome: Outcome, name: String)? {
        switch signal.value {
        case SIGINT: (.interrupted, "SIGINT")
        case SIGHUP: (.terminated, "SIGHUP")
        case SIGQUIT: (.terminated, "SIGQUIT")
        case .some: (.terminated, "SIGTERM")
        case nil: nil
        }
    }

    /// For work that can stop anywhere and has changed nothing.
    static func check() throws(CommandFailure) {
        if let (outcome, signal) = outcome {
            throw CommandFailure("stopped by \(signal); nothing was changed", outcome)
        }
    }
}
