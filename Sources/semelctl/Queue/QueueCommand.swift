import ArgumentParser
import Semel
import SemelQueues

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Shows how many messages are in a queue.",
        discussion: """
            ready: to be claimed now. claimed: held by workers. delayed: waiting for their next attempt. dead: given up.
            oldest: since the oldest ready message was queued. What a queue cannot tell is ‘-’, in JSON null.

            No message is touched. RabbitMQ does not tell how many messages are claimed; only a spool knows the oldest.
            """)

    @OptionGroup var queueOption: QueueOption

    @Flag(help: "Prints a JSON object; with --watch one a line.")
    var json = false

    @Option(
        defaultAsFlag: WatchInterval(.seconds(1)),
        help: ArgumentHelp(
            "Looks again and again until it is stopped: every second, or 500ms, 10s, 1m.", valueName: "interval"))
    var watch: WatchInterval?

    func run() async throws {
        let address = try queueOption.address()
        let inspector: any QueueInspector
        do throws(SystemError) { inspector = try address.inspector() } catch { throw CommandFailure(error) }
        var table = CountsTable()
        var due = ContinuousClock.now
        repeat {
            let counts: QueueCounts
            do throws(QueueFailure) { counts = try await inspector.counts() } catch { throw CommandFailure(error) }
            try StandardOutput.write(json ? CountsJSON(queue: address.name, counts).line() : table.rows(counts))
            guard let watch else { break }
            due = max(due + watch.duration, .now)
            try await Task.sleep(until: due, clock: .continuous)
        } while true
        await inspector.close()
    }
}

/// How long to wait between two looks.
struct WatchInterval: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    private static let allowed = Duration.milliseconds(100)...Duration.seconds(86_400)

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let duration = Units.duration(argument), Self.allowed.contains(duration) else { return nil }
        self.duration = duration
    }

    var description: String { Units.text(duration) }
}
