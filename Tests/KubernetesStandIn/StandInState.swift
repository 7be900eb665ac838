import Foundation
import SemelKubernetes

struct StandInKey: Sendable, Hashable, Comparable {
    var type: StandInType
    var namespace: String
    var name: String

    static func < (one: StandInKey, other: StandInKey) -> Bool {
        (one.namespace, one.name) < (other.namespace, other.name)
    }
}

/// The objects, what has happened to them, and who watches.
struct StandInState: Sendable {
    struct Happening: Sendable {
        var version: Int
        var key: StandInKey
        var before: JSONValue?
        var after: JSONValue?
        /// The last that is to be said of it, with the version at which it went.
        var object: JSONValue
    }

    struct Watcher: Sendable {
        var type: StandInType
        var namespace: String?
        var selector: StandInSelector
        var sink: @Sendable (StandInLine) -> Void
    }

    /// What a watch sends, or does.
    enum StandInLine: Sendable {
        case event(String, JSONValue)
        case end
        case cut
    }

    private(set) var version = 100
    var objects: [StandInKey: JSONValue] = [:]
    private var happenings: [Happening] = []
    /// What happened up to here is forgotten.
    private(set) var forgotten = 99
    var watchers: [Int: Watcher] = [:]
    private var lastWatcher = 0
    /// What a list that is read in pages was when it began.
    var pages: [Int: [JSONValue]] = [:]

    init() {
        for name in ["default", "kube-system"] { addNamespace(name) }
    }

    mutating func addNamespace(_ name: String) {
        guard let type = StandInType.named("", "v1", "namespaces") else { return }
        let object: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        put(StandInKey(type: type, namespace: "", name: name), stamped(StandInValidation.defaulted(object, type)))
    }

    static func now() -> String {
        Date().formatted(.iso8601)
    }

    /// What every new object gets.
    func stamped(_ object: JSONValue) -> JSONValue {
        var object = object
        object["metadata", "uid"] = .string(UUID().uuidString.lowercased())
        object["metadata", "creationTimestamp"] = .string(Self.now())
        if object["spec"] != nil { object["metadata", "generation"] = 1 }
        return object
    }

    @discardableResult
    mutating func put(_ key: StandInKey, _ object: JSONValue) -> JSONValue {
        version += 1
        var object = object
        object["metadata", "resourceVersion"] = .string("\(version)")
        happened(Happening(version: version, key: key, before: objects[key], after: object, object: object))
        objects[key] = object
        return object
    }

    /// - Returns: The object as it last was.
    @discardableResult
    mutating func remove(_ key: StandInKey) -> JSONValue? {
        guard let before = objects.removeValue(forKey: key) else { return nil }
        version += 1
        var last = before
        last["metadata", "resourceVersion"] = .string("\(version)")
        happened(Happening(version: version, key: key, before: before, after: nil, object: last))
        return last
    }

    private mutating func happened(_ happening: Happening) {
        happenings.append(happening)
        for watcher in watchers.values { Self.tell(watcher, happening) }
    }

    /// An object that comes to be selected is new to a watch, and one that is no longer selected is gone.
    private static func tell(_ watcher: Watcher, _ happening: Happening) {
        guard watcher.type.stored == happening.key.type,
            watcher.namespace == nil || watcher.namespace == happening.key.namespace
        else { return }
        func isSelected(_ object: JSONValue?) -> Bool { object.map { watcher.selector.matches($0) } ?? false }
        let type: String? =
            switch (isSelected(happening.before), isSelected(happening.after)) {
            case (false, true): "ADDED"
            case (true, true): "MODIFIED"
            case (true, false): "DELETED"
            case (false, false): nil
            }
        guard let type else { return }
        watcher.sink(.event(type, StandInEvents.seen(happening.object, as: watcher.type)))
    }

    func selected(_ type: StandInType, _ namespace: String?, _ selector: StandInSelector) -> [JSONValue] {
        objects.filter { key, object in
            key.type == type.stored && (namespace == nil || key.namespace == namespace) && selector.matches(object)
        }.sorted { $0.key < $1.key }.map { StandInEvents.seen($0.value, as: type) }
    }

    /// - Parameter start: The version after which things are new to the watcher; `nil` for everything that is there.
    /// - Returns: Its number; `nil` when it wants to know what is forgotten.
    mutating func watch(_ watcher: Watcher, from start: Int?) -> Int? {
        if let start {
            guard start >= forgotten else { return nil }
            for happening in happenings where happening.version > start { Self.tell(watcher, happening) }
        } else {
            for object in selected(watcher.type, watcher.namespace, watcher.selector) {
                watcher.sink(.event("ADDED", object))
            }
        }
        lastWatcher += 1
        watchers[lastWatcher] = watcher
        return lastWatcher
    }

    mutating func forget() {
        version += 1
        forgotten = version
        happenings = []
        pages = [:]
    }

    mutating func bookmark() {
        version += 1
        for watcher in watchers.values {
            watcher.sink(
                .event(
                    "BOOKMARK",
                    [
                        "kind": .string(watcher.type.kind), "apiVersion": .string(watcher.type.apiVersion),
                        "metadata": ["resourceVersion": .string("\(version)")],
                    ]))
        }
    }
}

/// An event is kept as `events.k8s.io/v1` has it; the core group has other names for the same.
enum StandInEvents {
    private static let names = [
        ("regarding", "involvedObject"), ("note", "message"), ("deprecatedCount", "count"),
        ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedSource", "source"),
    ]

    static func seen(_ object: JSONValue, as type: StandInType) -> JSONValue {
        guard type.kind == "Event", type.group.isEmpty else { return object }
        return renamed(object, names, apiVersion: type.apiVersion)
    }

    static func kept(_ object: JSONValue, as type: StandInType) -> JSONValue {
        guard type.kind == "Event", type.group.isEmpty else { return object }
        return renamed(object, names.map { ($1, $0) }, apiVersion: type.stored.apiVersion)
    }

    private static func renamed(_ object: JSONValue, _ names: [(String, String)], apiVersion: String) -> JSONValue {
        var renamed = object
        for (old, new) in names {
            renamed[new] = object[old]
            renamed[old] = nil
        }
        renamed["apiVersion"] = .string(apiVersion)
        return renamed
    }
}
