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
}
