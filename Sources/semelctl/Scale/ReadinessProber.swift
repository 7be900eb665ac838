import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Semel
import SemelKEDA

/// Asks a pod again and again whether it is ready, as the kubelet does.
struct ReadinessProber: Sendable {
    let probe: Probe
    /// The number of the port that the probe names.
    let port: Int?
    let address: String
    let environment: [String: String]
    let client: HTTPClient

    /// Until it is cancelled.
    func run(_ report: @Sendable (Bool) -> Void) async {
        var successes = 0
        var failures = 0
        var pause = Duration.seconds(probe.initialDelaySeconds)
        while (try? await Task.sleep(for: pause)) != nil {
            let isSuccess = await succeeds()
            guard !Task.isCancelled else { return }
            (successes, failures) = isSuccess ? (successes + 1, 0) : (0, failures + 1)
            if successes >= probe.successThreshold { report(true) }
            if failures >= probe.failureThreshold { report(false) }
            pause = .seconds(probe.periodSeconds)
        }
    }

    private func succeeds() async -> Bool {
        let limit = TimeAmount.seconds(Int64(probe.timeoutSeconds))
        switch probe.action {
        case .httpGet(let path, _, let scheme):
            guard let port else { return false }
            let slash = path.hasPrefix("/") ? "" : "/"
            let request = HTTPClientRequest(url: "\(scheme.lowercased())://\(address):\(port)\(slash)\(path)")
            guard let response = try? await client.execute(request, timeout: limit) else { return false }
            // The connection is of use only when the answer was read.
            _ = try? await response.body.collect(upTo: 1 << 20)
            return (200..<400).contains(response.status.code)
        case .tcpSocket:
            guard let port else { return false }
            let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(limit).connect(host: address, port: port).get()
            try? await channel?.close()
            return channel != nil
        case .exec(let command): return await exits(command)
        case .grpc, .none: return true
        }
    }

    /// Whether a command in the pod's environment exits with 0 in time.
    private func exits(_ command: [String]) async -> Bool {
        guard let first = command.first, let program = try? PodLauncher.program(first, environment) else {
            return false
        }
        let process = PodProcess(podName: nil)
        let end = OneShot<Bool>()
        do throws(SystemError) {
            try process.start(
                program, command, environment, output: open("/dev/null", O_WRONLY | O_CLOEXEC)
            ) { report in
                switch report {
                case .started: break
                case .ended(let exit): end.fulfil(exit == .exited(0))
                case .failed: end.fulfil(false)
                }
            }
        } catch {
            return false
        }
        let limit = Task {
            try? await Task.sleep(for: .seconds(probe.timeoutSeconds))
            end.fulfil(false)
        }
        let isSuccess = await end.wait() ?? false
        limit.cancel()
        process.kill9()
        return isSuccess
    }
}
