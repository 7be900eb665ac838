import Foundation
import TestSupport
import Testing

/// `semelctl enqueue --group`: the groups' items are messages, each item in one of them.
@Suite(.oneLane)
struct CtlGroupsEnqueueTests {
    @Test(arguments: QueueKind.allCases)
    func aGroupsItems(_ kind: QueueKind) async throws {
        let groups = try Groups()
        try await groups.assign(items: ["1", "2", " 3 ", "é", "5", "6%", "7"], "--capacity", "3")
        let queue = try await kind.make()
        let end = try await Ctl.run(queue, "enqueue", "--group", "2", "--state", groups.state)
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stderrText.hasPrefix("enqueued 3 messages (5 B) in "))
        #expect(try await queue.readyTexts() == ["é", "5", "6%"])
    }

    /// More than a window and more than a piece of the file.
    @Test(arguments: ["keys", "buckets"])
    func allGroupsTogetherAreAllItems(_ layout: String) async throws {
        let groups = try Groups()
        let items = (0..<60_000).map { "acct-\($0)" }
        let file = try groups.directory.write((items + items.prefix(1_000)).joined(separator: "\r\n"), to: "items")
        let made = try await groups.assign("--capacity", "25000", "--layout", layout, "--input", file)
        #expect(made.status == .exited(0), "\(made.stderrText)")
        var found: [String] = []
        for group in 1...3 {
            let queue = try await QueueKind.redis.make()
            let input = layout == "keys" ? [] : ["--input", file]
            try await Ctl.run(queue, ["enqueue", "--group", "\(group)", "--state", groups.state] + input)
                .expectSuccess()
            let texts = try await queue.readyTexts()
            let header = try #require(try groups.text.firstMatch(of: Regex("group \(group) items (\\d+)")))
            #expect(texts.count == Int(header.output[1].substring ?? ""))
            found += texts
        }
        #expect(found.count == items.count)
        #expect(Set(found) == Set(items))
    }

    /// Somebody who only has `sha256sum` finds the same items.
    @Test func bucketsAreWhatAShellSays() async throws {
        let groups = try Groups()
        let items = (0..<200).map { "item \($0)" }
        let file = try groups.directory.write(items.joined(separator: "\n") + "\n", to: "items")
        try await groups.assign(items: items, "--capacity", "60", "--layout", "buckets")
        let queue = try await QueueKind.spool.make()
        try await Ctl.run(queue, ["enqueue", "--group", "2", "--state", groups.state, "--input", file]).expectSuccess()
        let line = try #require(try groups.text.split(separator: "\n").first { $0.hasPrefix("group 2 ") })
        let range = try #require(line.split(separator: " ").last).split(separator: "-").compactMap { Int($0) }
        let script = """
            while IFS= read -r key; do
              bucket=$((0x$(printf %s "$key" | sha256sum | cut -c 1-4)))
              if [ $bucket -ge \(range[0]) ] && [ $bucket -le \(range[1]) ]; then printf '%s\\n' "$key"; fi
            done < \(file)
            """
        let shell = try await TestSupport.run(.installed("sh"), ["-c", script])
        #expect(
            try await queue.readyTexts().sorted() == shell.stdoutText.split(separator: "\n").map(String.init).sorted())
    }

    @Test func idsTellARepetition() async throws {
        let groups = try Groups()
        try await groups.assign(items: ["a", "b"], "--capacity", "3")
        let queue = try await QueueKind.spool.make()
        for _ in 1...2 {
            try await Ctl.run(
                queue, ["enqueue", "--group", "1", "--state", groups.state, "--run", "night-7"]
            ).expectSuccess()
        }
        var ids: [String: Int] = [:]
        for _ in 1...4 {
            let end = try await Worker.run(queue, task: Shell.succeeding)
            ids[try #require(end.report?.messageId), default: 0] += 1
        }
        // The first half of `printf %s a | sha256sum`.
        #expect(ids["night-7-ca978112ca1bbdcafac231b39a23dc4d"] == 2)
        #expect(ids.values.sorted() == [2, 2])
    }

    private static let mistakes: [(arguments: [String], code: Int32, complaint: String)] = [
        (["--group", "3", "--state", "STATE"], 78, "--group: STATE has no group 3"),
        (["--group", "0", "--state", "STATE"], 64, "--group: ‘0’ is not the number of a group; write 1 or more"),
        (["--group", "1"], 64, "--group: needs the groups' state; name it with --state"),
        (["--state", "STATE"], 64, "--state: has a meaning only with --group"),
        (["--run", "x"], 64, "--run: has a meaning only with --group"),
        (["--group", "1", "--state", "STATE", "--run", ""], 64, "--run: has to have 1 to 200 bytes"),
        (["--group", "1", "--state", "STATE", "body"], 64, "--group: a body does not go with it"),
        (["--group", "1", "--state", "STATE", "--lines"], 64, "--group: --lines does not go with it"),
        (
            ["--group", "1", "--state", "STATE", "--input", "x"], 64,
            "--input: the keys are in the state, which has the layout ‘keys’"
        ),
        (
            ["--group", "1", "--state", "/nowhere"], 78,
            "--state: there is no /nowhere; ‘semelctl groups assign’ makes it"
        ),
    ]

    @Test(arguments: mistakes)
    func mistakesAreNamed(_ arguments: [String], _ code: Int32, _ complaint: String) async throws {
        let groups = try Groups()
        try await groups.assign(items: ["a", "b"], "--capacity", "3")
        let queue = try await QueueKind.spool.make()
        let end = try await Ctl.run(queue, ["enqueue"] + arguments.map { $0 == "STATE" ? groups.state : $0 })
        #expect(end.status == .exited(code))
        #expect(end.complaint == complaint.replacing("STATE", with: groups.state))
        #expect(try await queue.left() == .nothing)
    }

    /// What comes before the place where a state is cut off is in the queue, and that is said.
    @Test func aStateThatIsCutOff() async throws {
        let groups = try Groups()
        let items = (0..<100_000).map { "acct-\($0)" }
        try await groups.assign(items: items, "--capacity", "1000000")
        try groups.write(String(try groups.text.dropLast(10)))
        let queue = try await QueueKind.redis.make()
        let end = try await Ctl.run(queue, "enqueue", "--group", "1", "--state", groups.state)
        #expect(end.status == .exited(78))
        let count = try await queue.left().ready
        #expect(count > 0)
        #expect(
            end.complaint
                == "\(groups.state): ends before its last item by the header; it is cut off; \(count) messages are in the queue "
                + "for certain")
    }
}

extension CtlEnd {
    fileprivate func expectSuccess() {
        #expect(status == .exited(0), "\(stderrText)")
    }
}
