import Glibc
import Semel

/// `semel install PATH`: copies this executable to a file, or into a directory as `semel`.
///
/// For an init container that puts semel beside a task whose image does not have it: the image of semel has no `cp`.
enum InstallCommand {
    static let usage = "semel install PATH, a file or a directory that exists"

    static func run(_ arguments: [String]) -> Int32 {
        guard arguments.count == 1, let path = arguments.first, !path.isEmpty, !path.hasPrefix("-") else {
            StandardError.write("semel install: write \(usage)\n")
            return Outcome.usage.exitCode
        }
        var target = path
        if isDirectory(path) { target += path.hasSuffix("/") ? "semel" : "/semel" }
        do throws(SystemError) {
            try copy("/proc/self/exe", to: target)
            return 0
        } catch {
            StandardError.write("semel install: \(error.description)\n")
            return Outcome.misconfigured.exitCode
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    /// Under another name first: whoever looks meanwhile sees no half of it, and one that runs can be replaced.
    private static func copy(_ source: String, to target: String) throws(SystemError) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemError(doing: "read \(source)") }
        defer { close(input) }
        let unfinished = "\(target).\(getpid())"
        let output = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        guard output >= 0 else { throw SystemError(doing: "write to \(unfinished)") }
        var count = 0
        repeat { count = sendfile(output, input, nil, 1 << 20) } while count > 0
        let isWritten = count == 0
        let failure = SystemError(doing: "write to \(unfinished)")
        let isClosed = close(output) == 0
        guard isWritten, isClosed, rename(unfinished, target) == 0 else {
            let problem = isWritten ? SystemError(doing: "write to \(target)") : failure
            unlink(unfinished)
            throw problem
        }
    }
}
