import Foundation
import TestSupport

struct SpoolSoak: SoakQueue {
    let kind = QueueKind.spool
    let flags: [String] = []
    let proxy: TCPProxy? = nil
    let serverLog = ""
    private let root: String

    var url: String { "spool:\(root)" }

    init(in directory: String) throws {
        root = directory + "/spool"
        try FileManager.default.createDirectory(atPath: root + "/ready", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/incoming", withIntermediateDirectories: true)
    }

    func enqueue(_ messages: [SoakMessage]) async throws {
        for message in messages {
            let digits = String(message.number)
            let name = "m" + String(repeating: "0", count: max(0, 7 - digits.count)) + digits
            try Data(message.body).write(to: URL(fileURLWithPath: "\(root)/incoming/\(name)"))
            try FileManager.default.moveItem(atPath: "\(root)/incoming/\(name)", toPath: "\(root)/ready/\(name)")
        }
    }

    func inflict(_ fault: FaultKind, for span: Duration) async throws {}

    func remaining() async throws -> Int {
        names("ready").count + names("claimed").count + names("delayed").count
    }

    func content() async throws -> SoakContent {
        let dead = names("dead")
        let letters = dead.filter { !$0.hasSuffix(".reason.json") }
        return SoakContent(
            queued: (names("ready") + names("claimed") + names("delayed")).compactMap(number),
            dead: letters.compactMap(number), done: names("done").compactMap(number),
            leftovers: letters.filter { !dead.contains($0 + ".reason.json") }.map { "no reason for \($0)" }
                + (names("incoming") + names("meta")))
    }

    private func names(_ room: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(room)")) ?? []).sorted()
    }

    /// The names carry due times before the message's own and attempts after it.
    private func number(_ name: String) -> Int? {
        let own = name.split(separator: "~").first { $0.hasPrefix("m") }
        return own.flatMap { Int($0.dropFirst().prefix { $0.isNumber }) }
    }
}
