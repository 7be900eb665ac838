import ArgumentParser
import Foundation
import Logging
import NIOCore
import Semel
import SemelConsole
import SemelKubernetes
import SemelQueues

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Shows queues, workers and dead letters in a browser, and retries or drops them there.",
        discussion: """
            The console is for whoever reaches it while it listens on the loopback interface. Anywhere else it wants \
            --token-file, with which browsers sign in and programs send ‘Authorization: Bearer TOKEN’, or \
            --trust-proxy-user, when a proxy in front lets people in and nobody can get past it.

            It keeps nothing: charts begin with its start. What is on a page is also JSON below /api, described in \
            /api/openapi.json. A line of JSON on standard output tells of every change, and by whom.

            Exit codes: 0 stopped by SIGTERM or SIGINT, with all answers given; 64 wrong usage; 69 the address cannot be \
            used; 78 a wrong file or value.
            """)

    @Option(
        name: .customLong("queue"),
        help: ArgumentHelp(
            "A queue; may be given many times. Without any, the one that the environment names.", valueName: "url"))
    var queues: [String] = []

    @Option(
        name: .customLong("queue-file"),
        help: ArgumentHelp("A file with a queue's URL; may be given many times.", valueName: "path"))
    var queueFiles: [String] = []

    @Option(help: ArgumentHelp("Where to listen; port 0 is any that is free.", valueName: "host:port"))
    var listen = "127.0.0.1:8080"

    @Option(
        help: ArgumentHelp(
            "Shows the Jobs and workers of a namespace. Their pods have to be reachable from here.",
            valueName: "namespace"))
    var kubernetes: String?

    @Option(
        name: .customLong("workers"),
        help: ArgumentHelp("The status endpoint of a worker; may be given many times.", valueName: "host:port"))
    var workers: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp(
            "A file with a ScaledJob, for the page on KEDA's decision, as for ‘explain’. May be given many times.",
            valueName: "path"))
    var files: [String] = []

    @OptionGroup var keda: KEDAVersionOption

    @Option(help: ArgumentHelp("A file with the token to sign in with, of 16 bytes at least.", valueName: "path"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The header in which a proxy names the user that it has let in.", valueName: "header"))
    var trustProxyUser: String?

    @Flag(help: "Shows, and changes nothing.")
    var readOnly = false

    @Option(help: ArgumentHelp("The kubeconfig for --kubernetes.", valueName: "path"))
    var kubeconfig: String?

    func run() async throws {
        let (host, port) = try address()
        let access = try access(host)
        let queues = ConsoleQueue.all(try addresses())
        if files.isEmpty, keda.version != nil { throw CommandFailure.usage("--keda: has a meaning only with -f") }
        let decisions = try files.isEmpty ? nil : ScaledJobDecisions(files, keda.parsed())
        let client = try client()
        var source = WorkerSource.none
        if let client, let kubernetes {
            source = .kubernetes(client, namespace: kubernetes)
        } else if !workers.isEmpty {
            source = .addresses(try workers.map(Self.worker))
        }
        let console = Console(
            .init(host: host, port: port, access: access, isReadOnly: readOnly), queues: queues, workers: source,
            decisions: decisions, log: .silent
        ) { line in
            // Nobody can be told when there is nobody to read it.
            _ = try? StandardOutput.writeIfRead(bytes: Array(line.utf8))
        }
        let stopped = OneShot<Bool>()
        Interruption.await { stopped.fulfil(true) }
        do {
            try await console.run { port in
                let name = host.contains(":") ? "[\(host)]" : host
                StandardError.write("semelctl: the console is at http://\(name):\(port)/\n")
            } stop: {
                _ = await stopped.wait()
            }
        } catch let error as IOError {
            throw CommandFailure(
                "--listen: \(listen): \(String(cString: strerror(error.errnoCode)).lowercased())", .unreachable)
        } catch is SocketAddressError.UnknownHost {
            throw CommandFailure(
                "--listen: there is no host ‘\(host)’; 0.0.0.0 is every address of this one", .unreachable)
        } catch {
            throw CommandFailure("--listen: \(listen) cannot be used: \(error)", .unreachable)
        }
        await client?.close()
    }

    private func address() throws(CommandFailure) -> (host: String, port: Int) {
        guard let (host, port) = Self.parts(listen) else {
            throw .usage("--listen: ‘\(listen)’ is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
        }
        return (host, port)
    }

    private static func worker(_ text: String) throws(CommandFailure) -> String {
        guard let (host, port) = parts(text), port > 0 else {
            throw .usage("--workers: ‘\(text)’ is not HOST:PORT, such as 127.0.0.1:8082")
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func parts(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.unicodeScalars.allSatisfy({ $0.isASCII && !" /?#@[]".unicodeScalars.contains($0) })
        else { return nil }
        return (host, port)
    }

    private func access(_ host: String) throws(CommandFailure) -> ConsoleAccess {
        if let trustProxyUser {
            guard tokenFile == nil else { throw .usage("--token-file and --trust-proxy-user exclude each other") }
            let isName = trustProxyUser.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == UInt8(ascii: "-")
            }
            guard isName, !trustProxyUser.isEmpty else {
                throw .usage("--trust-proxy-user: ‘\(trustProxyUser)’ is no header's name, such as X-Forwarded-User")
            }
            return .proxyUser(header: trustProxyUser)
        }
        if let tokenFile { return .token(try token(in: tokenFile)) }
        guard Loopback.isName(host) else {
            throw .usage(
                "--listen: \(listen) can be reached by others; say --token-file FILE, or --trust-proxy-user HEADER behind a proxy that lets people in"
            )
        }
        return .open
    }

    private func token(in file: String) throws(CommandFailure) -> String {
        let token = try CommandFailure.wrapping { () throws(ConfigurationError) in
            try SecretFile.read(file, source: "--token-file").trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard token.utf8.count >= ConsoleAccess.leastTokenBytes else {
            throw CommandFailure(
                "--token-file: \(file) has a token of fewer than \(ConsoleAccess.leastTokenBytes) bytes; ‘openssl rand -hex 32’ makes a good one",
                .misconfigured)
        }
        return token
    }

    private func addresses() throws(CommandFailure) -> [QueueAddress] {
        let environment = ProcessInfo.processInfo.environment
        let named: [(flag: String?, file: String?)] = queues.map { ($0, nil) } + queueFiles.map { (nil, $0) }
        do throws(ConfigurationError) {
            guard !named.isEmpty else { return [try NamedQueue(flag: nil, environment: environment).address] }
            var addresses: [QueueAddress] = []
            for (flag, file) in named {
                addresses.append(try NamedQueue(flag: flag, file: file, environment: environment).address)
            }
            return addresses
        } catch {
            throw CommandFailure(error)
        }
    }

    private func client() throws(CommandFailure) -> KubernetesClient? {
        guard let kubernetes else {
            if kubeconfig != nil { throw .usage("--kubeconfig: has a meaning only with --kubernetes") }
            return nil
        }
        guard workers.isEmpty else { throw .usage("--kubernetes and --workers exclude each other") }
        do throws(KubernetesError) {
            return KubernetesClient(
                try KubernetesConfiguration.find(kubeconfig: kubeconfig, namespace: kubernetes), patience: .seconds(5))
        } catch {
            throw CommandFailure(error.description.replacing("--namespace:", with: "--kubernetes:"), error.outcome)
        }
    }
}
