import Glibc
import Semel
import Synchronization

/// Where Kubernetes picks up what a container has to say at its end.
struct TerminationLog {
    private let path: String?

    init(_ given: GivenSettings) throws(ConfigurationError) {
        let value = given.value(.terminationLog)
        let isExplicit = given[.terminationLog] != nil
        if value.text == "off" || (!isExplicit && access(value.text, F_OK) != 0) {
            path = nil
            return
        }
        path = value.text
        // Now, and not after hours of work, is the time to find out.
        let descriptor = Self.open(value.text, truncating: false)
        if descriptor < 0 && isExplicit {
            throw ConfigurationError("\(value.source): \(SystemError(doing: "write to \(value.text)"))")
        }
        if descriptor >= 0 { close(descriptor) }
    }

    /// For whatever is wrong with the settings themselves: the place that was meant, as far as that can be told.
    init(guessingFrom arguments: [String], _ environment: [String: String]) {
        let setting = Setting.terminationLog
        var text = environment[setting.variable] ?? setting.standard
        for (index, argument) in arguments.prefix(while: { $0 != "--" }).enumerated() {
            if argument == setting.flag, index + 1 < arguments.count { text = arguments[index + 1] }
            if argument.hasPrefix(setting.flag + "=") { text = String(argument.dropFirst(setting.flag.count + 1)) }
        }
        // One that was asked for is made; the usual place is there or is not wanted.
        path = text.flatMap { $0 != "off" && ($0 != setting.standard || access($0, F_OK) == 0) ? $0 : nil }
    }

    fileprivate var isWanted: Bool { path != nil }

    func write(_ report: Report) {
        // The first JSON of a process costs a third of its instructions.
        if isWanted { write(report.line()) }
    }

    fileprivate func write(_ text: [UInt8]) {
        guard let path else { return }
        let descriptor = Self.open(path, truncating: true)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        text.withUnsafeBytes { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// The kubelet mounts a file: it can be written, not replaced.
    private static func open(_ path: String, truncating: Bool) -> CInt {
        Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (truncating ? O_TRUNC : 0), 0o644)
    }
}

/// The termination log of several messages: a line for each, the newest last. The oldest have to go when there are more
/// than the kubelet keeps.
final class TerminationLines: Sendable {
    private let log: TerminationLog
    private let lines = Mutex<[[UInt8]]>([])

    init(_ log: TerminationLog) {
        self.log = log
    }

    func add(_ report: Report) {
        guard log.isWanted else { return }
        let text = lines.withLock { lines in
            lines.append(report.line())
            var size = lines.reduce(0) { $0 + $1.count }
            while size > Report.maximumBytes { size -= lines.removeFirst().count }
            return Array(lines.joined())
        }
        log.write(text)
    }
}
