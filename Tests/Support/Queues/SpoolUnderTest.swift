import Foundation
public import Glibc

extension QueueTraits {
    static let spool = QueueTraits(orphansComeFirst: true, tellsAge: true)
}

/// A spool directory with a `ready/` made by hand, as a producer that only knows `mv` would.
public final class SpoolUnderTest: QueueUnderTest {
    public let kind = QueueKind.spool
    public let secrets: [String] = []
    public let port: Int? = nil
    public let root: String
    private let directory: TemporaryDirectory?

    public init() throws {
        let directory = try TemporaryDirectory("spool")
        self.directory = directory
        root = directory.path
        try makeReady()
    }

    /// In a directory that somebody else looks after.
    public init(at root: String) throws {
        self.root = root
        directory = nil
        try makeReady()
    }

    private func makeReady() throws {
        try FileManager.default.createDirectory(atPath: path("ready"), withIntermediateDirectories: true)
    }

    /// The path of a file or folder in the spool.
    public func path(_ name: String) -> String { "\(root)/\(name)" }

    public func url(at port: Int?) -> String { "spool:\(root)" }
    public var urlOfMissingQueue: String? { "spool:\(root)/missing" }
    public var urlWithWrongCredentials: String? { nil }

    public func put(_ bodies: [[UInt8]]) async throws {
        for body in bodies { try put(body, as: Self.next()) }
    }

    public func put(_ body: [UInt8], as name: String) throws {
        let draft = path(".draft-\(name)")
        try Data(body).write(to: URL(fileURLWithPath: draft))
        try FileManager.default.moveItem(atPath: draft, toPath: path("ready/\(name)"))
    }

    /// Sorts in the order of the calls.
    private static func next() -> String {
        "message-\(UInt64(Date().timeIntervalSince1970 * 1e6))-\(UUID().uuidString.prefix(8))"
    }

    /// The files of a room and of the folders in it, by their names.
    public func files(_ room: String) -> [String] {
        let found = FileManager.default.enumerator(atPath: path(room))?.compactMap { $0 as? String } ?? []
        return found.filter { name in
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: path("\(room)/\(name)"), isDirectory: &isDirectory)
            return exists && !isDirectory.boolValue
        }.sorted()
    }

    private func contents(_ file: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(file))))
    }

    private var deadNames: [String] { files("dead").filter { !$0.hasSuffix(".reason.json") } }

    public func left() async throws -> Left {
        Left(
            ready: files("ready").count, claimed: files("claimed").count, delayed: files("delayed").count,
            dead: deadNames.count)
    }

    public func readyBodies() async throws -> [[UInt8]] {
        try files("ready").map { try contents("ready/\($0)") }
    }

    public func deadLetters() async throws -> [DeadLetterSeen] {
        struct Reason: Decodable {
            var reason: String
            var attempts: Int
            var exit: Int?
            var output: [String]
        }
        return try deadNames.map { name in
            let reason = try JSONDecoder().decode(Reason.self, from: Data(contents("dead/\(name).reason.json")))
            return DeadLetterSeen(
                body: try contents("dead/\(name)"), reason: reason.reason, attempts: reason.attempts,
                exit: reason.exit, output: reason.output.joined(separator: "\n"))
        }
    }

    /// Whoever waits watches the directory: its inode is among those that the process' inotify descriptors tell.
    public func isAwaited(by process: pid_t) async throws -> Bool {
        var facts = stat()
        guard stat(path("ready"), &facts) == 0 else { return false }
        let inode = " ino:\(String(facts.st_ino, radix: 16)) "
        let folder = "/proc/\(process)/fdinfo"
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return descriptors.contains { descriptor in
            let lines = (try? String(contentsOfFile: "\(folder)/\(descriptor)", encoding: .utf8)) ?? ""
            return lines.split(separator: "\n").contains { $0.hasPrefix("inotify ") && $0.contains(inode) }
        }
    }

    public func result(of id: String) async throws -> [UInt8]? {
        files("done").contains("\(id).result") ? try contents("done/\(id).result") : nil
    }
}
