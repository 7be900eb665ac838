public import Foundation
import Semel

/// Which API server, whom to trust there, who one is to it, and which namespace is meant.
public struct KubernetesConfiguration: Sendable {
    /// Where the API server is.
    struct Server: Sendable, Hashable {
        var scheme: String
        /// Without the brackets of an IPv6 address.
        var host: String
        var port: Int?
        /// In front of the paths of the API; begins with a slash or is empty.
        var path = ""

        var authority: String {
            let name = host.contains(":") ? "[\(host)]" : host
            return port.map { "\(name):\($0)" } ?? name
        }
    }

    struct Trust: Sendable, Hashable {
        /// PEM; those of the system when there are none.
        var authorities: [UInt8]?
        var verifies = true
        /// Whose certificate the server has to have, when it is not that of its host name.
        var serverName: String?
    }

    /// As whom to act, which the API server allows only to some.
    struct Impersonation: Sendable, Hashable {
        var user: String?
        var uid: String?
        var groups: [String] = []
    }

    var server: Server
    var trust: Trust
    var login: KubernetesLogin
    var impersonation = Impersonation()
    /// The namespace of whoever names none.
    public var namespace: String
    /// Where all this came from, for messages: `context ‘kind’ of /home/me/.kube/config`.
    public let source: String

    /// `https://10.96.0.1:443`, for messages.
    public var place: String { "\(server.scheme)://\(server.authority)\(server.path)" }

    /// What this machine knows of a cluster: the kubeconfig that is named, or the files of `KUBECONFIG`, or
    /// `~/.kube/config`; where none of them is there, the service account of the pod that this runs in.
    ///
    /// - Parameters:
    ///   - kubeconfig: A file; it has to be there.
    ///   - context: Of the kubeconfig, in place of its current one.
    ///   - namespace: In place of the context's.
    ///   - serviceAccount: The directory in which a pod finds its token.
    public static func find(
        kubeconfig: String? = nil, context: String? = nil, namespace: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        serviceAccount: String = ServiceAccount.directory
    ) throws(KubernetesError) -> KubernetesConfiguration {
        var found: KubernetesConfiguration
        let files = KubeconfigFiles(named: kubeconfig, environment)
        if let config = try files.read() {
            found = try config.configuration(context: context, environment)
        } else if let account = try ServiceAccount(in: serviceAccount, environment) {
            guard context == nil else {
                throw .misconfigured("--context: there is no kubeconfig here, only the pod's service account")
            }
            found = account.configuration
        } else {
            throw .misconfigured("\(files.absence), and this is no pod with a service account; name a --kubeconfig")
        }
        if let namespace {
            guard isName(namespace) else {
                throw .misconfigured(
                    "--namespace: ‘\(namespace)’ is no namespace's name: lower case letters, digits and ‘-’, at most 63"
                )
            }
            found.namespace = namespace
        }
        return found
    }

    /// A label of DNS, as a namespace's name has to be.
    static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func isEdge(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        return isEdge(first) && isEdge(last) && bytes.allSatisfy { isEdge($0) || $0 == UInt8(ascii: "-") }
    }
}

/// A pod's service account.
public struct ServiceAccount {
    public static let directory = "/var/run/secrets/kubernetes.io/serviceaccount"

    let configuration: KubernetesConfiguration

    /// `nil` when this is no pod of a cluster.
    init?(in directory: String, _ environment: [String: String]) throws(KubernetesError) {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let digits = environment["KUBERNETES_SERVICE_PORT"], !digits.isEmpty
        else { return nil }
        guard let port = Int(digits), (1...65535).contains(port) else {
            throw .misconfigured("KUBERNETES_SERVICE_PORT: ‘\(digits)’ is no port")
        }
        let token = "\(directory)/token"
        guard FileManager.default.isReadableFile(atPath: token) else {
            throw .misconfigured(
                "\(token): not there or not readable; does the pod have automountServiceAccountToken: false?")
        }
        let authorities = try KubernetesFile.bytes("\(directory)/ca.crt", "the authority of the API server")
        let namespace = try? KubernetesFile.text("\(directory)/namespace", "the pod's namespace")
        configuration = KubernetesConfiguration(
            server: .init(scheme: "https", host: host, port: port), trust: .init(authorities: authorities),
            login: KubernetesLogin(method: .tokenFile(path: token, other: nil)),
            namespace: namespace.flatMap { $0.isEmpty ? nil : $0 } ?? "default",
            source: "the pod's service account")
    }
}

/// A small file that a configuration names.
enum KubernetesFile {
    /// - Parameter what: What the file is for, for messages.
    static func bytes(_ path: String, _ what: String) throws(KubernetesError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .misconfigured("\(path): \(what) cannot be read")
        }
        return Array(data)
    }

    /// Without white space around it.
    static func text(_ path: String, _ what: String) throws(KubernetesError) -> String {
        let bytes = try bytes(path, what)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .misconfigured("\(path): \(what) is not UTF-8")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
