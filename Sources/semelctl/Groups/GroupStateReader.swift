import Foundation
import Glibc
import Semel
import SemelGroups
import SemelKEDA
import SemelKubernetes

/// The state that a `groups.yaml` names: which groups there are.
struct GroupStateReader {
    private let place: Located<String>
    private let file: GroupsFile
    private let directory: URL

    init(_ file: GroupsFile, _ option: GroupsFileOption) throws(CommandFailure) {
        guard let place = file.state else {
            throw .misconfigured(
                "\(option.file): state: is missing; write the state's file, or configmap:NAME, of semelctl groups assign"
                    .onOneLine)
        }
        (self.place, self.file, directory) = (place, file, option.directory)
    }

    func read(_ client: KubernetesClient) async throws(CommandFailure) -> GroupState {
        let state = try await header(client)
        guard let capacity = file.capacity, Int(capacity.value) != state.capacity else { return state }
        throw .misconfigured(
            "\(capacity.position): capacity: is \(capacity.value), and the items were assigned with \(state.capacity); assign "
                + "them with this one, or write that one")
    }

    private func header(_ client: KubernetesClient) async throws(CommandFailure) -> GroupState {
        guard ConfigMapPlace.isMeant(by: place.value) else { return try await fileHeader() }
        guard let map = ConfigMapPlace(place.value) else {
            throw .misconfigured(
                "\(place.position): state: ‘\(place.value)’ is not \(ConfigMapPlace.form)".onOneLine)
        }
        let namespace = map.namespace ?? file.namespace ?? client.namespace
        let store = ConfigMapStore(client, namespace: namespace, name: map.name, key: ConfigMapPlace.key)
        let content: ConfigMapStore.Content?
        do throws(KubernetesError) { content = try await store.read() } catch { throw CommandFailure(error) }
        guard let content else {
            throw missing("there is no ConfigMap ‘\(map.name)’ in namespace ‘\(namespace)’")
        }
        guard !content.text.isEmpty else {
            throw missing("ConfigMap ‘\(map.name)’ in namespace ‘\(namespace)’ has no key ‘\(ConfigMapPlace.key)’")
        }
        do throws(ConfigurationError) {
            return try GroupState(text: content.text.utf8, source: place.value)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Of the file no more is read than has to be: there may be a line in it for each of millions of items.
    private func fileHeader() async throws(CommandFailure) -> GroupState {
        let path = URL(fileURLWithPath: place.value, relativeTo: directory).path
        let store = try StateFile(path: path, field: "\(place.position): state")
        guard let descriptor = try await store.read() else { throw missing("there is no \(path)") }
        defer { close(descriptor) }
        return try StateKeys(descriptor, source: path).header
    }

    private func missing(_ what: String) -> CommandFailure {
        .misconfigured("\(place.position): state: \(what); semelctl groups assign makes it".onOneLine)
    }
}
