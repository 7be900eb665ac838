/// Text that a parameter or a variable has, as far as the files tell.
public enum ResolvedText: Sendable, Hashable {
    case known(SecretText)
    /// It is in the cluster only; why it is not known here, for a message: `Secret ‘queue’ is not in the files`.
    case unknown(String)

    var text: SecretText? {
        if case .known(let text) = self { text } else { nil }
    }
}

extension Array {
    /// The object of that name which counts: one that is in the namespace for certain, and of those the last one, since it
    /// is applied last.
    func counting(_ metadata: KeyPath<Element, ObjectMetadata>, _ name: String, in namespace: String?) -> Element? {
        let reachable = filter {
            $0[keyPath: metadata].name?.value == name && $0[keyPath: metadata].isReachable(from: namespace)
        }
        return reachable.last { $0[keyPath: metadata].namespace?.value == namespace } ?? reachable.last
    }
}

extension Manifest {
    func secret(_ name: String, in namespace: String?) -> Secret? {
        secrets.counting(\.metadata, name, in: namespace)
    }

    func configMap(_ name: String, in namespace: String?) -> ConfigMap? {
        configMaps.counting(\.metadata, name, in: namespace)
    }

    func text(ofSecret name: String, key: String, in namespace: String?) -> ResolvedText {
        guard let secret = secret(name, in: namespace) else { return .unknown("Secret ‘\(name)’ is not in the files") }
        return secret.values[key].map { .known($0) } ?? .unknown("Secret ‘\(name)’ has no key ‘\(key)’")
    }

    func text(ofConfigMap name: String, key: String, in namespace: String?) -> ResolvedText {
        guard let map = configMap(name, in: namespace) else {
            return .unknown("ConfigMap ‘\(name)’ is not in the files")
        }
        return map.values[key].map { .known(SecretText($0.value)) }
            ?? .unknown("ConfigMap ‘\(name)’ has no key ‘\(key)’")
    }

    /// A container's variables as the kubelet and KEDA make them: `envFrom` first, then `env`, in which `$(NAME)` stands
    /// for a variable above it. Those that only a running pod has (`fieldRef`) are left to `field`.
    ///
    /// - Parameter field: The value of a `fieldPath` such as `status.podIP`; `nil` leaves the variable unknown.
    public func environment(
        of container: Container, namespace: String?, field: (_ path: String) -> String? = { _ in nil }
    ) -> [String: ResolvedText] {
        var variables: [String: ResolvedText] = [:]
        for source in container.envFrom {
            if let name = source.secretName?.value {
                for (key, text) in secret(name, in: namespace)?.values ?? [:] {
                    variables[source.prefix + key] = .known(text)
                }
            }
            if let name = source.configMapName?.value {
                for (key, text) in configMap(name, in: namespace)?.values.entries ?? [] {
                    variables[source.prefix + key] = .known(SecretText(text.value))
                }
            }
        }
        for variable in container.env {
            guard let name = variable.name?.value else { continue }
            if let value = value(of: variable, namespace: namespace, above: variables, field) {
                variables[name] = value
            }
        }
        return variables
    }

    /// `nil` for a key that is optional and not there: the variable is not set.
    private func value(
        of variable: EnvironmentVariable, namespace: String?, above: [String: ResolvedText],
        _ field: (String) -> String?
    ) -> ResolvedText? {
        switch variable.source {
        case .value(let text):
            return VariableExpansion.expand(text, above)
        case .secret(let key):
            let text = text(ofSecret: key.name, key: key.key, in: namespace)
            return text.text == nil && key.isOptional ? nil : text
        case .configMap(let key):
            let text = text(ofConfigMap: key.name, key: key.key, in: namespace)
            return text.text == nil && key.isOptional ? nil : text
        case .field(let path):
            return field(path.value).map { .known(SecretText($0)) }
                ?? .unknown("‘\(path.value)’ is known in a pod only")
        case .resource(let name):
            return .unknown("‘\(name.value)’ is known in a pod only")
        }
    }

    /// Why a variable of a container that is not there may be there in the cluster; `nil` when it is certainly absent.
    func hiddenVariables(of container: Container, namespace: String?) -> String? {
        for source in container.envFrom {
            if let name = source.secretName?.value, secret(name, in: namespace) == nil {
                return "Secret ‘\(name)’ is not in the files"
            }
            if let name = source.configMapName?.value, configMap(name, in: namespace) == nil {
                return "ConfigMap ‘\(name)’ is not in the files"
            }
        }
        return nil
    }

    /// Names of Secrets and ConfigMaps that a container takes all keys of, and that are not in the files.
    public func missingEnvironmentSources(of container: Container, namespace: String?) -> [Located<String>] {
        container.envFrom.filter { !$0.isOptional }.flatMap { source in
            let secret = source.secretName.flatMap { self.secret($0.value, in: namespace) == nil ? $0 : nil }
            let map = source.configMapName.flatMap { configMap($0.value, in: namespace) == nil ? $0 : nil }
            return [secret, map].compactMap { $0 }
        }
    }
}

/// `$(NAME)` in a variable's value, or in a container's command and arguments.
public enum VariableExpansion {
    /// Variables that repeat each other grow without end. Linux takes none of more than 128 KiB.
    private static let mostBytes = 1 << 20

    /// `$$` is a dollar. What names no variable stays as it is.
    public static func expand(_ text: SecretText, _ variables: [String: ResolvedText]) -> ResolvedText {
        var result = ""
        var rest = text.revealed[...]
        var mayBeClosed = true
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let behind = rest[rest.index(after: dollar)...]
            if behind.first == "$" {
                result += "$"
                rest = behind.dropFirst()
            } else if behind.first == "(", mayBeClosed, let end = behind.firstIndex(of: ")") {
                let name = String(behind[behind.index(after: behind.startIndex)..<end])
                switch variables[name] {
                case .known(let value): result += value.revealed
                case .unknown(let reason): return .unknown(reason)
                case nil: result += "$(\(name))"
                }
                rest = behind[behind.index(after: end)...]
            } else {
                // Looked for once: text may be full of brackets that nothing closes.
                if behind.first == "(" { mayBeClosed = false }
                result += "$"
                rest = behind
            }
            guard result.utf8.count <= mostBytes else {
                return .unknown("the container's variables unfold into more than 1 MiB")
            }
        }
        return .known(SecretText(result + rest))
    }
}
