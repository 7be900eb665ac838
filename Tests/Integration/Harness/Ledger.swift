import Foundation
import TestSupport

/// A file into which tasks write one line each, in one write that is appended as a whole.
final class Ledger: Sendable {
    private let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory("ledger")
        path = try directory.write("", to: "ledger")
    }

    /// Notes the body, which must have no line feed.
    var task: [String] { Shell.run(#"body=$(cat); printf '%s\n' "$body" >> "$1""#, path) }

    var lines: [String] {
        get throws {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    /// A path beside it that no task has made yet.
    func path(_ name: String) -> String { directory.path(name) }

    func create(_ name: String) throws { try directory.write("", to: name) }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory.path(name)) }
}
