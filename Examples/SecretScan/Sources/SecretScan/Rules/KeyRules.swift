extension Rule {
    static let privateKey = Rule(
        id: "private-key",
        name: "PrivateKey",
        summary: "Private key in PEM form",
        help:
            "Replace the key pair and revoke certificates made with it; keep keys in a secret store or a mounted file.",
        keywords: ["-----begin "]
    ) { text, keyword in
        guard text.has("-----BEGIN ", at: keyword.lowerBound) else { return nil }
        let titleEnd = text.endOfRun(of: .uppercase.union("0123456789 "), from: keyword.upperBound, limit: 60)
        let title = String(decoding: text.slice(keyword.upperBound..<titleEnd), as: UTF8.self)
        guard title.hasSuffix("PRIVATE KEY") || title.hasSuffix("PRIVATE KEY BLOCK"), text.has("-----", at: titleEnd)
        else { return nil }
        let headerEnd = titleEnd + 5
        guard let key = firstLineOfKey(in: text, from: headerEnd) else { return nil }
        return Match(secret: key, region: keyword.lowerBound..<headerEnd)
    }

    /// The first long run of Base64 before the end marker. Between header and key there may be attributes of the key
    /// (`Proc-Type`), indentation, quotes, or line ends that are escaped because all this stands in a JSON string.
    private static func firstLineOfKey(in text: SourceText, from start: Int) -> Range<Int>? {
        let shortestLine = 40
        let longestAttributes = 600
        var position = start
        while position < min(start + longestAttributes, text.bytes.count) {
            if text.has("-----", at: position) { return nil }
            if text[position] == Ascii.backslash {
                position += 2
                continue
            }
            let end = text.endOfRun(of: .base64, from: position, limit: 76)
            if end - position >= shortestLine {
                let value = text.slice(position..<end)
                let isKey = Randomness.entropy(of: value) >= 3 && !Placeholder.isSequence(value)
                return isKey ? position..<end : nil
            }
            position = max(end, position + 1)
        }
        return nil
    }

    static let awsSecretAccessKey = Rule(
        id: "aws-secret-access-key",
        name: "AWSSecretAccessKey",
        summary: "AWS secret access key",
        help: "Deactivate the key in IAM and check CloudTrail for its use; prefer roles, which need no stored key.",
        keywords: ["access_key", "access-key", "accesskey", "secret_key", "secret-key", "secretkey"]
    ) { text, keyword in
        guard let assignment = Assignment(in: text, keyword: keyword),
            let value = assignment.value(of: .base64, in: text, limit: 41),
            value.count == 40,
            assignment.name.contains(literal: "secret"),
            assignment.name.contains(literal: "aws") || assignment.name.contains(literal: "access")
        else { return nil }
        let bytes = text.slice(value)
        guard bytes.contains(where: ByteSet.lowercase.contains), bytes.contains(where: ByteSet.uppercase.contains),
            Randomness.entropy(of: bytes) >= 4, !Placeholder.isPlaceholder(bytes)
        else { return nil }
        return Match(secret: value)
    }

    static let azureStorageKey = Rule(
        id: "azure-storage-key",
        name: "AzureStorageKey",
        summary: "Azure storage connection string with its account key",
        help: "Regenerate the account key; prefer managed identities or a shared access signature that expires.",
        keywords: ["accountkey="]
    ) { text, keyword in
        // 64 bytes in Base64 end in exactly two signs of padding.
        let end = text.endOfRun(of: .base64, from: keyword.upperBound, limit: 87)
        guard end - keyword.upperBound == 86, text.has("==", at: end), text[end + 2] != Ascii.equals else { return nil }
        let value = text.slice(keyword.upperBound..<end)
        // The storage emulator's key is the same for everybody.
        guard !value.starts(with: "Eby8vdM02xNO".utf8), Randomness.entropy(of: value) >= 4 else { return nil }
        return Match(secret: keyword.upperBound..<(end + 2))
    }
}
