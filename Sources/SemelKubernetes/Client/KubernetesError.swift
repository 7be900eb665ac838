public import Semel
import SemelKEDA

/// What was asked of the API server, for messages.
public struct KubernetesAction: Sendable, Hashable, CustomStringConvertible {
    /// `get`, `apply`
    public let verb: String
    /// `cronjobs.batch`, or a path.
    public let resource: String
    public let name: String?
    /// `nil` for all of them.
    public let namespace: String?

    public init(_ verb: String, _ resource: String, name: String? = nil, namespace: String? = nil) {
        self.verb = verb
        self.resource = resource
        self.name = name
        self.namespace = namespace
    }

    /// `apply cronjobs.batch ‘group-1’ in namespace ‘nightly’`
    public var description: String {
        let object = name.map { " ‘\($0)’" } ?? ""
        return "\(verb) \(resource)\(object)\(namespace.map { " in namespace ‘\($0)’" } ?? "")"
    }
}

/// Why the API server did not do what it was asked for. Says no token and no key.
public enum KubernetesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A kubeconfig, a service account or a value that cannot be used.
    case misconfigured(String)
    /// No connection or no answer; nobody knows whether the request was heard.
    case unreachable(String)
    /// Of TLS: asking again will not help.
    case untrusted(String)
    /// The credentials are none, or have expired.
    case unauthorized(KubernetesAction, KubernetesStatus)
    /// These credentials may not do it.
    case forbidden(KubernetesAction, KubernetesStatus)
    case notFound(KubernetesAction, KubernetesStatus)
    case alreadyExists(KubernetesAction, KubernetesStatus)
    /// Somebody has changed the object since it was read, or it is not the one that was meant.
    case conflict(KubernetesAction, KubernetesStatus)
    /// Fields of an applied object belong to somebody else.
    case fieldConflict(KubernetesAction, [FieldConflict])
    /// The object is not one that Kubernetes takes.
    case invalid(KubernetesAction, KubernetesStatus)
    /// Asked too often, even after having waited as long as it said.
    case tooManyRequests(KubernetesAction, KubernetesStatus)
    /// A resource version or the rest of a list that the server no longer has.
    case gone(KubernetesAction, KubernetesStatus)
    /// The server has trouble of its own.
    case failing(KubernetesAction, KubernetesStatus)
    /// Anything else that is wrong with the request.
    case rejected(KubernetesAction, KubernetesStatus)
    /// An answer that is none of Kubernetes.
    case unintelligible(KubernetesAction, String)
    /// The task that waited for the answer.
    case cancelled

    public struct FieldConflict: Sendable, Hashable {
        /// `kubectl-edit`
        public let manager: String
        /// `.spec.schedule`
        public let field: String

        public init(manager: String, field: String) {
            self.manager = manager
            self.field = field
        }
    }

    /// One line.
    public var description: String { text.onOneLine }

    private var text: String {
        switch self {
        case .misconfigured(let reason), .unreachable(let reason), .untrusted(let reason): reason
        case .unauthorized(let action, let status):
            "\(action): the API server does not accept the credentials\(Self.words(status))"
        case .forbidden(let action, let status): "\(action): not allowed\(Self.words(status))"
        case .notFound(let action, let status): "\(action): there is none\(Self.words(status))"
        case .alreadyExists(let action, _): "\(action): there is one already"
        case .conflict(let action, let status): "\(action): changed meanwhile\(Self.words(status))"
        case .fieldConflict(let action, let conflicts):
            "\(action): \(Self.words(conflicts))"
        case .invalid(let action, let status): "\(action): not valid: \(Self.causes(status))"
        case .tooManyRequests(let action, let status):
            "\(action): the API server has too many requests\(Self.words(status))"
        case .gone(let action, let status): "\(action): too old\(Self.words(status))"
        case .failing(let action, let status): "\(action): the API server fails\(Self.words(status))"
        case .rejected(let action, let status): "\(action): refused\(Self.words(status))"
        case .unintelligible(let action, let reason): "\(action): the answer is not one of Kubernetes: \(reason)"
        case .cancelled: "stopped"
        }
    }

    /// By which a command ends.
    public var outcome: Outcome {
        switch self {
        case .misconfigured, .notFound, .alreadyExists, .fieldConflict, .invalid, .rejected: .misconfigured
        case .unauthorized, .forbidden: .refused
        case .conflict: .retry
        case .cancelled: .terminated
        case .unreachable, .untrusted, .tooManyRequests, .gone, .failing, .unintelligible: .unreachable
        }
    }

    /// Whether it may go better the next time, without anybody changing anything.
    public var isPassing: Bool {
        switch self {
        case .unreachable, .tooManyRequests, .gone, .failing: true
        default: false
        }
    }

    init(_ status: KubernetesStatus, _ action: KubernetesAction) {
        switch (status.code, status.reason) {
        case (_, "AlreadyExists"): self = .alreadyExists(action, status)
        case (401, _): self = .unauthorized(action, status)
        case (403, _): self = .forbidden(action, status)
        case (404, _): self = .notFound(action, status)
        case (409, _):
            let conflicts = status.causes.filter { $0.reason == "FieldManagerConflict" }
            self =
                conflicts.isEmpty
                ? .conflict(action, status) : .fieldConflict(action, conflicts.map { FieldConflict($0) })
        case (410, _): self = .gone(action, status)
        case (422, _): self = .invalid(action, status)
        case (429, _): self = .tooManyRequests(action, status)
        // An apply with a field that does not exist: the API server's 500 without a reason is no trouble of its own.
        case (500, "") where status.message.hasPrefix("failed to create typed patch object"):
            self = .rejected(action, status)
        case (500..., _): self = .failing(action, status)
        default: self = .rejected(action, status)
        }
    }

    private static func words(_ status: KubernetesStatus) -> String {
        let words = status.message.isEmpty ? status.reason : status.message
        return words.isEmpty ? " (\(status.code))" : " (\(status.code)): \(words)"
    }

    private static func causes(_ status: KubernetesStatus) -> String {
        guard !status.causes.isEmpty else { return status.message.isEmpty ? "\(status.code)" : status.message }
        return status.causes.map { $0.field.isEmpty ? $0.message : "\($0.field): \($0.message)" }
            .joined(separator: "; ")
    }

    private static func words(_ conflicts: [FieldConflict]) -> String {
        let managers = Dictionary(grouping: conflicts, by: \.manager).sorted { $0.key < $1.key }
        return managers.map { manager, conflicts in
            "\(conflicts.map(\.field).joined(separator: ", ")) belong\(conflicts.count == 1 ? "s" : "") to ‘\(manager)’"
        }.joined(separator: "; ")
    }
}

extension KubernetesError.FieldConflict {
    /// The server's words are `conflict with "kubectl-edit" using batch/v1`.
    init(_ cause: KubernetesStatus.Cause) {
        let quoted = cause.message.split(separator: "\"", omittingEmptySubsequences: false)
        manager = quoted.count >= 3 ? String(quoted[1]) : cause.message
        field = cause.field
    }
}
