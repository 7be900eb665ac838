import Foundation
import SemelKEDA

/// Clusters, users and contexts of one or many files. As in kubectl the first file that has a name has it for good, and
/// paths are seen from the directory of the file that they are written in.
struct Kubeconfig {
    private struct Entry {
        let object: KubeconfigObject
        let directory: String
    }

    private var clusters: [String: Entry] = [:]
    private var users: [String: Entry] = [:]
    private var contexts: [String: Entry] = [:]
    private var current: String?
    private var files: [String] = []

    var isEmpty: Bool { clusters.isEmpty && contexts.isEmpty }

    mutating func add(_ document: YAMLValue, file: String) throws(KubernetesError) {
        let root = KubeconfigObject(value: document, path: "")
        let directory = (file as NSString).deletingLastPathComponent
        files.append(file)
        if current == nil { current = try root.text("current-context") }
        try Self.add(root, "clusters", "cluster", directory, to: &clusters)
        try Self.add(root, "users", "user", directory, to: &users)
        try Self.add(root, "contexts", "context", directory, to: &contexts)
    }

    private static func add(
        _ root: KubeconfigObject, _ list: String, _ field: String, _ directory: String,
        to entries: inout [String: Entry]
    ) throws(KubernetesError) {
        var names: Set<String> = []
        for element in try root.elements(list) {
            let name = try element.requiredText("name")
            guard names.insert(name).inserted else { throw element.problem("name", "‘\(name)’ is there twice") }
            let object = try element.object(field) ?? KubeconfigObject(value: element.value, path: element.path)
            if entries[name] == nil { entries[name] = Entry(object: object, directory: directory) }
        }
    }

    /// - Parameter chosen: A context in place of the current one.
    func configuration(
        context chosen: String?, _ environment: [String: String]
    ) throws(KubernetesError) -> KubernetesConfiguration {
        let place = files.joined(separator: ", ")
        guard let name = chosen ?? current else {
            throw .misconfigured("\(place): no current-context; choose one with --context: \(names(of: contexts))")
        }
        guard let context = contexts[name]?.object else {
            let flag = chosen == nil ? "current-context" : "--context"
            throw .misconfigured("\(flag): no context ‘\(name)’ in \(place); there is \(names(of: contexts))")
        }
        let clusterName = try context.requiredText("cluster")
        guard let cluster = clusters[clusterName] else {
            throw context.problem("cluster", "no cluster ‘\(clusterName)’; there is \(names(of: clusters))")
        }
        var login = KubernetesLogin()
        var impersonation = KubernetesConfiguration.Impersonation()
        let server = try Self.server(cluster.object)
        let trust = try Self.trust(cluster.object, cluster.directory)
        if let userName = try context.text("user") {
            guard let user = users[userName] else {
                throw context.problem("user", "no user ‘\(userName)’; there is \(names(of: users))")
            }
            login = try KubeconfigUser(object: user.object, directory: user.directory).login(
                environment, cluster: ExecPlugin.Cluster(server, trust))
            impersonation = .init(
                user: try user.object.text("as"), uid: try user.object.text("as-uid"),
                groups: try user.object.texts("as-groups"))
        }
        return KubernetesConfiguration(
            server: server, trust: trust, login: login, impersonation: impersonation,
            namespace: try context.text("namespace") ?? "default", source: "context ‘\(name)’ of \(place)")
    }

    private func names(of entries: [String: Entry]) -> String {
        entries.isEmpty ? "none" : entries.keys.sorted().map { "‘\($0)’" }.joined(separator: ", ")
    }

    private static func server(_ cluster: KubeconfigObject) throws(KubernetesError) -> KubernetesConfiguration.Server {
        let text = try cluster.requiredText("server")
        if try cluster.text("proxy-url") != nil {
            throw cluster.problem("proxy-url", "proxies are not supported; take it out, or reach the server directly")
        }
        // As in client-go a bare host is one of HTTP.
        let full = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: full), let scheme = parts.scheme?.lowercased(),
            ["https", "http"].contains(scheme), var host = parts.host, !host.isEmpty,
            parts.port.map({ (1...65535).contains($0) }) ?? true
        else { throw cluster.problem("server", "is no URL like https://host:6443") }
        guard parts.user == nil, parts.query == nil else {
            throw cluster.problem("server", "has more than scheme, host, port and path in it")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var path = parts.percentEncodedPath
        while path.hasSuffix("/") { path.removeLast() }
        return .init(scheme: scheme, host: host, port: parts.port, path: path)
    }

    private static func trust(
        _ cluster: KubeconfigObject, _ directory: String
    ) throws(KubernetesError) -> KubernetesConfiguration.Trust {
        var trust = KubernetesConfiguration.Trust(serverName: try cluster.text("tls-server-name"))
        trust.verifies = try !cluster.flag("insecure-skip-tls-verify")
        if let data = try cluster.data("certificate-authority-data") {
            trust.authorities = data
        } else if let file = try cluster.text("certificate-authority") {
            trust.authorities = try KubernetesFile.bytes(
                KubeconfigUser.path(file, in: directory), "certificate-authority of the kubeconfig")
        }
        guard trust.verifies || trust.authorities == nil else {
            throw cluster.problem(
                "insecure-skip-tls-verify", "does not go together with a certificate-authority; take out one of them")
        }
        return trust
    }
}

/// A user of a kubeconfig.
struct KubeconfigUser {
    let object: KubeconfigObject
    let directory: String

    static func path(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") || directory.isEmpty ? path : "\(directory)/\(path)"
    }

    func login(
        _ environment: [String: String], cluster: ExecPlugin.Cluster
    ) throws(KubernetesError) -> KubernetesLogin {
        var login = KubernetesLogin()
        switch (try pem("client-certificate"), try pem("client-key")) {
        case (nil, nil): break
        case (let chain?, let key?): login.certificate = (chain, key)
        case (_, nil): throw object.problem("client-key", "is missing: a certificate is of no use without its key")
        case (nil, _): throw object.problem("client-certificate", "is missing: a key is of no use without it")
        }
        let token = try object.text("token")
        if try object.object("auth-provider") != nil {
            throw object.problem("auth-provider", "Kubernetes has done away with it; use an exec plugin")
        }
        if let exec = try object.object("exec") {
            guard token == nil else { throw object.problem("exec", "does not go together with a token") }
            login.method = .plugin(try ExecPlugin(exec, directory: directory, environment, cluster: cluster))
        } else if let file = try object.text("tokenFile") {
            login.method = .tokenFile(path: Self.path(file, in: directory), other: token)
        } else if let token {
            guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw object.problem("token", "has characters in it that no token has")
            }
            login.method = .token(token)
        } else if let user = try object.text("username") {
            login.method = .password(user: user, password: try object.text("password") ?? "")
        }
        return login
    }

    private func pem(_ field: String) throws(KubernetesError) -> KubernetesLogin.PEM? {
        if let data = try object.data("\(field)-data") { return .bytes(data) }
        return try object.text(field).map { .file(Self.path($0, in: directory)) }
    }
}
