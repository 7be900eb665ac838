import SemelKubernetes
import Synchronization

extension StandInCluster {
    private func key(_ target: StandInTarget, _ name: String) -> StandInKey {
        StandInKey(type: target.type.stored, namespace: target.namespace ?? "", name: name)
    }

    /// An object as it was sent, with what the path says about it.
    private func sent(_ json: JSONValue, _ target: StandInTarget) throws -> JSONValue {
        var object = json
        guard object["kind"]?.string ?? target.type.kind == target.type.kind,
            object["apiVersion"]?.string ?? target.type.apiVersion == target.type.apiVersion
        else {
            throw StandInRefusal.badRequest(
                "\(object["kind"]?.string ?? "") in version \"\(object["apiVersion"]?.string ?? "")\" cannot be handled "
                    + "as a \(target.type.kind)")
        }
        object["kind"] = .string(target.type.kind)
        object["apiVersion"] = .string(target.type.apiVersion)
        if let namespace = target.namespace {
            let own = object["metadata", "namespace"]?.string ?? namespace
            guard own == namespace else {
                throw StandInRefusal.badRequest(
                    "the namespace of the provided object does not match the namespace sent on the request")
            }
            object["metadata", "namespace"] = .string(namespace)
        }
        return StandInEvents.kept(object, as: target.type)
    }

    func create(_ request: StandInRequest, _ target: StandInTarget) throws -> StandInAnswer {
        var object = try sent(request.json(), target)
        if object["metadata", "name"] == nil, let prefix = object["metadata", "generateName"]?.string {
            let letters = "bcdfghjklmnpqrstvwxz2456789"
            object["metadata", "name"] = .string(prefix + String((0..<5).compactMap { _ in letters.randomElement() }))
        }
        let name = object["metadata", "name"]?.string ?? ""
        return try inner.withLock { inner in
            guard inner.state.objects[key(target, name)] == nil else {
                throw StandInRefusal.alreadyExists(target.type, name)
            }
            guard object["metadata", "resourceVersion"] == nil else {
                throw StandInRefusal.badRequest("resourceVersion should not be set on objects to be created")
            }
            object["status"] = nil
            return try write(object, request, target, name, &inner.state)
        }
    }

    func update(_ request: StandInRequest, _ target: StandInTarget, _ name: String) throws -> StandInAnswer {
        let object = try sent(request.json(), target)
        guard object["metadata", "name"]?.string == name else {
            throw StandInRefusal.badRequest(
                "the name of the object (\(object["metadata", "name"]?.string ?? "")) does not match the name on the URL "
                    + "(\(name))")
        }
        return try inner.withLock { inner in
            guard inner.state.objects[key(target, name)] != nil else {
                throw StandInRefusal.notFound(target.type, name)
            }
            return try write(object, request, target, name, &inner.state)
        }
    }

    func patch(_ request: StandInRequest, _ target: StandInTarget, _ name: String) throws -> StandInAnswer {
        let patch = try request.json()
        let type = (request.headers["content-type"] ?? "").split(separator: ";").first.map(String.init) ?? ""
        return try inner.withLock { inner in
            let live = inner.state.objects[key(target, name)]
            if type == "application/apply-patch+yaml" {
                return try apply(sent(patch, target), request, target, name, &inner.state)
            }
            guard let live else { throw StandInRefusal.notFound(target.type, name) }
            let seen = StandInEvents.seen(live, as: target.type)
            let changed: JSONValue =
                switch type {
                case "application/merge-patch+json": seen.mergePatched(patch)
                case "application/strategic-merge-patch+json": seen.merged(with: patch, removesNulls: true)
                case "application/json-patch+json": try StandInPatch.applied(patch.array ?? [], to: seen)
                default:
                    throw StandInRefusal(
                        code: 415, reason: "UnsupportedMediaType",
                        message: "the body of the request was in an unknown format - accepted media types include: "
                            + "application/json-patch+json, application/merge-patch+json, "
                            + "application/apply-patch+yaml, application/apply-patch+cbor")
                }
            return try write(sent(changed, target), request, target, name, &inner.state)
        }
    }

    private func apply(
        _ applied: JSONValue, _ request: StandInRequest, _ target: StandInTarget, _ name: String,
        _ state: inout StandInState
    ) throws -> StandInAnswer {
        guard let manager = request.query["fieldManager"], !manager.isEmpty else {
            throw StandInRefusal.badRequest(
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
        }
        guard applied["metadata", "managedFields"] == nil else {
            throw StandInRefusal.badRequest("metadata.managedFields must be nil")
        }
        if let field = StandInValidation.unknownFields(applied, target.type).first {
            throw StandInRefusal.notInSchema(target.type, target.namespace, name, ".\(field)")
        }
        let live = state.objects[key(target, name)]
        var wanted = applied
        wanted["metadata", "name"] = .string(name)
        wanted["status"] = nil
        if let live, let version = wanted["metadata", "resourceVersion"], version != live["metadata", "resourceVersion"]
        {
            throw StandInRefusal.conflict(target.type, name)
        }
        var managers = ManagedFields(live)
        if let live, request.query["force"] != "true" {
            let conflicts = managers.conflicts(wanted, with: live, manager: manager)
            if !conflicts.isEmpty {
                throw StandInRefusal.applyConflict(
                    conflicts.map { .init(manager: $0.entry.words, field: FieldSet.text($0.path)) })
            }
        }
        let gone = managers.apply(
            wanted, over: live, manager: manager, apiVersion: target.type.apiVersion, time: StandInState.now())
        var object = (live ?? [:]).merged(with: wanted)
        // What holds others goes first, so that nothing is looked for in what is no longer there.
        for path in gone.sorted(by: { $0.count < $1.count }) { object = object.removing(path) ?? object }
        object["metadata", "managedFields"] = managers.json
        return try write(object, request, target, name, &state, isApplied: true)
    }

    /// Checks and keeps what has become of an object.
    private func write(
        _ proposed: JSONValue, _ request: StandInRequest, _ target: StandInTarget, _ name: String,
        _ state: inout StandInState, isApplied: Bool = false
    ) throws -> StandInAnswer {
        let live = state.objects[key(target, name)]
        var object = proposed
        if let namespace = target.namespace,
            !state.objects.keys.contains(where: { $0.type.plural == "namespaces" && $0.name == namespace }),
            let type = StandInType.named("", "v1", "namespaces")
        {
            throw StandInRefusal.notFound(type, namespace)
        }
        if let live {
            if let version = object["metadata", "resourceVersion"]?.string,
                version != live["metadata", "resourceVersion"]?.string
            {
                throw StandInRefusal.conflict(target.type, name)
            }
            if let uid = object["metadata", "uid"]?.string, uid != live["metadata", "uid"]?.string {
                throw StandInRefusal.conflict(
                    target.type, name,
                    "Precondition failed: UID in precondition: \(uid), UID in object meta: "
                        + (live["metadata", "uid"]?.string ?? ""))
            }
            keepWhatIsNotWritten(&object, live, target, isApplied)
        } else {
            // An apply that makes an object may have any.
            object["metadata", "resourceVersion"] = nil
            object = state.stamped(object)
        }
        let headers = try unknownFields(object, request, target)
        object = StandInValidation.defaulted(object, target.type)
        let faults = StandInValidation.faults(object, target.type, old: live)
        guard faults.isEmpty else { throw StandInRefusal.invalid(target.type, name, faults) }
        if !isApplied {
            var managers = ManagedFields(live)
            managers.update(
                from: live, to: object, manager: request.manager, apiVersion: target.type.apiVersion,
                subresource: target.subresource ?? "", time: StandInState.now())
            object["metadata", "managedFields"] = managers.json
        }
        if let live, live["spec"] != object["spec"] {
            object["metadata", "generation"] = .integer((live["metadata", "generation"]?.integer ?? 0) + 1)
        }
        // Nothing has happened when nothing has changed.
        let isSame = live.map { $0 == object } ?? false
        if !request.isDryRun && !isSame { object = state.put(key(target, name), object) }
        return .json(live == nil ? 201 : 200, StandInEvents.seen(object, as: target.type), headers)
    }

    /// What belongs to the server, or to the other side of `/status`.
    private func keepWhatIsNotWritten(
        _ object: inout JSONValue, _ live: JSONValue, _ target: StandInTarget, _ isApplied: Bool
    ) {
        if target.subresource == "status" {
            let status = object["status"]
            object = live
            object["status"] = status
        } else if target.type.hasStatus {
            object["status"] = live["status"]
        }
        for field in ["uid", "creationTimestamp", "generation", "resourceVersion"] {
            object["metadata", field] = live["metadata", field]
        }
        if !isApplied { object["metadata", "managedFields"] = live["metadata", "managedFields"] }
    }

    private func unknownFields(
        _ object: JSONValue, _ request: StandInRequest, _ target: StandInTarget
    ) throws -> [(String, String)] {
        let unknown = StandInValidation.unknownFields(object, target.type).map { "unknown field \"\($0)\"" }
        switch request.query["fieldValidation"] {
        case "Ignore": return []
        case "Strict" where !unknown.isEmpty:
            throw StandInRefusal.badRequest(
                "\(target.type.kind) in version \"\(target.type.version)\" cannot be handled as a \(target.type.kind): "
                    + "strict decoding error: \(unknown.joined(separator: ", "))")
        default:
            return unknown.map { ("Warning", "299 - \"\($0.replacing("\"", with: "\\\""))\"") }
        }
    }

    func delete(_ request: StandInRequest, _ target: StandInTarget, _ name: String) throws -> StandInAnswer {
        let options = request.body.isEmpty ? [:] : try request.json()
        return try inner.withLock { inner in
            guard let live = inner.state.objects[key(target, name)] else {
                throw StandInRefusal.notFound(target.type, name)
            }
            for (field, word) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
                guard let wanted = options["preconditions", field]?.string else { continue }
                let own = live["metadata", field]?.string ?? ""
                guard wanted == own else {
                    throw StandInRefusal.conflict(
                        target.type, name,
                        "Precondition failed: \(word) in precondition: \(wanted), \(word) in object meta: \(own)")
                }
            }
            let isDryRun = request.isDryRun || options["dryRun"]?.array?.contains("All") == true
            if !isDryRun {
                let policy = options["propagationPolicy"]?.string ?? request.query["propagationPolicy"] ?? "Background"
                Self.remove(key(target, name), orphaning: policy == "Orphan", &inner.state)
            }
            var details: JSONValue = [
                "name": .string(name), "kind": .string(target.type.plural), "uid": live["metadata", "uid"] ?? "",
            ]
            if !target.type.group.isEmpty { details["group"] = .string(target.type.group) }
            return .json(
                200,
                [
                    "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details,
                ], [])
        }
    }

    /// With everything that it owns, as the garbage collector does a moment later.
    private static func remove(_ key: StandInKey, orphaning: Bool, _ state: inout StandInState) {
        guard let uid = state.remove(key)?["metadata", "uid"]?.string else { return }
        for (owned, object) in state.objects.sorted(by: { $0.key < $1.key }) {
            let owners = object["metadata", "ownerReferences"]?.array ?? []
            let others = owners.filter { $0["uid"]?.string != uid }
            guard others.count < owners.count else { continue }
            if others.isEmpty && !orphaning {
                remove(owned, orphaning: false, &state)
            } else {
                var kept = object
                kept["metadata", "ownerReferences"] = others.isEmpty ? nil : .array(others)
                state.put(owned, kept)
            }
        }
    }

    func deleteCollection(_ request: StandInRequest, _ target: StandInTarget) throws -> StandInAnswer {
        let selector = try StandInSelector(
            labels: request.query["labelSelector"] ?? "", fields: request.query["fieldSelector"] ?? "")
        return inner.withLock { inner in
            let doomed = inner.state.selected(target.type, target.namespace, selector)
            for object in doomed where !request.isDryRun {
                Self.remove(
                    StandInKey(
                        type: target.type.stored, namespace: object["metadata", "namespace"]?.string ?? "",
                        name: object["metadata", "name"]?.string ?? ""), orphaning: false, &inner.state)
            }
            return .json(
                200,
                [
                    "kind": .string("\(target.type.kind)List"), "apiVersion": .string(target.type.apiVersion),
                    "metadata": ["resourceVersion": .string("\(inner.state.version)")], "items": .array(doomed),
                ], [])
        }
    }
}
