import Foundation
import Glibc
import Synchronization

/// A small shell process that outlives the test process, however that ends, and then kills every process still
/// registered and removes the temporary directories.
///
/// It notices the end by the end of its input: the kernel closes the pipe even after SIGKILL.
final class Watchdog: Sendable {
    /// Holds all temporary directories of this test process.
    let directory: String
    private let input: Int32
    private let process: pid_t
    private let finished = Mutex(false)

    /// Process groups are killed, since a server may have child processes of its own.
    private static let script = """
        trap '' HUP INT TERM
        groups=' '
        directories=
        while read -r verb group; do
            case $verb in
            add) groups="$groups$group " ;;
            remove) directories="$directories $group" ;;
            drop) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
            esac
        done
        for group in $groups; do kill -s KILL -- "-$group"; done
        rm -rf -- "$1" $directories || { sleep 1; rm -rf -- "$1" $directories; }
        """

    init() throws {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/semel-tests-\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SupportError.system("temporary directory in \(base)", errno)
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let pipe = try Pipe()
        input = pipe.writeEnd
        defer { close(pipe.readEnd) }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        process = try Spawn(
            path: "/bin/sh", arguments: ["-c", Self.script, "watchdog", directory],
            environment: ["PATH": "/usr/bin:/bin"], standardInput: pipe.readEnd, standardOutput: nothing,
            standardError: nothing, ownSession: true
        ).start()
    }

    /// From now on this process group is killed when the test process ends.
    func add(_ group: pid_t) {
        tell("add \(group)")
    }

    /// Must be called before the group's leader is reaped: its number may then be given to somebody else.
    func drop(_ group: pid_t) {
        tell("drop \(group)")
    }

    /// From now on this directory is removed when the test process ends; its path has no spaces.
    func removeAtEnd(_ directory: String) {
        tell("remove \(directory)")
    }

    /// Does at once what would be done at the end of the process, and waits for it.
    func finish() {
        let first = finished.withLock { finished in
            defer { finished = true }
            return !finished
        }
        if first {
            close(input)
            retryInterrupted { waitpid(process, nil, 0) }
        }
    }

    private func tell(_ line: String) {
        finished.withLock { finished in
            guard !finished else { return }
            let bytes = Array((line + "\n").utf8)
            retryInterrupted { write(input, bytes, bytes.count) }
        }
    }

    private static let instance = Result { () throws -> Watchdog in
        let watchdog = try Watchdog()
        // An ordinary exit waits until everything is gone, so that whoever runs the tests sees a clean machine.
        atexit { (try? Watchdog.shared())?.finish() }
        return watchdog
    }

    /// The watchdog of this test process.
    static func shared() throws -> Watchdog {
        try instance.get()
    }
}
