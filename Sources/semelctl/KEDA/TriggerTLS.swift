import CLinux
import Foundation
import NIOSSL
import SemelKEDA

/// What a RabbitMQ trigger's authentication says of TLS. As in KEDA nothing of it counts without `tls: enable`, except
/// `unsafeSsl` over HTTP.
struct TriggerTLS {
    private let authorities: String?
    private let client: (chain: String, key: String)?
    private let isTrusting: Bool
    private let trigger: ResolvedTrigger

    init(_ rabbitMQ: RabbitMQTrigger, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        self.trigger = trigger
        func text(_ given: ResolvedText?, _ name: String) throws(CommandFailure) -> String? {
            guard rabbitMQ.isTLSEnabled, let given else { return nil }
            let text = try TriggerReader.known(given, name, trigger)
            return text.isEmpty ? nil : text
        }
        authorities = try text(rabbitMQ.authorities, "ca")
        switch (try text(rabbitMQ.clientCertificate, "cert"), try text(rabbitMQ.clientKey, "key")) {
        case (nil, nil): client = nil
        case (let chain?, let key?): client = (chain, key)
        default: throw TriggerReader.unreadable(trigger, "cert and key go together; one of them is missing")
        }
        isTrusting = rabbitMQ.unsafeSSL && (rabbitMQ.isTLSEnabled || rabbitMQ.protocol == .http)
    }

    /// For HTTPS.
    func configuration() throws(CommandFailure) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if isTrusting { configuration.certificateVerification = .none }
        do {
            if let authorities {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8)))
            }
            if let client {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(client.chain.utf8))
                    .map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: Array(client.key.utf8), format: .pem))
            }
        } catch {
            throw TriggerReader.unreadable(trigger, "ca, cert or key of the authentication cannot be used: no PEM")
        }
        return configuration
    }

    /// For AMQP: the options of a queue's URL.
    ///
    /// - Parameter files: Gets the files that the options name, which are there for as long as it is.
    func options(_ files: inout [FileInMemory]) throws(CommandFailure) -> [String: String] {
        var options: [String: String] = [:]
        func add(_ option: String, _ text: String, _ parameter: String) throws(CommandFailure) {
            guard let file = FileInMemory(text, name: "‘\(parameter)’ of the authentication") else {
                throw TriggerReader.unreadable(trigger, "no memory for the certificates of the authentication")
            }
            files.append(file)
            options[option] = file.path
        }
        if isTrusting {
            options["verify"] = "off"
        } else if let authorities {
            try add("cacert", authorities, "ca")
        }
        if let client {
            try add("cert", client.chain, "cert")
            try add("key", client.key, "key")
        }
        return options
    }
}

/// A file that has a path but is on no disk, for secrets that a library wants to have in a file.
final class FileInMemory {
    private let handle: FileHandle
    /// What it is to people, to whom the path means nothing.
    let name: String

    var path: String { "/proc/self/fd/\(handle.fileDescriptor)" }

    init?(_ text: String, name: String) {
        self.name = name
        let descriptor = memfd_create("semelctl", UInt32(semel_memfd_flags))
        guard descriptor >= 0 else { return nil }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard (try? handle.write(contentsOf: Data(text.utf8))) != nil else { return nil }
    }
}
