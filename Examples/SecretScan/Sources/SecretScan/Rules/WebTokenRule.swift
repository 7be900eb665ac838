extension Rule {
    static let jsonWebToken = Rule(
        id: "json-web-token",
        name: "JSONWebToken",
        summary: "JSON Web Token",
        help:
            "End the session or rotate the signing key if the token is still valid; store no tokens in files.",
        level: .warning,
        // Base64 of `{"`, as every header starts.
        keywords: ["eyj"]
    ) { text, keyword in
        let start = keyword.lowerBound
        let part = ByteSet.base64URL
        guard text.has("eyJ", at: start), text[start - 1] != Ascii.dot, text.isStart(of: part, at: start)
        else { return nil }
        let headerEnd = text.endOfRun(of: part, from: start, limit: 1024)
        guard text[headerEnd] == Ascii.dot, text.has("eyJ", at: headerEnd + 1) else { return nil }
        let payloadEnd = text.endOfRun(of: part, from: headerEnd + 1, limit: 8192)
        guard text[payloadEnd] == Ascii.dot else { return nil }
        let end = text.endOfRun(of: part, from: payloadEnd + 1, limit: 1024)
        let shortestSignature = 22
        guard end - payloadEnd > shortestSignature,
            !Placeholder.hasFewDistinctBytes(text.slice((payloadEnd + 1)..<end)),
            isSigned(header: text.slice(start..<headerEnd)),
            !isTextbookExample(payload: text.slice((headerEnd + 1)..<payloadEnd))
        else { return nil }
        return Match(secret: start..<end)
    }

    private static func isSigned(header: ArraySlice<UInt8>) -> Bool {
        guard let json = Base64URL.decode(header) else { return false }
        let text = String(decoding: json, as: UTF8.self)
        return text.contains("\"alg\"") && !text.contains("\"none\"")
    }

    /// The subject of the token that nearly every page about JSON Web Tokens shows.
    private static func isTextbookExample(payload: ArraySlice<UInt8>) -> Bool {
        guard let json = Base64URL.decode(payload) else { return true }
        return String(decoding: json, as: UTF8.self).contains("\"1234567890\"")
    }
}

/// Base64 as URLs have it: `-` and `_`, no padding.
enum Base64URL {
    /// - Returns: nil if there is a character of another alphabet, or a length that no encoder makes.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var bitCount = 0
        for byte in text {
            guard let value = value(of: byte) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return decoded
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case Ascii.upperA...Ascii.upperZ: UInt32(byte - Ascii.upperA)
        case Ascii.lowerA...Ascii.lowerZ: UInt32(byte - Ascii.lowerA) + 26
        case Ascii.zero...Ascii.nine: UInt32(byte - Ascii.zero) + 52
        case Ascii.dash: 62
        case Ascii.underscore: 63
        default: nil
        }
    }
}
