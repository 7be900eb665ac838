import Glibc
import Semel

/// Where the bodies come from: the command line, standard input or files.
struct BodySource: Sendable {
    enum Input: Sendable, Hashable {
        case argument(String)
        case standardInput
        case file(String)
    }

    enum Separator: Sendable {
        case lineFeed
        case null
    }

    let inputs: [Input]
    /// `nil` when each input is one message.
    let separator: Separator?

    init(bodies: [String], files: [String], lines: Bool, null: Bool) throws(CommandFailure) {
        if lines && null { throw .usage("--lines and --null: input is separated by one or the other") }
        separator = lines ? .lineFeed : null ? .null : nil
        if !bodies.isEmpty {
            if !files.isEmpty { throw .usage("--file: messages come either from files or from the command line") }
            if separator != nil {
                throw .usage(
                    "\(lines ? "--lines" : "--null"): cuts standard input or files, not the command line's messages")
            }
            inputs = bodies.map { .argument($0) }
        } else if files.isEmpty {
            // With --lines somebody may well want to type them.
            if separator == nil && isatty(STDIN_FILENO) == 1 {
                throw .usage("no message: name its body, or give it on standard input or with --file")
            }
            inputs = [.standardInput]
        } else {
            inputs = files.map { $0 == "-" ? .standardInput : .file($0) }
            if inputs.count(where: { $0 == .standardInput }) > 1 {
                throw .usage("--file: standard input (‘-’) can be read only once")
            }
            for case .file(let path) in inputs { try Self.check(path) }
        }
        if inputs.contains(.standardInput), fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE == O_WRONLY {
            throw .usage("no message: standard input is closed")
        }
    }

    var isOneMessage: Bool { inputs.count == 1 && separator == nil }

    /// `nil` when it cannot be known beforehand.
    var totalBytes: Int? {
        var total = 0
        for input in inputs {
            guard let size = Self.size(of: input) else { return nil }
            total += size
        }
        return total
    }

    /// A file that is not there is better noticed before the first message is sent than in the middle.
    private static func check(_ path: String) throws(CommandFailure) {
        if path.isEmpty { throw .usage("--file: is empty") }
        var facts = stat()
        var code: CInt = 0
        if access(path, R_OK) != 0 || stat(path, &facts) != 0 {
            code = errno
        } else if facts.st_mode & S_IFMT == S_IFDIR {
            code = EISDIR
        }
        if code != 0 {
            throw CommandFailure("--file: cannot read \(path): \(String(cString: strerror(code)))", .misconfigured)
        }
    }

    private static func size(of input: Input) -> Int? {
        var facts = stat()
        let code =
            switch input {
            case .argument: CInt(-1)
            case .standardInput: fstat(STDIN_FILENO, &facts)
            case .file(let path): stat(path, &facts)
            }
        guard code == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        let start = input == .standardInput ? Int(lseek(STDIN_FILENO, 0, SEEK_CUR)) : 0
        return max(0, Int(facts.st_size) - max(0, start))
    }
}
