import Foundation
public import SemelKubernetes
import Synchronization

/// A cluster without nodes: objects in memory, whoever may ask for them, and what goes wrong when a test wants it to.
public final class StandInCluster: Sendable {
    /// A request that has come in.
    public struct Seen: Sendable {
        public let method: String
        /// With its query.
        public let target: String
        public let user: String?
        /// Names in lower case.
        public let headers: [String: String]
        public let body: String
    }

    /// Who may not do what; `nil` is whatever there is.
    public struct Denial: Sendable {
        public var user: String?
        public var verb: String?
        public var resource: String?
        public var namespace: String?

        public init(user: String? = nil, verb: String? = nil, resource: String? = nil, namespace: String? = nil) {
            self.user = user
            self.verb = verb
            self.resource = resource
            self.namespace = namespace
        }
    }

    struct Inner: Sendable {
        var state = StandInState()
        var tokens: [String: String] = [:]
        var passwords: [String: String] = [:]
        var wantsLogin = false
        var denials: [Denial] = []
        var faults: [StandInFault] = []
        var seen: [Seen] = []
        /// What a path below a pod answers: `default/pod-1/log`.
        var texts: [String: String] = [:]
    }

    let inner = Mutex(Inner())

    public init() {}

    // MARK: Who may ask

    /// From now on a request without a token, a password or a certificate is not answered.
    public func requireLogin() {
        inner.withLock { $0.wantsLogin = true }
    }

    public func accept(token: String, of user: String) {
        inner.withLock {
            $0.wantsLogin = true
            $0.tokens[token] = user
        }
    }

    public func expire(token: String) {
        inner.withLock { $0.tokens[token] = nil }
    }

    public func accept(password: String, of user: String) {
        inner.withLock {
            $0.wantsLogin = true
            $0.passwords[user] = password
        }
    }

    public func deny(_ denial: Denial) {
        inner.withLock { $0.denials.append(denial) }
    }

    // MARK: What is there

    public func addNamespace(_ name: String) {
        inner.withLock { $0.state.addNamespace(name) }
    }

    public func object<Object: KubernetesObject>(
        _ type: Object.Type, _ name: String, in namespace: String
    ) -> Object? {
        inner.withLock { inner in
            key(Object.type, name, namespace).flatMap { inner.state.objects[$0] }.map { Object(json: $0) }
        }
    }

    public func objects<Object: KubernetesObject>(_ type: Object.Type, in namespace: String) -> [Object] {
        inner.withLock { inner in
            inner.state.objects.filter { $0.key.type.plural == Object.type.plural && $0.key.namespace == namespace }
                .sorted { $0.key < $1.key }.map { Object(json: $0.value) }
        }
    }

    /// Makes or replaces an object as a controller would: nothing is checked, its status included.
    @discardableResult
    public func put<Object: KubernetesObject>(_ object: Object) -> Object {
        let sent: JSONValue = ["apiVersion": .string(Object.type.apiVersion), "kind": .string(Object.type.kind)]
        var json = object.json.mergePatched(sent)
        let namespace = object.namespace ?? "default"
        json["metadata", "namespace"] = .string(namespace)
        guard let key = key(Object.type, object.name, namespace) else { return object }
        return inner.withLock { inner in
            Object(json: inner.state.put(key, object.uid.isEmpty ? inner.state.stamped(json) : json))
        }
    }

    /// Takes an object away at once, and leaves what it owns.
    public func remove<Object: KubernetesObject>(_ type: Object.Type, _ name: String, in namespace: String) {
        inner.withLock { inner in
            _ = key(Object.type, name, namespace).flatMap { inner.state.remove($0) }
        }
    }

    /// What `…/pods/NAME/log` or `…/pods/NAME:8082/proxy/status` answers; `nil` takes it away.
    public func answer(_ text: String?, below path: String, in namespace: String) {
        inner.withLock { $0.texts["\(namespace)/\(path)"] = text }
    }

    private func key(_ type: ResourceType, _ name: String, _ namespace: String) -> StandInKey? {
        StandInType.named(type.group, type.version, type.plural).map {
            StandInKey(type: $0.stored, namespace: $0.isNamespaced ? namespace : "", name: name)
        }
    }

    // MARK: What goes wrong

    /// The next requests that fit get this instead of, or on the way to, their answer.
    public func inject(_ fault: StandInFault) {
        inner.withLock { $0.faults.append(fault) }
    }

    /// Forgets what has happened so far: an older watch, and a list that is half read, are gone.
    public func forget() {
        inner.withLock { $0.state.forget() }
    }

    /// Tells all watches how far they have come.
    public func bookmark() {
        inner.withLock { $0.state.bookmark() }
    }

    /// Ends all watches, in an orderly way or in the middle.
    public func endWatches(cut: Bool = false) {
        inner.withLock { inner in
            for watcher in inner.state.watchers.values { watcher.sink(cut ? .cut : .end) }
            inner.state.watchers = [:]
        }
    }

    /// Of faults that have still to happen.
    public var faultCount: Int { inner.withLock { $0.faults.reduce(0) { $0 + $1.times } } }
    public var watchCount: Int { inner.withLock { $0.state.watchers.count } }
    public var resourceVersion: String { inner.withLock { "\($0.state.version)" } }
    public var seen: [Seen] { inner.withLock { $0.seen } }
}

/// Something that happens to requests.
public struct StandInFault: Sendable {
    public enum Kind: Sendable {
        /// An answer of this status, as the API server words it; 429 and 503 may say how many seconds to wait.
        case status(Int, retryAfter: Int? = nil)
        /// The connection is cut after so many bytes of the answer's body.
        case cut(afterBytes: Int)
        /// The answer is late.
        case delay(Duration)
        /// There is never an answer.
        case silence
        /// What somebody else does before the request is looked at.
        case meanwhile(@Sendable (StandInCluster) -> Void)
    }

    public var kind: Kind
    /// `GET` and so on; `nil` for any.
    public var method: String?
    /// A part of the path or the query.
    public var target: String
    /// How many requests it happens to.
    public var times: Int

    public init(_ kind: Kind, method: String? = nil, target: String = "", times: Int = 1) {
        self.kind = kind
        self.method = method
        self.target = target
        self.times = times
    }
}
