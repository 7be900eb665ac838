import Foundation
import TestSupport

/// A spool directory with a `ready/` made by hand, as a producer that only knows `mv` would.
final class SpoolUnderTest: QueueUnderTest {
    let directory: TemporaryDirectory
    let secrets: [String] = []

    var url: String { "spool:\(directory.path)" }

    init() throws {
        directory = try TemporaryDirectory("spool")
        try FileManager.default.createDirectory(atPath: directory.path("ready"), withIntermediateDirectories: true)
    }

    func put(_ bodies: [[UInt8]]) async throws {
        for body in bodies { try put(body, as: "\(Self.next())") }
    }

    func put(_ body: [UInt8], as name: String) throws {
        let draft = directory.path("draft-\(name)")
        try Data(body).write(to: URL(fileURLWithPath: draft))
        try FileManager.default.moveItem(atPath: draft, toPath: directory.path("ready/\(name)"))
    }

    /// Sorts in the order of the calls.
    private static func next() -> String {
        let now = UInt64(Date().timeIntervalSince1970 * 1e6)
        return "message-\(now)-\(UUID().uuidString.prefix(8))"
    }

    /// The files of a room and of the folders in it, by their names.
    func files(_ room: String) -> [String] {
        let root = directory.path(room)
        let found = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return found.filter { name in
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isDirectory)
            return exists && !isDirectory.boolValue
        }.sorted()
    }

    private func contents(_ room: String, _ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: directory.path("\(room)/\(name)"))))
    }

    private var deadNames: [String] { files("dead").filter { !$0.hasSuffix(".reason.json") } }

    func left() async throws -> Left {
        Left(
            ready: files("ready").count, claimed: files("claimed").count, delayed: files("delayed").count,
            dead: deadNames.count)
    }

    func readyBodies() async throws -> [[UInt8]] {
        try files("ready").map { try contents("ready", $0) }
    }

    func deadLetters() async throws -> [DeadLetterSeen] {
        struct Reason: Decodable {
            var reason: String
            var attempts: Int
            var exit: Int?
            var output: [String]
        }
        return try deadNames.map { name in
            let file = try contents("dead", name + ".reason.json")
            let reason = try JSONDecoder().decode(Reason.self, from: Data(file))
            return DeadLetterSeen(
                body: try contents("dead", name), reason: reason.reason, attempts: reason.attempts, exit: reason.exit,
                output: reason.output.joined(separator: "\n"))
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

    func result(of id: String) async throws -> [UInt8]? {
        files("done").contains(id + ".result") ? try contents("done", id + ".result") : nil
    }
}
