import CLinux
import Glibc
import Semel
import SemelGroups
import SemelKubernetes

/// A state in a ConfigMap. It is worked on in memory, and put back only if nobody else has changed it meanwhile.
struct StateConfigMap: StateStore {
    let name: String
    /// Half of what a ConfigMap may hold: etcd keeps it, and every watcher gets all of it.
    let largestText: Int? = 512 << 10
    private let store: ConfigMapStore

    init(_ client: KubernetesClient, _ place: ConfigMapPlace) {
        let namespace = place.namespace ?? client.namespace
        name = "ConfigMap ‘\(place.name)’ in namespace ‘\(namespace)’"
        store = ConfigMapStore(client, namespace: namespace, name: place.name, key: ConfigMapPlace.key)
    }

    func read() async throws(CommandFailure) -> CInt? {
        guard let text = try await content()?.text, !text.isEmpty else { return nil }
        return try Self.memory(text)
    }

    func begin() async throws(CommandFailure) -> any StateChange {
        let known = try await content()
        if let known, known.isForeign {
            throw .misconfigured(
                "--state: \(name) is somebody else's: it has no key ‘\(ConfigMapPlace.key)’, and others; name another")
        }
        let text = known?.text ?? ""
        let old = text.isEmpty ? nil : try Self.memory(text)
        return StateConfigMapChange(
            store, known, of: self, old: old, draft: try Self.memory(), scratch: try Self.memory())
    }

    private func content() async throws(CommandFailure) -> ConfigMapStore.Content? {
        do throws(KubernetesError) { return try await store.read() } catch { throw CommandFailure(error) }
    }

    /// A file that is nowhere but in memory.
    private static func memory(_ text: String = "") throws(CommandFailure) -> CInt {
        let file = memfd_create("state", UInt32(semel_memfd_flags))
        guard file >= 0 else { throw CommandFailure(SystemError(doing: "hold the state")) }
        var output = FileWriter(file, name: "the state")
        try output.write(Array(text.utf8))
        try output.flush()
        return file
    }
}

private actor StateConfigMapChange: StateChange {
    private let store: ConfigMapStore
    private let known: ConfigMapStore.Content?
    private let state: StateConfigMap
    nonisolated let old: CInt?
    nonisolated let draft: CInt
    nonisolated let scratch: CInt
    private var hasEnded = false

    init(
        _ store: ConfigMapStore, _ known: ConfigMapStore.Content?, of state: StateConfigMap, old: CInt?, draft: CInt,
        scratch: CInt
    ) {
        (self.store, self.known, self.state) = (store, known, state)
        (self.old, self.draft, self.scratch) = (old, draft, scratch)
    }

    func commit() async throws(CommandFailure) {
        let text = String(decoding: try content(), as: UTF8.self)
        do throws(KubernetesError) {
            _ = try await store.write(
                text, replacing: known, labels: [GroupLabels.managedBy: GroupLabels.manager],
                manager: "semelctl-groups-assign")
        } catch {
            // Only the answer may have been lost.
            if error.isPassing, let now = try? await store.read(), now.text == text { return end() }
            switch error {
            case .conflict, .alreadyExists, .notFound:
                throw CommandFailure("--state: \(state.name) has just been changed by another; try again", .retry)
            default: throw CommandFailure(error)
            }
        }
        end()
    }

    private func content() throws(CommandFailure) -> [UInt8] {
        let most = state.largestText ?? .max
        var bytes: [UInt8] = []
        try FileBytes(draft, name: "the new state").read { piece throws(CommandFailure) in
            bytes.append(contentsOf: piece)
            return bytes.count <= most
        }
        guard bytes.count <= most else {
            throw .misconfigured(
                "--state: \(state.name) would have more than \(most) bytes; begin a new state with --layout buckets")
        }
        return bytes
    }

    func abandon() async {
        if !hasEnded { end() }
    }

    private func end() {
        hasEnded = true
        if let old { close(old) }
        close(draft)
        close(scratch)
    }
}
