import CLinux
import Glibc
import Semel

/// The signals that the worker answers itself: blocked everywhere, fetched by the first thread.
struct SignalSet: Sendable {
    private static let stopping = [SIGTERM, SIGINT]
    /// Meant for the task; without one, a closed terminal ends the worker as well.
    private static let forwarded = [SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT]

    private let set: sigset_t
    /// Readable when one has come.
    let descriptor: CInt

    /// Call it before there is a second thread.
    static func block() throws(SystemError) -> SignalSet {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in stopping + forwarded { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A reader that has gone away is an error of a write, not the end of the worker.
        signal(SIGPIPE, SIG_IGN)
        // Whoever inherits it as ignored never learns how its children ended.
        signal(SIGCHLD, SIG_DFL)
        let descriptor = signalfd(-1, &set, CInt(SFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError(doing: "wait for signals") }
        return SignalSet(set: set, descriptor: descriptor)
    }

    /// The next one that has come.
    func next() -> CInt {
        var set = set
        var number: CInt = 0
        while sigwait(&set, &number) != 0 {}
        return number
    }

    /// - Parameter forwarding: Passes a signal on to the task; `false` when there is none.
    static func deliver(_ number: CInt, to stop: StopRequest, forwarding: (CInt) -> Bool) {
        switch number {
        case SIGTERM: stop.receive(.terminate)
        case SIGINT: stop.receive(.interrupt)
        default: if !forwarding(number), number == SIGHUP { stop.receive(.terminate) }
        }
    }
}

enum StandardStreams {
    /// Whoever starts a process with closed standard streams makes its next sockets and pipes 0, 1 and 2.
    static func open() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            _ = Glibc.open("/dev/null", O_RDWR)
        }
    }
}
