import Foundation
import TestSupport
import Testing

/// `semelctl groups assign` on bad days: one line says what is wrong, and the state is what it was.
@Suite(.oneLane)
struct CtlGroupsTroubleTests {
    private static let good = """
        semel-groups 1
        layout keys
        capacity 2
        groups 2
        group 1 items 2 first a last b
        group 2 items 1 first c last c

        1 a
        1 b
        2 c

        """

    private static let damages: [(change: (String, String), complaint: String)] = [
        (
            ("semel-groups 1", "semel-groups 2"),
            ":1: begins with ‘semel-groups 2’, not with ‘semel-groups 1’: not a state of groups"
        ),
        (("layout keys", "layout key"), ":2: layout: ‘key’ is neither ‘keys’ nor ‘buckets’"),
        (("capacity 2", "capacity many"), ":3: capacity: ‘many’ is not a number of at least 1"),
        (("items 2", "items two"), ":5: items: ‘two’ is not a number of at least 1"),
        (("last c", ""), ":6: last: is missing; here is ‘’"),
        (("\n\n1 a", "\n1 a"), ":7: groups: more lines follow than groups; an empty one is expected"),
        (("1 b\n", ""), ":9: is not an item of group 1, which has 2 by its header and 1 so far"),
        (("1 b", "1b"), ":9: is not an item of group 1, which has 2 by its header and 1 so far"),
        (("1 b", "1 a"), ": group 1: ‘a’ is there twice"),
        (("2 c\n", "2 c\n2 d\n"), ":11: groups: has no more items by its header"),
        (("2 c\n", "2 c"), ": ends before its last item by the header; it is cut off"),
        (("2 c\n", ""), ": ends before its last item by the header; it is cut off"),
        (("1 b", "1 \u{7}"), ":9: the key has a control character in it (byte 7)"),
        (("1 b", "1 "), ":9: the key is empty"),
        (("1 a\n1 b\n2 c\n", ""), ": ends before its last item by the header; it is cut off"),
    ]

    @Test(arguments: damages)
    func aBadStateIsLeftAlone(_ change: (String, String), _ complaint: String) async throws {
        let groups = try Groups()
        let bad = Self.good.replacing(change.0, with: change.1, maxReplacements: 1)
        try groups.write(bad)
        let end = try await groups.assign(input: "a\nb\nc\n")
        #expect(end.status == .exited(78))
        #expect(end.complaint == groups.state + complaint)
        #expect(try groups.text == bad)
        #expect(try groups.files == ["state"])
    }

    @Test func theGoodOneIsGood() async throws {
        let groups = try Groups()
        try groups.write(Self.good)
        #expect(try await groups.assign(input: "a\nb\nc\n").status == .exited(0))
        #expect(try groups.text == Self.good)
    }

    private static let badKeys: [(input: [UInt8], complaint: String)] = [
        (Array("a\nb\tc\n".utf8), "standard input:2: the key has a tab in it"),
        ([0x61, 10, 0xff, 10], "standard input:2: the key is not UTF-8"),
        (Array("a\n\n\0\n".utf8), "standard input:3: the key has a control character in it (byte 0)"),
    ]

    /// It is refused before it is all there.
    @Test func aKeyWithoutEnd() async throws {
        try await keysThatCannotBe(
            [UInt8](repeating: 0x61, count: 5_000_000), "standard input:1: the key is longer than 1024 bytes")
    }

    @Test(arguments: badKeys)
    func keysThatCannotBe(_ input: [UInt8], _ complaint: String) async throws {
        let groups = try Groups()
        let process = try RunningProcess(
            .semelctl, ["groups", "assign", "--state", groups.state, "--capacity", "1"], input: input)
        #expect(try await process.waitForExit() == .exited(65))
        #expect(process.stderr.text == "semelctl: \(complaint)\n")
        #expect(try groups.files == [])
    }

    private static let mistakes: [(arguments: [String], complaint: String)] = [
        (["--capacity", "0"], "--capacity: ‘0’ is not a number of items; write 1 or more"),
        (["--capacity", "1M"], "--capacity: ‘1M’ is not a number of items; write 1 or more"),
        (["--layout", "ranges"], "--layout: ‘ranges’ is neither ‘keys’ nor ‘buckets’"),
        (["--remove-at-most", "0.5"], "--remove-at-most: ‘0.5’ is not a share between 0% and 100%; write 10% or 100%"),
        (
            ["--remove-at-most", "101%"],
            "--remove-at-most: ‘101%’ is not a share between 0% and 100%; write 10% or 100%"
        ),
        (["--yes"], "--yes: has a meaning only with --rebalance"),
        (["--input", "-", "--input-command", "x"], "--input and --input-command: items come from one or the other"),
        (["--input", ""], "--input: is empty"),
        (["--input-command", ""], "--input-command: is empty"),
        ([], "--capacity: is not given, and there is no state at STATE yet that says it"),
    ]

    @Test(arguments: mistakes)
    func wrongUsage(_ arguments: [String], _ complaint: String) async throws {
        let groups = try Groups()
        let process = try groups.start(arguments, input: "a\n")
        #expect(try await process.waitForExit() == .exited(64))
        #expect(process.stderr.text == "semelctl: \(complaint.replacing("STATE", with: groups.state))\n")
        #expect(try groups.files == [])
    }

    @Test func filesThatAreNotThere() async throws {
        let groups = try Groups()
        let input = try await groups.assign("--capacity", "1", "--input", "/nowhere/items")
        #expect(input.status == .exited(78))
        #expect(input.complaint == "--input: cannot read /nowhere/items: No such file or directory")
        let folder = try await groups.assign("--capacity", "1", "--input", groups.directory.path)
        #expect(folder.complaint == "--input: cannot read \(groups.directory.path): Is a directory")
        let end = try await Ctl.run(
            QueueKind.spool.make(), "groups", "assign", "--state", "/nowhere/state", "--capacity", "1")
        #expect(end.status == .exited(78))
        #expect(end.complaint == "--state: cannot write /nowhere/state.new: No such file or directory")
    }

    @Test func anotherLayout() async throws {
        let groups = try Groups()
        try groups.write(Self.good)
        let end = try await groups.assign("--layout", "buckets", input: "a\n")
        #expect(end.status == .exited(64))
        #expect(
            end.complaint
                == "--layout: \(groups.state) has the layout ‘keys’; begin a new state to have another, which gives most items "
                + "another group")
    }

    /// A producer that died half way has not removed half of the items.
    @Test func anInputThatIsCutOff() async throws {
        let groups = try Groups()
        let items = (1...100).map { "\($0)" }
        try await groups.assign(items: items, "--capacity", "30")
        let before = try groups.text
        let most = try await groups.assign(input: items.prefix(49).joined(separator: "\n"))
        #expect(most.status == .exited(65))
        #expect(
            most.complaint
                == "standard input: 51 of 100 items are not in it any more, over the 50% of --remove-at-most; nothing was changed"
        )
        #expect(try await groups.assign(input: "").status == .exited(65))
        #expect(
            try await groups.assign("--remove-at-most", "0%", input: items.dropLast().joined(separator: "\n")).status
                == .exited(65))
        #expect(try groups.text == before)
        let half = try await groups.assign(items: Array(items.prefix(50)))
        #expect(half.removed == 50)
        let all = try await groups.assign(items: [], "--remove-at-most", "100%")
        #expect(all.items == 0 && all.closed == [1, 2])
    }

    /// Of a state that was lost nothing is left to compare with, and without groups all CronJobs would be orphans.
    @Test func nothingToBeginWith() async throws {
        let groups = try Groups()
        let end = try await groups.assign("--capacity", "5", input: "\n")
        #expect(end.status == .exited(65))
        #expect(
            end.complaint == "standard input: there are no items; --remove-at-most 100% makes a state that has none")
        #expect(try groups.files == [])
        let meant = try await groups.assign("--capacity", "5", "--remove-at-most", "100%", input: "")
        #expect(meant.status == .exited(0))
        #expect(try await groups.assign(input: "").status == .exited(0))
    }

    @Test func aSmallerCapacityMovesNobodyUnasked() async throws {
        let groups = try Groups()
        let items = (1...10).map { "\($0)" }
        try await groups.assign(items: items, "--capacity", "5")
        let before = try groups.text
        let end = try await groups.assign("--capacity", "4", input: items.joined(separator: "\n"))
        #expect(end.status == .exited(78))
        #expect(
            end.complaint == "--capacity: group 1 has 5 items, which is over 4; nothing is moved without --rebalance")
        #expect(try groups.text == before)
    }

    /// In buckets a few items move when their group has grown too large, but not because somebody wants smaller groups.
    @Test func norDoesItInBuckets() async throws {
        let groups = try Groups()
        let items = (1...5_000).map { "item \($0)" }
        try await groups.assign(items: items, "--capacity", "1000", "--layout", "buckets")
        let before = try groups.bytes
        let input = items.map { $0 + "\n" }.joined()
        let end = try await groups.assign("--capacity", "500", input: input)
        #expect(end.status == .exited(78))
        #expect(end.complaint.hasPrefix("--capacity: with 500 in place of 1000, "), "\(end.stderrText)")
        #expect(end.complaint.hasSuffix(" that is not done without --rebalance"))
        #expect(try groups.bytes == before)
        let asked = try await groups.assign("--capacity", "500", "--rebalance", "--yes", input: input)
        #expect(asked.status == .exited(0) && asked.stderrText.contains("BEFORE"), "\(asked.stderrText)")
        #expect(try groups.text.contains("capacity 500\n"))
    }

    /// Moving is asked for twice, and its cost is shown first.
    @Test func rebalancing() async throws {
        let groups = try Groups()
        let items = (1...10).map { "\($0)" }
        try await groups.assign(items: items, "--capacity", "5")
        let before = try groups.text
        let input = items.joined(separator: "\n")
        let unasked = try await groups.assign("--capacity", "4", "--rebalance", input: input)
        #expect(unasked.status == .exited(64))
        #expect(unasked.stderrText.contains("nobody is there to confirm; add --yes"))
        #expect(try groups.text == before)
        let end = try await groups.assign("--capacity", "4", "--rebalance", "--yes", input: input)
        #expect(end.status == .exited(0))
        #expect(
            end.stderrText == """
                       GROUP      BEFORE       AFTER
                           1           5           4
                           2           5           4
                           3           -           2

                """)
        #expect(end.stdoutText == "10 items in 3 groups: 0 added, 0 removed, 2 moved; opened 3\n")
        #expect(try groups.items == [1: ["1", "2", "3", "4"], 2: ["6", "7", "8", "9"], 3: ["5", "10"]])
    }

    @Test(arguments: [("y\n", true), ("n\n", false)])
    func somebodyIsAsked(_ typing: String, _ isMoved: Bool) async throws {
        let groups = try Groups()
        let file = try groups.directory.write("1\n2\n3\n4\n", to: "items")
        try await groups.assign(items: ["1", "2", "3", "4"], "--capacity", "4")
        let end = try await Ctl.runOnTerminal(
            QueueKind.spool.make(),
            ["groups", "assign", "--state", groups.state, "--input", file, "--capacity", "3", "--rebalance"],
            typing: typing)
        #expect(end.output.contains("move 1 of 4 items (25 %) to other groups? [y/N]"))
        #expect(end.status == .exited(isMoved ? 0 : 64))
        #expect(try groups.items == (isMoved ? [1: ["1", "2", "3"], 2: ["4"]] : [1: ["1", "2", "3", "4"]]))
    }

    /// The second of two at once says who the first is; one that is stopped leaves nothing behind.
    @Test func twoAtOnce() async throws {
        let groups = try Groups()
        try await groups.assign(items: ["1"], "--capacity", "4")
        let before = try groups.text
        let pid = groups.directory.path("pid")
        let first = try groups.start(["--input-command", "echo $$ > \(pid).tmp; mv \(pid).tmp \(pid); exec sleep 600"])
        try await eventually("the command runs") { FileManager.default.fileExists(atPath: pid) }
        let second = try await groups.assign(input: "1\n2\n")
        #expect(second.status == .exited(75))
        #expect(
            second.complaint
                == "--state: \(groups.state) is just being changed by process \(first.pid), which holds \(groups.state).new; "
                + "try again when it has ended")
        first.send(SIGTERM)
        #expect(try await first.waitForExit() == .exited(143))
        #expect(first.stderr.text == "semelctl: stopped by SIGTERM; nothing was changed\n")
        let command = try #require(Int32(String(contentsOfFile: pid, encoding: .utf8).split(separator: "\n")[0]))
        try await eventually("the command is gone") { kill(command, 0) != 0 }
        #expect(try groups.text == before)
        #expect(try groups.files == ["pid", "state"])
    }

    /// Killed at any point, it has changed nothing or all; and the next run makes of it what an undisturbed one would have.
    @Test(arguments: 0..<12)
    func killed(_ point: Int) async throws {
        let groups = try Groups()
        let items = (0..<40_000).map { "acct-\($0)" }
        let file = try groups.directory.write(items.dropFirst(2_000).joined(separator: "\n"), to: "items")
        try await groups.assign(items: Array(items.prefix(36_000)), "--capacity", "5000")
        let before = try groups.bytes

        let undisturbed = try Groups()
        try before.write(to: URL(fileURLWithPath: undisturbed.state))
        #expect(try await undisturbed.assign("--input", file).status == .exited(0))
        let expected = try undisturbed.bytes
        #expect(expected != before)

        let process = try groups.start(["--input", file])
        // From the draft's beginning to its end, and then while it takes its place.
        let size = expected.count / 9 * point
        while process.isRunning, self.size(groups.state + ".new") < size { await Task.yield() }
        process.send(SIGKILL)
        try await process.waitForExit()
        let left = try groups.bytes
        #expect(left == before || left == expected)
        #expect(try await groups.assign("--input", file).status == .exited(0))
        #expect(try groups.bytes == expected)
        #expect(try groups.files == ["items", "state"])
    }

    /// -1 for a file that is not there.
    private func size(_ path: String) -> Int {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_size) : -1
    }
}
