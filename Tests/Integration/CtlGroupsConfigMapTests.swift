import Foundation
import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

/// The two halves of `semelctl groups` with a ConfigMap between them.
@Suite(.oneLane)
struct CtlGroupsConfigMapTests {
    private static let place = "configmap:nightly-state"

    private func map(_ groups: GroupsCluster) -> ConfigMap? {
        groups.cluster.object(ConfigMap.self, "nightly-state", in: "work")
    }

    private func items(_ range: ClosedRange<Int>, _ groups: GroupsCluster) throws -> String {
        try groups.directory.write(range.map { "item \($0)\n" }.joined(), to: "items")
        return groups.directory.path("items")
    }

    @Test func assignedAndApplied() async throws {
        let groups = try await GroupsCluster()
        try groups.write(state: Self.place)
        let file = try items(1...5, groups)
        let first = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        #expect(first.status == .exited(0), "\(first.stderrText)")
        #expect(map(groups)?.data["state"]?.contains("layout keys\ncapacity 2\ngroups 3\n") == true)
        #expect(try await groups.apply().stderrText == "nightly: 3 created, 0 updated, 0 unchanged\n")

        _ = try items(1...7, groups)
        let second = try await groups.end(of: groups.startAssigning(["--input", file]))
        #expect(second.stdoutText == "7 items in 4 groups: 2 added, 0 removed, 0 moved; opened 4\n")
        #expect(try await groups.apply().stderrText == "nightly: 1 created, 1 updated, 2 unchanged\n")
    }

    /// Ten thousand keys would fit, a hundred thousand do not.
    @Test func tooManyKeysForAConfigMap() async throws {
        let groups = try await GroupsCluster()
        let file = try items(1...100_000, groups)
        let end = try await groups.end(of: groups.startAssigning(["--capacity", "40000", "--input", file]))
        #expect(end.status == .exited(0), "\(end.stderrText)")
        let text = try #require(map(groups)?.data["state"])
        #expect(text.contains("layout buckets\n") && text.utf8.count < 2_000)
    }

    @Test func changedMeanwhile() async throws {
        let groups = try await GroupsCluster()
        let file = try items(1...5, groups)
        _ = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        var changed = try #require(map(groups))
        let (begun, go) = (groups.directory.path("begun"), groups.directory.path("go"))
        let later = try groups.startAssigning([
            "--remove-at-most", "100%", "--input-command",
            "touch '\(begun)'; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo more",
        ])
        // The state is read before the items are.
        try await eventually("it reads the items") { FileManager.default.fileExists(atPath: begun) }
        changed.data["other"] = "somebody's"
        let kept = groups.cluster.put(changed)
        try groups.directory.write("", to: "go")
        let refused = try await groups.end(of: later)
        #expect(refused.status == .exited(75))
        #expect(refused.stderrText.contains("nightly-state’ in namespace ‘work’ has just been changed by another"))
        #expect(map(groups)?.resourceVersion == kept.resourceVersion)
    }

    /// One that has other things in it and no state is not one of ours; one that is empty was made for it.
    @Test func somebodyElses() async throws {
        let groups = try await GroupsCluster()
        let file = try items(1...5, groups)
        var other = ConfigMap(name: "nightly-state", namespace: "work")
        other.data = ["ca.crt": "…"]
        let theirs = groups.cluster.put(other)
        let refused = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        #expect(refused.status == .exited(78))
        #expect(
            refused.complaint
                == "--state: ConfigMap ‘nightly-state’ in namespace ‘work’ is somebody else's: it has no key "
                + "‘state’, and others; name another")
        #expect(map(groups) == theirs)

        groups.cluster.remove(ConfigMap.self, "nightly-state", in: "work")
        groups.cluster.put(ConfigMap(name: "nightly-state", namespace: "work"))
        let taken = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        #expect(taken.status == .exited(0) && map(groups)?.data["state"] != nil, "\(taken.stderrText)")
    }

    /// What was written is written, whether or not somebody hears of it.
    @Test(arguments: [("POST", [1, 2, 3]), ("PATCH", [1, 2, 3, 4])])
    func theAnswerIsLost(_ method: String, _ keys: [Int]) async throws {
        let groups = try await GroupsCluster()
        if method == "PATCH" {
            let file = try items(1...2, groups)
            _ = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        }
        groups.cluster.inject(.init(.cut(afterBytes: 0), method: method))
        let file = try items(1...keys.count, groups)
        let end = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(map(groups)?.data["state"]?.contains(" item \(keys.count)\n") == true)

        // And what was not is not.
        let before = map(groups)
        groups.cluster.inject(.init(.status(500), method: "PATCH", times: 9))
        _ = try items(1...9, groups)
        #expect(try await groups.end(of: groups.startAssigning(["--input", file])).status == .exited(69))
        #expect(map(groups) == before)
    }

    @Test func itIsLabelled() async throws {
        let groups = try await GroupsCluster()
        let file = try items(1...5, groups)
        _ = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        #expect(map(groups)?.labels == ["app.kubernetes.io/managed-by": "semelctl"])
    }

    /// What is written is what was looked at: not something else that took its place, or its absence.
    @Test func takenAwayMeanwhile() async throws {
        let groups = try await GroupsCluster()
        let file = try items(1...5, groups)
        _ = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        groups.cluster.inject(
            .init(.meanwhile { $0.remove(ConfigMap.self, "nightly-state", in: "work") }, method: "PATCH"))
        _ = try items(1...6, groups)
        let end = try await groups.end(of: groups.startAssigning(["--input", file]))
        #expect(end.status == .exited(75) && map(groups) == nil, "\(end.stderrText)")
    }

    @Test(arguments: [
        (["configmap:"], 64, "--state: ‘configmap:’ is not configmap:[NAMESPACE/]NAME"),
        (["configmap:a/b/c"], 64, "is not configmap:[NAMESPACE/]NAME"),
        (["state", "--context", "x"], 64, "--context: has a meaning only with --state configmap:NAME"),
    ])
    func wrongOnes(_ words: [String], _ code: Int32, _ complaint: String) async throws {
        let groups = try await GroupsCluster()
        let file = try items(1...5, groups)
        let process = try groups.startAssigning(to: words[0], ["--capacity", "2", "--input", file] + words.dropFirst())
        let end = try await groups.end(of: process)
        #expect(end.status == .exited(code))
        #expect(end.stderrText.contains(complaint), "\(end.stderrText)")
    }

    @Test func notAllowed() async throws {
        let groups = try await GroupsCluster()
        groups.cluster.deny(.init(user: "operator", verb: "create", resource: "configmaps"))
        let file = try items(1...5, groups)
        let end = try await groups.end(of: groups.startAssigning(["--capacity", "2", "--input", file]))
        #expect(end.status == .exited(77), "\(end.stderrText)")
        #expect(map(groups) == nil)
    }
}
