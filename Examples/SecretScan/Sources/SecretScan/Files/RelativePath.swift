/// A path below the root of the scan, as the bytes the file system gave: names need not be UTF-8.
struct RelativePath: Sendable, Hashable {
    let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    init(_ text: String) {
        self.init(text.utf8)
    }

    /// For people: invalid bytes are replaced, control characters are question marks.
    var display: String {
        String(
            String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
                scalar.properties.generalCategory == .control ? "?" : Character(scalar)
            })
    }

    /// The relative URI reference for this path; a colon is escaped so that the first name is not taken for a scheme.
    var uri: String {
        Self.percentEncoded(bytes)
    }

    /// The last component.
    var name: ArraySlice<UInt8> {
        let start = bytes.lastIndex(of: Ascii.slash).map { $0 + 1 } ?? 0
        return bytes[start...]
    }

    var components: [ArraySlice<UInt8>] {
        bytes.split(separator: Ascii.slash)
    }

    func appending(_ name: some Sequence<UInt8>) -> RelativePath {
        RelativePath(bytes.isEmpty ? Array(name) : bytes + [Ascii.slash] + name)
    }

    static func percentEncoded(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in bytes {
            if uriBytes.contains(byte) {
                encoded.append(byte)
            } else {
                encoded += [Ascii.percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static let uriBytes = ByteSet.alphanumerics.union("-._~/!$&'()*+,;=@")
}
