/// Why an archive could not be read to its end.
enum ArchiveError: Error, CustomStringConvertible, Equatable {
    case notTar
    case truncated
    case damaged(String)

    var description: String {
        switch self {
        case .notTar: "not a tar archive"
        case .truncated: "the archive ends in the middle"
        case .damaged(let reason): "the archive is damaged: \(reason)"
        }
    }
}

/// One 512-byte header of a tar archive: POSIX ustar, GNU or the old V7 form.
struct TarHeader {
    enum Kind: Equatable {
        case file
        /// Carries no data, whatever its size field says: a link, a directory, a device.
        case withoutData
        case paxAttributes
        case gnuLongName
        case gnuSparse
        /// Carries data that is not a file of the tree.
        case other
    }

    static let blockSize = 512

    let kind: Kind
    let path: [UInt8]
    let size: Int
    /// For GNU's sparse files: the list of holes goes on in the next block.
    let hasMoreSparseMaps: Bool

    /// - Returns: nil for a block of zeros, which ends the archive.
    /// - Throws: `ArchiveError.notTar` if the checksum is wrong.
    init?(block: [UInt8]) throws {
        guard block.contains(where: { $0 != 0 }) else { return nil }
        guard let checksum = Self.number(block[148..<156]), checksum == Self.checksum(of: block) else {
            throw ArchiveError.notTar
        }
        guard let size = Self.number(block[124..<136]), size >= 0 else {
            throw ArchiveError.damaged("a file has no size")
        }

        let name = Self.text(block[0..<100])
        let isPOSIX = block[257..<263].elementsEqual(Array("ustar".utf8) + [0])
        // GNU's own format keeps times where POSIX keeps the front part of a long name.
        let prefix = isPOSIX ? Self.text(block[345..<500]) : []
        path = prefix.isEmpty ? name : prefix + [Ascii.slash] + name
        kind = Self.kind(flag: block[156])
        self.size = kind == .withoutData ? 0 : size
        hasMoreSparseMaps = kind == .gnuSparse && block[482] != 0
    }

    private static func kind(flag: UInt8) -> Kind {
        switch flag {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        case UInt8(ascii: "1")...UInt8(ascii: "6"): .withoutData
        case UInt8(ascii: "x"): .paxAttributes
        case UInt8(ascii: "L"): .gnuLongName
        case UInt8(ascii: "S"): .gnuSparse
        default: .other
        }
    }

    /// The sum of all bytes, where those of the checksum itself count as spaces.
    private static func checksum(of block: [UInt8]) -> Int {
        block.indices.reduce(0) { sum, index in
            sum + Int((148..<156).contains(index) ? Ascii.space : block[index])
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] {
        Array(field.prefix { $0 != 0 })
    }

    /// Octal digits between spaces and NULs, or, for large values, base 256 marked by the highest bit.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            return field.dropFirst().reduce(Int(first & 0x7f)) { value, byte in
                guard let value, value < 1 << 54 else { return nil }
                return value << 8 | Int(byte)
            }
        }
        let padding = ByteSet(" \0")
        let digits = field.drop(while: padding.contains).prefix { !padding.contains($0) }
        return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}

/// The attributes of a pax extended header that matter here: they replace those of the header that follows.
struct PaxAttributes {
    private(set) var path: [UInt8]?
    private(set) var size: Int?

    /// - Parameter records: `LENGTH KEY=VALUE\n` again and again, where the length counts the whole record.
    init(records: [UInt8]) throws {
        var rest = records[...]
        while let space = rest.firstIndex(of: Ascii.space) {
            guard let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex, length <= rest.count
            else { throw ArchiveError.damaged("an extended header has a wrong length") }
            let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
            if let equals = record.firstIndex(of: Ascii.equals) {
                set(String(decoding: record[..<equals], as: UTF8.self), to: record[(equals + 1)...])
            }
            rest = rest.dropFirst(length)
        }
    }

    private mutating func set(_ key: String, to value: ArraySlice<UInt8>) {
        switch key {
        case "path", "GNU.sparse.name": path = Array(value)
        case "size": size = Int(String(decoding: value, as: UTF8.self)).flatMap { $0 < 0 ? nil : $0 }
        default: break
        }
    }
}
