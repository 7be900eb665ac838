import CRabbitMQ
import Semel
import Testing

@testable import SemelRabbitMQ

@Suite struct AMQPPropertiesTests {
    private func flags(_ flags: Int32...) -> amqp_flags_t {
        flags.reduce(0) { $0 | amqp_flags_t(UInt32(bitPattern: $1)) }
    }

    private func has(_ flag: Int32, _ properties: amqp_basic_properties_t) -> Bool {
        properties._flags & flags(flag) != 0
    }

    /// The properties of a message as the library hands them out, in memory that is gone afterwards.
    private func copied(_ entries: (AMQPMemory) -> [amqp_table_entry_t]) -> AMQPProperties {
        let memory = AMQPMemory()
        var source = amqp_basic_properties_t()
        source.message_id = memory.bytes("m-1")
        source.content_type = memory.bytes("text/plain")
        source.reply_to = memory.bytes("answers")
        source.correlation_id = memory.bytes("c-1")
        source.expiration = memory.bytes("60000")
        source.user_id = memory.bytes("somebody")
        source.priority = 7
        source.delivery_mode = 1
        source.headers = memory.table(entries(memory))
        source._flags = flags(
            AMQP_BASIC_MESSAGE_ID_FLAG, AMQP_BASIC_CONTENT_TYPE_FLAG, AMQP_BASIC_REPLY_TO_FLAG,
            AMQP_BASIC_CORRELATION_ID_FLAG, AMQP_BASIC_EXPIRATION_FLAG, AMQP_BASIC_USER_ID_FLAG,
            AMQP_BASIC_PRIORITY_FLAG,
            AMQP_BASIC_DELIVERY_MODE_FLAG, AMQP_BASIC_HEADERS_FLAG)
        return AMQPProperties(copying: source)
    }

    /// A frame of 25 KB is enough for a nesting that no stack is made for.
    @Test func whatIsNestedTooDeeplyIsLeftOut() {
        let levels = 5_000
        let entries = UnsafeMutablePointer<amqp_field_value_t>.allocate(capacity: levels)
        defer { entries.deallocate() }
        entries.initialize(repeating: amqp_field_value_t(), count: levels)
        entries[levels - 1].kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
        for level in 0..<levels - 1 {
            entries[level].kind = UInt8(AMQP_FIELD_KIND_ARRAY.rawValue)
            entries[level].value.array = amqp_array_t(num_entries: 1, entries: entries + level + 1)
        }
        var value = HeaderValue(entries[0])
        var depth = 0
        while case .array(let inner) = value {
            value = inner[0]
            depth += 1
        }
        #expect(depth == HeaderValue.mostLevels && value == .null)
    }

    /// The library leaves alone what a message does not have: there is whatever was in that memory before.
    @Test func whatIsNotThereIsNotCopied() {
        let memory = AMQPMemory()
        defer { memory.keep() }
        var source = amqp_basic_properties_t()
        let stale = memory.bytes("stale")
        (source.message_id, source.content_type, source.content_encoding) = (stale, stale, stale)
        (source.correlation_id, source.reply_to, source.expiration) = (stale, stale, stale)
        (source.type, source.user_id, source.app_id, source.cluster_id) = (stale, stale, stale, stale)
        source.headers = memory.table([memory.entry("stale", "stale")])
        let properties = AMQPProperties(copying: source)
        #expect(properties.messageID == nil && properties.contentType == nil)
        #expect(properties.replyTo == nil && properties.correlationID == nil)
        #expect(properties.headers.isEmpty)
        let copy = properties.forCopy(id: "m-1", adding: [], in: memory)
        let fields = [
            copy.content_type, copy.content_encoding, copy.correlation_id, copy.reply_to, copy.expiration, copy.type,
            copy.user_id, copy.app_id, copy.cluster_id,
        ]
        #expect(fields.allSatisfy { $0.len == 0 })
    }

    @Test func outliveTheirConnection() {
        let properties = copied { [$0.entry("text", "ü"), $0.entry("number", -5), $0.entry("truth", true)] }
        #expect(properties.messageID == "m-1")
        #expect(properties.contentType == "text/plain")
        #expect(properties.replyTo == "answers")
        #expect(properties.correlationID == "c-1")
        #expect(properties.headers == ["text": .string("ü"), "number": .integer(-5), "truth": .bool(true)])
    }

    @Test func areNilWhereThereAreNone() {
        let properties = AMQPProperties(copying: amqp_basic_properties_t())
        #expect(properties.messageID == nil)
        #expect(properties.contentType == nil)
        #expect(properties.replyTo == nil)
        #expect(properties.headers == [:])
    }

    @Test func aCopyCarriesThemOn() {
        let properties = copied { memory in
            [
                memory.entry("keep", "me"), memory.entry("x-death", "old"), memory.entry("x-delivery-count", 3),
                memory.entry("x-semel-attempts", 1), memory.entry("x-semel-reason", "before"),
                memory.entry("table", memory.table([memory.entry("inner", 1)])),
            ]
        }
        let memory = AMQPMemory()
        let copy = properties.forCopy(id: "m-1", adding: [memory.entry("x-semel-attempts", 2)], in: memory)
        #expect(
            HeaderValue.table(copy.headers)
                == ["keep": .string("me"), "table": .table(["inner": .integer(1)]), "x-semel-attempts": .integer(2)])
        #expect(copy.content_type.text == "text/plain")
        #expect(copy.reply_to.text == "answers")
        #expect(copy.correlation_id.text == "c-1")
        #expect(copy.priority == 7)
        #expect(has(AMQP_BASIC_PRIORITY_FLAG, copy))
    }

    @Test func aCopyIsSafeToKeep() {
        let memory = AMQPMemory()
        let copy = copied { _ in [] }.forCopy(id: "other", adding: [], in: memory)
        #expect(copy.message_id.text == "other")
        #expect(copy.delivery_mode == 2)
        #expect(has(AMQP_BASIC_DELIVERY_MODE_FLAG, copy))
        #expect(!has(AMQP_BASIC_EXPIRATION_FLAG, copy))
        #expect(!has(AMQP_BASIC_USER_ID_FLAG, copy))
        let bare = AMQPProperties(copying: amqp_basic_properties_t()).forCopy(id: "new", adding: [], in: memory)
        #expect(has(AMQP_BASIC_MESSAGE_ID_FLAG, bare))
        #expect(has(AMQP_BASIC_HEADERS_FLAG, bare))
        #expect(bare.message_id.text == "new")
        #expect(bare.headers.num_entries == 0)
    }
}

@Suite struct AMQPFieldTests {
    private func value(_ kind: amqp_field_value_kind_t, _ set: (inout amqp_field_value_t) -> Void = { _ in })
        -> HeaderValue
    {
        var field = amqp_field_value_t()
        field.kind = UInt8(kind.rawValue)
        set(&field)
        return HeaderValue(field)
    }

    @Test func numbers() {
        #expect(value(AMQP_FIELD_KIND_I8) { $0.value.i8 = -8 } == .integer(-8))
        #expect(value(AMQP_FIELD_KIND_U8) { $0.value.u8 = 255 } == .integer(255))
        #expect(value(AMQP_FIELD_KIND_I16) { $0.value.i16 = -16 } == .integer(-16))
        #expect(value(AMQP_FIELD_KIND_U16) { $0.value.u16 = 65_535 } == .integer(65_535))
        #expect(value(AMQP_FIELD_KIND_I32) { $0.value.i32 = -32 } == .integer(-32))
        #expect(value(AMQP_FIELD_KIND_U32) { $0.value.u32 = .max } == .integer(4_294_967_295))
        #expect(value(AMQP_FIELD_KIND_I64) { $0.value.i64 = .min } == .integer(.min))
        #expect(value(AMQP_FIELD_KIND_U64) { $0.value.u64 = 64 } == .integer(64))
        #expect(value(AMQP_FIELD_KIND_U64) { $0.value.u64 = .max } == .double(Double(UInt64.max)))
        #expect(value(AMQP_FIELD_KIND_TIMESTAMP) { $0.value.u64 = 1_795_267_662 } == .integer(1_795_267_662))
        #expect(value(AMQP_FIELD_KIND_F32) { $0.value.f32 = 0.5 } == .double(0.5))
        #expect(value(AMQP_FIELD_KIND_F64) { $0.value.f64 = -2.25 } == .double(-2.25))
        #expect(
            value(AMQP_FIELD_KIND_DECIMAL) { $0.value.decimal = amqp_decimal_t(decimals: 2, value: 1_250) }
                == .double(12.5))
    }

    @Test func everythingElse() {
        let memory = AMQPMemory()
        #expect(value(AMQP_FIELD_KIND_VOID) == .null)
        #expect(value(AMQP_FIELD_KIND_BOOLEAN) { $0.value.boolean = 1 } == .bool(true))
        #expect(value(AMQP_FIELD_KIND_BOOLEAN) == .bool(false))
        #expect(value(AMQP_FIELD_KIND_UTF8) { $0.value.bytes = memory.bytes("ü") } == .string("ü"))
        #expect(value(AMQP_FIELD_KIND_UTF8) == .string(""))
        let raw: [UInt8] = [0x61, 0xFF]
        raw.withUnsafeBytes { bytes in
            #expect(value(AMQP_FIELD_KIND_BYTES) { $0.value.bytes = memory.bytes(bytes) } == .string("a\u{FFFD}"))
        }
        #expect(value(AMQP_FIELD_KIND_ARRAY) == .array([]))
        #expect(
            value(AMQP_FIELD_KIND_TABLE) { $0.value.table = memory.table([memory.entry("a", 1)]) }
                == .table(["a": .integer(1)]))
    }
}
