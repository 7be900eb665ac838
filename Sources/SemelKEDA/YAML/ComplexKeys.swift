/// Field names that are made of anchors: `? *a : 1`, `[*a]: 1`.
///
/// The parser compares the names of an object by all that they hold, which for anchors that repeat each other takes longer
/// than anybody waits. So they are looked for in the text, before it is parsed. Kubernetes takes no such names.
enum ComplexKeys {
    /// The line of the first one; `nil` when there is none.
    static func line(in text: String) -> Int? {
        let bytes = Array(text.utf8)
        let anchors = names(behind: "&", in: bytes)
        guard !anchors.isEmpty, !names(behind: "*", in: bytes).isDisjoint(with: anchors) else { return nil }
        var line = 1
        var brackets: [Bool] = []
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "?"):
                if begins(at: index, bytes), index + 1 < bytes.count, isBlank(bytes[index + 1]) { return line }
            case UInt8(ascii: "*"):
                guard begins(at: index, bytes) else { break }
                let name = name(at: index + 1, bytes)
                guard anchors.contains(name) else { break }
                for place in brackets.indices { brackets[place] = true }
                if isFollowedByColon(index + 1 + name.count, bytes) { return line }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                // More levels than this are refused by the parser.
                if brackets.count < 1_000 { brackets.append(false) }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if brackets.popLast() == true, isFollowedByColon(index + 1, bytes) { return line }
            default: break
            }
        }
        return nil
    }

    private static func names(behind sign: Unicode.Scalar, in bytes: [UInt8]) -> Set<ArraySlice<UInt8>> {
        var names: Set<ArraySlice<UInt8>> = []
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: sign) && begins(at: index, bytes) {
            let name = name(at: index + 1, bytes)
            if !name.isEmpty { names.insert(name) }
        }
        return names
    }

    private static func name(at start: Int, _ bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes[start...].prefix { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    /// Whether something new begins here, rather than being in the middle of a word.
    private static func begins(at index: Int, _ bytes: [UInt8]) -> Bool {
        index == 0 || isBlank(bytes[index - 1]) || bytes[index - 1] == UInt8(ascii: "[")
            || bytes[index - 1] == UInt8(ascii: "{") || bytes[index - 1] == UInt8(ascii: ",")
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
            || byte == UInt8(ascii: "\r")
    }

    private static func isFollowedByColon(_ index: Int, _ bytes: [UInt8]) -> Bool {
        guard index < bytes.count else { return false }
        return bytes[index...].first { !isBlank($0) } == UInt8(ascii: ":")
    }
}
