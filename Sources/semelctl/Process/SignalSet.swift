import Glibc
import Semel

/// The signals that ask a command to stop: blocked everywhere, fetched by the first thread.
struct SignalSet {
    private var set: sigset_t

    /// Call it before there is a second thread.
    static func block() -> SignalSet {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        // Who starts a command with nohup, or behind a shell's &, wants them ignored; blocked ones would be fetched.
        for number in [SIGHUP, SIGQUIT] where !isIgnored(number) { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A reader that has gone away is an error of a write, which ends the command quietly.
        signal(SIGPIPE, SIG_IGN)
        return SignalSet(set: set)
    }

    private static func isIgnored(_ number: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// The first signal is a wish, if the command listens for one; any other ends the process, unless the command does
    /// that itself.
    func deliverForEver() -> Never {
        var set = set
        while true {
            var number: CInt = 0
            guard sigwait(&set, &number) == 0 else { continue }
            if Interruption.takes(number) { continue }
            signal(number, SIG_DFL)
            pthread_sigmask(SIG_UNBLOCK, &set, nil)
            raise(number)
        }
    }
}
