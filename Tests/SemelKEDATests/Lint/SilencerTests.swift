import SemelKEDA
import Testing

@Suite struct SilencerTests {
    private let bad = LintFixture.amqp.spoiled(("maxReplicaCount: 20", "maxReplicaCount: 0"))

    private func ids(_ line: String) -> [String] {
        bad.spoiled(("  maxReplicaCount: 0", line)).ids()
    }

    @Test func withoutAComment() {
        #expect(bad.ids() == ["SJ043"])
    }

    @Test(arguments: [
        "  maxReplicaCount: 0 # semel-lint: ignore SJ043",
        "  maxReplicaCount: 0 # semel-lint: ignore SJ042, SJ043 not in use yet",
        "  maxReplicaCount: 0 # semel-lint: ignore",
        "  maxReplicaCount: 0 # semel-lint: ignore SJ043 (see issue #12)",
        "  maxReplicaCount: 0 # semel-lint: ignore SJ043: not in use yet",
        "  maxReplicaCount: 0 # semel-lint: ignore sj043",
        "  # semel-lint: ignore SJ043\n  maxReplicaCount: 0",
        "  # semel-lint: ignore SJ043 not in use yet,\n  # but soon\n  maxReplicaCount: 0",
        "  maxReplicaCount: 0\n# semel-lint: ignore-file SJ043",
    ])
    func silences(_ line: String) {
        #expect(ids(line) == [])
    }

    @Test(arguments: ["SJ999", "because it is right"])
    func unknownRules(_ word: String) {
        #expect(Set(ids("  maxReplicaCount: 0 # semel-lint: ignore \(word)")) == ["SJ008", "SJ043"])
    }

    @Test(arguments: [
        "  maxReplicaCount: 0 # semel-lint: ignore SJ042",
        "  maxReplicaCount: 0\n  # semel-lint: ignore SJ043",
        "  # semel-lint: ignore SJ043\n\n  maxReplicaCount: 0",
        "  maxReplicaCount: 0 # ignore SJ043",
        "  maxReplicaCount: 0\n# semel-lint: ignore-file SJ042",
    ])
    func doesNotSilence(_ line: String) {
        #expect(ids(line) == ["SJ043"])
    }
}
