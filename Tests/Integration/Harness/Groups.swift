import Foundation
import TestSupport
import Testing

/// A state of groups in a file, as an operator has it, and what `semelctl groups assign` makes of it.
final class Groups: Sendable {
    let directory: TemporaryDirectory
    let state: String

    init() throws {
        directory = try TemporaryDirectory("groups")
        state = directory.path("state")
    }

    func start(_ arguments: [String], input: String = "") throws -> RunningProcess {
        try RunningProcess(
            .semelctl, ["groups", "assign", "--state", state] + arguments, input: Array(input.utf8))
    }

    /// Runs `groups assign` to its end.
    func assign(_ arguments: String..., input: String = "") async throws -> CtlEnd {
        let process = try start(arguments, input: input)
        let status = try await process.waitForExit(timeout: .seconds(90))
        return CtlEnd(status: status, stdout: process.stdout.bytes, stderrText: process.stderr.text)
    }

    struct Summary: Decodable, Hashable {
        var items: Int
        var groups: Int
        var added: Int
        var removed: Int
        var moved: Int
        var repeated: Int
        var opened: [Int]
        var closed: [Int]
        var layout: String
        var capacity: Int
    }

    /// Runs it with these items, one a line; a failure is one of the test.
    @discardableResult
    func assign(items: [String], _ arguments: String...) async throws -> Summary {
        let process = try start(arguments + ["--json"], input: items.map { $0 + "\n" }.joined())
        let status = try await process.waitForExit(timeout: .seconds(90))
        #expect(status == .exited(0), "\(process.report)")
        return try JSONDecoder().decode(Summary.self, from: Data(process.stdout.bytes))
    }

    var bytes: Data { get throws { try Data(contentsOf: URL(fileURLWithPath: state)) } }
    var text: String { get throws { String(decoding: try bytes, as: UTF8.self) } }
    /// What is in the state's folder.
    var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() } }

    /// Which items each group has, read as another program would: behind the empty line each line is a number, a space and
    /// the key.
    var items: [Int: [String]] {
        get throws {
            let lines = try text.split(separator: "\n", omittingEmptySubsequences: false)
            let body = lines.drop { !$0.isEmpty }.dropFirst().dropLast()
            return try body.reduce(into: [:]) { items, line in
                let parts = line.split(separator: " ", maxSplits: 1)
                let group = try #require(Int(parts[0]))
                items[group, default: []].append(String(parts[1]))
            }
        }
    }

    func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: state))
    }
}

extension [Int: [String]] {
    /// Each item's group.
    var groupOfItem: [String: Int] {
        reduce(into: [:]) { groups, entry in
            for item in entry.value { groups[item] = entry.key }
        }
    }
}
