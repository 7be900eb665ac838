import CZlib

/// The uncompressed bytes of a gzip file, a few kilobytes at a time.
final class GzipStream: ByteSource {
    private static let inputCapacity = 128 * 1024
    /// zlib's `windowBits` for the largest window (15) in a gzip wrapper (16).
    private static let gzipWindow: Int32 = 15 + 16

    private let source: any ByteSource
    private let input: UnsafeMutableRawBufferPointer
    /// Allocated, because zlib remembers the address of the state it was initialised with.
    private let state: UnsafeMutablePointer<z_stream>
    private var isBetweenMembers = false
    private var isAtEnd = false

    init(_ source: any ByteSource) throws {
        self.source = source
        input = .allocate(byteCount: Self.inputCapacity, alignment: 16)
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        let status = inflateInit2_(state, Self.gzipWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw ArchiveError.damaged("zlib cannot start (status \(status))") }
    }

    deinit {
        // Without effect on a state that was never initialised.
        inflateEnd(state)
        state.deallocate()
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !isAtEnd, !buffer.isEmpty else { return 0 }
        let wanted = uInt(clamping: buffer.count)
        state.pointee.next_out = buffer.assumingMemoryBound(to: Bytef.self).baseAddress
        state.pointee.avail_out = wanted
        while state.pointee.avail_out == wanted {
            if state.pointee.avail_in == 0 { try refill() }
            if isBetweenMembers, try !beginNextMember() {
                isAtEnd = true
                return 0
            }
            switch inflate(state, Z_NO_FLUSH) {
            case Z_OK:
                continue
            case Z_STREAM_END:
                isBetweenMembers = true
            case Z_BUF_ERROR where state.pointee.avail_in == 0:
                throw ArchiveError.truncated
            default:
                throw ArchiveError.damaged(state.pointee.msg.map { String(cString: $0) } ?? "not gzip data")
            }
        }
        return Int(wanted - state.pointee.avail_out)
    }

    private func refill() throws {
        let count = try source.read(into: input)
        state.pointee.next_in = input.assumingMemoryBound(to: Bytef.self).baseAddress
        state.pointee.avail_in = uInt(count)
    }

    /// A gzip file may be several, one after the other; anything else that follows is padding, as for gzip(1).
    private func beginNextMember() throws -> Bool {
        let gzipMagic: Bytef = 0x1f
        guard state.pointee.avail_in > 0, state.pointee.next_in.pointee == gzipMagic else { return false }
        guard inflateReset(state) == Z_OK else { throw ArchiveError.damaged("zlib cannot start again") }
        isBetweenMembers = false
        return true
    }
}
