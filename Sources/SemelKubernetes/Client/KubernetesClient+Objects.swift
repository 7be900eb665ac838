/// Objects of one kind, as they were at one moment.
public struct KubernetesList<Object: KubernetesObject>: Sendable {
    public let items: [Object]
    /// From here a watch can go on.
    public let resourceVersion: String
}

/// What becomes of the objects that a deleted one owns.
public enum DeletionPropagation: String, Sendable {
    /// They are deleted after it.
    case background = "Background"
    /// It is deleted after them.
    case foreground = "Foreground"
    /// They stay.
    case orphan = "Orphan"
}

/// What a patch is written in.
public enum KubernetesPatch: Sendable {
    /// RFC 7386: fields that are null go, others are set. A `metadata.resourceVersion` in it makes it a conflict when the
    /// object has changed.
    case merge(JSONValue)
    /// RFC 6902: a list of operations.
    case operations([JSONValue])

    var contentType: String {
        switch self {
        case .merge: "application/merge-patch+json"
        case .operations: "application/json-patch+json"
        }
    }

    var body: JSONValue {
        switch self {
        case .merge(let fields): fields
        case .operations(let operations): .array(operations)
        }
    }
}

extension KubernetesClient {
    public func get<Object: KubernetesObject>(
        _ type: Object.Type, _ name: String, in namespace: String
    ) async throws(KubernetesError) -> Object {
        var call = Self.call("get", type, name, namespace)
        call.isRepeatable = true
        return try await object(call)
    }

    /// `nil` when there is none.
    public func find<Object: KubernetesObject>(
        _ type: Object.Type, _ name: String, in namespace: String
    ) async throws(KubernetesError) -> Object? {
        do throws(KubernetesError) {
            return try await get(type, name, in: namespace)
        } catch {
            if case .notFound = error { return nil }
            throw error
        }
    }

    /// - Parameters:
    ///   - namespace: `nil` for all of them.
    ///   - labels: `app=x,tier in (a,b),!c`
    ///   - fields: `metadata.name=x`
    ///   - pageSize: How many are asked for at once.
    public func list<Object: KubernetesObject>(
        _ type: Object.Type, in namespace: String?, labels: String? = nil, fields: String? = nil, pageSize: Int = 500
    ) async throws(KubernetesError) -> KubernetesList<Object> {
        var call = Self.call("list", type, nil, namespace)
        call.isRepeatable = true
        call.query = Self.selection(labels, fields)
        do throws(KubernetesError) {
            return try await pages(call, size: pageSize)
        } catch {
            // The pages that are missing are of a time that the server has forgotten: then all at once, as client-go does.
            guard case .gone = error else { throw error }
            return try await pages(call, size: nil)
        }
    }

    static func selection(_ labels: String?, _ fields: String?) -> [(String, String)] {
        [labels.map { ("labelSelector", $0) }, fields.map { ("fieldSelector", $0) }].compactMap { $0 }
    }

    private func pages<Object: KubernetesObject>(
        _ call: Call, size: Int?
    ) async throws(KubernetesError) -> KubernetesList<Object> {
        var items: [Object] = []
        var continuation: String?
        while true {
            var page = call
            if let size { page.query.append(("limit", "\(size)")) }
            if let continuation { page.query.append(("continue", continuation)) }
            let answer = try await json(page)
            guard answer["kind"]?.string == "\(Object.type.kind)List",
                let version = answer["metadata", "resourceVersion"]
            else { throw .unintelligible(call.action, "it is no \(Object.type.kind)List") }
            items += (answer["items"]?.array ?? []).map { Object(json: $0).asSent }
            continuation = answer["metadata", "continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            if continuation == nil { return KubernetesList(items: items, resourceVersion: version.string ?? "") }
        }
    }

    /// - Parameter dryRun: Nothing is kept; the answer is what would have been made.
    public func create<Object: KubernetesObject>(
        _ object: Object, manager: String? = nil, dryRun: Bool = false
    ) async throws(KubernetesError) -> Object {
        var call = call("create", object, dryRun)
        if let manager { call.query.append(("fieldManager", manager)) }
        call.method = "POST"
        call.path = Object.type.path(namespace: object.namespace ?? namespace)
        call.body = object.asSent.json
        return try await self.object(call)
    }

    /// Server-side apply: the fields that are in the object become those of the manager; fields that it had, and that are
    /// not in there, go. The object is made when there is none.
    ///
    /// - Parameters:
    ///   - object: Only what is wanted, with its name.
    ///   - force: Takes fields from other managers, which are a ``KubernetesError/fieldConflict(_:_:)`` otherwise.
    ///   - dryRun: Nothing is kept; the answer is what would have been made.
    public func apply<Object: KubernetesObject>(
        _ object: Object, manager: String, force: Bool = false, dryRun: Bool = false
    ) async throws(KubernetesError) -> Object {
        var call = call("apply", object, dryRun)
        call.method = "PATCH"
        call.query += [("fieldManager", manager), ("force", "\(force)")]
        call.contentType = "application/apply-patch+yaml"
        call.body = object.asSent.json
        call.isRepeatable = true
        return try await self.object(call)
    }

    /// Puts the object in place of the one with its resource version; a ``KubernetesError/conflict(_:_:)`` when that has
    /// changed.
    public func update<Object: KubernetesObject>(
        _ object: Object, manager: String? = nil, dryRun: Bool = false
    ) async throws(KubernetesError) -> Object {
        var call = call("update", object, dryRun)
        if let manager { call.query.append(("fieldManager", manager)) }
        call.method = "PUT"
        call.body = object.asSent.json
        return try await self.object(call)
    }

    public func patch<Object: KubernetesObject>(
        _ type: Object.Type, _ name: String, in namespace: String, _ patch: KubernetesPatch, manager: String? = nil,
        dryRun: Bool = false
    ) async throws(KubernetesError) -> Object {
        var call = Self.call("patch", type, name, namespace)
        call.method = "PATCH"
        call.query = dryRun ? [("dryRun", "All")] : []
        if let manager { call.query.append(("fieldManager", manager)) }
        call.contentType = patch.contentType
        call.body = patch.body
        return try await object(call)
    }

    /// - Parameters:
    ///   - uid: A ``KubernetesError/conflict(_:_:)`` when the object is another one of that name.
    ///   - resourceVersion: A conflict when the object has changed.
    public func delete<Object: KubernetesObject>(
        _ type: Object.Type, _ name: String, in namespace: String, _ propagation: DeletionPropagation = .background,
        uid: String? = nil, resourceVersion: String? = nil, dryRun: Bool = false
    ) async throws(KubernetesError) {
        var call = Self.call("delete", type, name, namespace)
        call.method = "DELETE"
        var options: JSONValue = [
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": .string(propagation.rawValue),
        ]
        if dryRun { options["dryRun"] = ["All"] }
        options["preconditions", "uid"] = uid.map { .string($0) }
        options["preconditions", "resourceVersion"] = resourceVersion.map { .string($0) }
        call.body = options
        _ = try await send(call)
    }

    /// Whatever else there is to read below the API server: `/version`, a pod's log, `…/pods/NAME:PORT/proxy/status`.
    ///
    /// - Parameter path: Begins with a slash; its parts are escaped.
    public func read(
        _ path: String, _ query: [(String, String)] = [], accept: String = "*/*"
    ) async throws(KubernetesError) -> [UInt8] {
        var call = Call(action: KubernetesAction("get", path), path: path, query: query)
        call.accept = accept
        call.isRepeatable = true
        return try await send(call)
    }

    /// The end of a container's output.
    ///
    /// - Parameters:
    ///   - container: Has to be named when there are many.
    ///   - lines: At most.
    ///   - previous: Of the container's run before this one.
    public func log(
        ofPod name: String, in namespace: String, container: String? = nil, lines: Int, previous: Bool = false
    ) async throws(KubernetesError) -> [UInt8] {
        var query = [("tailLines", "\(lines)")]
        if let container { query.append(("container", container)) }
        if previous { query.append(("previous", "true")) }
        var call = Call(
            action: KubernetesAction("get", "pods/log", name: name, namespace: namespace),
            path: Pod.type.path(namespace: namespace, name: name) + "/log", query: query)
        call.accept = "*/*"
        call.isRepeatable = true
        return try await send(call)
    }

    private func object<Object: KubernetesObject>(_ call: Call) async throws(KubernetesError) -> Object {
        let answer = try await json(call)
        guard answer["kind"]?.string == Object.type.kind else {
            throw .unintelligible(call.action, "it is no \(Object.type.kind)")
        }
        return Object(json: answer)
    }

    private static func call<Object: KubernetesObject>(
        _ verb: String, _ type: Object.Type, _ name: String?, _ namespace: String?
    ) -> Call {
        Call(
            action: KubernetesAction(verb, "\(type.type)", name: name, namespace: namespace),
            path: type.type.path(namespace: namespace, name: name))
    }

    private func call(_ verb: String, _ object: some KubernetesObject, _ dryRun: Bool) -> Call {
        var call = Self.call(verb, type(of: object), object.name, object.namespace ?? namespace)
        if dryRun { call.query = [("dryRun", "All")] }
        return call
    }
}
