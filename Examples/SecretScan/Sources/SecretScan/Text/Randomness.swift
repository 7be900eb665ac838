import Glibc

/// How much a value looks as if a machine had drawn it.
enum Randomness {
    /// Shannon entropy in bits per byte: 0 for one repeated byte, about 3.7 for 40 hexadecimal digits,
    /// about 4.7 for 40 characters of Base64; never more than the logarithm of the length.
    static func entropy(of value: ArraySlice<UInt8>) -> Double {
        guard !value.isEmpty else { return 0 }
        var counts = [Int](repeating: 0, count: 256)
        for byte in value { counts[Int(byte)] += 1 }
        let total = Double(value.count)
        return counts.reduce(0) { sum, count in
            guard count > 0 else { return sum }
            let share = Double(count) / total
            return sum - share * log2(share)
        }
    }

    /// The entropy that a value of this length must have: 3.2 bits, which nearly all random hexadecimal numbers of 20
    /// digits reach; less for a value too short for that.
    static func threshold(forLength length: Int) -> Double {
        min(3.2, 0.85 * log2(Double(max(length, 2))))
    }

    static func hasDigitAndLetter(_ value: ArraySlice<UInt8>) -> Bool {
        value.contains(where: ByteSet.digits.contains) && value.contains(where: ByteSet.letters.contains)
    }

    /// Whether the value is put together from words, as names and examples are: `oauth2-client-secret`.
    static func readsLikeWords(_ value: ArraySlice<UInt8>) -> Bool {
        let leastShare = 0.5
        guard Double(lengthOfWords(in: value)) >= leastShare * Double(value.count) else { return false }
        // Letters that stand in a row by chance are interrupted by digits more often than any name is.
        let interruptions = zip(value, value.dropFirst()).count { byte, following in
            ByteSet.digits.contains(byte) && ByteSet.letters.contains(following)
        }
        return interruptions * 8 < value.count
    }

    /// How many bytes belong to words: letters in a row, at least four, with a vowel, where a capital starts a new one.
    private static func lengthOfWords(in value: ArraySlice<UInt8>) -> Int {
        var covered = 0
        var length = 0
        var hasVowel = false
        var previousIsLower = false

        func finishWord() {
            if length >= 4, hasVowel { covered += length }
            length = 0
            hasVowel = false
        }

        for byte in value {
            let isLower = ByteSet.lowercase.contains(byte)
            if !ByteSet.letters.contains(byte) {
                finishWord()
            } else {
                let startsHump = !isLower && previousIsLower
                let endsCapitals = isLower && !previousIsLower && length > 1
                if startsHump || endsCapitals { finishWord() }
                length += 1
                hasVowel = hasVowel || vowels.contains(byte)
            }
            previousIsLower = isLower
        }
        finishWord()
        return covered
    }

    private static let vowels = ByteSet("aeiouyAEIOUY")
}
