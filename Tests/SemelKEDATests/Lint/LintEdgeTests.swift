import SemelKEDA
import Testing

/// What comes near a rule, and numbers that nobody would write on purpose.
@Suite struct LintEdgeTests {
    private let amqp = LintFixture.amqp
    private let redis = LintFixture.redis

    @Test(arguments: ["order-processing", "networking", "release-builds", "working"])
    func aListThatWorkersTakeFromIsNotHeld(_ name: String) {
        #expect(redis.replacing("scans", with: name).ids() == [])
    }

    @Test func aListOfHeldMessagesAlone() throws {
        let alone = redis.spoiled((LintFixture.redisTrigger("scans") + "\n", ""))
        let finding = try #require(alone.linted().first { $0.rule.id == "SJ033" })
        #expect(finding.fix.contains("a second trigger on the list"))
    }

    @Test(arguments: ["1e300", "9.3e18"])
    func aHugeThreshold(_ text: String) {
        #expect(amqp.spoiled(("value: \"1\"", "value: \"1\"\n        activationValue: \"\(text)\"")).ids() == ["SJ023"])
    }

    @Test func aThresholdBelowOne() {
        #expect(amqp.spoiled(("value: \"1\"", "value: \"1\"\n        activationValue: \"0.5\"")).ids() == [])
    }

    @Test(arguments: ["143165577", "2147483647"])
    func manyPods(_ count: String) {
        #expect(amqp.spoiled(("parallelism: 1", "parallelism: \(count)")).ids() == ["SJ062"])
        #expect(amqp.spoiled(("parallelism: 1", "completions: \(count)")).ids() == ["SJ062"])
    }

    @Test func completionsLimitPods() {
        #expect(amqp.spoiled(("parallelism: 1", "parallelism: 2\n    completions: 1")).ids() == [])
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["30000", "2000000"])
    func aLargeMinimum(_ minimum: String) {
        let large = amqp.spoiled(("maxReplicaCount: 20", "maxReplicaCount: 3000000\n  minReplicaCount: \(minimum)"))
        #expect(large.ids() == ["SJ040"])
    }

    @Test(arguments: ["ready", "Readyx", "PodScheduled"])
    func conditions(_ word: String) {
        #expect(amqp.spoiled(("[Ready]", "[\(word)]")).ids() == ["SJ035"])
    }

    @Test func probes() {
        #expect(amqp.spoiled(("path: /readyz", "path: /readyz?x")).ids() == [])
        #expect(amqp.spoiled(("httpGet: {path: /readyz, port: 8082}", "tcpSocket: {port: 8082}")).ids() == ["SJ016"])
    }

    @Test(arguments: ["MAX_TOKEN, value: \"4096\"", "IMAGE_PULL_SECRET, value: regcred"])
    func noPassword(_ variable: String) {
        #expect(amqp.spoiled(("SEMEL_GRACE, value: 20s", variable)).ids() == [])
    }

    @Test(arguments: ["--password=hunter3", "--redis-password, hunter4"])
    func passwordsInArguments(_ words: String) {
        #expect(amqp.spoiled(("[my-task]", "[\(words), my-task]")).ids() == ["SJ080"])
    }

    @Test func controlCharacters() throws {
        let spoiled = amqp.spoiled(("strategy: accurate", "strategy: \"acc\\u001b[31m\\nx\""))
        let finding = try #require(spoiled.linted().first { $0.rule.id == "SJ051" })
        #expect(!finding.description.unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test func theDisruptionOfOthers() {
        #expect(amqp.spoiled(("status: \"True\"", "status: \"False\"")).ids() == ["SJ071"])
    }

    @Test func aTaskWithoutAnEnd() {
        let endless = amqp.spoiled(
            ("value: 25m}", "value: none}\n              - {name: SEMEL_ON_TERM, value: finish}"))
        #expect(endless.ids().contains("SJ065"))
    }

    @Test func aHugeBackoffLimit() {
        #expect(amqp.spoiled(("backoffLimit: 0", "backoffLimit: 2147483647")).ids() == ["SJ060"])
    }

    @Test func almostNoMessages() {
        #expect(ArrivalSchedule.random(perSecond: 1e-30, for: 600_000, seed: 1).isEmpty)
    }
}
