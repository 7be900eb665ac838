/// `name = "value"` in one of the many ways that languages and configuration files have for it.
struct Assignment {
    /// In lower case, with the separators, as far as it reads back from the keyword.
    let name: [UInt8]
    private let valueStart: Int
    private let delimiter: Delimiter

    private enum Delimiter: Equatable {
        case quote(UInt8)
        /// `\"`, in a program inside a string.
        case escapedQuote
        /// `<name>value</name>`
        case element
        case none
    }

    /// - Parameter keyword: the end of the name; more letters after it make it another name (`password_hash`).
    init?(in text: SourceText, keyword: Range<Int>) {
        var reader = Reader(text: text, position: keyword.upperBound)
        reader.skip(.digits, atMost: 2)
        guard !ByteSet.base64URL.contains(reader.current) else { return nil }
        let nameStart = text.startOfRun(of: Self.nameBytes, endingAt: keyword.lowerBound, limit: 48)
        let isQuoted = reader.skipQuote() != nil
        let isArgument = isQuoted && text[nameStart - 2] == UInt8(ascii: "(")
        reader.skip(Self.subscriptEnds, atMost: 1)

        if !isQuoted, reader.current == Ascii.greater, reader.following != Ascii.equals {
            reader.position += 1
            delimiter = .element
        } else {
            reader.skip(.blanks, atMost: Self.longestGap)
            guard reader.skipOperator(commaCounts: isArgument) else { return nil }
            reader.skip(.blanks, atMost: Self.longestGap)
            if reader.following == UInt8(ascii: "\""), Self.stringPrefixes.contains(reader.current) {
                reader.position += 1
            }
            delimiter = reader.skipQuote() ?? .none
        }
        valueStart = reader.position
        name = text.slice(nameStart..<keyword.upperBound).map(Ascii.lowercased)
    }

    /// Whether quotes or tags say where the value ends.
    var isDelimited: Bool { delimiter != .none }

    /// The value, if it consists of nothing but bytes from `set` up to its closing quote or to the end of the word.
    /// - Parameter limit: the longest value that is looked at, in bytes.
    func value(of set: ByteSet, in text: SourceText, limit: Int) -> Range<Int>? {
        let end = text.endOfRun(of: set, from: valueStart, limit: limit)
        let isComplete =
            switch delimiter {
            case .quote(let quote): text[end] == quote
            case .escapedQuote: text[end] == Ascii.backslash
            case .element: text.has("</", at: end)
            case .none: Self.wordEnds.contains(text[end])
            }
        return isComplete && end > valueStart ? valueStart..<end : nil
    }

    /// Whether nothing but blanks or a comment follows the value on its line.
    static func endsLine(_ value: Range<Int>, in text: SourceText) -> Bool {
        let end = text.endOfRun(of: .blanks, from: value.upperBound, limit: longestGap)
        return lineEnds.contains(text[end]) || (end > value.upperBound && text[end] == UInt8(ascii: "#"))
    }

    private static let longestGap = 40
    private static let nameBytes = ByteSet.identifiers.union("-.:")
    private static let subscriptEnds = ByteSet("])")
    private static let stringPrefixes = ByteSet("@brLu")
    private static let quotes = ByteSet("\"'`")
    private static let operatorSigns = ByteSet("=>")
    private static let typeBytes = ByteSet.identifiers.union("?&.")
    private static let wordEnds = ByteSet(" \t\r\n\0,;&\"'`\\)<")
    private static let lineEnds = ByteSet("\r\n\0")

    private struct Reader {
        let text: SourceText
        var position: Int

        var current: UInt8 { text[position] }
        var following: UInt8 { text[position + 1] }

        mutating func skip(_ set: ByteSet, atMost limit: Int) {
            position = text.endOfRun(of: set, from: position, limit: limit)
        }

        mutating func skipQuote() -> Delimiter? {
            if quotes.contains(current) {
                defer { position += 1 }
                return .quote(current)
            }
            if current == Ascii.backslash, following == UInt8(ascii: "\"") {
                position += 2
                return .escapedQuote
            }
            return nil
        }

        /// `=`, `:=`, `=>`, `==`, `:`, `: String =`, `||`, `??`, and `,` as in `setenv("NAME", "value")`.
        mutating func skipOperator(commaCounts: Bool) -> Bool {
            switch current {
            case Ascii.equals:
                skip(operatorSigns, atMost: 3)
            case Ascii.colon:
                position += 1
                skipTypeAnnotation()
                if current == Ascii.equals { position += 1 }
            case UInt8(ascii: "|") where following == UInt8(ascii: "|"),
                UInt8(ascii: "?") where following == UInt8(ascii: "?"):
                position += 2
            case UInt8(ascii: ",") where commaCounts:
                position += 1
            default:
                return false
            }
            return true
        }

        private mutating func skipTypeAnnotation() {
            let start = position
            skip(.blanks, atMost: longestGap)
            skip(typeBytes, atMost: 32)
            skip(.blanks, atMost: longestGap)
            if current != Ascii.equals { position = start }
        }
    }
}
