import ArgumentParser
import Foundation
import Semel
import SemelGroups
import SemelKubernetes

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Tells of groups whose Job failed, began too late or runs past its window.",
        discussion: """
            Each alarm is a line, an event of Kubernetes, and a message to a webhook that takes what Slack's do, \
            {"text": "…"}. Its URL is a secret: it is in SEMEL_GROUPS_WEBHOOK or in a file. What was told is noted on the Job \
            or the CronJob, so that nobody is told twice; a webhook that did not take a message is tried again at the next \
            look.

            Exit codes: 0 looked, with --once; 64 wrong usage; 69 the API server or the webhook cannot be reached; 77 a \
            permission is missing; 78 a wrong file or URL; 130 or 143 stopped by a signal.
            """)

    @OptionGroup var groupsFile: GroupsFileOption
    @OptionGroup var kubernetes: KubernetesOption

    @Option(
        help: ArgumentHelp(
            "A file with the webhook's URL; SEMEL_GROUPS_WEBHOOK has the URL when it is not given.", valueName: "path"))
    var webhookFile: String?

    @Flag(help: "Looks once.")
    var once = false

    @Option(help: ArgumentHelp("How long to wait between looks: 10s, 5m.", valueName: "time"))
    var interval = "30s"

    func run() async throws {
        guard let pause = Units.duration(interval), pause >= .seconds(1), pause <= .seconds(86_400) else {
            throw CommandFailure.usage("--interval: ‘\(interval)’ is not a time between 1s and 24h")
        }
        let file = try groupsFile.read(namespace: kubernetes.namespace)
        let webhook = try Webhook.named(file: webhookFile, ProcessInfo.processInfo.environment)
        try await kubernetes.withClient { client throws(CommandFailure) in
            var watch = GroupWatch(file, client, webhook)
            if once { return try await watch.look() }
            while true {
                do throws(CommandFailure) {
                    try await watch.look()
                } catch {
                    guard error.outcome == .unreachable || error.outcome == .retry else { throw error }
                    StandardError.write("semelctl: \(error.description)\n")
                }
                do { try await Task.sleep(for: pause) } catch { return }
            }
        }
    }
}
