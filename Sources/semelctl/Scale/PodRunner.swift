import AsyncHTTPClient
import Foundation
import Glibc
import Semel
import SemelKEDA

/// A pod on this machine: its directory, its process and its probe.
final class PodRunner: Sendable {
    let id: DeskPod.ID
    let name: String
    let jobName: String
    let address: String
    let process: PodProcess
    private let probing: Task<Void, Never>?
    private let terminationLog: String

    /// What the pod tells its ScaledJob.
    typealias Report = @Sendable (DeskPod.ID, News) -> Void

    enum News: Sendable {
        case started
        case probed(Bool)
        case ended(DeskExit)
        /// There is no process.
        case failed(SystemError)
    }

    /// - Parameters:
    ///   - directory: For what the pod has to itself; it is made.
    ///   - log: A file for what it prints; `nil` when nobody wants it.
    init(
        _ pod: DeskPod, jobName: String, _ command: PodCommand, container: Container?, directory: String, log: String?,
        client: HTTPClient, report: @escaping Report
    ) throws {
        (id, name, self.jobName, address) = (pod.id, pod.name, jobName, command.address)
        try FileManager.default.createDirectory(atPath: "\(directory)/tmp", withIntermediateDirectories: true)
        var environment = PodLauncher.environment(command.environment)
        // Whatever is written: one path for all of them would mix up what they say.
        terminationLog = "\(directory)/termination-log"
        environment["SEMEL_TERMINATION_LOG"] = terminationLog
        environment["TMPDIR"] = environment["TMPDIR"] ?? "\(directory)/tmp"
        environment[PodOrphans.mark] = pod.name
        // Empty, as the kubelet's: what a container wrote before it was started again does not count.
        try Data().write(to: URL(fileURLWithPath: terminationLog))
        let output = open(log ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw SystemError(doing: "open \(log ?? "")") }
        let process = PodProcess(podName: pod.name)
        self.process = process
        let program: String
        do throws(ConfigurationError) {
            program = try PodLauncher.program(command.words.first ?? "", command.environment)
        } catch {
            close(output)
            throw CommandFailure(error)
        }
        let prober = command.readiness.map { probe in
            ReadinessProber(
                probe: probe, port: probe.port(in: container), address: command.address, environment: environment,
                client: client)
        }
        let isRunning = OneShot<Bool>()
        let id = pod.id
        probing = Task {
            guard await isRunning.wait() == true else { return }
            guard let prober else { return report(id, .probed(true)) }
            await prober.run { report(id, .probed($0)) }
        }
        try process.start(program, command.words, environment, output: output) { news in
            switch news {
            case .started:
                report(id, .started)
                isRunning.fulfil(true)
            case .ended(let exit):
                report(id, .ended(exit))
            case .failed(let error):
                isRunning.fulfil(false)
                report(id, .failed(error))
            }
        }
    }

    func endProbing() {
        probing?.cancel()
    }

    /// What the worker says of its end; nothing when it is no worker of semel's, or was killed.
    var lastWords: (outcome: String, reason: String?)? {
        struct Line: Decodable {
            var outcome: String
            var reason: String?
        }
        guard let data = FileManager.default.contents(atPath: terminationLog),
            let line = try? JSONDecoder().decode(Line.self, from: data)
        else { return nil }
        return (line.outcome, line.reason)
    }
}

extension Probe {
    fileprivate func port(in container: Container?) -> Int? {
        switch action {
        case .httpGet(_, let port, _), .tcpSocket(let port), .grpc(let port): PodCommand.port(port, in: container)
        case .exec, .none: nil
        }
    }
}
