import Foundation
import Logging
import NIOCore
import NIOPosix
import Semel
import SemelKEDA
import SemelSQS

/// The number that an `aws-sqs-queue` trigger reads.
struct SQSCount {
    private let sqs: SQSTrigger
    private let trigger: ResolvedTrigger
    private let address: SQSAddress

    /// With the keys of the trigger's authentication where the files have them, else with those of whoever runs this.
    init(_ sqs: SQSTrigger, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        self.sqs = sqs
        self.trigger = trigger
        let queue = try TriggerReader.known(sqs.queueURL, "queueURL", trigger)
        let region = try TriggerReader.known(sqs.awsRegion, "awsRegion", trigger)
        let source = "queueURL"
        var environment = ProcessInfo.processInfo.environment
        if case .known(let id) = sqs.accessKeyID, case .known(let secret) = sqs.secretAccessKey {
            environment["AWS_ACCESS_KEY_ID"] = id.revealed
            environment["AWS_SECRET_ACCESS_KEY"] = secret.revealed
            environment["AWS_SESSION_TOKEN"] = nil
            if case .known(let token) = sqs.sessionToken { environment["AWS_SESSION_TOKEN"] = token.revealed }
        }
        do throws(ConfigurationError) {
            var options = ["region": region]
            let isURL = queue.contains("://")
            if isURL { options["url"] = queue }
            options["endpoint"] = sqs.awsEndpoint
            let url = QueueURL(
                scheme: "sqs", credentials: .none, hosts: [], path: isURL ? "" : "/\(queue)",
                options: options, source: source)
            address = try SQSAddress(url, AWSEnvironment(environment))
        } catch {
            throw TriggerReader.unreadable(trigger, error.description)
        }
    }

    func read() async throws(CommandFailure) -> Int64 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let inspector = SQSInspector(address, on: group, log: .silent)
        let result: Result<QueueCounts, QueueFailure>
        do throws(QueueFailure) {
            result = .success(try await inspector.ownCounts())
        } catch {
            result = .failure(error)
        }
        await inspector.close()
        // Fails only when it is ended twice.
        try? await group.shutdownGracefully()
        switch result {
        case .success(let counts):
            let held = sqs.scaleOnInFlight ? counts.claimed ?? 0 : 0
            let delayed = sqs.scaleOnDelayed ? counts.delayed ?? 0 : 0
            return Int64(counts.ready + held + delayed)
        case .failure(let failure): throw TriggerReader.unreachable(trigger, failure.reason, failure.outcome)
        }
    }
}
