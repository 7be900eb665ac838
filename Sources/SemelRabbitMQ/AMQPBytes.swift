import CRabbitMQ
import Glibc
import Semel

extension amqp_bytes_t {
    var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: len)
    }

    /// Bytes that are not UTF-8 are replaced.
    var text: String {
        String(decoding: buffer, as: UTF8.self)
    }
}

/// Memory for C structures. They are pointers, of which Swift knows nothing: without ``keep()`` behind their last use
/// this is let go of behind its own last mention, and they with it.
final class AMQPMemory {
    private var pool = UnsafeMutablePointer<amqp_pool_t>.allocate(capacity: 1)

    init() {
        init_amqp_pool(pool, 4096)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    func keep() {
        withExtendedLifetime(self) {}
    }

    func bytes(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard let start = source.baseAddress, !source.isEmpty,
            let copy = amqp_pool_alloc(pool, source.count)
        else { return amqp_empty_bytes }
        memcpy(copy, start, source.count)
        return amqp_bytes_t(len: source.count, bytes: copy)
    }

    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    func copy(_ table: amqp_table_t) -> amqp_table_t {
        var source = table
        var copy = amqp_table_t(num_entries: 0, entries: nil)
        return amqp_table_clone(&source, &copy, pool) == AMQP_STATUS_OK.rawValue ? copy : copy
    }

    /// A table of these entries, in this order.
    func table(_ entries: [amqp_table_entry_t]) -> amqp_table_t {
        let stride = MemoryLayout<amqp_table_entry_t>.stride
        guard !entries.isEmpty, let memory = amqp_pool_alloc(pool, stride * entries.count) else {
            return amqp_table_t(num_entries: 0, entries: nil)
        }
        let start = memory.bindMemory(to: amqp_table_entry_t.self, capacity: entries.count)
        start.initialize(from: entries, count: entries.count)
        return amqp_table_t(num_entries: CInt(entries.count), entries: start)
    }

    func entry(_ key: String, _ text: String) -> amqp_table_entry_t {
        var entry = amqp_table_entry_t()
        entry.key = bytes(key)
        entry.value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
        entry.value.value.bytes = bytes(text)
        return entry
    }

    func entry(_ key: String, _ number: Int64) -> amqp_table_entry_t {
        var entry = amqp_table_entry_t()
        entry.key = bytes(key)
        entry.value.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
        entry.value.value.i64 = number
        return entry
    }

    func entry(_ key: String, _ truth: Bool) -> amqp_table_entry_t {
        var entry = amqp_table_entry_t()
        entry.key = bytes(key)
        entry.value.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
        entry.value.value.boolean = truth ? 1 : 0
        return entry
    }

    func entry(_ key: String, _ table: amqp_table_t) -> amqp_table_entry_t {
        var entry = amqp_table_entry_t()
        entry.key = bytes(key)
        entry.value.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
        entry.value.value.table = table
        return entry
    }
}

extension HeaderValue {
    /// Somebody may nest as deep as a frame is large, which no thread's stack is made for.
    static let mostLevels = 32

    /// The nearest that JSON can say. Timestamps (seconds) become integers, decimals doubles, byte arrays strings. What is
    /// inside more than ``mostLevels`` arrays and tables is left out.
    init(_ field: amqp_field_value_t, level: Int = 0) {
        let value = field.value
        switch amqp_field_value_kind_t(UInt32(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: self = .bool(value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = .integer(Int64(value.i8))
        case AMQP_FIELD_KIND_U8: self = .integer(Int64(value.u8))
        case AMQP_FIELD_KIND_I16: self = .integer(Int64(value.i16))
        case AMQP_FIELD_KIND_U16: self = .integer(Int64(value.u16))
        case AMQP_FIELD_KIND_I32: self = .integer(Int64(value.i32))
        case AMQP_FIELD_KIND_U32: self = .integer(Int64(value.u32))
        case AMQP_FIELD_KIND_I64: self = .integer(value.i64)
        case AMQP_FIELD_KIND_U64, AMQP_FIELD_KIND_TIMESTAMP:
            self = Int64(exactly: value.u64).map { .integer($0) } ?? .double(Double(value.u64))
        case AMQP_FIELD_KIND_F32: self = .double(Double(value.f32))
        case AMQP_FIELD_KIND_F64: self = .double(value.f64)
        case AMQP_FIELD_KIND_DECIMAL:
            var scaled = Double(value.decimal.value)
            for _ in 0..<value.decimal.decimals { scaled /= 10 }
            self = .double(scaled)
        case AMQP_FIELD_KIND_UTF8, AMQP_FIELD_KIND_BYTES: self = .string(value.bytes.text)
        case AMQP_FIELD_KIND_ARRAY:
            let entries = UnsafeBufferPointer(start: value.array.entries, count: Int(value.array.num_entries))
            self = level < Self.mostLevels ? .array(entries.map { HeaderValue($0, level: level + 1) }) : .null
        case AMQP_FIELD_KIND_TABLE:
            self = level < Self.mostLevels ? .table(HeaderValue.table(value.table, level: level + 1)) : .null
        default: self = .null
        }
    }

    static func table(_ table: amqp_table_t, level: Int = 0) -> [String: HeaderValue] {
        var headers: [String: HeaderValue] = [:]
        for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
            headers[entry.key.text] = HeaderValue(entry.value, level: level)
        }
        return headers
    }
}
