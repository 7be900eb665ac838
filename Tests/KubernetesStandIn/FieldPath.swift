import SemelKubernetes

/// Where a field is in an object, as `managedFields` has it: `f:spec`, `k:{"name":"main"}`, `v:"x"`.
typealias FieldPath = [String]

/// What is known of the schema: which lists are lists of named things, and what changes only as a whole.
enum FieldSchema {
    private static let keys: [String: [String]] = [
        "containers": ["name"], "initContainers": ["name"], "env": ["name"], "volumes": ["name"],
        "volumeMounts": ["mountPath"], "ports": ["containerPort", "protocol"], "imagePullSecrets": ["name"],
        "ownerReferences": ["uid"], "conditions": ["type"],
    ]
    private static let sets: Set = ["finalizers"]
    private static let atomic: Set = [
        "nodeSelector", "selector", "secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef", "tolerations",
        "command", "args", "envFrom",
    ]

    enum List: Sendable {
        case named([String])
        case set
        case atomic
    }

    static func list(_ field: String) -> List {
        keys[field].map { .named($0) } ?? (sets.contains(field) ? .set : .atomic)
    }

    static func isAtomic(_ field: String) -> Bool { atomic.contains(field) }

    static func element(_ item: JSONValue, _ keys: [String]) -> String {
        var name: JSONValue = [:]
        for key in keys { name[key] = item[key] ?? (key == "protocol" ? "TCP" : "") }
        return "k:\(name.text)"
    }
}

extension JSONValue {
    /// Every leaf, and every element of a list of named things.
    var leaves: [FieldPath: JSONValue] {
        var leaves: [FieldPath: JSONValue] = [:]
        collect(field: "", [], &leaves)
        return leaves
    }

    private func collect(field: String, _ path: FieldPath, _ leaves: inout [FieldPath: JSONValue]) {
        switch self {
        case .object(let fields) where !fields.isEmpty && !FieldSchema.isAtomic(field):
            for (name, value) in fields { value.collect(field: name, path + ["f:\(name)"], &leaves) }
        case .array(let values):
            switch FieldSchema.list(field) {
            case .named(let keys):
                for value in values {
                    let element = path + [FieldSchema.element(value, keys)]
                    leaves[element] = .null
                    value.collect(field: "", element, &leaves)
                }
            case .set: for value in values { leaves[path + ["v:\(value.text)"]] = .null }
            case .atomic: leaves[path] = self
            }
        default: leaves[path] = self
        }
    }

    /// Puts another object's fields into this one; what is null goes when `removesNulls`.
    func merged(with other: JSONValue, field: String = "", removesNulls: Bool = false) -> JSONValue {
        switch (self, other) {
        case (.object(let mine), .object(let theirs)) where !FieldSchema.isAtomic(field):
            var merged = mine
            for (name, value) in theirs {
                if value == .null, removesNulls {
                    merged[name] = nil
                } else {
                    merged[name] = (mine[name] ?? (value.object == nil ? .null : [:]))
                        .merged(with: value, field: name, removesNulls: removesNulls)
                }
            }
            return .object(merged)
        case (.array(let mine), .array(let theirs)):
            switch FieldSchema.list(field) {
            case .atomic: return other
            case .set: return .array(mine + theirs.filter { !mine.contains($0) })
            case .named(let keys):
                var merged = mine
                for value in theirs {
                    let name = FieldSchema.element(value, keys)
                    if let index = merged.firstIndex(where: { FieldSchema.element($0, keys) == name }) {
                        merged[index] = merged[index].merged(with: value, removesNulls: removesNulls)
                    } else {
                        merged.append(value)
                    }
                }
                return .array(merged)
            }
        default: return other
        }
    }

    /// Without a field; objects that are empty after that go, too.
    func removing(_ path: FieldPath, field: String = "") -> JSONValue? {
        guard let first = path.first else { return nil }
        let rest = Array(path.dropFirst())
        if first.hasPrefix("f:") {
            let name = String(first.dropFirst(2))
            guard var fields = object, let inner = fields[name] else { return self }
            fields[name] = inner.removing(rest, field: name)
            return fields.isEmpty ? nil : .object(fields)
        }
        guard let values = array else { return self }
        let kept = values.compactMap { value -> JSONValue? in
            let isMeant =
                if case .named(let keys) = FieldSchema.list(field) {
                    FieldSchema.element(value, keys) == first
                } else { "v:\(value.text)" == first }
            return isMeant ? value.removing(rest) : value
        }
        return kept.isEmpty ? nil : .array(kept)
    }
}

/// The fields of one manager.
struct FieldSet: Sendable {
    /// `{"f:spec":{"f:schedule":{}}}`
    static func json(_ paths: Set<FieldPath>) -> JSONValue {
        var root: JSONValue = [:]
        for path in paths {
            // An element is a member by itself.
            let isElement = path.last.map { $0.hasPrefix("k:") } ?? false
            insert(isElement ? path + ["."] : path, into: &root)
        }
        return root
    }

    private static func insert(_ path: FieldPath, into json: inout JSONValue) {
        guard let first = path.first else { return }
        var inner = json[first] ?? [:]
        insert(Array(path.dropFirst()), into: &inner)
        json[first] = inner
    }

    static func paths(_ json: JSONValue, _ start: FieldPath = []) -> Set<FieldPath> {
        guard let fields = json.object, !fields.isEmpty else { return start.isEmpty ? [] : [start] }
        var paths: Set<FieldPath> = []
        for (name, inner) in fields {
            if name == "." { paths.insert(start) } else { paths.formUnion(self.paths(inner, start + [name])) }
        }
        return paths
    }

    /// `.spec.containers[name="main"].image`
    static func text(_ path: FieldPath) -> String {
        path.map { element in
            let rest = String(element.dropFirst(2))
            if element.hasPrefix("f:") { return ".\(rest)" }
            guard element.hasPrefix("k:"), let keys = try? JSONValue(parsing: rest).object else { return "[=\(rest)]" }
            return "[" + keys.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: ",")
                + "]"
        }.joined()
    }
}
