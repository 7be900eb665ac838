/// What happens to the objects of a kind.
public enum KubernetesChange<Object: KubernetesObject>: Sendable {
    /// All that there are: the first that is told, and again when the server could not say what had happened in between.
    /// What is not among them is gone.
    case listed([Object])
    case added(Object)
    case modified(Object)
    /// As it last was.
    case deleted(Object)
    /// The server cannot be asked at the moment; it is tried again after a while.
    case interrupted(KubernetesError)
}

/// Lists and then watches, without an end: a watch that breaks off goes on where it was, and begins anew with a list when
/// the server has forgotten what was there. Ends with an error when the first list fails, or when the server says that it
/// is of no use to go on.
public struct KubernetesChanges<Object: KubernetesObject>: AsyncSequence, Sendable {
    public typealias Element = KubernetesChange<Object>
    public typealias Failure = KubernetesError

    let client: KubernetesClient
    let namespace: String?
    let labels: String?
    let fields: String?
    /// After so long the server ends a watch by itself.
    let span: Duration

    public func makeAsyncIterator() -> Iterator {
        Iterator(self)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private enum State {
            case listing
            case connecting(resourceVersion: String)
            case reading(KubernetesLines, resourceVersion: String, since: ContinuousClock.Instant)
        }

        private let changes: KubernetesChanges
        private var state = State.listing
        private var hasListed = false
        /// In a row.
        private var failures = 0
        private var pause = Duration.zero

        init(_ changes: KubernetesChanges) {
            self.changes = changes
        }

        public mutating func next() async throws(KubernetesError) -> KubernetesChange<Object>? {
            while true {
                if pause > .zero {
                    try await KubernetesClient.sleep(pause)
                    pause = .zero
                }
                do throws(KubernetesError) {
                    if let change = try await step() { return change }
                } catch {
                    if let change = try interruption(error) { return change }
                }
            }
        }

        private mutating func step() async throws(KubernetesError) -> KubernetesChange<Object>? {
            switch state {
            case .listing:
                let list = try await changes.client.list(
                    Object.self, in: changes.namespace, labels: changes.labels, fields: changes.fields)
                hasListed = true
                state = .connecting(resourceVersion: list.resourceVersion)
                return .listed(list.items)
            case .connecting(let version):
                let lines = try await changes.client.open(changes.call(from: version))
                state = .reading(lines, resourceVersion: version, since: .now)
                return nil
            case .reading(var lines, let version, let start):
                guard let line = try await lines.next() else {
                    end(at: version, start)
                    return nil
                }
                failures = 0
                return try take(line, lines, version, start)
            }
        }

        /// A watch that ends as soon as it has begun must not make many of them.
        private mutating func end(at version: String, _ start: ContinuousClock.Instant) {
            state = .connecting(resourceVersion: version)
            guard ContinuousClock.now - start < .seconds(1) else { return }
            failures += 1
            pause = KubernetesClient.backoff(failures)
        }

        private mutating func take(
            _ line: ArraySlice<UInt8>, _ lines: KubernetesLines, _ version: String, _ start: ContinuousClock.Instant
        ) throws(KubernetesError) -> KubernetesChange<Object>? {
            guard let event = try? JSONValue(parsing: line), let json = event["object"] else {
                throw .unintelligible(changes.action, "a watch has sent something that is no event")
            }
            let object = Object(json: json)
            let type = event["type"]?.string
            if type == "ERROR" { throw KubernetesError(KubernetesStatus(json: json), changes.action) }
            state = .reading(lines, resourceVersion: object.resourceVersion ?? version, since: start)
            return switch type {
            case "ADDED": .added(object)
            case "MODIFIED": .modified(object)
            case "DELETED": .deleted(object)
            // A bookmark only says how far the watch has come.
            default: nil
            }
        }

        /// What to do about an error: `nil` is to go on without a word.
        private mutating func interruption(
            _ error: KubernetesError
        ) throws(KubernetesError) -> KubernetesChange<Object>? {
            guard hasListed, error.isPassing else { throw error }
            if case .gone = error {
                state = .listing
                return nil
            }
            if case .reading(_, let version, let start) = state {
                // Cut off in the middle: perhaps only this connection.
                end(at: version, start)
                return nil
            }
            failures += 1
            pause = KubernetesClient.backoff(failures + 3)
            return .interrupted(error)
        }
    }

    fileprivate var action: KubernetesAction {
        KubernetesAction("watch", "\(Object.type)", namespace: namespace)
    }

    fileprivate func call(from version: String) -> KubernetesClient.Call {
        var call = KubernetesClient.Call(action: action, path: Object.type.path(namespace: namespace))
        call.query =
            KubernetesClient.selection(labels, fields) + [
                ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version),
                ("timeoutSeconds", "\(span.components.seconds)"),
            ]
        call.isRepeatable = true
        return call
    }
}

extension KubernetesClient {
    /// - Parameters:
    ///   - namespace: `nil` for all of them.
    ///   - span: How long one watch lasts, in whole seconds; the next goes on where it was.
    public func changes<Object: KubernetesObject>(
        of type: Object.Type, in namespace: String?, labels: String? = nil, fields: String? = nil,
        span: Duration = .seconds(290)
    ) -> KubernetesChanges<Object> {
        KubernetesChanges(client: self, namespace: namespace, labels: labels, fields: fields, span: span)
    }
}
