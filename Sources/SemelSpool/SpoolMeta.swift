import FoundationEssentials
import Semel

/// What a message has besides its body: only those that have something get a file.
struct SpoolMeta: Codable {
    var id: String?
    var contentType: String?
    var headers: [String: HeaderValue]?

    static let reasonSuffix = ".reason.json"
    static let resultSuffix = ".result"

    /// A message must not be called like what is kept beside another one: those files would be taken for each other.
    static func freeOfSuffixes(_ base: String) -> String {
        base.hasSuffix(reasonSuffix) || base.hasSuffix(resultSuffix) ? "\(base).\(SpoolName.suffix())" : base
    }

    static func path(in directory: SpoolDirectory, base: String) -> String {
        directory.path(.meta, "\(base).json")
    }

    static func read(from directory: SpoolDirectory, base: String) -> SpoolMeta? {
        guard let bytes = directory.read(path(in: directory, base: base)) else { return nil }
        return try? JSONDecoder().decode(SpoolMeta.self, from: Data(bytes))
    }

    init?(_ message: OutgoingMessage) {
        guard message.id != nil || message.contentType != nil || !message.headers.isEmpty else { return nil }
        id = message.id
        contentType = message.contentType
        headers = message.headers.isEmpty ? nil : message.headers.mapValues { .string($0) }
    }

    func encoded() -> [UInt8] {
        (try? JSONEncoder().encode(self)).map { Array($0) } ?? []
    }
}
