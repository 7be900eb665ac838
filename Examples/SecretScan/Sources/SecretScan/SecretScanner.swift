/// Applies all rules to one text after the other.
struct SecretScanner: Sendable {
    let rules: [Rule]
    private let keywords: KeywordScanner

    private struct Candidate {
        let rule: Int
        let match: Match
    }

    init(rules: [Rule] = Rule.all) {
        self.rules = rules
        keywords = KeywordScanner(keywords: rules.map(\.keywords))
    }

    /// The findings in the order in which they stand in the text.
    func findings(in text: SourceText) -> [Finding] {
        var candidates: [Candidate] = []
        keywords.forEachHit(in: text.bytes) { keyword, rule in
            guard let match = rules[rule].match(text, keyword) else { return }
            candidates.append(Candidate(rule: rule, match: match))
        }
        guard !candidates.isEmpty else { return [] }
        return describe(withoutRepetition(candidates), in: text)
    }

    /// One finding per secret: several keywords may lead to the same one, and a guess gives way to a known form.
    private func withoutRepetition(_ candidates: [Candidate]) -> [Candidate] {
        let ordered = candidates.sorted { first, second in
            (rules[first.rule].isGuess ? 1 : 0, first.match.secret.lowerBound, first.rule)
                < (rules[second.rule].isGuess ? 1 : 0, second.match.secret.lowerBound, second.rule)
        }
        let known = ordered.filter { !rules[$0.rule].isGuess }
        let guesses = ordered.dropFirst(known.count)

        var kept: [Candidate] = []
        for candidate in known where kept.last.map({ !overlap($0, candidate) }) ?? true { kept.append(candidate) }
        let knownCount = kept.count
        var next = 0
        for guess in guesses {
            // Both lists are in order, so one pass over the known ones does for all guesses.
            while next < knownCount, kept[next].match.secret.upperBound <= guess.match.secret.lowerBound { next += 1 }
            if next < knownCount, overlap(kept[next], guess) { continue }
            if kept.count > knownCount, let last = kept.last, overlap(last, guess) { continue }
            kept.append(guess)
        }
        return kept.sorted { $0.match.region.lowerBound < $1.match.region.lowerBound }
    }

    private func overlap(_ first: Candidate, _ second: Candidate) -> Bool {
        first.match.secret.overlaps(second.match.secret)
    }

    private func describe(_ candidates: [Candidate], in text: SourceText) -> [Finding] {
        var cursor = LineCursor()
        var occurrences: [String: Int] = [:]
        return candidates.map { candidate in
            let secret = candidate.match.secret
            let preview = Redaction.preview(of: text.slice(secret))
            let rule = rules[candidate.rule].id
            let likeness = "\(rule) \(preview) \(secret.count)"
            occurrences[likeness, default: 0] += 1
            cursor.advance(to: candidate.match.region.lowerBound, in: text)
            let start = cursor
            cursor.advance(to: candidate.match.region.upperBound, in: text)
            return Finding(
                ruleIndex: candidate.rule,
                path: text.path,
                line: start.line,
                column: start.column,
                endColumn: cursor.column,
                preview: preview,
                fingerprint: Fingerprint.make(
                    rule: rule, path: text.path, preview: preview, length: secret.count,
                    occurrence: occurrences[likeness, default: 1])
            )
        }
    }
}

/// Line and column of a position that only moves forward: a whole file is counted through once, however many
/// findings there are on one long line.
struct LineCursor {
    private(set) var line = 1
    private(set) var column = 1
    private var position = 0

    mutating func advance(to target: Int, in text: SourceText) {
        while position < target {
            let byte = text[position]
            if byte == Ascii.newline {
                line += 1
                column = 1
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                // Continuation bytes of UTF-8 belong to the code point before.
                column += 1
            }
            position += 1
        }
    }
}
