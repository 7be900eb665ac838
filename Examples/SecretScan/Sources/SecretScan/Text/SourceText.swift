/// The bytes of one file, with the few questions that matchers ask about them.
///
/// Positions outside the text are legal everywhere: there is a NUL there, which no matcher accepts.
struct SourceText: Sendable {
    let path: RelativePath
    let bytes: [UInt8]

    private static let escapeLetters = ByteSet("nrtbf")

    @inline(__always)
    subscript(position: Int) -> UInt8 {
        position >= 0 && position < bytes.count ? bytes[position] : 0
    }

    func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        bytes[range.clamped(to: 0..<bytes.count)]
    }

    /// The end of the longest run of bytes from `set` that starts at `position`, at most `limit` bytes on.
    ///
    /// Every matcher looks ahead through this function, so that its work per keyword has a bound
    /// and a minified file of one line costs no more than one of many lines.
    func endOfRun(of set: ByteSet, from position: Int, limit: Int) -> Int {
        let last = min(bytes.count, position + limit)
        var end = position
        while end < last, set.contains(bytes[end]) { end += 1 }
        return end
    }

    /// The start of the longest run of bytes from `set` that ends before `position`, at most `limit` bytes back.
    func startOfRun(of set: ByteSet, endingAt position: Int, limit: Int) -> Int {
        let first = max(0, position - limit)
        var start = position
        while start > first, set.contains(bytes[start - 1]) { start -= 1 }
        return start
    }

    /// Whether `literal` stands at `position`, in exactly this case.
    func has(_ literal: StaticString, at position: Int) -> Bool {
        literal.withUTF8Buffer { expected in
            guard position >= 0, position + expected.count <= bytes.count else { return false }
            for offset in 0..<expected.count where bytes[position + offset] != expected[offset] { return false }
            return true
        }
    }

    /// Whether a token made of `set` can start at `position`: what stands before is not part of a longer run.
    ///
    /// `\n` and `%3D` end in characters that look like a part of the token; they are separators that were escaped.
    func isStart(of set: ByteSet, at position: Int) -> Bool {
        guard set.contains(self[position - 1]) else { return true }
        if self[position - 2] == Ascii.backslash, Self.escapeLetters.contains(self[position - 1]) { return true }
        return self[position - 3] == Ascii.percent
            && ByteSet.hexadecimal.contains(self[position - 2])
            && ByteSet.hexadecimal.contains(self[position - 1])
    }
}
