import Foundation
import TestSupport
import Testing

/// What travels with a message reaches the task.
@Suite(.oneLane)
struct PropertyTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private static let properties = MessageProperties(
        contentType: "application/json; charset=utf-8",
        headers: [
            "traceparent": .string(trace), "whole": 42, "negative": -1, "half": 0.5, "yes": true, "no": false,
            "nothing": .null, "text": "quotes \" and\nlines", "list": [1, "two", false],
            "table": ["inner": ["deep": 3]],
        ],
        correlationID: "c-1", messageID: "order-17")
    private static let expectedHeaders = """
        {"traceparent": "\(trace)", "whole": 42, "negative": -1, "half": 0.5, "yes": true, "no": false,
         "nothing": null, "text": "quotes \\" and\\nlines", "list": [1, "two", false], "table": {"inner": {"deep": 3}}}
        """

    /// One a line; none of them has a line feed of its own.
    private static let printing = Shell.run(
        #"""
        printf '%s\n' "$SEMEL_MESSAGE_ID" "$SEMEL_CONTENT_TYPE" "$TRACEPARENT" "$SEMEL_HEADERS" "$SEMEL_ATTEMPT"
        exit "$STATUS"
        """#)

    /// Runs a task that prints what it was told.
    private func told(_ queue: any QueueUnderTest, exit status: Int = 0) async throws -> [String] {
        let variables = ["STATUS": "\(status)"]
        let end = try await Worker.run(queue, environment: variables, task: Self.printing)
        #expect(end.status == .exited(status == 0 ? 0 : 75), "\(end.stderr)")
        let lines = end.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        try #require(lines.count == 6, "\(end.text)")
        #expect(end.report?.messageId == lines[0])
        return lines
    }

    private func json(_ text: String) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary, "\(text)")
    }

    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func ofAMQP(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await RabbitMQUnderTest(type, named: "properties-\(type)")
        try await queue.put("{}", Self.properties)
        let lines = try await told(queue)
        #expect(lines[0] == "order-17")
        #expect(lines[1] == "application/json; charset=utf-8")
        #expect(lines[2] == Self.trace)
        #expect(try json(lines[3]) == json(Self.expectedHeaders))
        #expect(lines[4] == "1")
        #expect(try await queue.left() == .nothing)
    }

    /// A second attempt is told the same, whatever the broker has added to the headers meanwhile.
    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func ofAMQPOverARetry(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await RabbitMQUnderTest(type, named: "retried-properties-\(type)")
        try await queue.put("{}", Self.properties)
        let first = try await told(queue, exit: 1)
        let second = try await told(queue, exit: 1)
        #expect(second[4] == "2")
        #expect(second[0...2] == first[0...2])
        let headers = try json(second[3])
        for (name, value) in try json(Self.expectedHeaders) {
            #expect(headers[name] as? NSObject == value as? NSObject, "\(name)")
        }
        #expect(try await told(queue)[4] == "3")
    }

    /// The message's dead letter is the message: nothing of it is lost.
    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func ofAMQPInADeadLetter(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await RabbitMQUnderTest(type, named: "dead-properties-\(type)")
        var properties = Self.properties
        properties.expiration = "3600000"
        properties.type = "order"
        properties.appID = "shop"
        properties.priority = 3
        properties.deliveryMode = 1
        try await queue.put("{}", properties)
        let end = try await Worker.run(queue, task: Shell.rejecting)
        #expect(end.status == .exited(65), "\(end.stderr)")
        let dead = try #require(try await queue.server.take(from: "\(queue.queue).dead").first)
        #expect(dead.properties.messageID == "order-17")
        #expect(dead.properties.contentType == properties.contentType)
        #expect(dead.properties.correlationID == "c-1")
        #expect(dead.properties.type == "order")
        #expect(dead.properties.appID == "shop")
        #expect(dead.properties.priority == 3)
        for (name, value) in properties.headers { #expect(dead.headers[name] == value) }
        // A dead letter stays until somebody takes it.
        #expect(dead.properties.expiration == nil)
        #expect(dead.properties.deliveryMode == 2)
        #expect(dead.headers["x-semel-queue"]?.text == queue.queue)
        #expect(dead.headers["x-semel-worker"]?.text?.isEmpty == false)
        #expect(dead.headers["x-semel-time"]?.text?.hasSuffix("Z") == true)
    }

    /// With a quorum queue its owner has asked for copies on several machines; waiting and dead messages have them too.
    @Test func companionsOfAQuorumQueueAreQuorumQueues() async throws {
        let queue = try await RabbitMQUnderTest(.quorum, named: "copies")
        for task in [Shell.failing, Shell.rejecting] {
            try await queue.put("x")
            let end = try await Worker.run(queue, ["--retry-delay", "1h"], task: task)
            #expect([.exited(75), .exited(65)].contains(end.status), "\(end.stderr)")
        }
        for companion in ["copies.retry.1h", "copies.dead"] {
            let type = try await queue.server.evaluate(
                """
                {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"\(companion)">>)),
                amqqueue:get_type(Q)
                """)
            #expect(type == "rabbit_quorum_queue", "\(companion)")
        }
    }

    @Test(arguments: QueueKind.allCases)
    func aMessageKeepsItsIDOverARetry(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("no id of its own")
        let first = try await told(queue, exit: 1)
        let second = try await told(queue, exit: 1)
        let third = try await told(queue)
        #expect(!first[0].isEmpty)
        #expect([first[4], second[4], third[4]] == ["1", "2", "3"])
        // A broker that gives no ids can only remember one that was written down with the first retry.
        #expect(second[0] == first[0])
        #expect(third[0] == first[0])
    }

    @Test(arguments: [QueueKind.spool, .classic, .quorum])
    func givenBySemelctl(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Semelctl.run(
            queue,
            [
                "enqueue", "--id", "job-1", "--content-type", "text/csv", "--header", "traceparent=\(Self.trace)",
                "--header", "tenant=a=b c", "body",
            ])
        let lines = try await told(queue, exit: 1)
        #expect(lines[0] == "job-1")
        #expect(lines[1] == "text/csv")
        #expect(lines[2] == Self.trace)
        #expect(try json(lines[3]) == ["traceparent": Self.trace, "tenant": "a=b c"] as NSDictionary)
        let again = try await told(queue)
        #expect(again[0...2] == lines[0...2])
        #expect(again[4] == "2")
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func withoutAny(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("plain")
        let lines = try await told(queue)
        #expect(lines[1] == "")
        #expect(lines[2] == "")
        #expect(try kind.traits.headersOfTheProducer(lines[3]) == [:])
    }
}
