import FoundationEssentials

/// Text that must not be shown. It prints as dots, wherever it is printed.
public struct SecretText: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for those who connect with it. Never for output.
    public let revealed: String

    public init(_ text: String) {
        revealed = text
    }

    public var description: String { "•••" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A Secret, with `data` decoded and `stringData` put over it.
public struct Secret: Sendable {
    public let metadata: ObjectMetadata
    public let values: [String: SecretText]

    init(_ reader: inout FieldReader) {
        metadata = ObjectMetadata(&reader)
        var values: [String: SecretText] = [:]
        for (name, text) in reader.textMap("data").entries {
            // The API server takes standard base64 with line feeds in it.
            let characters = text.value.filter { !$0.isNewline }
            if let bytes = Data(base64Encoded: characters) {
                values[name] = SecretText(String(decoding: bytes, as: UTF8.self))
            } else {
                reader.list.add(
                    Finding(
                        .invalid, at: text.position, path: text.path, "is not base64; plain text belongs in stringData")
                )
            }
        }
        for (name, text) in reader.textMap("stringData").entries { values[name] = SecretText(text.value) }
        self.values = values
        reader.skip("apiVersion", "kind", "type", "immutable")
    }
}

/// A ConfigMap.
public struct ConfigMap: Sendable {
    public let metadata: ObjectMetadata
    public let values: TextMap

    init(_ reader: inout FieldReader) {
        metadata = ObjectMetadata(&reader)
        values = reader.textMap("data")
        reader.skip("apiVersion", "kind", "binaryData", "immutable")
    }
}
