import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("Watches")
struct WatchTests {
    /// What a watch has told so far.
    private final class Story: Sendable {
        private let lines = Locked<[String]>([])
        var all: [String] { lines.value }

        func add(_ change: KubernetesChange<ConfigMap>) {
            let line =
                switch change {
                case .listed(let maps): "listed \(maps.map(\.name).joined(separator: " "))"
                case .added(let map): "added \(map.name)"
                case .modified(let map): "modified \(map.name) \(map.data["x"] ?? "")"
                case .deleted(let map): "deleted \(map.name)"
                case .interrupted: "interrupted"
                }
            lines.change { $0.append(line) }
        }
    }

    /// Watches while something happens; returns the error by which the watch ended before it was stopped.
    @discardableResult
    private func watch(
        _ fixture: Fixture, labels: String? = nil, span: Duration = .seconds(290),
        _ body: (Story) async throws -> Void
    ) async throws -> KubernetesError? {
        let story = Story()
        let changes = fixture.client.changes(of: ConfigMap.self, in: "default", labels: labels, span: span)
        let task = Task { () -> KubernetesError? in
            do throws(KubernetesError) {
                for try await change in changes { story.add(change) }
                return nil
            } catch {
                return error
            }
        }
        do {
            try await body(story)
        } catch {
            task.cancel()
            throw SupportError("\(error); told: \(story.all)")
        }
        task.cancel()
        return await task.value
    }

    @Test("tell first what is there, then what happens")
    func changes() async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        cluster.put(ConfigMap.sample("a"))
        let end = try await watch(fixture) { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.put(ConfigMap.sample("b"))
            cluster.put(ConfigMap.sample("b", ["x": "2"]))
            cluster.remove(ConfigMap.self, "a", in: "default")
            try await eventually("all is told") { story.all.count == 4 }
            #expect(story.all == ["listed a", "added b", "modified b 2", "deleted a"])
        }
        #expect(end == .cancelled)
        try await eventually("the connection is given up") { cluster.watchCount == 0 }
    }

    @Test("are of what is selected: what stops to be is gone")
    func selected() async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        try await watch(fixture, labels: "app=semel") { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.put(ConfigMap.sample("other"))
            cluster.put(ConfigMap.sample("a", labels: ["app": "semel"]))
            cluster.put(ConfigMap.sample("a"))
            try await eventually("all is told") { story.all.count == 3 }
            #expect(story.all == ["listed ", "added a", "deleted a"])
        }
    }

    @Test("go on where they were, without telling anything twice", arguments: [false, true])
    func resumed(_ isCut: Bool) async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        try await watch(fixture) { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.put(ConfigMap.sample("a"))
            try await eventually("a is told") { story.all.contains("added a") }
            cluster.endWatches(cut: isCut)
            cluster.put(ConfigMap.sample("b"))
            try await eventually("b is told") { story.all.contains("added b") }
            #expect(story.all == ["listed ", "added a", "added b"])
        }
        #expect(cluster.seen.count { !$0.target.contains("watch=true") } == 1)
    }

    @Test("an event of which only half has come is told once, when it has come whole")
    func halfEvent() async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        cluster.inject(StandInFault(.cut(afterBytes: 60), target: "watch=true"))
        try await watch(fixture) { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.put(ConfigMap.sample("a"))
            try await eventually("a is told") { story.all.contains("added a") }
            cluster.put(ConfigMap.sample("b"))
            try await eventually("b is told") { story.all.contains("added b") }
            #expect(story.all == ["listed ", "added a", "added b"])
        }
    }

    @Test("what the server has forgotten is listed anew")
    func gone() async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        try await watch(fixture) { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.put(ConfigMap.sample("a"))
            cluster.forget()
            cluster.endWatches()
            try await eventually("it is listed again") { story.all.contains("listed a") }
            try await eventually("it watches again") { cluster.watchCount == 1 }
            cluster.put(ConfigMap.sample("b"))
            try await eventually("b is told") { story.all.last == "added b" }
        }
    }

    @Test("a bookmark saves the list")
    func bookmark() async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        try await watch(fixture) { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.forget()
            cluster.bookmark()
            cluster.endWatches()
            cluster.put(ConfigMap.sample("a"))
            try await eventually("a is told") { story.all.contains("added a") }
            #expect(story.all == ["listed ", "added a"])
        }
    }

    @Test("a server that is ill for longer than a request is repeated is said, and waited for")
    func interrupted() async throws {
        let fixture = try await Fixture()
        let cluster = fixture.cluster
        try await watch(fixture) { story in
            try await eventually("it watches") { cluster.watchCount == 1 }
            cluster.inject(StandInFault(.status(503), target: "watch=true", times: 4))
            cluster.endWatches(cut: true)
            try await eventually("it is said") { story.all.contains("interrupted") }
            cluster.put(ConfigMap.sample("a"))
            try await eventually("it goes on") { story.all.last == "added a" }
        }
    }

    @Test("what nobody may see is the end")
    func forbidden() async throws {
        let fixture = try await Fixture()
        fixture.cluster.deny(.init(verb: "watch", resource: "configmaps"))
        let error = try await failure {
            for try await change in fixture.client.changes(of: ConfigMap.self, in: "default") {
                guard case .listed = change else { throw SupportError("\(change)") }
            }
        }
        #expect(error.outcome == .refused)
        #expect(
            error.description.hasPrefix("watch configmaps in namespace ‘default’: not allowed (403): configmaps is"))
    }
}
