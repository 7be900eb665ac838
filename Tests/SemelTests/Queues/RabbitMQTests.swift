import Semel
import Testing

@testable import SemelRabbitMQ

@Suite struct RabbitMQAttemptsTests {
    private static let own = "x-semel-attempts"
    private static let brokers = "x-delivery-count"

    private static let deliveries:
        [(headers: [String: HeaderValue], redelivered: Bool, number: Int, isUncounted: Bool)] = [
            ([:], false, 1, false),
            // A classic queue says that there was a delivery before, not how many.
            ([:], true, 1, true),
            ([own: .integer(2)], true, 3, true),
            // A quorum queue counts; then the flag says nothing new.
            ([brokers: .integer(0)], false, 1, false),
            ([brokers: .integer(1)], true, 2, false),
            ([brokers: .integer(4)], true, 5, false),
            // After a retry by semel.
            ([own: .integer(1)], false, 2, false),
            ([own: .integer(3)], false, 4, false),
            ([own: .integer(3), brokers: .integer(2)], true, 6, false),
            // What a producer may have written there.
            ([own: .string("3")], false, 1, false),
            ([own: .integer(-3)], false, 1, false),
            ([own: .integer(.min)], false, 1, false),
            ([brokers: .integer(-1)], false, 1, false),
            ([brokers: .string("1")], true, 1, true),
        ]

    @Test(arguments: deliveries)
    func areCounted(headers: [String: HeaderValue], redelivered: Bool, number: Int, isUncounted: Bool) {
        let attempts = RabbitMQAttempts(headers: headers, redelivered: redelivered)
        #expect(attempts.number == number)
        #expect(attempts.isUncounted == isUncounted)
    }

    /// Anybody can put any number into a header, and the worker must live to dead-letter the message.
    @Test func cannotOverflow() {
        let headers: [String: HeaderValue] = [Self.own: .integer(.max), Self.brokers: .integer(.max)]
        #expect(RabbitMQAttempts(headers: headers, redelivered: true).number > 1_000_000)
        #expect(RabbitMQAttempts(headers: [Self.own: .integer(.max)], redelivered: false).number > 1_000_000)
    }
}

@Suite struct RabbitMQAdviceTests {
    private static let timeout =
        "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. "
        + "Timeout value used: 1800000 ms."

    private func advice(_ version: String?) -> String {
        RabbitMQAdvice.on(.closed(code: 406, text: Self.timeout), serverVersion: version)
    }

    @Test(arguments: ["3.12.0", "3.13.7", "3.13.0-rc.1", "4.0.1", "4.1", "10.0.0"])
    func namesTheQueueArgumentWhereThereIsOne(version: String) {
        #expect(
            advice(version)
                == "RabbitMQ's delivery acknowledgement timeout passed while the task ran; raise it with the queue argument "
                + "x-consumer-timeout or a policy with consumer-timeout (milliseconds): " + Self.timeout)
    }

    @Test(arguments: ["3.8.17", "3.11.28", "3", "", "unknown", nil])
    func namesTheSettingOfTheBroker(version: String?) {
        #expect(
            advice(version)
                == "RabbitMQ's delivery acknowledgement timeout passed while the task ran; raise it with consumer_timeout "
                + "(milliseconds) in rabbitmq.conf: " + Self.timeout)
    }

    @Test func repeatsEverythingElse() {
        #expect(
            RabbitMQAdvice.on(.broken("a socket error occurred"), serverVersion: "4.0") == "a socket error occurred")
        #expect(
            RabbitMQAdvice.on(.closed(code: 320, text: "CONNECTION_FORCED"), serverVersion: "4.0")
                == "closed by the broker: 320 CONNECTION_FORCED")
    }
}

@Suite struct RetryTierTests {
    @Test(arguments: [
        (0, 100), (1, 100), (100, 100), (101, 200), (200, 200), (201, 500), (500, 500), (501, 1_000), (1_000, 1_000),
        (1_001, 2_000), (7_300, 10_000), (10_000, 10_000), (20_001, 30_000), (30_001, 60_000), (599_999, 600_000),
        (600_000, 600_000), (1_800_001, 3_600_000), (36_000_001, 86_400_000), (86_400_000, 86_400_000),
        (86_400_001, 86_400_000), (1_000_000_000, 86_400_000),
    ])
    func isTheNextOneUp(delay: Int, tier: Int) {
        #expect(RetryTier(atLeast: .milliseconds(delay)).delay == .milliseconds(tier))
    }

    @Test func ladderRises() {
        #expect(RetryTier.ladder == RetryTier.ladder.sorted())
        #expect(Set(RetryTier.ladder).count == RetryTier.ladder.count)
        #expect(RetryTier.ladder.first == .milliseconds(100))
        #expect(RetryTier.ladder.last == .seconds(86_400))
        // A queue is named after its tier: the name must be the same for ever, or messages wait where nobody looks.
        #expect(Units.text(RetryTier.ladder[2]) == "500ms")
        #expect(
            RetryTier.ladder.map { Units.text($0) } == [
                "100ms", "200ms", "500ms", "1s", "2s", "5s", "10s", "20s", "30s", "1m", "2m", "5m", "10m", "20m", "30m",
                "1h",
                "2h", "5h", "10h", "24h",
            ])
    }
}

@Suite struct AMQPFailureTests {
    private func failure(_ failure: AMQPFailure) throws -> QueueFailure {
        failure.asQueueFailure(try RabbitMQAddress(QueueURL("amqp://u:secret@host/v?queue=a", source: "--queue")))
    }

    @Test func meansSomethingToWhoeverAskedForTheQueue() throws {
        #expect(try failure(.broken("no route")) == .unreachable("--queue: RabbitMQ at host:5672: no route"))
        #expect(
            try failure(.closed(code: 403, text: "ACCESS_REFUSED"))
                == .refused("--queue: RabbitMQ at host:5672 refused: ACCESS_REFUSED"))
        #expect(
            try failure(.closed(code: 530, text: "NOT_ALLOWED - access to vhost refused"))
                == .refused("--queue: RabbitMQ at host:5672 refused: NOT_ALLOWED - access to vhost refused"))
        #expect(
            try failure(.closed(code: 530, text: "NOT_ALLOWED - vhost not found"))
                == .misconfigured("--queue: RabbitMQ at host:5672: NOT_ALLOWED - vhost not found"))
        #expect(
            try failure(.closed(code: 404, text: "no queue 'a'"))
                == .misconfigured("--queue: RabbitMQ at host:5672: no queue 'a'"))
        #expect(
            try failure(.closed(code: 320, text: "CONNECTION_FORCED"))
                == .unreachable(
                    "--queue: RabbitMQ at host:5672: closed by the broker: 320 CONNECTION_FORCED"))
    }
}

@Suite struct UnconfirmedTests {
    @Test func oneByOne() {
        var unconfirmed = Unconfirmed()
        #expect(unconfirmed.isEmpty)
        for _ in 1...3 { unconfirmed.add(size: 10) }
        unconfirmed.remove(2, multiple: false)
        unconfirmed.remove(2, multiple: false)
        #expect(!unconfirmed.isEmpty)
        unconfirmed.remove(1, multiple: false)
        unconfirmed.remove(3, multiple: false)
        #expect(unconfirmed.isEmpty)
    }

    @Test func manyAtOnce() {
        var unconfirmed = Unconfirmed()
        for _ in 1...10 { unconfirmed.add(size: 1) }
        unconfirmed.remove(4, multiple: false)
        unconfirmed.remove(9, multiple: true)
        #expect(!unconfirmed.isEmpty)
        unconfirmed.remove(10, multiple: true)
        #expect(unconfirmed.isEmpty)
        unconfirmed.add(size: 1)
        unconfirmed.remove(0, multiple: true)
        #expect(unconfirmed.isEmpty)
        unconfirmed.remove(.max, multiple: true)
        unconfirmed.add(size: 1)
        #expect(!unconfirmed.isEmpty)
        unconfirmed.remove(12, multiple: false)
        #expect(unconfirmed.isEmpty)
    }

    @Test func isFullByNumber() {
        var unconfirmed = Unconfirmed()
        for _ in 1...999 { unconfirmed.add(size: 0) }
        #expect(!unconfirmed.isFull)
        #expect(unconfirmed.isHalfFull)
        unconfirmed.add(size: 0)
        #expect(unconfirmed.isFull)
        unconfirmed.remove(500, multiple: true)
        #expect(!unconfirmed.isFull)
        #expect(!unconfirmed.isHalfFull)
    }

    @Test func isFullBySize() {
        var unconfirmed = Unconfirmed()
        unconfirmed.add(size: 16 << 20)
        #expect(unconfirmed.isFull)
        unconfirmed.remove(1, multiple: true)
        #expect(!unconfirmed.isHalfFull)
    }
}
