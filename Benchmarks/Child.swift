import Glibc
import TestSupport

/// A process under measurement: nothing but `posix_spawn` and `waitpid` between the clock and the program.
struct Child {
    let pid: pid_t
    private let name: String

    /// Starts a program, the first word by its path. What is not given is `/dev/null`.
    init(
        _ words: [String], input: CInt? = nil, output: CInt? = nil, errors: CInt? = nil
    ) throws {
        name = words.joined(separator: " ")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in [input, output, errors].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor ?? Self.nothing, CInt(number))
        }
        var pid: pid_t = 0
        let code = withCStrings(words) { argv in
            withCStrings(Self.environment) { envp in
                posix_spawn(&pid, words[0], &actions, nil, argv, envp)
            }
        }
        guard code == 0 else { throw BenchFailure("cannot start \(name): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    private static let environment = RunningProcess.environment().map { "\($0.key)=\($0.value)" }
    private static let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)

    /// Waits for the end, which has to be a good one: a run that failed has no time.
    func wait() throws {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw BenchFailure("cannot wait for \(name)") }
        }
        guard status == 0 else {
            let how = status & 0x7f == 0 ? "exited with \(status >> 8)" : "was killed by signal \(status & 0x7f)"
            throw BenchFailure("\(how): \(name)")
        }
    }

    /// Seconds from before the start to after the end.
    static func seconds(_ words: [String], input: CInt? = nil, output: CInt? = nil) throws -> Double {
        let start = ContinuousClock.now
        try Child(words, input: input, output: output).wait()
        return start.secondsSince
    }
}

extension ContinuousClock.Instant {
    var secondsSince: Double { duration(to: .now) / .seconds(1) }
}

/// A pipe that children get only as the descriptor they are given.
struct ChildPipe {
    let readEnd: CInt
    let writeEnd: CInt

    init() throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw BenchFailure("no pipe: error \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }
}

/// The measurement could not be taken.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) }
    defer {
        for pointer in pointers { free(pointer) }
    }
    return body(pointers + [nil])
}
