import Foundation
import TestSupport
import Testing

/// `semelctl groups assign`: who is there stays, whoever comes gets a place, and what is wrong changes nothing.
@Suite(.oneLane)
struct CtlGroupsAssignTests {
    @Test func theStateIsAReadableFile() async throws {
        let groups = try Groups()
        let end = try await groups.assign("--capacity", "2", input: "b\na b\nc%\n")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdoutText == "3 items in 2 groups: 3 added, 0 removed, 0 moved; opened 1, 2\n")
        #expect(
            try groups.text == """
                semel-groups 1
                layout keys
                capacity 2
                groups 2
                group 1 items 2 first a%20b last b
                group 2 items 1 first c%25 last c%25

                1 b
                1 a b
                2 c%

                """)
        #expect(try groups.files == ["state"])
    }

    /// The same in small as eleven million items after ten, with a capacity of one million.
    @Test func oneMoreGroupAndNobodyMoved() async throws {
        let groups = try Groups()
        let items = (0..<11_000).map { "acct-\($0)" }
        try await groups.assign(items: Array(items.prefix(10_000)), "--capacity", "1000")
        let before = try groups.items
        let summary = try await groups.assign(items: items.shuffled())
        let after = try groups.items
        #expect(
            summary
                == Groups.Summary(
                    items: 11_000, groups: 11, added: 1_000, removed: 0, moved: 0, repeated: 0, opened: [11],
                    closed: [], layout: "keys", capacity: 1_000))
        #expect(Set(after.keys).subtracting(before.keys) == [11])
        for (group, items) in before { #expect(after[group] == items) }
        #expect(after[11].map(Set.init) == Set(items.suffix(1_000)))
    }

    /// Nights of chance, against what each item's group was before.
    @Test(arguments: 1...6)
    func nights(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let groups = try Groups()
        let capacity = Int.random(in: 1...60, using: &random)
        var items: [String] = []
        var before: [Int: [String]] = [:]
        for night in 0..<8 {
            items.removeAll { _ in Int.random(in: 0...9, using: &random) < night % 4 }
            items += (0..<Int.random(in: 0...200, using: &random)).map { "\(night) \($0)" }
            let summary = try await groups.assign(
                items: items.shuffled(using: &random), "--capacity", "\(capacity)", "--remove-at-most", "100%")
            let after = try groups.items
            let old = before.groupOfItem
            let new = after.groupOfItem
            #expect(Set(new.keys) == Set(items))
            #expect(after.values.allSatisfy { $0.count <= capacity })
            for (item, group) in new where old[item] != nil { #expect(old[item] == group) }
            #expect(summary.items == items.count && summary.groups == after.count)
            #expect(summary.added == new.keys.count { old[$0] == nil })
            #expect(summary.removed == old.keys.count { new[$0] == nil })
            #expect(summary.moved == 0)
            before = after
        }
    }

    @Test func placesAreFilledBeforeGroupsAreOpened() async throws {
        let groups = try Groups()
        let items = (1...12).map { "\($0)" }
        try await groups.assign(items: items, "--capacity", "4")
        let summary = try await groups.assign(
            items: items.filter { !["2", "6", "7"].contains($0) } + ["x", "y", "z", "!"])
        #expect(summary.opened == [4])
        #expect(
            try groups.items == [
                1: ["1", "3", "4", "x"], 2: ["5", "8", "y", "z"], 3: ["9", "10", "11", "12"], 4: ["!"],
            ])
    }

    /// A group whose items are all gone is gone, and its number is free.
    @Test func anEmptyGroupCloses() async throws {
        let groups = try Groups()
        try await groups.assign(items: ["1", "2", "3", "4", "5"], "--capacity", "2")
        let closed = try await groups.assign(items: ["1", "2", "5"])
        #expect(closed.closed == [2] && closed.removed == 2 && closed.groups == 2)
        let opened = try await groups.assign(items: ["1", "2", "5", "6", "7", "8"])
        #expect(opened.opened == [2])
        #expect(try groups.items == [1: ["1", "2"], 2: ["7", "8"], 3: ["5", "6"]])
    }

    @Test func whatMakesNoDifference() async throws {
        let groups = try Groups()
        let end = try await groups.assign("--capacity", "9", "--json", input: "a\r\n\n\r\na\n b \nc")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdoutText.contains(#""repeated":1"#))
        #expect(try groups.items == [1: ["a", " b ", "c"]])
    }

    /// Nothing new: not even the file is written.
    @Test func theSameItemsAgain() async throws {
        let groups = try Groups()
        let items = (1...100).map { "\($0)" }
        try await groups.assign(items: items, "--capacity", "30")
        let before = try FileManager.default.attributesOfItem(atPath: groups.state)[.systemFileNumber] as? Int
        let summary = try await groups.assign(items: items.reversed())
        #expect(summary.added == 0 && summary.removed == 0 && summary.groups == 4)
        #expect(try FileManager.default.attributesOfItem(atPath: groups.state)[.systemFileNumber] as? Int == before)
        #expect(try groups.files == ["state"])
    }

    @Test func aLargerCapacityIsRemembered() async throws {
        let groups = try Groups()
        try await groups.assign(items: ["1", "2", "3"], "--capacity", "2")
        try await groups.assign(items: ["1", "2", "3"], "--capacity", "3")
        try await groups.assign(items: ["1", "2", "3", "4", "5", "6"])
        #expect(try groups.items == [1: ["1", "2", "6"], 2: ["3", "4", "5"]])
    }

    @Test func theFilesRightsAndItsLinkStay() async throws {
        let groups = try Groups()
        try await groups.assign(items: ["1"], "--capacity", "2")
        let real = groups.directory.path("real")
        try FileManager.default.moveItem(atPath: groups.state, toPath: real)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: real)
        try FileManager.default.createSymbolicLink(atPath: groups.state, withDestinationPath: "real")
        try await groups.assign(items: ["1", "2"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: groups.state) == "real")
        #expect(try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions] as? Int == 0o640)
        #expect(try groups.items == [1: ["1", "2"]])
    }

    @Test func filesAndCommands() async throws {
        let groups = try Groups()
        let file = try groups.directory.write("1\n2\n", to: "items")
        #expect(try await groups.assign("--capacity", "5", "--input", file).status == .exited(0))
        #expect(try await groups.assign("--input-command", "cat \(file); echo 3").status == .exited(0))
        #expect(try groups.items == [1: ["1", "2", "3"]])
        let failed = try await groups.assign("--input-command", "cat \(file); exit 3")
        #expect(failed.status == .exited(69))
        #expect(failed.complaint == "--input-command: it exited with 3; nothing was changed")
        let killed = try await groups.assign("--input-command", "cat \(file); kill -9 $$")
        #expect(killed.complaint == "--input-command: it was ended by signal 9; nothing was changed")
        #expect(try groups.items == [1: ["1", "2", "3"]])
        #expect(try groups.files == ["items", "state"])
    }

    /// Items belong to buckets by their hash, and the state says no more than that.
    @Test func buckets() async throws {
        let groups = try Groups()
        let items = (0..<20_000).map { "acct-\($0)" }
        let first = try await groups.assign(
            items: Array(items.prefix(18_000)), "--capacity", "2000", "--layout", "buckets")
        #expect(first.groups == 9 || first.groups == 10)
        #expect(first.layout == "buckets" && first.moved == 0)
        #expect(try groups.text.utf8.count < 1_000)
        let second = try await groups.assign(items: items)
        #expect(second.added == 2_000 && second.removed == 0)
        // What came, and not even one bucket more for each group that was full.
        #expect(second.moved <= 2_000 + 10 * 4)
        let text = try groups.text
        let sizes = text.matches(of: /items (\d+)/).compactMap { Int($0.1) }
        #expect(sizes.reduce(0, +) == 20_000)
        #expect(sizes.allSatisfy { $0 <= 2_000 })
    }
}
