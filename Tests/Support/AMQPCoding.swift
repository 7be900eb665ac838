import Foundation

/// Builds the fields of an AMQP method or header.
struct AMQPWriter {
    private(set) var bytes = Data()

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func raw(_ data: Data) {
        bytes.append(data)
    }

    mutating func shortString(_ text: String) throws {
        guard let count = UInt8(exactly: text.utf8.count) else {
            throw SupportError("longer than 255 bytes: \(text)")
        }
        integer(count)
        raw(Data(text.utf8))
    }

    mutating func longString(_ data: Data) {
        integer(UInt32(data.count))
        raw(data)
    }

    mutating func table(_ entries: [String: AMQPValue]) throws {
        var inner = AMQPWriter()
        for (name, value) in entries {
            try inner.shortString(name)
            try inner.value(value)
        }
        longString(inner.bytes)
    }

    private mutating func value(_ value: AMQPValue) throws {
        func tag(_ letter: Unicode.Scalar) { integer(UInt8(ascii: letter)) }
        switch value {
        case .bool(let flag):
            tag("t")
            integer(UInt8(flag ? 1 : 0))
        case .integer(let number):
            tag("l")
            integer(number)
        case .double(let number):
            tag("d")
            integer(number.bitPattern)
        case .string(let text):
            tag("S")
            longString(Data(text.utf8))
        case .bytes(let bytes):
            tag("x")
            longString(Data(bytes))
        case .timestamp(let seconds):
            tag("T")
            integer(seconds)
        case .array(let values):
            tag("A")
            var inner = AMQPWriter()
            for value in values {
                try inner.value(value)
            }
            longString(inner.bytes)
        case .table(let entries):
            tag("F")
            try table(entries)
        case .null: tag("V")
        }
    }

    /// The property flags, then each property that is set, in the order of the specification.
    mutating func properties(_ properties: MessageProperties) throws {
        var flags: UInt16 = 0
        var fields = AMQPWriter()
        func add(_ bit: UInt16, _ text: String?) throws {
            guard let text else { return }
            flags |= 1 << bit
            try fields.shortString(text)
        }
        func add(_ bit: UInt16, _ number: (some FixedWidthInteger)?) {
            guard let number else { return }
            flags |= 1 << bit
            fields.integer(number)
        }
        try add(15, properties.contentType)
        try add(14, properties.contentEncoding)
        if !properties.headers.isEmpty {
            flags |= 1 << 13
            try fields.table(properties.headers)
        }
        add(12, properties.deliveryMode)
        add(11, properties.priority)
        try add(10, properties.correlationID)
        try add(9, properties.replyTo)
        try add(8, properties.expiration)
        try add(7, properties.messageID)
        add(6, properties.timestamp)
        try add(5, properties.type)
        try add(4, properties.userID)
        try add(3, properties.appID)
        integer(flags)
        raw(fields.bytes)
    }
}

/// Takes the fields of an AMQP method or header apart.
struct AMQPReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ data: Data) {
        bytes = Array(data)
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, position + count <= bytes.count else {
            throw SupportError("an AMQP frame is shorter than its fields")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws -> Number {
        try take(Number.bitWidth / 8).reduce(0) { ($0 << 8) | Number(truncatingIfNeeded: $1) }
    }

    mutating func shortString() throws -> String {
        String(decoding: try take(Int(integer(UInt8.self))), as: UTF8.self)
    }

    private mutating func longString() throws -> [UInt8] {
        Array(try take(Int(integer(UInt32.self))))
    }

    mutating func table() throws -> [String: AMQPValue] {
        let end = try Int(integer(UInt32.self)) + position
        var entries: [String: AMQPValue] = [:]
        while position < end {
            let name = try shortString()
            entries[name] = try value()
        }
        return entries
    }

    private mutating func value() throws -> AMQPValue {
        let tag = Unicode.Scalar(try integer(UInt8.self))
        switch tag {
        case "t": return .bool(try integer(UInt8.self) != 0)
        case "b": return .integer(Int64(try integer(Int8.self)))
        case "B": return .integer(Int64(try integer(UInt8.self)))
        case "s": return .integer(Int64(try integer(Int16.self)))
        case "u": return .integer(Int64(try integer(UInt16.self)))
        case "I": return .integer(Int64(try integer(Int32.self)))
        case "i": return .integer(Int64(try integer(UInt32.self)))
        case "l": return .integer(try integer())
        case "f": return .double(Double(Float(bitPattern: try integer())))
        case "d": return .double(Double(bitPattern: try integer()))
        case "S": return .string(String(decoding: try longString(), as: UTF8.self))
        case "x": return .bytes(try longString())
        case "T": return .timestamp(try integer())
        case "F": return .table(try table())
        case "V": return .null
        case "A":
            let end = try Int(integer(UInt32.self)) + position
            var values: [AMQPValue] = []
            while position < end {
                values.append(try value())
            }
            return .array(values)
        default: throw SupportError("unknown AMQP field type \(tag)")
        }
    }

    mutating func properties() throws -> MessageProperties {
        let flags = try integer(UInt16.self)
        func has(_ bit: UInt16) -> Bool { flags & (1 << bit) != 0 }
        var properties = MessageProperties(deliveryMode: nil)
        properties.contentType = has(15) ? try shortString() : nil
        properties.contentEncoding = has(14) ? try shortString() : nil
        properties.headers = has(13) ? try table() : [:]
        properties.deliveryMode = has(12) ? try integer() : nil
        properties.priority = has(11) ? try integer() : nil
        properties.correlationID = has(10) ? try shortString() : nil
        properties.replyTo = has(9) ? try shortString() : nil
        properties.expiration = has(8) ? try shortString() : nil
        properties.messageID = has(7) ? try shortString() : nil
        properties.timestamp = has(6) ? try integer() : nil
        properties.type = has(5) ? try shortString() : nil
        properties.userID = has(4) ? try shortString() : nil
        properties.appID = has(3) ? try shortString() : nil
        return properties
    }
}
