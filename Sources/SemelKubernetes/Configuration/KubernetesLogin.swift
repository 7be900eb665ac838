import Foundation
import Semel

/// How one says who one is: at most one of the methods, and a certificate beside it.
struct KubernetesLogin: Sendable {
    enum Method: Sendable {
        case none
        case token(String)
        /// - other: The token for as long as the file cannot be read.
        case tokenFile(path: String, other: String?)
        case password(user: String, password: String)
        case plugin(ExecPlugin)
    }

    /// PEM, as it is or in a file.
    enum PEM: Sendable {
        case bytes([UInt8])
        case file(String)

        func read(_ what: String) throws(KubernetesError) -> [UInt8] {
            switch self {
            case .bytes(let bytes): bytes
            case .file(let path): try KubernetesFile.bytes(path, what)
            }
        }
    }

    var method = Method.none
    var certificate: (chain: PEM, key: PEM)?
}

/// What goes along with a request. Never printed.
struct KubernetesIdentity: Sendable, Hashable {
    struct Certificate: Sendable, Hashable {
        /// PEM
        var chain: [UInt8]
        var key: [UInt8]
    }

    /// The value of the header.
    var authorization: String?
    var certificate: Certificate?
}

/// Knows who one is at the moment: files are read again after a minute, plugins asked again when their token is about to
/// expire, and both when the API server does not accept what they said.
actor KubernetesCredentials {
    /// As client-go does: a kubelet renews a pod's token long before it expires.
    private static let fileAge = Duration.seconds(60)
    /// A token that expires on its way is of no use.
    private static let margin = Duration.seconds(10)

    private let login: KubernetesLogin
    private let clock: @Sendable () -> Timestamp
    private var known: (identity: KubernetesIdentity, until: Timestamp?)?

    init(_ login: KubernetesLogin, clock: @escaping @Sendable () -> Timestamp = { .now }) {
        self.login = login
        self.clock = clock
    }

    func current() async throws(KubernetesError) -> KubernetesIdentity {
        if let known, known.until.map({ clock() < $0 }) ?? true { return known.identity }
        return try await read()
    }

    /// The API server did not accept this one: `nil` when there is no other.
    func replacement(for rejected: KubernetesIdentity) async throws(KubernetesError) -> KubernetesIdentity? {
        // Another request may have had the same answer before.
        if let known, known.identity != rejected { return known.identity }
        let identity = try await read()
        return identity == rejected ? nil : identity
    }

    private func read() async throws(KubernetesError) -> KubernetesIdentity {
        var identity = KubernetesIdentity()
        var end: Timestamp?
        if let (chain, key) = login.certificate {
            identity.certificate = .init(
                chain: try chain.read("the client's certificate"), key: try key.read("the client's key"))
            end = clock() + Self.fileAge
        }
        switch login.method {
        case .none: break
        case .token(let token): identity.authorization = "Bearer \(token)"
        case .tokenFile(let path, let other):
            identity.authorization = "Bearer \(try Self.token(path, other))"
            end = clock() + Self.fileAge
        case .password(let user, let password):
            identity.authorization = "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
        case .plugin(let plugin):
            let credential = try await plugin.run()
            identity.authorization = credential.token.map { "Bearer \($0)" }
            if let certificate = credential.certificate { identity.certificate = certificate }
            end = credential.expiration.map { $0 + (.zero - Self.margin) }
        }
        known = (identity, end)
        return identity
    }

    private static func token(_ path: String, _ other: String?) throws(KubernetesError) -> String {
        do throws(KubernetesError) {
            let token = try KubernetesFile.text(path, "the token")
            if !token.isEmpty { return token }
        } catch {
            guard other != nil else { throw error }
        }
        guard let other else { throw .misconfigured("\(path): the token's file is empty") }
        return other
    }
}
