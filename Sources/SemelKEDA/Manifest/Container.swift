/// A container of a pod.
public struct Container: Sendable {
    public let position: Position
    public let name: Located<String>?
    public let image: Located<String>?
    /// Replaces the image's entry point.
    public let command: [Located<String>]
    public let args: [Located<String>]
    public let workingDir: Located<String>?
    public let env: [EnvironmentVariable]
    public let envFrom: [EnvironmentSource]
    public let ports: [Port]
    public let readinessProbe: Probe?
    public let livenessProbe: Probe?
    public let startupProbe: Probe?
    /// Of an init container: `Always` makes it a sidecar.
    public let restartPolicy: Located<String>?
    public let terminationMessagePath: Located<String>?
    public let terminationMessagePolicy: Located<String>?

    public struct Port: Sendable {
        public let name: Located<String>?
        public let containerPort: Located<Int32>?
    }

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        name = reader.requiredText("name")
        image = reader.text("image")
        command = reader.texts("command")
        args = reader.texts("args")
        workingDir = reader.text("workingDir")
        env = reader.objects("env") { EnvironmentVariable(&$0) }
        envFrom = reader.objects("envFrom") { EnvironmentSource(&$0) }
        ports = reader.objects("ports") { port in
            port.skip("hostPort", "hostIP", "protocol")
            return Port(name: port.text("name"), containerPort: port.integer("containerPort", least: 1))
        }
        readinessProbe = reader.object("readinessProbe") { Probe(&$0) }
        livenessProbe = reader.object("livenessProbe") { Probe(&$0) }
        startupProbe = reader.object("startupProbe") { Probe(&$0) }
        restartPolicy = reader.text("restartPolicy")
        terminationMessagePath = reader.text("terminationMessagePath")
        terminationMessagePolicy = reader.text("terminationMessagePolicy")
        reader.skip(
            "imagePullPolicy", "lifecycle", "resizePolicy", "resources", "restartPolicyRules", "securityContext",
            "stdin", "stdinOnce", "tty", "volumeDevices", "volumeMounts")
    }

    /// The last variable of that name, which is the one that counts.
    public func variable(_ name: String) -> EnvironmentVariable? {
        env.last { $0.name?.value == name }
    }
}

/// An entry of `env`.
public struct EnvironmentVariable: Sendable {
    public let position: Position
    public let name: Located<String>?
    public let source: Source

    public enum Source: Sendable {
        /// May be a password that should not be here, so it is not shown. Empty when nothing is written.
        case value(SecretText)
        case secret(KeyReference)
        case configMap(KeyReference)
        /// `status.podIP`, `metadata.name`, …
        case field(Located<String>)
        /// `limits.memory`, …
        case resource(Located<String>)
    }

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        name = reader.requiredText("name")
        let value = reader.text("value")
        let from = reader.object("valueFrom") { from in
            from.skip("fileKeyRef")
            let secret = from.object("secretKeyRef") { KeyReference(&$0) }
            let configMap = from.object("configMapKeyRef") { KeyReference(&$0) }
            let field = from.object("fieldRef") { reader in
                reader.skip("apiVersion")
                return reader.requiredText("fieldPath")
            }
            let resource = from.object("resourceFieldRef") { reader in
                reader.skip("containerName", "divisor")
                return reader.requiredText("resource")
            }
            return secret.map { Source.secret($0) } ?? configMap.map { .configMap($0) }
                ?? (field ?? nil).map { .field($0) } ?? (resource ?? nil).map { .resource($0) }
        }
        source = (from ?? nil) ?? .value(SecretText(value?.value ?? ""))
    }
}

/// A key of a Secret or a ConfigMap.
public struct KeyReference: Sendable {
    public let position: Position
    /// Of the object.
    public let name: String
    public let key: String
    public let isOptional: Bool

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        name = reader.requiredText("name")?.value ?? ""
        key = reader.requiredText("key")?.value ?? ""
        isOptional = reader.flag("optional")?.value ?? false
    }
}

/// An entry of `envFrom`: every key of an object is a variable.
public struct EnvironmentSource: Sendable {
    public let position: Position
    public let prefix: String
    public let secretName: Located<String>?
    public let configMapName: Located<String>?
    public let isOptional: Bool

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        prefix = reader.text("prefix")?.value ?? ""
        let secret = reader.object("secretRef") { ($0.requiredText("name"), $0.flag("optional")?.value ?? false) }
        let configMap = reader.object("configMapRef") { ($0.requiredText("name"), $0.flag("optional")?.value ?? false) }
        secretName = secret?.0
        configMapName = configMap?.0
        isOptional = secret?.1 ?? configMap?.1 ?? false
    }
}

/// A probe, in seconds. What is not written has Kubernetes' defaults.
public struct Probe: Sendable {
    public let position: Position
    public let action: Action
    public let initialDelaySeconds: Int
    public let periodSeconds: Int
    public let timeoutSeconds: Int
    public let successThreshold: Int
    public let failureThreshold: Int

    public enum Action: Sendable {
        /// - port: A number, or the name of one of the container's ports.
        case httpGet(path: String, port: String, scheme: String)
        case exec([String])
        case tcpSocket(port: String)
        case grpc(port: String)
        /// Nothing is written.
        case none
    }

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        initialDelaySeconds = Int(reader.integer("initialDelaySeconds", least: 0)?.value ?? 0)
        periodSeconds = Int(reader.integer("periodSeconds", least: 1)?.value ?? 10)
        timeoutSeconds = Int(reader.integer("timeoutSeconds", least: 1)?.value ?? 1)
        successThreshold = Int(reader.integer("successThreshold", least: 1)?.value ?? 1)
        failureThreshold = Int(reader.integer("failureThreshold", least: 1)?.value ?? 3)
        reader.skip("terminationGracePeriodSeconds")
        let http = reader.object("httpGet") { http in
            http.skip("host", "httpHeaders")
            return Action.httpGet(
                path: http.text("path")?.value ?? "/", port: http.integerOrText("port")?.value ?? "",
                scheme: http.text("scheme")?.value ?? "HTTP")
        }
        let exec = reader.object("exec") { Action.exec($0.texts("command").map(\.value)) }
        let socket = reader.object("tcpSocket") { socket in
            socket.skip("host")
            return Action.tcpSocket(port: socket.integerOrText("port")?.value ?? "")
        }
        let grpc = reader.object("grpc") { grpc in
            grpc.skip("service")
            return Action.grpc(port: grpc.integerOrText("port")?.value ?? "")
        }
        action = http ?? exec ?? socket ?? grpc ?? .none
    }
}
