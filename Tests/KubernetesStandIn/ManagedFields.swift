import SemelKubernetes

/// Who manages which fields of an object, and what a write makes of that.
struct ManagedFields: Sendable {
    struct Entry: Sendable {
        var manager: String
        /// `Apply` or `Update`
        var operation: String
        var apiVersion: String
        var subresource: String
        var time: String
        var paths: Set<FieldPath>

        /// As a conflict names it.
        var words: String {
            let part = subresource.isEmpty ? "" : " with subresource \"\(subresource)\""
            return "\"\(manager)\"\(part)" + (operation == "Update" ? " using \(apiVersion) at \(time)" : "")
        }
    }

    var entries: [Entry]

    init(_ object: JSONValue?) {
        entries = (object?["metadata", "managedFields"]?.array ?? []).map { entry in
            Entry(
                manager: entry["manager"]?.string ?? "", operation: entry["operation"]?.string ?? "",
                apiVersion: entry["apiVersion"]?.string ?? "", subresource: entry["subresource"]?.string ?? "",
                time: entry["time"]?.string ?? "", paths: FieldSet.paths(entry["fieldsV1"] ?? [:]))
        }
    }

    var json: JSONValue? {
        let kept = entries.filter { !$0.paths.isEmpty }
        return kept.isEmpty
            ? nil
            : .array(
                kept.map { entry in
                    var json: JSONValue = [
                        "manager": .string(entry.manager), "operation": .string(entry.operation),
                        "apiVersion": .string(entry.apiVersion), "time": .string(entry.time),
                        "fieldsType": "FieldsV1", "fieldsV1": FieldSet.json(entry.paths),
                    ]
                    if !entry.subresource.isEmpty { json["subresource"] = .string(entry.subresource) }
                    return json
                })
    }

    /// What can belong to somebody: not the object's name, nor what the server itself says about it.
    static func ownable(_ object: JSONValue) -> [FieldPath: JSONValue] {
        var own = object
        own["apiVersion"] = nil
        own["kind"] = nil
        var metadata: JSONValue = [:]
        for field in ["labels", "annotations", "ownerReferences", "finalizers"] {
            metadata[field] = object["metadata", field]
        }
        own["metadata"] = metadata == [:] ? nil : metadata
        return own.leaves
    }

    /// The fields of an applied object that others have with another value.
    func conflicts(_ applied: JSONValue, with live: JSONValue, manager: String) -> [(path: FieldPath, entry: Entry)] {
        let wanted = Self.ownable(applied)
        let present = Self.ownable(live)
        return wanted.filter { present[$0.key] != nil && present[$0.key] != $0.value }.keys
            .sorted { $0.lexicographicallyPrecedes($1) }.flatMap { path in
                entries.filter { !($0.manager == manager && $0.operation == "Apply") && $0.paths.contains(path) }
                    .map { (path, $0) }
            }
    }

    /// Makes the applied fields the manager's, takes those that it overwrites from others, and says which it has given up
    /// and nobody else has.
    mutating func apply(
        _ applied: JSONValue, over live: JSONValue?, manager: String, apiVersion: String, time: String
    ) -> [FieldPath] {
        let wanted = Set(Self.ownable(applied).keys)
        let mine = entries.firstIndex { $0.manager == manager && $0.operation == "Apply" }
        let before = mine.map { entries[$0].paths } ?? []
        let overwritten = live.map { live in
            Set(conflicts(applied, with: live, manager: manager).map(\.path))
        }
        for index in entries.indices where index != mine { entries[index].paths.subtract(overwritten ?? []) }
        if let mine {
            if entries[mine].paths != wanted {
                entries[mine].paths = wanted
                entries[mine].time = time
            }
        } else {
            entries.append(
                Entry(
                    manager: manager, operation: "Apply", apiVersion: apiVersion, subresource: "", time: time,
                    paths: wanted))
        }
        let others = entries.filter { !($0.manager == manager && $0.operation == "Apply") }
        return before.subtracting(wanted).filter { path in !others.contains { $0.paths.contains(path) } }
    }

    /// Gives what an update has changed to its manager.
    mutating func update(
        from old: JSONValue?, to new: JSONValue, manager: String, apiVersion: String, subresource: String, time: String
    ) {
        let before = old.map { Self.ownable($0) } ?? [:]
        let after = Self.ownable(new)
        let changed = Set(after.filter { before[$0.key] != $0.value }.keys)
        let gone = Set(before.keys).subtracting(after.keys)
        guard !changed.isEmpty || !gone.isEmpty else { return }
        func isMine(_ entry: Entry) -> Bool {
            entry.manager == manager && entry.operation == "Update" && entry.subresource == subresource
        }
        for index in entries.indices {
            entries[index].paths.subtract(gone)
            if !isMine(entries[index]) { entries[index].paths.subtract(changed) }
        }
        guard !changed.isEmpty else { return }
        if let mine = entries.firstIndex(where: isMine) {
            entries[mine].paths.formUnion(changed)
            entries[mine].time = time
        } else {
            entries.append(
                Entry(
                    manager: manager, operation: "Update", apiVersion: apiVersion, subresource: subresource, time: time,
                    paths: changed))
        }
    }
}
