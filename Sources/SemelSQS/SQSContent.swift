import FoundationEssentials
import Semel

/// A message's body and headers as SQS has them: text, and up to ten attributes.
enum SQSContent {
    enum Name {
        static let contentType = "content-type"
        static let id = "x-semel-id"
        /// `base64` for a body that SQS cannot hold as it is.
        static let encoding = "x-semel-encoding"
        static let deadLetter = "x-semel-dead-letter"
        /// The URL of the queue that wants the result.
        static let replyTo = "reply-to"
        /// Whoever named `reply-to` wants to hear of every end, not only of a result.
        static let awaited = "x-semel-await"
        static let outcome = "x-semel-outcome"
        static let reason = "x-semel-reason"

        static let own: Set = [contentType, id, encoding, deadLetter, awaited, outcome, reason]
    }

    /// Headers that are parameters of SQS, not attributes.
    enum Parameter {
        static let group = "MessageGroupId"
        static let deduplication = "MessageDeduplicationId"
        static let all = [group, deduplication]
    }

    /// How many attributes a message may have, and the size of all of it.
    static let mostAttributes = 10
    static let mostBytes = 1 << 20

    // MARK: Body

    /// The text to send, and the attributes that say how to read it.
    static func text(of body: [UInt8]) -> (text: String, attributes: [String: SQSWire.Attribute]) {
        if !body.isEmpty, let text = String(validating: body, as: UTF8.self), text.unicodeScalars.allSatisfy(isAllowed)
        {
            return (text, [:])
        }
        // SQS has no empty bodies: a line feed is nothing to a reader of Base64.
        let encoded = body.isEmpty ? "\n" : Data(body).base64EncodedString()
        return (encoded, [Name.encoding: .text("base64")])
    }

    /// What XML 1.0 allows, as SQS does in both of its protocols.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    static func body(of message: SQSWire.Message) -> [UInt8] {
        guard message.messageAttributes?[Name.encoding]?.stringValue == "base64",
            let data = Data(base64Encoded: message.body.filter { !$0.isWhitespace })
        else { return Array(message.body.utf8) }
        return Array(data)
    }

    // MARK: Headers

    static func headers(of message: SQSWire.Message) -> [String: HeaderValue] {
        var headers = headers(of: message.messageAttributes ?? [:])
        let system = message.attributes ?? [:]
        for name in Parameter.all + ["SequenceNumber", "AWSTraceHeader"] {
            if let value = system[name] { headers[name] = .string(value) }
        }
        let isTraced = headers.keys.contains { $0.lowercased() == "traceparent" }
        if !isTraced, let trace = system["AWSTraceHeader"].flatMap(traceParent) {
            headers["traceparent"] = .string(trace)
        }
        return headers
    }

    static func headers(of attributes: [String: SQSWire.Attribute]) -> [String: HeaderValue] {
        attributes.filter { !Name.own.contains($0.key) }.mapValues { attribute in
            let text = attribute.stringValue ?? attribute.binaryValue ?? ""
            guard attribute.dataType == "Number" || attribute.dataType.hasPrefix("Number.") else {
                return .string(text)
            }
            if let whole = Int64(text) { return .integer(whole) }
            return Double(text).map { .double($0) } ?? .string(text)
        }
    }

    /// X-Ray's trace header in the words of W3C: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`
    /// is `00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01`.
    static func traceParent(_ header: String) -> String? {
        var fields: [String: String] = [:]
        for field in header.split(separator: ";") {
            let parts = field.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0]).filter { $0 != " " }] = String(parts[1]) }
        }
        let root = (fields["Root"] ?? "").split(separator: "-")
        guard root.count == 3, root[0] == "1", root[1].isHex(8), root[2].isHex(24),
            let parent = fields["Parent"], parent[...].isHex(16)
        else { return nil }
        return "00-\(root[1])\(root[2])-\(parent)-\(fields["Sampled"] == "1" ? "01" : "00")"
    }

    /// The number of bytes that SQS counts: the body, and each attribute's name, type and value.
    static func size(_ text: String, _ attributes: [String: SQSWire.Attribute]) -> Int {
        attributes.reduce(text.utf8.count) { sum, entry in
            sum + entry.key.utf8.count + entry.value.dataType.utf8.count + (entry.value.stringValue?.utf8.count ?? 0)
                + (entry.value.binaryValue?.utf8.count ?? 0)
        }
    }
}

/// What is kept with a dead letter, in one attribute, since a message may have ten at the most.
struct SQSStoredLetter: Codable, Sendable {
    var id: String
    /// URL of the queue that the message was in.
    var queue: String
    /// Its group there; the dead letter has one of its own, since a group that is being looked at is closed to others.
    var group: String?
    var letter: DeadLetter
    /// The message's own attributes, where there is no room beside this one.
    var attributes: [String: SQSWire.Attribute]?

    /// Larger than what is left of the message's room, an output is left out, and a reason shortened.
    func text(fitting room: Int) -> String {
        var kept = self
        for shortening in [{}, { kept.letter.output = [] }, { kept.letter.reason = String(letter.reason.prefix(200)) }]
        {
            shortening()
            if let text = kept.json, text.utf8.count <= room { return text }
        }
        return kept.json ?? "{}"
    }

    private var json: String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // An attribute may hold no control characters: JSON has escaped them.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) }
    }

    init?(_ attributes: [String: SQSWire.Attribute]) {
        guard let text = attributes[SQSContent.Name.deadLetter]?.stringValue,
            let letter = try? JSONDecoder().decode(SQSStoredLetter.self, from: Data(text.utf8))
        else { return nil }
        self = letter
    }

    init(id: String, queue: String, group: String?, letter: DeadLetter, attributes: [String: SQSWire.Attribute]?) {
        self.id = id
        self.queue = queue
        self.group = group
        self.letter = letter
        self.attributes = attributes
    }
}

extension Substring {
    fileprivate func isHex(_ count: Int) -> Bool {
        utf8.count == count && allSatisfy { $0.isASCII && $0.isHexDigit && !$0.isUppercase }
    }
}
