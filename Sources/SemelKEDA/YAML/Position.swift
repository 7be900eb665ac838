import Semel

/// Where something is written.
public struct Position: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let file: String
    /// From 1.
    public let line: Int
    /// From 1, in Unicode scalars.
    public let column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `scaledjob.yaml:12`
    public var description: String { "\(file):\(line)" }

    public static func < (left: Position, right: Position) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// A value, and where it is written.
public struct Located<Value: Sendable>: Sendable {
    public let value: Value
    public let position: Position
    /// `spec.triggers[0].metadata.value`
    public let path: String

    public init(_ value: Value, at position: Position, path: String) {
        self.value = value
        self.position = position
        self.path = path
    }

    func map<Other>(_ transform: (Value) -> Other) -> Located<Other> {
        Located<Other>(transform(value), at: position, path: path)
    }
}

extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}

/// Something about a file that is worth a line.
public struct Finding: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A field that the API does not know. Kubernetes warns of it and drops it.
        case unknownField
        /// A number where text has to be, and the like. Kubernetes refuses the object.
        case wrongType
        /// A field that has to be there.
        case missing
        /// A value of the right type that cannot be.
        case invalid
        /// A name that nothing in the files has. It may be in the cluster.
        case unresolved
    }

    public let kind: Kind
    public let position: Position
    /// `spec.triggers[0].metadata.value`
    public let path: String
    /// What is wrong, and what would be right. No secrets.
    public let message: String

    public init(_ kind: Kind, at position: Position, path: String, _ message: String) {
        self.kind = kind
        self.position = position
        self.path = path
        self.message = message
    }

    /// Whether Kubernetes or KEDA would refuse the object. The others may be as they should be.
    public var isError: Bool {
        switch kind {
        case .wrongType, .missing, .invalid: true
        case .unknownField, .unresolved: false
        }
    }

    /// `scaledjob.yaml:12: spec.triggers[0].metadata.value: is a number; write it in quotes: "1"`
    public var description: String { "\(position): \(path.isEmpty ? "" : "\(path): ")\(message)".onOneLine }
}
