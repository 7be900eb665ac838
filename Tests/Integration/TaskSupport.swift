import Foundation
import Glibc
import TestSupport
import Testing

/// A spool in a temporary directory and the workers that are started on it.
///
/// Everything that a worker starts carries a mark in its environment, so that whatever survives can be found, in
/// whichever process group or session it is and whoever its parent has become.
final class TaskSpool: Sendable {
    let directory: TemporaryDirectory
    let mark = ProcessMark()

    /// With these messages ready, by name.
    init(_ messages: [String: String] = ["a": "body"]) throws {
        directory = try TemporaryDirectory("task-spool")
        try FileManager.default.createDirectory(
            atPath: directory.path("spool/ready"), withIntermediateDirectories: true)
        for (name, body) in messages { try put(body, name) }
    }

    /// One message of these bytes, called `a`.
    convenience init(body: [UInt8]) throws {
        try self.init([:])
        let incoming = directory.path("incoming")
        try Data(body).write(to: URL(fileURLWithPath: incoming))
        try FileManager.default.moveItem(atPath: incoming, toPath: directory.path("spool/ready/a"))
    }

    var url: String { "spool:" + directory.path("spool") }

    /// Queues a message, whole at once.
    func put(_ body: String, _ name: String) throws {
        let incoming = try directory.write(body, to: "incoming-" + name)
        try FileManager.default.moveItem(atPath: incoming, toPath: directory.path("spool/ready/" + name))
    }

    /// The names in the spool's rooms; what they carry of due times is left out, attempts used are not.
    struct Rooms: Equatable {
        var ready: [String] = []
        var delayed: [String] = []
        var claimed: [String] = []
        var done: [String] = []
        var dead: [String] = []
    }

    var rooms: Rooms {
        func names(_ room: String) -> [String] {
            let found = (try? FileManager.default.contentsOfDirectory(atPath: directory.path("spool/" + room))) ?? []
            return found.filter { !$0.hasSuffix(".reason.json") }.sorted()
        }
        let delayed = names("delayed").map { $0.split(separator: "~").dropFirst().joined(separator: "~") }
        return Rooms(
            ready: names("ready"), delayed: delayed, claimed: names("claimed"), done: names("done"), dead: names("dead")
        )
    }

    /// What a worker is told by default: to take what is there, and to open no port. Flags win over these.
    func environment(adding variables: [String: String] = [:]) -> [String: String] {
        let settings = [
            "SEMEL_QUEUE": url, "SEMEL_STATUS_ADDRESS": "off", "SEMEL_WAIT": "0", "SEMEL_RETRY_DELAY": "1h",
            "SEMEL_TERMINATION_LOG": directory.path("termination-log"),
        ]
        return RunningProcess.environment(
            adding: settings.merging(mark.variables) { $1 }.merging(variables) { $1 })
    }

    func start(
        _ flags: [String] = [], task: [String], environment variables: [String: String] = [:],
        capture: CapturedStream.Mode = .keep
    ) throws -> RunningProcess {
        try RunningProcess(
            .semel, ["run"] + flags + ["--"] + task, environment: environment(adding: variables), capture: capture,
            captureErrors: capture)
    }

    /// A worker's whole life.
    func work(
        _ flags: [String] = [], task: [String], environment variables: [String: String] = [:]
    ) async throws -> Finished {
        try await run(
            .semel, ["run"] + flags + ["--"] + task, environment: environment(adding: variables), timeout: .seconds(60))
    }

    // MARK: Files by which a test and its task speak to each other

    /// What the task wrote into a file of this directory; empty while there is none.
    func note(_ name: String) -> String {
        (try? String(contentsOfFile: directory.path(name), encoding: .utf8)) ?? ""
    }

    /// The lines of such a file.
    func notes(_ name: String) -> [String] {
        note(name).split(separator: "\n").map(String.init)
    }

    func waitForNote(_ name: String, timeout: Duration = .seconds(60)) async throws {
        try await eventually(timeout: timeout, "the task writes \(name)") {
            // A shell makes the file before it writes into it.
            note(name).hasSuffix("\n")
        }
    }

    /// A task that runs this script in this directory; `await NAME` there waits for `release(NAME)` here.
    func script(_ text: String) -> [String] {
        // Not for ever: should a test fail, nothing of it is to stay.
        let waiting = #"await() { i=0; while [ ! -e "$1" ] && [ $((i += 1)) -lt 6000 ]; do sleep 0.02; done; }"#
        return ["sh", "-c", "cd '\(directory.path)'\n\(waiting)\n\(text)"]
    }

    /// Part of a script: notes the descriptors of its shell. A redirection would add one of the shell's own.
    static let listDescriptors = "find /proc/$$/fd -mindepth 1 -fprintf descriptors '%f\\n'"

    /// Lets a script go on that waits with `await NAME`.
    func release(_ name: String) throws {
        try directory.write("", to: name)
    }

    /// The termination log's one line.
    func terminationLog() throws -> [String: Any] {
        let text = note("termination-log")
        #expect(text.split(separator: "\n").count == 1 && text.hasSuffix("\n"), "one line: \(text)")
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}

/// A variable that a process and all its descendants have in their environment.
final class ProcessMark: Sendable {
    private let name = "TASK_MARK"
    private let value = UUID().uuidString

    var variables: [String: String] { [name: value] }

    /// All that carry it and are alive, except one.
    func processes(besides exception: pid_t? = nil) -> [pid_t] {
        let wanted = Data("\(name)=\(value)".utf8)
        return ProcFiles.processes().filter { pid in
            guard pid != exception, let environment = ProcFiles.read("/proc/\(pid)/environ") else { return false }
            return environment.range(of: wanted) != nil
        }
    }

    deinit {
        for pid in processes() { kill(pid, SIGKILL) }
    }
}

/// What the kernel tells of processes.
enum ProcFiles {
    static func processes() -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
    }

    /// The files of `/proc` have no size to read by.
    static func read(_ path: String) -> Data? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        return try? file.readToEnd() ?? Data()
    }

    /// `VmRSS`, `VmHWM`, `PPid` and the like, without the unit.
    static func status(_ pid: pid_t, _ field: String) -> Int? {
        let text = read("/proc/\(pid)/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }

    /// Children that have ended and that nobody has collected yet.
    static func zombies(of parent: pid_t) -> [pid_t] {
        processes().filter { pid in
            let text = read("/proc/\(pid)/stat").map { String(decoding: $0, as: UTF8.self) } ?? ""
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && fields[0] == "Z" && fields[1] == "\(parent)"
        }
    }

    /// Where the descriptors of a process lead to.
    static func descriptors(of pid: pid_t) -> [String] {
        let folder = "/proc/\(pid)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
        }
    }

    /// The TCP ports on which a process listens.
    static func listeningPorts(of pid: pid_t) -> [Int] {
        let own = Set(descriptors(of: pid))
        return ["tcp", "tcp6"].flatMap { table -> [Int] in
            let text = read("/proc/net/\(table)").map { String(decoding: $0, as: UTF8.self) } ?? ""
            return text.split(separator: "\n").dropFirst().compactMap { line in
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == "0A", own.contains("socket:[\(fields[9])]") else { return nil }
                return fields[1].split(separator: ":").last.flatMap { Int($0, radix: 16) }
            }
        }
    }
}
