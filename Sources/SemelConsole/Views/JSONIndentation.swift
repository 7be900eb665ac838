import Semel

/// Sets JSON out in lines. Unlike reading and writing it, this leaves every number, text and order as it was written.
enum JSONIndentation {
    /// - Parameter json: Has to be JSON.
    static func of(_ json: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(json.count * 2)
        var depth = 0
        var isInText = false
        var isEscaped = false
        var opened = false
        func breakLine() {
            out.append(UInt8(ascii: "\n"))
            out.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * min(depth, mostDepth)))
        }
        for byte in json {
            if isInText {
                out.append(byte)
                isInText = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            if [0x20, 0x09, 0x0A, 0x0D].contains(byte) { continue }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if closes { depth -= 1 }
            // What is empty stays together.
            if opened != closes, opened || closes { breakLine() }
            opened = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
            if opened { depth += 1 }
            out.append(byte)
            switch byte {
            case UInt8(ascii: "\""): isInText = true
            case UInt8(ascii: ","): breakLine()
            case UInt8(ascii: ":"): out.append(UInt8(ascii: " "))
            default: break
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Deeper than that nobody reads; and the room that it takes would grow with the square of the body's size.
    private static let mostDepth = 64
}
