import CLinux
import Glibc
import Semel

/// Descendants that left their process group (daemons), lost their parents, and so became children of this process.
package enum Orphans {
    /// Kills and collects children of this process, and the children that they leave, until there are none. A process
    /// that the kernel cannot kill now (waiting for a dead disk) is given up after two seconds.
    ///
    /// - Parameter isMeant: Which of them, by their process id.
    package static func end(where isMeant: (CInt) -> Bool = { _ in true }) {
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end, hasChildren {
            let found = children().filter(isMeant)
            if found.isEmpty { return }
            for pid in found { kill(pid, SIGKILL) }
            for pid in found {
                semel_await_end(pid, CInt(max(.zero, end - .now).milliseconds))
                var status: CInt = 0
                waitpid(pid, &status, WNOHANG)
            }
        }
    }

    /// Spares most workers a look at all processes.
    private static var hasChildren: Bool {
        var info = siginfo_t()
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD
    }

    private static func children() -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        let me = getpid()
        var found: [pid_t] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let pid = pid_t(name), parent(of: pid) == me { found.append(pid) }
        }
        return found
    }

    /// Field 4 of `/proc/PID/stat`; field 2 is the command's name in parentheses and may itself hold any character.
    private static func parent(of pid: pid_t) -> pid_t? {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = read(file, &buffer, buffer.count)
        guard count > 0, let name = buffer[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: buffer[(name + 1)..<count], as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }
}
