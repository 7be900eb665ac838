import Foundation
import SemelKubernetes
import Synchronization

extension StandInCluster {
    /// The fault that happens to a request, if there is one.
    func fault(for request: StandInRequest) -> StandInFault.Kind? {
        inner.withLock { inner in
            let index = inner.faults.firstIndex { fault in
                fault.times > 0 && (fault.method ?? request.method) == request.method
                    && (fault.target.isEmpty || request.target.contains(fault.target))
            }
            guard let index else { return nil }
            inner.faults[index].times -= 1
            return inner.faults[index].kind
        }
    }

    static func answer(to status: Int, retryAfter: Int?) -> StandInAnswer {
        let headers = retryAfter.map { [("Retry-After", "\($0)")] } ?? []
        switch status {
        // Not a Status: it comes from in front of the API server's handlers.
        case 429: return .text(429, "Too many requests, please try again later.\n", headers)
        case 401: return .refusal(.unauthorized)
        case 410: return .refusal(.expiredList)
        case 500:
            return .refusal(
                StandInRefusal(
                    code: 500, reason: "InternalError",
                    message: "Internal error occurred: etcdserver: request timed out", headers: headers))
        case 503:
            return .refusal(
                StandInRefusal(
                    code: 503, reason: "ServiceUnavailable",
                    message: "the server is currently unable to handle the request",
                    headers: headers))
        default: return .text(status, "", headers)
        }
    }

    func answer(_ request: StandInRequest) -> StandInAnswer {
        do {
            let user = try user(of: request)
            if request.method == "GET", let discovery = StandInDiscovery.answer(request.parts) {
                return .json(200, discovery, [])
            }
            guard let target = StandInTarget(request.parts) else { throw StandInRefusal.noSuchPath }
            try check(target, request, user)
            return try answer(request, target)
        } catch let refusal as StandInRefusal {
            return .refusal(refusal)
        } catch {
            return .refusal(StandInRefusal(code: 500, reason: "InternalError", message: "\(error)"))
        }
    }

    /// Who asks: by a certificate, a token or a password. Nobody is asked for it before somebody has been let in by it.
    private func user(of request: StandInRequest) throws -> String {
        let authorization = request.headers["authorization"] ?? ""
        let user: String? = inner.withLock { inner in
            if let name = request.certificateName { return name }
            if authorization.hasPrefix("Bearer ") { return inner.tokens[String(authorization.dropFirst(7))] }
            if authorization.hasPrefix("Basic "), let data = Data(base64Encoded: String(authorization.dropFirst(6))) {
                let words = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1).map(String.init)
                return words.count == 2 && inner.passwords[words[0]] == words[1] ? words[0] : nil
            }
            return inner.wantsLogin ? nil : "admin"
        }
        inner.withLock {
            $0.seen.append(
                Seen(
                    method: request.method, target: request.target, user: user, headers: request.headers,
                    body: String(decoding: request.body, as: UTF8.self)))
        }
        guard let user else { throw StandInRefusal.unauthorized }
        return request.headers["impersonate-user"] ?? user
    }

    private func check(_ target: StandInTarget, _ request: StandInRequest, _ user: String) throws {
        let verb =
            switch request.method {
            case "GET": request.query["watch"] == "true" ? "watch" : target.name == nil ? "list" : "get"
            case "POST": "create"
            case "PUT": "update"
            case "PATCH": "patch"
            default: target.name == nil ? "deletecollection" : "delete"
            }
        try require(verb, target, user)
        // An apply of what is not there yet makes it.
        let isApply = request.headers["content-type"]?.hasPrefix("application/apply-patch") == true
        if isApply, let name = target.name, !isThere(name, target) { try require("create", target, user) }
    }

    private func isThere(_ name: String, _ target: StandInTarget) -> Bool {
        let key = StandInKey(type: target.type.stored, namespace: target.namespace ?? "", name: name)
        return inner.withLock { $0.state.objects[key] != nil }
    }

    private func require(_ verb: String, _ target: StandInTarget, _ user: String) throws {
        let isDenied = inner.withLock { inner in
            inner.denials.contains { denial in
                (denial.user ?? user) == user && (denial.verb ?? verb) == verb
                    && (denial.resource ?? target.type.plural) == target.type.plural
                    && (denial.namespace == nil || denial.namespace == target.namespace)
            }
        }
        guard !isDenied else {
            throw StandInRefusal.forbidden(user, verb, target.type, target.name ?? "", target.namespace)
        }
    }

    private func answer(_ request: StandInRequest, _ target: StandInTarget) throws -> StandInAnswer {
        if let subresource = target.subresource, subresource != "status" {
            return try below(request, target, subresource)
        }
        switch (request.method, target.name) {
        case ("GET", let name?): return .json(200, try get(target, name), [])
        case ("GET", nil):
            return request.query["watch"] == "true" ? try watch(request, target) : try list(request, target)
        case ("POST", nil): return try create(request, target)
        case ("PUT", let name?): return try update(request, target, name)
        case ("PATCH", let name?): return try patch(request, target, name)
        case ("DELETE", let name?): return try delete(request, target, name)
        case ("DELETE", nil): return try deleteCollection(request, target)
        default:
            throw StandInRefusal(
                code: 405, reason: "MethodNotAllowed",
                message: "the server does not allow this method on the requested resource")
        }
    }

    /// A log or what a proxy gets.
    private func below(
        _ request: StandInRequest, _ target: StandInTarget, _ subresource: String
    ) throws -> StandInAnswer {
        let name = target.name ?? ""
        let text = inner.withLock { $0.texts["\(target.namespace ?? "")/\(name)/\(subresource)"] }
        guard let text else {
            // A pod's name may have a port behind it.
            _ = try get(target, name.split(separator: ":").first.map(String.init) ?? name)
            throw StandInRefusal.noSuchPath
        }
        guard let wanted = request.query["tailLines"].flatMap({ Int($0) }) else { return .text(200, text, []) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0)
        return .text(200, lines.suffix(wanted).map { "\($0)\n" }.joined(), [])
    }

    private func get(_ target: StandInTarget, _ name: String) throws -> JSONValue {
        let key = StandInKey(type: target.type.stored, namespace: target.namespace ?? "", name: name)
        guard let object = inner.withLock({ $0.state.objects[key] }) else {
            throw StandInRefusal.notFound(target.type, name)
        }
        return StandInEvents.seen(object, as: target.type)
    }

    private func selector(_ request: StandInRequest) throws -> StandInSelector {
        try StandInSelector(
            labels: request.query["labelSelector"] ?? "", fields: request.query["fieldSelector"] ?? "")
    }

    private func list(_ request: StandInRequest, _ target: StandInTarget) throws -> StandInAnswer {
        let selector = try selector(request)
        let limit = request.query["limit"].flatMap { Int($0) } ?? 0
        return try inner.withLock { inner in
            var version = inner.state.version
            var start = 0
            var items = inner.state.selected(target.type, target.namespace, selector)
            if let token = request.query["continue"], !token.isEmpty {
                guard let data = Data(base64Encoded: token), let json = try? JSONValue(parsing: Array(data)),
                    let of = json["rv"]?.integer, let from = json["start"]?.integer
                else { throw StandInRefusal.badRequest("continue key is not valid: \(token)") }
                guard let page = inner.state.pages[Int(of)] else {
                    throw StandInRefusal.expiredList
                }
                (version, start, items) = (Int(of), Int(from), page)
            }
            var metadata: JSONValue = ["resourceVersion": .string("\(version)")]
            var page = items[min(start, items.count)...]
            if limit > 0, page.count > limit {
                inner.state.pages[version] = items
                let token: JSONValue = ["rv": .integer(Int64(version)), "start": .integer(Int64(start + limit))]
                metadata["continue"] = .string(Data(token.bytes).base64EncodedString())
                if selector.isEmpty { metadata["remainingItemCount"] = .integer(Int64(page.count - limit)) }
                page = page.prefix(limit)
            }
            // In a list of the real server the elements have no kind.
            let bare = page.map { item in
                var item = item
                item["kind"] = nil
                item["apiVersion"] = nil
                return item
            }
            return .json(
                200,
                [
                    "kind": .string("\(target.type.kind)List"), "apiVersion": .string(target.type.apiVersion),
                    "metadata": metadata, "items": .array(bare),
                ], [])
        }
    }

    private func watch(_ request: StandInRequest, _ target: StandInTarget) throws -> StandInAnswer {
        let selector = try selector(request)
        let asked = request.query["resourceVersion"] ?? ""
        let start = asked.isEmpty || asked == "0" ? nil : Int(asked)
        return .watch { [self] sink in
            inner.withLock { inner in
                let watcher = StandInState.Watcher(
                    type: target.type, namespace: target.namespace, selector: selector, sink: sink)
                guard let number = inner.state.watch(watcher, from: start) else {
                    // As the real server does: the answer is a watch, and what it says is that it is of no use.
                    sink(.event("ERROR", StandInRefusal.expiredWatch(start ?? 0, oldest: inner.state.forgotten).json))
                    sink(.end)
                    return {}
                }
                return { [self] in self.inner.withLock { _ = $0.state.watchers.removeValue(forKey: number) } }
            }
        }
    }
}
