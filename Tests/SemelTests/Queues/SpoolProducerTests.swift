import Semel
import SemelSpool
import Testing

@Suite struct SpoolProducerTests {
    @Test func oneMessageWithEverything() async throws {
        let spool = try SpoolFixture()
        try await spool.produce([
            OutgoingMessage(
                body: [0, 1, 255], id: "order/1~2", contentType: "application/json",
                headers: ["traceparent": "00-a-b-01", "x": "ü"])
        ])
        let message = try await spool.mustClaim().message
        #expect(message.id == "order/1~2")
        #expect(message.contentType == "application/json")
        #expect(message.headers == ["traceparent": .string("00-a-b-01"), "x": .string("ü")])
        #expect(try message.body.bytes() == [0, 1, 255])
        #expect(message.attempt == 1)
    }

    @Test func whatAMessageIsSurvivesItsAttempts() async throws {
        let spool = try SpoolFixture()
        try await spool.produce([OutgoingMessage(body: [1], id: "m", headers: ["a": "b"])])
        try await spool.mustClaim().settle(.retry(after: .zero))
        try await spool.mustClaim().settle(.release)
        let message = try await spool.mustClaim().message
        #expect(message.id == "m")
        #expect(message.attempt == 2)
        #expect(message.headers == ["a": .string("b")])
    }

    @Test func messagesWithoutIdsGetOne() async throws {
        let spool = try SpoolFixture()
        try await spool.produce([OutgoingMessage(body: [])])
        let claim = try await spool.mustClaim()
        #expect(!claim.message.id.isEmpty)
        #expect(claim.message.size == 0)
        #expect(try spool.names("meta") == [])
    }

    @Test func manyMessagesKeepTheirOrder() async throws {
        let spool = try SpoolFixture()
        let bodies = (0..<25).map { "\($0)" }
        try await spool.produce(bodies.prefix(12).map { OutgoingMessage(body: Array($0.utf8)) })
        try await spool.produce(bodies.dropFirst(12).map { OutgoingMessage(body: Array($0.utf8), id: "id-\($0)") })
        #expect(try spool.names("incoming") == [])
        #expect(try await spool.counts().ready == 25)
        var order: [String] = []
        while let claim = try await spool.claim() {
            order.append(claim.message.text)
            try await claim.settle(.complete(result: nil))
        }
        #expect(order == bodies)
    }

    @Test func makesTheSpool() async throws {
        let directory = try TemporaryDirectory()
        let address = try SpoolAddress(QueueURL("spool:\(directory / "new")", source: "--queue"))
        let producer = try SpoolProducer(address)
        try await producer.enqueue([OutgoingMessage(body: [1])])
        await producer.close()
        #expect(try Files.names(in: directory / "new/ready").count == 1)
    }

    @Test func counts() async throws {
        let spool = try SpoolFixture()
        #expect(try await spool.counts() == QueueCounts(ready: 0, claimed: 0, delayed: 0, dead: 0, oldestSeconds: nil))
        for name in ["a", "b", "c", "d", "e"] { try spool.put(name, "ready/\(name)") }
        try await spool.mustClaim().settle(.deadLetter(.example))
        try await spool.mustClaim().settle(.retry(after: .seconds(3_600)))
        let held = try await spool.mustClaim()
        let counts = try await spool.counts()
        #expect(counts.ready == 2)
        #expect(counts.claimed == 1)
        #expect(counts.delayed == 1)
        #expect(counts.dead == 1)
        #expect(try #require(counts.oldestSeconds) >= 0)
        #expect(held.message.id == "c")
    }

    @Test func aSpoolThatIsNotThereCannotBeCounted() async throws {
        let directory = try TemporaryDirectory()
        let inspector = try SpoolInspector(SpoolAddress(QueueURL("spool:\(directory / "x")", source: "--queue")))
        await #expect(throws: QueueFailure.self) { try await inspector.counts() }
        await inspector.close()
    }
}
