import Foundation
import Glibc
import TestSupport
import Testing

struct RabbitMQServerTests {
    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func storesAndCountsMessages(_ type: RabbitMQServer.QueueType) async throws {
        let server = try await RabbitMQServer.shared()
        let queue = "stores-\(type)"
        try await server.declareQueue(queue, type: type)
        let properties = MessageProperties(
            contentType: "text/plain",
            headers: ["n": 5, "s": "text", "t": ["deep": [true, 1.5]], "b": .bytes([0, 255])], messageID: "m-1")
        try await server.publish("one", to: queue, properties: properties)
        try await server.publish(body: [0, 1, 255], to: queue)
        #expect(try await server.depth(of: queue) == .init(ready: 2, unacknowledged: 0))

        let seen = try await server.messages(in: queue)
        #expect(seen.map(\.body) == [Array("one".utf8), [0, 1, 255]])
        #expect(seen.map(\.redelivered) == [false, false])
        #expect(seen[0].routingKey == queue)
        #expect(try await server.depth(of: queue) == .init(ready: 2, unacknowledged: 0))

        let held = try #require(try await server.hold(from: queue))
        #expect(held.message.redelivered)
        #expect(held.message.properties.messageID == "m-1")
        #expect(held.message.headers["t"] == ["deep": [true, 1.5]])
        #expect(held.message.headers["b"] == .bytes([0, 255]))
        #expect(held.message.deliveryCount == (type == .quorum ? 1 : nil))
        #expect(try await server.depth(of: queue) == .init(ready: 1, unacknowledged: 1))
        held.abandon()
        try await eventually("it is back") { try await server.depth(of: queue).ready == 2 }
        try await #require(try await server.hold(from: queue)).acknowledge()

        let taken = try await server.take(5, from: queue)
        #expect(taken.count == 1)
        #expect(try await server.depth(of: queue) == .init(ready: 0, unacknowledged: 0))
        try await server.deleteQueue(queue)
        await #expect(throws: (any Error).self) { try await server.depth(of: queue) }
    }

    @Test func deadLettersAndUnroutableMessages() async throws {
        let server = try await RabbitMQServer.shared()
        try await server.declareExchange("letters", type: "fanout")
        try await server.declareQueue("letters.dead")
        try await server.bind("letters.dead", exchange: "letters")
        try await server.declareQueue("letters", arguments: ["x-dead-letter-exchange": "letters"])
        try await server.publish("poison", to: "letters")
        try await #require(try await server.hold(from: "letters")).refuse(requeue: false)
        try await eventually("it is dead") { try await server.depth(of: "letters.dead").ready == 1 }
        let dead = try await server.take(from: "letters.dead")
        #expect(dead[0].headers["x-first-death-reason"] == "rejected")
        await #expect(throws: SupportError.self) { try await server.publish("x", to: "no-such-queue") }
        await #expect(throws: AMQPError.self) { _ = try await server.take(from: "no-such-queue") }
    }

    @Test func carriesBigAndManyMessages() async throws {
        let server = try await RabbitMQServer.shared()
        try await server.declareQueue("big")
        var big = (0..<251).map { UInt8($0) }
        while big.count < 64 << 20 {
            big += big
        }
        big.removeLast(big.count - (64 << 20))
        try await server.publish(body: big, to: "big")
        #expect(try await server.take(from: "big").first?.body == big)
        try await server.publish(bodies: (0..<2500).map { Array("\($0)".utf8) }, to: "big")
        #expect(try await server.depth(of: "big").ready == 2500)
        try await server.purge("big")
        #expect(try await server.depth(of: "big").ready == 0)
    }

    @Test func usersAndPermissions() async throws {
        let server = try await RabbitMQServer.shared()
        try await server.createUser("ann", password: "p@ss", tags: "monitoring")
        let before = try await server.manage("GET", "/api/whoami", user: "ann", password: "p@ss")
        #expect(before.status == 200)
        try await server.setPermissions(user: "ann", write: "^$")
        try await server.createVirtualHost("other")
        try await server.setPermissions(user: "ann", virtualHost: "other")
        let listed = try await server.manage("GET", "/api/users/ann/permissions")
        #expect((try listed.json() as? [Any])?.count == 2)
        let url = server.url(queue: "a b", user: "ann", password: "p@ss")
        #expect(url == "amqp://ann:p%40ss@127.0.0.1:\(server.port)/%2F?queue=a%20b")
    }

    @Test func controlToolWorksOnThisNode() async throws {
        let server = try await RabbitMQServer.shared()
        let status = try await server.rabbitmqctl(["environment"])
        #expect(status.contains("\(server.port)"))
        #expect(try await server.evaluate("1 + 1") == "2")
        await #expect(throws: SupportError.self) { try await server.evaluate("no_such_module:call()") }
    }

    @Test func survivesAKillWithItsData() async throws {
        let server = try await RabbitMQServer.start(configuration: ["consumer_timeout = 61000"])
        #expect(try await server.evaluate("element(2, application:get_env(rabbit, consumer_timeout))") == "61000")
        try await server.declareQueue("durable", type: .quorum)
        try await server.publish("kept", to: "durable")
        let held = try #require(try await server.hold(from: "durable"))
        #expect(try await server.connectionCount() == 1)
        try await server.closeConnections()
        await #expect(throws: AMQPError.self) { try await held.acknowledge() }
        try await eventually("connections are closed") { try await server.connectionCount() == 0 }

        let (port, pid) = (server.port, server.pid)
        try await server.kill()
        #expect(kill(pid, 0) == -1)
        try await server.restart()
        #expect(server.port == port)
        try await eventually("the queue has a leader again") {
            (try? await server.depth(of: "durable"))?.ready == 1
        }
        #expect(try await server.take(from: "durable").map(\.text) == ["kept"])
        try await server.stop()
        #expect(kill(server.pid, 0) == -1)
    }
}
