import Semel
import Yams

/// A file that is not YAML: one line, without anything of the file's content.
public struct ManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    public let file: String
    /// From 1; `nil` when nobody knows.
    public let line: Int?
    public let message: String

    package init(file: String, line: Int?, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    public var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(message)".onOneLine }
}

/// Reads the documents of a file.
public struct YAMLReader {
    /// Anchors can make a short file unfold into more than any memory holds.
    private static let mostValues = 1_000_000
    /// What is nested without anchors ends sooner; with them it could be deeper than any stack.
    private static let mostLevels = 1_000

    private let file: String
    private let hint: String
    private var valueCount = 0

    /// - Returns: The documents that are not empty. Anchors and merge keys are unfolded: what an alias stands for has the
    ///   position of what it repeats.
    public static func documents(in text: String, file: String) throws(ManifestError) -> [YAMLValue] {
        // Some editors begin a file with a byte order mark.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        if let line = ComplexKeys.line(in: text) {
            throw ManifestError(file: file, line: line, message: "a field's name has to be text")
        }
        var reader = YAMLReader(file: file, isTemplate: text.contains("{{"))
        var documents: [YAMLValue] = []
        do {
            // The resolver would look at every scalar with regular expressions; types are told here.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                let document = try reader.value(of: root)
                if !document.isNull { documents.append(document) }
            }
            return documents
        } catch let error as ManifestError {
            throw error
        } catch {
            throw reader.error(error, in: text)
        }
    }

    private init(file: String, isTemplate: Bool) {
        self.file = file
        hint = isTemplate ? "; a Helm template has to be rendered first: helm template" : ""
    }

    private mutating func value(of node: Node, level: Int = 0) throws(ManifestError) -> YAMLValue {
        let position = position(of: node)
        valueCount += 1
        guard valueCount <= Self.mostValues else {
            throw ManifestError(
                file: file, line: position.line,
                message: "unfolds into more than \(Self.mostValues) values; its anchors repeat each other")
        }
        guard level <= Self.mostLevels else {
            throw ManifestError(
                file: file, line: position.line, message: "unfolds into more than \(Self.mostLevels) levels")
        }
        switch node {
        case .scalar(let scalar):
            // An empty tag is one that nobody wrote; a quoted scalar has that of text.
            let isPlain = scalar.style == .plain && scalar.tag.description.isEmpty
            return YAMLValue(.scalar(YAMLScalar(scalar.string, isPlain: isPlain)), at: position)
        case .sequence(let sequence):
            var elements: [YAMLValue] = []
            for element in sequence { elements.append(try value(of: element, level: level + 1)) }
            return YAMLValue(.list(elements), at: position)
        case .mapping(let mapping):
            return YAMLValue(.object(try fields(of: mapping, level: level + 1)), at: position)
        case .alias:
            throw ManifestError(file: file, line: position.line, message: "not YAML: an alias of nothing")
        }
    }

    private mutating func fields(of mapping: Node.Mapping, level: Int) throws(ManifestError) -> [YAMLField] {
        var fields: [YAMLField] = []
        var merged: [YAMLField] = []
        for (key, node) in mapping {
            guard case .scalar(let name) = key else {
                throw ManifestError(
                    file: file, line: position(of: key).line, message: "a field's name has to be text\(hint)")
            }
            let value = try value(of: node, level: level)
            if name.string == "<<", name.style == .plain {
                merged += (value.elements ?? [value]).flatMap { $0.fields ?? [] }
            } else {
                fields.append(YAMLField(name: name.string, position: position(of: key), value: value))
            }
        }
        var names = Set(fields.map(\.name))
        for field in merged where names.insert(field.name).inserted { fields.append(field) }
        return fields
    }

    private func position(of node: Node) -> Position {
        Position(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    /// The parser's own descriptions repeat the file, which may hold secrets.
    private func error(_ error: any Error, in text: String) -> ManifestError {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            let words = problem.hasPrefix("Maximum nesting level") ? "too many levels" : problem
            return ManifestError(file: file, line: mark.line, message: "not YAML: \(words)\(hint)")
        case YamlError.reader(let problem, let offset, _, _):
            let line = offset.map { 1 + text.prefix($0).count(where: \.isNewline) }
            return ManifestError(file: file, line: line, message: "not YAML: \(problem)")
        case YamlError.duplicatedKeysInMapping(let names, let context):
            let name = names.first ?? ""
            return ManifestError(file: file, line: context.mark.line, message: "‘\(name)’ is there twice")
        default:
            return ManifestError(file: file, line: nil, message: "not YAML")
        }
    }
}
