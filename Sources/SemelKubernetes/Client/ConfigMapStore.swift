/// A text that is kept in a ConfigMap, and changed only by whoever has seen what it is.
public struct ConfigMapStore: Sendable {
    public struct Content: Sendable, Hashable {
        /// Empty when the ConfigMap has no such key.
        public let text: String
        public let resourceVersion: String
        /// Whether it has other keys, and not this one.
        public let isForeign: Bool
    }

    /// What a ConfigMap may hold in all.
    public static let mostBytes = 1 << 20

    public let namespace: String
    public let name: String
    public let key: String
    private let client: KubernetesClient

    public init(_ client: KubernetesClient, namespace: String, name: String, key: String) {
        self.client = client
        self.namespace = namespace
        self.name = name
        self.key = key
    }

    /// `nil` when there is no such ConfigMap.
    public func read() async throws(KubernetesError) -> Content? {
        try await client.find(ConfigMap.self, name, in: namespace).map { content(of: $0) }
    }

    /// Puts a text where the known one was, or makes the ConfigMap. What else is in it stays.
    ///
    /// - Parameters:
    ///   - known: As it was read: a ``KubernetesError/conflict(_:_:)`` when it has changed since. `nil` when there was no
    ///     ConfigMap: a ``KubernetesError/alreadyExists(_:_:)`` when there is one now.
    ///   - labels: Of a ConfigMap that is made.
    /// - Returns: What is there now.
    public func write(
        _ text: String, replacing known: Content?, labels: [String: String] = [:], manager: String
    ) async throws(KubernetesError) -> Content {
        guard text.utf8.count + key.utf8.count <= Self.mostBytes else {
            throw .misconfigured(
                "ConfigMap ‘\(name)’ in namespace ‘\(namespace)’: \(text.utf8.count) bytes do not fit into it; "
                    + "it holds \(Self.mostBytes)")
        }
        guard let known else {
            var map = ConfigMap(name: name, namespace: namespace)
            map.labels = labels
            map.data = [key: text]
            return content(of: try await client.create(map, manager: manager))
        }
        let changed: ConfigMap = try await client.patch(
            ConfigMap.self, name, in: namespace,
            .merge([
                "metadata": ["resourceVersion": .string(known.resourceVersion)],
                "data": .object([key: .string(text)]),
            ]), manager: manager)
        return content(of: changed)
    }

    private func content(of map: ConfigMap) -> Content {
        let keys = [map.json["data"], map.json["binaryData"]].flatMap { $0?.object.map { Array($0.keys) } ?? [] }
        return Content(
            text: map.data[key] ?? "", resourceVersion: map.resourceVersion ?? "",
            isForeign: !keys.isEmpty && !keys.contains(key))
    }
}
