import Semel
import Testing

@testable import SemelSQS

@Suite struct SQSContentTests {
    private func message(_ body: [UInt8]) -> SQSWire.Message {
        let (text, attributes) = SQSContent.text(of: body)
        return SQSWire.Message(messageId: "m", receiptHandle: "r", body: text, messageAttributes: attributes)
    }

    @Test(arguments: ["hello", "ein Wort, zwei Wörter", "a\tb\r\nc", "😀", "{\"a\": 1}"])
    func textStaysText(_ text: String) {
        let message = message(Array(text.utf8))
        #expect(message.body == text)
        #expect(message.messageAttributes == [:])
        #expect(SQSContent.body(of: message) == Array(text.utf8))
    }

    @Test(arguments: [
        [], [0], [0xFF, 0xFE], [0x41, 0x1B, 0x42], [0xEF, 0xBF, 0xBF], [0xED, 0xA0, 0x80], Array(0...255),
    ])
    func anythingElseIsBase64(_ bytes: [UInt8]) {
        let message = message(bytes)
        #expect(message.messageAttributes?["x-semel-encoding"]?.stringValue == "base64")
        #expect(!message.body.isEmpty)
        #expect(SQSContent.body(of: message) == bytes)
    }

    @Test func attributesAreHeaders() {
        let headers = SQSContent.headers(of: [
            "text": .text("a"), "whole": .init(dataType: "Number", stringValue: "42"),
            "real": .init(dataType: "Number.money", stringValue: "1.5"),
            "large": .init(dataType: "Number", stringValue: "1e400x"),
            "bytes": .init(dataType: "Binary", binaryValue: "AAE="), "x-semel-id": .text("i"),
            "content-type": .text("text/plain"), "reply-to": .text("url"),
        ])
        #expect(
            headers == [
                "text": .string("a"), "whole": .integer(42), "real": .double(1.5), "large": .string("1e400x"),
                "bytes": .string("AAE="), "reply-to": .string("url"),
            ])
    }

    @Test(arguments: [
        (
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        ),
        (
            "Self=1-2-3; Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8",
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"
        ),
        ("Root=1-5759e988-bd862e3fe1be46a994272793", nil), ("", nil), ("Root=1-x-y;Parent=z;Sampled=1", nil),
    ])
    func traces(header: String, parent: String?) {
        #expect(SQSContent.traceParent(header) == parent)
        var message = message([65])
        message.attributes = ["AWSTraceHeader": header]
        #expect(SQSContent.headers(of: message)["traceparent"] == parent.map { .string($0) })
        message.messageAttributes?["Traceparent"] = .text("00-own")
        #expect(SQSContent.headers(of: message)["traceparent"] == nil)
    }

    @Test func namesOnTheWire() throws {
        let question = SQSWire.SendMessage(
            queueUrl: "https://q", messageBody: "b", messageAttributes: ["lower": .text("v")])
        let text = String(decoding: try SQSCoding.encode(question), as: UTF8.self)
        #expect(text.contains(#""QueueUrl":"https://q""#))
        #expect(
            text.contains(#""lower":{"#) && text.contains(#""StringValue":"v""#) && !text.contains("MessageGroupId"))
        let answer =
            #"{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"b","Attributes":{"lower":"1","Upper":"2"}}]}"#
        let received = try SQSCoding.decode(SQSWire.Received.self, from: Array(answer.utf8))
        #expect(received.messages?.first?.attributes == ["lower": "1", "Upper": "2"])
    }

    @Test func aLetterFindsRoom() throws {
        let letter = DeadLetter(
            reason: String(repeating: "r", count: 1000), attempts: 3, exit: 1,
            output: [String(repeating: "o", count: 5000)], worker: "w", time: "t")
        let stored = SQSStoredLetter(id: "i", queue: "q", group: nil, letter: letter, attributes: nil)
        func kept(_ room: Int) throws -> DeadLetter {
            try #require(SQSStoredLetter(["x-semel-dead-letter": .text(stored.text(fitting: room))])).letter
        }
        #expect(try kept(10_000) == letter)
        #expect(try kept(2_000).output == [] && kept(2_000).reason == letter.reason)
        #expect(try kept(500).reason.count == 200)
    }
}
