/// A 64-bit checksum of a byte stream, equal for equal bytes however they were cut into pieces.
///
/// It works on whole words with plain integer arithmetic, since tests run unoptimised and a gibibyte should take about
/// a second. It finds accidents, not forgeries.
public struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325
    private var pending: UInt64 = 0
    private var pendingBits: UInt64 = 0
    public private(set) var count = 0

    public init() {}

    public init(_ bytes: [UInt8]) {
        update(bytes)
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        count += bytes.count
        var offset = 0
        while offset < bytes.count && pendingBits != 0 {
            add(byte: bytes[offset])
            offset += 1
        }
        var mixed = state
        while offset + 8 <= bytes.count {
            mixed = (mixed ^ base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
            mixed ^= mixed &>> 29
            offset += 8
        }
        state = mixed
        while offset < bytes.count {
            add(byte: bytes[offset])
            offset += 1
        }
    }

    private mutating func add(byte: UInt8) {
        pending |= UInt64(byte) &<< pendingBits
        pendingBits += 8
        if pendingBits == 64 {
            state = (state ^ pending) &* 0x9e37_79b9_7f4a_7c15
            state ^= state &>> 29
            pending = 0
            pendingBits = 0
        }
    }

    /// The checksum of everything up to here.
    public var value: UInt64 {
        var result = (state ^ pending) &* 0x9e37_79b9_7f4a_7c15
        result ^= UInt64(count)
        return (result ^ (result &>> 32)) &* 0xff51_afd7_ed55_8ccd
    }

    public var description: String { String(value, radix: 16) }
}
