import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("A text in a ConfigMap")
struct ConfigMapStoreTests {
    @Test("is changed by whoever knows what it was")
    func writes() async throws {
        let fixture = try await Fixture()
        let store = ConfigMapStore(fixture.client, namespace: "default", name: "groups", key: "state")
        #expect(try await store.read() == nil)
        let first = try await store.write("one", replacing: nil, labels: ["app": "semel"], manager: "groups")
        #expect(try await store.read() == first)
        let made = fixture.cluster.object(ConfigMap.self, "groups", in: "default")
        #expect(made?.labels == ["app": "semel"] && made?.data == ["state": "one"])

        let twice = try await failure { try await store.write("x", replacing: nil, manager: "groups") }
        guard case .alreadyExists = twice else { throw twice }

        let second = try await store.write("two", replacing: first, manager: "groups")
        #expect(second.text == "two" && second.resourceVersion != first.resourceVersion)
        let late = try await failure { try await store.write("three", replacing: first, manager: "groups") }
        guard case .conflict = late else { throw late }
        #expect(late.outcome == .retry)
        #expect(try await store.read() == second)
    }

    @Test("leaves alone what else is in there")
    func others() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.client.create(ConfigMap.sample("groups", ["note": "mine"], labels: ["x": "y"]))
        let store = ConfigMapStore(fixture.client, namespace: "default", name: "groups", key: "state")
        let empty = try #require(try await store.read())
        #expect(empty.text.isEmpty)
        _ = try await store.write("one", replacing: empty, manager: "groups")
        let map = try #require(fixture.cluster.object(ConfigMap.self, "groups", in: "default"))
        #expect(map.data == ["note": "mine", "state": "one"] && map.labels == ["x": "y"])
    }

    @Test("does not fit when it is over a mebibyte")
    func tooLarge() async throws {
        let fixture = try await Fixture()
        let store = ConfigMapStore(fixture.client, namespace: "default", name: "groups", key: "state")
        let error = try await failure {
            try await store.write(String(repeating: "x", count: 1 << 20), replacing: nil, manager: "groups")
        }
        #expect(error.outcome == .misconfigured)
        #expect(fixture.cluster.seen.isEmpty)
        _ = try await store.write(String(repeating: "x", count: 1 << 19), replacing: nil, manager: "groups")
    }
}
