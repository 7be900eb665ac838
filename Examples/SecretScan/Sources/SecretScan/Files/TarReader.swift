/// A regular file in an archive.
struct TarEntry {
    let path: RelativePath
    let size: Int
}

/// Reads a tar archive from front to back. After `nextEntry()`, reading from the reader itself gives that file's bytes;
/// what is left of them is passed over by the next call.
final class TarReader: ByteSource {
    /// Far longer than any path; a larger one is an attempt to fill the memory.
    private static let largestExtendedHeader = 1024 * 1024

    private let source: any ByteSource
    private var hasReadHeader = false
    private var unreadData = 0
    private var padding = 0
    private var scratch = [UInt8](repeating: 0, count: 64 * 1024)

    init(_ source: any ByteSource) {
        self.source = source
    }

    /// - Returns: nil at the end of the archive.
    func nextEntry() throws -> TarEntry? {
        var longName: [UInt8]?
        var attributes: PaxAttributes?
        while let header = try nextHeader() {
            begin(size: attributes?.size.flatMap { header.kind == .file ? $0 : nil } ?? header.size)
            switch header.kind {
            case .paxAttributes:
                attributes = try PaxAttributes(records: readExtendedHeader())
            case .gnuLongName:
                longName = try Array(readExtendedHeader().prefix { $0 != 0 })
            case .gnuSparse:
                try skipSparseMaps(after: header)
                (longName, attributes) = (nil, nil)
            case .withoutData, .other:
                (longName, attributes) = (nil, nil)
            case .file:
                let path = attributes?.path ?? longName ?? header.path
                (longName, attributes) = (nil, nil)
                // How archives before POSIX mark a folder. Only the whole name tells: a long one may be cut at a slash.
                if path.last == Ascii.slash { continue }
                return TarEntry(path: Self.normalized(path), size: unreadData)
            }
        }
        return nil
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = min(buffer.count, unreadData)
        guard wanted > 0 else { return 0 }
        let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        guard count > 0 else { throw ArchiveError.truncated }
        unreadData -= count
        return count
    }

    private func begin(size: Int) {
        unreadData = size
        padding = (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize
    }

    private func nextHeader() throws -> TarHeader? {
        try skip(unreadData)
        try skip(padding)
        (unreadData, padding) = (0, 0)
        var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
        let count = try block.withUnsafeMutableBytes { try source.fill($0) }
        // Some writers leave out the blocks of zeros at the end.
        if count == 0 { return nil }
        guard count == block.count else { throw ArchiveError.truncated }
        do {
            let header = try TarHeader(block: block)
            hasReadHeader = true
            return header
        } catch ArchiveError.notTar where hasReadHeader {
            throw ArchiveError.damaged("a header has a wrong checksum")
        }
    }

    private func skip(_ count: Int) throws {
        var rest = count
        while rest > 0 {
            let skipped = try scratch.withUnsafeMutableBytes { buffer in
                try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(rest, buffer.count)]))
            }
            guard skipped > 0 else { throw ArchiveError.truncated }
            rest -= skipped
        }
    }

    private func readExtendedHeader() throws -> [UInt8] {
        guard unreadData <= Self.largestExtendedHeader else {
            throw ArchiveError.damaged("an extended header is too large")
        }
        var bytes = [UInt8](repeating: 0, count: unreadData)
        _ = try bytes.withUnsafeMutableBytes { try fill($0) }
        return bytes
    }

    /// A sparse file's list of holes may go on in blocks between its header and its data.
    private func skipSparseMaps(after header: TarHeader) throws {
        guard header.hasMoreSparseMaps else { return }
        var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
        let continuationFlag = 504
        repeat {
            guard try block.withUnsafeMutableBytes({ try source.fill($0) }) == block.count else {
                throw ArchiveError.truncated
            }
        } while block[continuationFlag] != 0
    }

    /// Without a leading `/` and without `.`; `..` stays, since the path is only ever shown.
    private static func normalized(_ path: [UInt8]) -> RelativePath {
        let components = path.split(separator: Ascii.slash).filter { !$0.elementsEqual([Ascii.dot]) }
        return RelativePath(components.joined(separator: [Ascii.slash]))
    }
}
