import Foundation
import TestSupport

/// A spool directory with a `ready/` made by hand.
final class SpoolFaultQueue: FaultQueue {
    let kind = Kind.spool
    let secrets: [String] = []
    let root: String
    private let directory: TemporaryDirectory?

    init() throws {
        let directory = try TemporaryDirectory("spool")
        self.directory = directory
        root = directory.path
        try FileManager.default.createDirectory(atPath: path("ready"), withIntermediateDirectories: true)
    }

    /// In a directory that somebody else looks after.
    init(at root: String) throws {
        self.root = root
        directory = nil
        try FileManager.default.createDirectory(atPath: path("ready"), withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func url(through proxy: TCPProxy?) -> String { "spool:\(root)" }

    func proxy() throws -> TCPProxy { throw SupportError("a spool has no network") }

    func put(_ bodies: [String]) async throws {
        for body in bodies { try put(body, as: Self.next()) }
    }

    func put(_ body: String, as name: String) throws {
        let draft = path(".draft-\(name)")
        try Data(body.utf8).write(to: URL(fileURLWithPath: draft))
        try FileManager.default.moveItem(atPath: draft, toPath: path("ready/\(name)"))
    }

    /// Sorts in the order of the calls.
    private static func next() -> String {
        "message-\(UInt64(Date().timeIntervalSince1970 * 1e6))-\(UUID().uuidString.prefix(8))"
    }

    func files(_ room: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(room))) ?? []).sorted()
    }

    private func text(_ file: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(file))), as: UTF8.self)
    }

    private var deadNames: [String] { files("dead").filter { !$0.hasSuffix(".reason.json") } }

    func left() async throws -> Left {
        Left(
            ready: files("ready").count, claimed: files("claimed").count, delayed: files("delayed").count,
            dead: deadNames.count)
    }

    func ready() async throws -> [String] {
        try files("ready").map { try text("ready/\($0)") }
    }

    func deadLetters() async throws -> [DeadLetterSeen] {
        struct Reason: Decodable {
            var reason: String
            var attempts: Int
        }
        return try deadNames.map { name in
            let reason = try JSONDecoder().decode(Reason.self, from: Data(text("dead/\(name).reason.json").utf8))
            return DeadLetterSeen(body: try text("dead/\(name)"), reason: reason.reason, attempts: reason.attempts)
        }
    }

    /// A waiting worker watches the directory.
    func isAwaited(by worker: Worker) async throws -> Bool {
        let folder = "/proc/\(worker.process.pid)/fd"
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return descriptors.contains { descriptor in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")
            return target?.contains("inotify") ?? false
        }
    }
}
