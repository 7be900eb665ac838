import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

@Suite("Lists")
struct ListTests {
    private static func filled() async throws -> Fixture {
        let fixture = try await Fixture()
        for number in 0..<25 {
            fixture.cluster.put(
                ConfigMap.sample(
                    "map-\(number)", labels: ["group": "\(number % 3)", number < 5 ? "early" : "late": ""]))
        }
        return fixture
    }

    @Test("are read page by page, and know what kind of objects they hold")
    func pages() async throws {
        let fixture = try await Self.filled()
        let list = try await fixture.client.list(ConfigMap.self, in: "default", pageSize: 10)
        #expect(Set(list.items.map(\.name)) == Set((0..<25).map { "map-\($0)" }))
        #expect(list.items.count == 25)
        #expect(list.items.allSatisfy { $0.json["kind"] == "ConfigMap" && $0.json["apiVersion"] == "v1" })
        let asked = fixture.cluster.seen.filter { $0.method == "GET" }
        #expect(asked.count == 3 && asked.allSatisfy { $0.target.contains("limit=10") })
        #expect(list.resourceVersion == fixture.cluster.resourceVersion)
    }

    @Test("a page that is of too long ago: the whole list at once")
    func expired() async throws {
        let fixture = try await Self.filled()
        fixture.cluster.inject(StandInFault(.status(410), target: "continue="))
        #expect(try await fixture.client.list(ConfigMap.self, in: "default", pageSize: 10).items.count == 25)
        #expect(fixture.cluster.seen.last?.target.contains("limit") == false)
    }

    @Test("the rest of a list is there until the server forgets")
    func forgotten() async throws {
        let fixture = try await Self.filled()
        let path = "/api/v1/namespaces/default/configmaps"
        func page(_ query: [(String, String)]) async throws -> JSONValue {
            try JSONValue(parsing: try await fixture.client.read(path, query))
        }
        let first = try await page([("limit", "10")])
        #expect(first["metadata", "remainingItemCount"]?.integer == 15)
        let rest = [("limit", "20"), ("continue", first["metadata", "continue"]?.string ?? "")]
        #expect(try await page(rest)["items"]?.array?.count == 15)
        fixture.cluster.forget()
        let error = try await failure { try await page(rest) }
        guard case .gone(_, let status) = error else { throw error }
        #expect(status.reason == "Expired")
    }

    @Test(
        "selectors",
        arguments: [
            ("group=1", 8), ("group==1,early", 2), ("group!=1", 17), ("group in (0, 2),!early", 14),
            ("group notin (0)", 16), ("none", 0), ("none notin (x)", 25),
        ])
    func selectors(_ selector: String, _ count: Int) async throws {
        let fixture = try await Self.filled()
        #expect(try await fixture.client.list(ConfigMap.self, in: "default", labels: selector).items.count == count)
    }

    @Test("fields, namespaces, all namespaces")
    func places() async throws {
        let fixture = try await Self.filled()
        fixture.cluster.addNamespace("other")
        var map = ConfigMap.sample("map-1")
        map.namespace = "other"
        fixture.cluster.put(map)
        let client = fixture.client
        #expect(try await client.list(ConfigMap.self, in: nil, fields: "metadata.name=map-1").items.count == 2)
        #expect(try await client.list(ConfigMap.self, in: "other").items.map(\.name) == ["map-1"])
        #expect(try await client.list(ConfigMap.self, in: "kube-system").items.isEmpty)
    }
}
