import FoundationEssentials

/// What is different on this machine, put into the documents before they are understood, so that triggers and pods see
/// the same.
public struct DeskChanges: Sendable {
    public var hosts: [HostAlias]
    /// Variables of every container, in place of those that are written.
    public var variables: [(name: String, value: SecretText)]

    public init(hosts: [HostAlias] = [], variables: [(name: String, value: SecretText)] = []) {
        self.hosts = hosts
        self.variables = variables
    }

    public func applied(to document: YAMLValue) -> YAMLValue {
        guard document["items"] == nil else {
            return document.replacing("items") { $0.mapElements { applied(to: $0) } }
        }
        switch document["kind"]?.text {
        case "ScaledJob": return withVariables(withHosts(document))
        case "ConfigMap": return document.replacing("data") { withHosts($0) }
        case "Secret":
            return document.replacing("stringData") { withHosts($0) }.replacing("data") { withHosts(encoded: $0) }
        default: return document
        }
    }

    private func withHosts(_ value: YAMLValue) -> YAMLValue {
        switch value.content {
        case .scalar: return value
        case .list(let elements):
            // Entries of `env` belong together.
            let names = elements.compactMap { $0["name"]?.text }
            let texts = elements.compactMap { $0["value"]?.text }
            guard !elements.isEmpty, names.count == elements.count, !texts.isEmpty else {
                return value.mapElements { withHosts($0) }
            }
            let entries = elements.map { ($0["name"]?.text ?? "", $0["value"]?.text ?? "") }
            let changed = self.changed(entries)
            return YAMLValue(
                .list(
                    zip(elements, changed).map { element, text in
                        element.replacing("value") { $0.with(text) }.mapFields { $0.fields == nil ? $0 : withHosts($0) }
                    }), at: value.position)
        case .object(let fields):
            let changed = self.changed(fields.map { ($0.name, $0.value.text ?? "") })
            return YAMLValue(
                .object(
                    zip(fields, changed).map { field, text in
                        let value = field.value.text == nil ? withHosts(field.value) : field.value.with(text)
                        return YAMLField(name: field.name, position: field.position, value: value)
                    }), at: value.position)
        }
    }

    private func withHosts(encoded value: YAMLValue) -> YAMLValue {
        guard let fields = value.fields else { return value }
        let texts = fields.map { Data(base64Encoded: $0.value.text?.filter { !$0.isNewline } ?? "") }
        let changed = changed(zip(fields, texts).map { ($0.name, String(decoding: $1 ?? Data(), as: UTF8.self)) })
        return YAMLValue(
            .object(
                fields.indices.map { index in
                    let before = texts[index].map { String(decoding: $0, as: UTF8.self) }
                    let field = fields[index]
                    // Bytes that are no text stay as they are.
                    guard let before, before != changed[index] else { return field }
                    let text = Data(changed[index].utf8).base64EncodedString()
                    return YAMLField(name: field.name, position: field.position, value: field.value.with(text))
                }), at: value.position)
    }

    private func changed(_ entries: [(name: String, text: String)]) -> [String] {
        var entries = entries
        for host in hosts {
            for (index, text) in host.applied(to: entries).enumerated() { entries[index].text = text }
        }
        return entries.map(\.text)
    }

    private func withVariables(_ job: YAMLValue) -> YAMLValue {
        guard !variables.isEmpty else { return job }
        return job.replacing("spec", "jobTargetRef", "template", "spec", "containers") { containers in
            containers.mapElements { container in
                let kept = (container["env"]?.elements ?? []).filter { entry in
                    !variables.contains { $0.name == entry["name"]?.text }
                }
                let given = variables.map { variable in
                    // Taken as it is.
                    let value = variable.value.revealed.replacing("$", with: "$$")
                    return YAMLValue.entry([("name", variable.name), ("value", value)], at: container.position)
                }
                // First, so that what is written may refer to them.
                let environment = YAMLValue(.list(given + kept), at: container["env"]?.position ?? container.position)
                return container.setting("env", environment)
            }
        }
    }
}

extension YAMLValue {
    fileprivate static func entry(_ fields: [(String, String)], at position: Position) -> YAMLValue {
        YAMLValue(
            .object(
                fields.map { name, text in
                    let value = YAMLValue(.scalar(YAMLScalar(text, isPlain: false)), at: position)
                    return YAMLField(name: name, position: position, value: value)
                }), at: position)
    }

    /// The same scalar with another text; what is the same stays of its type.
    fileprivate func with(_ text: String) -> YAMLValue {
        guard case .scalar(let scalar) = content, scalar.text != text else { return self }
        return YAMLValue(.scalar(YAMLScalar(text, isPlain: scalar.kind != .string)), at: position)
    }

    fileprivate func mapElements(_ transform: (YAMLValue) -> YAMLValue) -> YAMLValue {
        guard let elements else { return self }
        return YAMLValue(.list(elements.map(transform)), at: position)
    }

    fileprivate func mapFields(_ transform: (YAMLValue) -> YAMLValue) -> YAMLValue {
        guard let fields else { return self }
        return YAMLValue(
            .object(
                fields.map { YAMLField(name: $0.name, position: $0.position, value: transform($0.value)) }),
            at: position)
    }

    /// With another value at a path; unchanged when there is nothing.
    fileprivate func replacing(_ path: String..., transform: (YAMLValue) -> YAMLValue) -> YAMLValue {
        replacing(path[...], transform)
    }

    private func replacing(_ path: ArraySlice<String>, _ transform: (YAMLValue) -> YAMLValue) -> YAMLValue {
        guard let first = path.first else { return transform(self) }
        guard let field = self[first] else { return self }
        return setting(first, field.replacing(path.dropFirst(), transform))
    }

    fileprivate func setting(_ name: String, _ value: YAMLValue) -> YAMLValue {
        guard var fields else { return self }
        if let index = fields.firstIndex(where: { $0.name == name }) {
            fields[index] = YAMLField(name: name, position: fields[index].position, value: value)
        } else {
            fields.append(YAMLField(name: name, position: value.position, value: value))
        }
        return YAMLValue(.object(fields), at: position)
    }

    /// The same text for the same content, wherever it stands: tells whether something has changed. It may hold secrets.
    public var fingerprint: String {
        switch content {
        case .scalar(let scalar): "\(scalar.kind)\(scalar.text.utf8.count):\(scalar.text)"
        case .list(let elements): "[" + elements.map(\.fingerprint).joined(separator: ",") + "]"
        case .object(let fields):
            "{"
                + fields.sorted { $0.name < $1.name }.map { "\($0.name)=\($0.value.fingerprint)" }
                .joined(separator: ",") + "}"
        }
    }
}
