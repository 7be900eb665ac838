/// The form of a token that starts with a telltale prefix: prefix, then a run of known characters.
struct TokenForm: Sendable {
    let prefix: StaticString
    let body: ByteSet
    /// How many characters may follow the prefix.
    let lengths: ClosedRange<Int>
    /// What may not stand right before or after, because the run would then be a part of something longer.
    var boundary = ByteSet.identifiers

    /// The keyword to look for.
    var keyword: String {
        prefix.description.lowercased()
    }

    /// The token at `start`, or nil if what stands there has another form, or has it only for show.
    func range(in text: SourceText, at start: Int) -> Range<Int>? {
        guard text.has(prefix, at: start), text.isStart(of: boundary, at: start) else { return nil }
        let bodyStart = start + prefix.utf8CodeUnitCount
        let end = text.endOfRun(of: body, from: bodyStart, limit: lengths.upperBound + 1)
        guard lengths.contains(end - bodyStart), !boundary.contains(text[end]) else { return nil }
        let value = text.slice(bodyStart..<end)
        // Any real token of at least 16 random characters has more than 3 bits.
        guard Randomness.entropy(of: value) >= 3, !Placeholder.isPlaceholder(value) else { return nil }
        return start..<end
    }
}

extension Rule {
    /// A rule for tokens that are recognised by their form alone.
    init(
        id: String, name: String, summary: String, help: String, level: Level = .error, forms: [TokenForm]
    ) {
        self.init(
            id: id, name: name, summary: summary, help: help, level: level, keywords: forms.map(\.keyword)
        ) { text, keyword in
            for form in forms {
                if let range = form.range(in: text, at: keyword.lowerBound) { return Match(secret: range) }
            }
            return nil
        }
    }
}
