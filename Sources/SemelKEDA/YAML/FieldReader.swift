/// Collects what is found while objects are read.
package final class FindingList {
    package private(set) var findings: [Finding] = []

    package init() {}

    package func add(_ kind: Finding.Kind, _ value: YAMLValue, _ path: String, _ message: String) {
        findings.append(Finding(kind, at: value.position, path: path, message))
    }

    package func add(_ finding: Finding) {
        findings.append(finding)
    }
}

/// Reads an object field by field, and reports the fields that nobody asked for. A field that is null is not there.
package struct FieldReader {
    package let value: YAMLValue
    package let path: String
    package let list: FindingList
    private var asked: Set<String> = []

    /// Reads what has to be an object; `nil` when it is something else, which is reported, or null.
    package static func read<Result>(
        _ value: YAMLValue, path: String, _ list: FindingList, _ read: (inout FieldReader) -> Result
    ) -> Result? {
        guard !value.isNull else { return nil }
        guard value.fields != nil else {
            list.add(.wrongType, value, path, "is \(value.typeName), where an object has to be")
            return nil
        }
        var reader = FieldReader(value: value, path: path, list: list)
        let result = read(&reader)
        reader.reportUnknown()
        return result
    }

    private init(value: YAMLValue, path: String, list: FindingList) {
        self.value = value
        self.path = path
        self.list = list
    }

    package func path(of name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    /// Fields that are known and of no interest here.
    package mutating func skip(_ names: String...) {
        asked.formUnion(names)
    }

    package mutating func any(_ name: String) -> YAMLValue? {
        asked.insert(name)
        guard let field = value[name], !field.isNull else { return nil }
        return field
    }

    package mutating func text(_ name: String) -> Located<String>? {
        any(name).flatMap { Self.text($0, path(of: name), list) }
    }

    /// Text that has to be there and not empty.
    package mutating func requiredText(_ name: String) -> Located<String>? {
        if any(name) == nil { list.add(.missing, value, path(of: name), "is missing") }
        return text(name)
    }

    package mutating func flag(_ name: String) -> Located<Bool>? {
        guard let field = any(name) else { return nil }
        guard case .scalar(let scalar) = field.content, let flag = scalar.boolean else {
            list.add(.wrongType, field, path(of: name), "is \(field.typeName); write true or false, without quotes")
            return nil
        }
        return Located(flag, at: field.position, path: path(of: name))
    }

    package mutating func integer(_ name: String, least: Int64? = nil) -> Located<Int32>? {
        number(name, least: least, most: Int64(Int32.max)).map { $0.map { Int32(clamping: $0) } }
    }

    package mutating func longInteger(_ name: String, least: Int64? = nil) -> Located<Int64>? {
        number(name, least: least, most: .max)
    }

    private mutating func number(_ name: String, least: Int64?, most: Int64) -> Located<Int64>? {
        guard let field = any(name) else { return nil }
        guard case .scalar(let scalar) = field.content, let number = scalar.integer else {
            list.add(.wrongType, field, path(of: name), Self.complaintAboutNumber(field))
            return nil
        }
        let smallest = least ?? (most == .max ? .min : Int64(Int32.min))
        guard (smallest...most).contains(number) else {
            list.add(.invalid, field, path(of: name), "\(number) is not between \(smallest) and \(most)")
            return nil
        }
        return Located(number, at: field.position, path: path(of: name))
    }

    private static func complaintAboutNumber(_ value: YAMLValue) -> String {
        if case .scalar(let scalar) = value.content, scalar.kind == .string,
            let number = GoNumbers.jsonInteger(scalar.text)
        {
            return "is text; write \(number), without quotes"
        }
        return "is \(value.typeName), where a whole number has to be"
    }

    /// A port or the like: a number or a name.
    package mutating func integerOrText(_ name: String) -> Located<String>? {
        guard let field = any(name) else { return nil }
        guard case .scalar(let scalar) = field.content, scalar.kind == .integer || scalar.kind == .string else {
            list.add(.wrongType, field, path(of: name), "is \(field.typeName), where a number or text has to be")
            return nil
        }
        return Located(scalar.text, at: field.position, path: path(of: name))
    }

    package mutating func texts(_ name: String) -> [Located<String>] {
        values(name).compactMap { Self.text($0.value, $0.path, list) }
    }

    package mutating func integers(_ name: String) -> [Located<Int32>] {
        values(name).compactMap { element in
            guard case .scalar(let scalar) = element.value.content,
                let number = scalar.integer.flatMap({ Int32(exactly: $0) })
            else {
                list.add(.wrongType, element.value, element.path, Self.complaintAboutNumber(element.value))
                return nil
            }
            return Located(number, at: element.value.position, path: element.path)
        }
    }

    /// An object whose values are all text, in the order in which it is written.
    package mutating func textMap(_ name: String) -> TextMap {
        guard let field = any(name) else { return TextMap() }
        guard let fields = field.fields else {
            list.add(.wrongType, field, path(of: name), "is \(field.typeName), where an object has to be")
            return TextMap()
        }
        return TextMap(
            fields.compactMap { entry in
                let path = "\(path(of: name)).\(entry.name)"
                // An empty value is the empty text.
                if entry.value.isNull { return (entry.name, Located("", at: entry.value.position, path: path)) }
                return Self.text(entry.value, path, list).map { (entry.name, $0) }
            })
    }

    package mutating func object<Result>(_ name: String, _ read: (inout FieldReader) -> Result) -> Result? {
        any(name).flatMap { Self.read($0, path: path(of: name), list, read) }
    }

    package mutating func objects<Result>(_ name: String, _ read: (inout FieldReader) -> Result) -> [Result] {
        objects(name) { _, reader in read(&reader) }
    }

    /// With each one's place in the list, from 0.
    package mutating func objects<Result>(_ name: String, _ read: (Int, inout FieldReader) -> Result) -> [Result] {
        values(name).enumerated().compactMap { index, element in
            if element.value.isNull {
                list.add(.wrongType, element.value, element.path, "is empty, where an object has to be")
            }
            return Self.read(element.value, path: element.path, list) { read(index, &$0) }
        }
    }

    private mutating func values(_ name: String) -> [(value: YAMLValue, path: String)] {
        guard let field = any(name) else { return [] }
        guard let elements = field.elements else {
            list.add(.wrongType, field, path(of: name), "is \(field.typeName), where a list has to be")
            return []
        }
        return elements.enumerated().map { ($1, "\(path(of: name))[\($0)]") }
    }

    /// Numbers and booleans are not repeated: nobody knows what for they are.
    private static func text(_ value: YAMLValue, _ path: String, _ list: FindingList) -> Located<String>? {
        guard case .scalar(let scalar) = value.content, scalar.kind == .string else {
            let remedy = value.elements == nil && value.fields == nil ? "; write it in quotes" : ""
            list.add(.wrongType, value, path, "is \(value.typeName), where text has to be\(remedy)")
            return nil
        }
        return Located(scalar.text, at: value.position, path: path)
    }

    private func reportUnknown() {
        for field in value.fields ?? [] where !asked.contains(field.name) {
            list.add(
                Finding(
                    .unknownField, at: field.position, path: path(of: field.name), "unknown field; it has no effect"))
        }
    }
}

/// Names and texts in the order in which they are written.
public struct TextMap: Sendable {
    public let entries: [(name: String, text: Located<String>)]
    private let byName: [String: Located<String>]

    init(_ entries: [(name: String, text: Located<String>)] = []) {
        self.entries = entries
        byName = Dictionary(entries.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(_ name: String) -> Located<String>? { byName[name] }
    public var isEmpty: Bool { entries.isEmpty }
}
