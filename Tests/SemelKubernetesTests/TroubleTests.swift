import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("An API server that is busy, ill or away")
struct TroubleTests {
    @Test("too many requests: waits as long as it is told, whatever the request is")
    func tooMany() async throws {
        let fixture = try await Fixture()
        fixture.cluster.inject(StandInFault(.status(429, retryAfter: 1), times: 2))
        _ = try await fixture.client.create(ConfigMap.sample("a"))
        #expect(fixture.cluster.object(ConfigMap.self, "a", in: "default") != nil)
    }

    @Test("too many requests for longer than anybody waits")
    func tooManyForEver() async throws {
        let fixture = try await Fixture(patience: .seconds(4))
        fixture.cluster.inject(StandInFault(.status(429, retryAfter: 3), times: 100))
        let error = try await failure { try await fixture.client.get(ConfigMap.self, "a", in: "default") }
        guard case .tooManyRequests(_, let status) = error else { throw error }
        #expect(status.retryAfter == .seconds(3) && error.outcome == .unreachable)
        #expect(error.description.hasSuffix("(429): Too many requests, please try again later."))
    }

    @Test("an order to wait for an hour is not followed")
    func longWait() async throws {
        let fixture = try await Fixture()
        fixture.cluster.inject(StandInFault(.status(503, retryAfter: 3600)))
        let error = try await failure { try await fixture.client.get(ConfigMap.self, "a", in: "default") }
        guard case .failing = error else { throw error }
    }

    @Test("what can be asked twice is asked again when the server fails", arguments: [500, 503])
    func failing(_ code: Int) async throws {
        let fixture = try await Fixture()
        _ = try await fixture.client.create(ConfigMap.sample("a"))
        fixture.cluster.inject(StandInFault(.status(code), method: "GET", times: 2))
        _ = try await fixture.client.get(ConfigMap.self, "a", in: "default")
        fixture.cluster.inject(StandInFault(.status(code), method: "PATCH", times: 2))
        _ = try await fixture.client.apply(CronJob.sample(), manager: "groups")
        fixture.cluster.inject(StandInFault(.status(code), method: "POST"))
        let error = try await failure { try await fixture.client.create(ConfigMap.sample("b")) }
        guard case .failing = error else { throw error }
        #expect(error.outcome == .unreachable)
    }

    @Test("an answer that breaks off is asked for again, a creation is not made twice")
    func cut() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.client.create(ConfigMap.sample("a", ["x": String(repeating: "x", count: 10_000)]))
        fixture.cluster.inject(StandInFault(.cut(afterBytes: 100), method: "GET", times: 2))
        #expect(try await fixture.client.get(ConfigMap.self, "a", in: "default").data["x"]?.count == 10_000)

        fixture.cluster.inject(StandInFault(.cut(afterBytes: 10), method: "POST"))
        let error = try await failure { try await fixture.client.create(ConfigMap.sample("b")) }
        guard case .unreachable = error else { throw error }
        #expect(fixture.cluster.seen.count { $0.method == "POST" && $0.body.contains("\"b\"") } == 1)
    }

    @Test("an answer that does not come")
    func silence() async throws {
        let fixture = try await Fixture(patience: .milliseconds(300))
        fixture.cluster.inject(StandInFault(.silence))
        let error = try await failure { try await fixture.client.get(ConfigMap.self, "a", in: "default") }
        guard case .unreachable(let reason) = error else { throw error }
        #expect(reason.contains("no answer within"))
    }

    @Test("whoever waits can be stopped")
    func cancelled() async throws {
        let fixture = try await Fixture()
        fixture.cluster.inject(StandInFault(.silence))
        let waiting = Task { try await failure { try await fixture.client.get(ConfigMap.self, "a", in: "default") } }
        try await eventually("it has been asked") { fixture.cluster.faultCount == 0 }
        waiting.cancel()
        #expect(try await waiting.value == .cancelled)
    }

    @Test("nobody listens")
    func away() async throws {
        let fixture = try await Fixture(patience: .seconds(5))
        try await fixture.server.stop()
        let error = try await failure { try await fixture.client.create(ConfigMap.sample("a")) }
        #expect(
            error.description
                == "the API server at \(fixture.server.url) cannot be reached: cannot connect: Connection refused")
        #expect(error.outcome == .unreachable)
    }

    @Test("a page of something else is not taken for an answer")
    func notKubernetes() async throws {
        let fixture = try await Fixture()
        fixture.cluster.inject(StandInFault(.status(200)))
        let error = try await failure { try await fixture.client.get(ConfigMap.self, "a", in: "default") }
        guard case .unintelligible = error else { throw error }
    }
}
