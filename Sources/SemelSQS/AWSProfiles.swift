import FoundationEssentials

/// The profiles of the shared files `~/.aws/config` and `~/.aws/credentials`.
/// Source: AWS SDKs and Tools Reference Guide, “Shared config and credentials files”.
struct AWSProfiles: Sendable {
    typealias Profile = [String: String]
    private var profiles: [String: Profile] = [:]

    /// Files that are not there have no profiles.
    init(_ environment: AWSEnvironment) {
        if let file = environment.file("AWS_CONFIG_FILE", or: ".aws/config") {
            read(Self.text(of: file), isCredentials: false)
        }
        if let file = environment.file("AWS_SHARED_CREDENTIALS_FILE", or: ".aws/credentials") {
            read(Self.text(of: file), isCredentials: true)
        }
    }

    init(config: String, credentials: String) {
        read(config, isCredentials: false)
        read(credentials, isCredentials: true)
    }

    subscript(_ name: String) -> Profile? { profiles[name] }

    private static func text(of file: String) -> String {
        guard let data = try? Data(contentsOf: URL(filePath: file)) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    /// What is in the credentials file wins.
    private mutating func read(_ text: String, isCredentials: Bool) {
        var name: String?
        for line in text.split(whereSeparator: \.isNewline) {
            // An indented line belongs to a setting of several lines, such as `s3 =`.
            guard let first = line.first, first != "#", first != ";", !first.isWhitespace else { continue }
            if first == "[" {
                name = Self.profile(String(line.dropFirst().prefix { $0 != "]" }).trimmed, isCredentials: isCredentials)
                if let name, profiles[name] == nil { profiles[name] = [:] }
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1)
            guard let name, parts.count == 2 else { continue }
            profiles[name]?[String(parts[0]).trimmed.lowercased()] = Self.value(String(parts[1]))
        }
    }

    /// A section of another kind, such as `[sso-session x]`, is none.
    private static func profile(_ section: String, isCredentials: Bool) -> String? {
        if isCredentials || section == "default" { return section }
        let words = section.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        return words.count == 2 && words[0] == "profile" ? String(words[1]).trimmed : nil
    }

    /// A comment behind a value begins with a blank.
    private static func value(_ text: String) -> String {
        let end = [" #", " ;", "\t#", "\t;"].compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
        return String(text[..<end]).trimmed
    }
}

extension String {
    fileprivate var trimmed: String {
        let start = drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
