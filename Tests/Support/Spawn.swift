import Foundation
import Glibc
import Synchronization

private let descriptorsInTheMaking = Mutex(())

/// Runs what makes descriptors, or starts a child: never both at once, so that no child inherits one half made.
public func withDescriptorsSettled<Result>(_ body: () -> Result) -> Result {
    descriptorsInTheMaking.withLock { _ in body() }
}

/// Both ends of a pipe that no other child inherits.
struct Pipe {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        let code = withDescriptorsSettled {
            guard pipe(&ends) == 0 else { return errno }
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
            return 0
        }
        guard code == 0 else {
            throw SupportError.system("pipe", code)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }
}

/// How to start one program: in a process group of its own, with three descriptors and nothing else inherited.
struct Spawn {
    var path: String
    var arguments: [String]
    var environment: [String: String]
    var directory: String?
    var standardInput: Int32
    var standardOutput: Int32
    var standardError: Int32
    var ownSession = false

    func start() throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        posix_spawn_file_actions_adddup2(&actions, standardOutput, 1)
        posix_spawn_file_actions_adddup2(&actions, standardError, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        setSignals(&attributes)

        var pid: pid_t = 0
        let variables = environment.map { "\($0.key)=\($0.value)" }
        // Changing the directory in the child needs a program that does it: the spawn action is hidden from Swift.
        let words = directory.map { ["/usr/bin/env", "-C", $0, path] + arguments } ?? ([path] + arguments)
        let code = withCStrings(words) { argv in
            withCStrings(variables) { envp in
                withDescriptorsSettled {
                    Self.keepDescriptorsHere()
                    return posix_spawn(&pid, words[0], &actions, &attributes, argv, envp)
                }
            }
        }
        guard code == 0 else {
            throw SupportError.system("cannot start \(path)", code)
        }
        return pid
    }

    /// Others may have left descriptors open without saying that children should not have them.
    private static func keepDescriptorsHere() {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// `POSIX_SPAWN_SETSID`, which Glibc's headers hide from Swift.
    private static let newSession: Int32 = 0x80

    /// A test runner may ignore or block signals; a child starts as from a fresh shell.
    private func setSignals(_ attributes: inout posix_spawnattr_t) {
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        let group = ownSession ? Self.newSession : Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(
            &attributes, Int16(Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK) | group))
        posix_spawnattr_setpgroup(&attributes, 0)
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) }
    defer {
        for pointer in pointers {
            free(pointer)
        }
    }
    return body(pointers + [nil])
}
