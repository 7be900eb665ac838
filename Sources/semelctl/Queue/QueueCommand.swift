import ArgumentParser
import Logging
import Semel
import SemelKEDA
import SemelQueues

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Shows how many messages are in a queue.",
        discussion: """
            ready: to be claimed now. claimed: held by workers. delayed: waiting for their next attempt. dead: given up. \
            oldest: since the oldest ready message was queued. What a queue cannot tell is ‘-’, in JSON null.

            No message is touched. RabbitMQ does not tell how many messages are claimed; SQS counts \
            approximately, and retries as claimed; only a spool knows the oldest.
            """)

    @OptionGroup var queueOption: QueueOption

    @Flag(help: "Prints a JSON object; with --watch one a line.")
    var json = false

    @Option(
        defaultAsFlag: WatchInterval.everySecond,
        help: ArgumentHelp(
            "Looks again and again until it is stopped: every second, or 500ms, 10s, 1m.", valueName: "interval"))
    var watch: WatchInterval?

    func run() async throws {
        let pause = try watch?.duration()
        let address = try queueOption.address()
        let inspector: any QueueInspector
        do throws(SystemError) { inspector = try address.inspector(log: .silent) } catch { throw CommandFailure(error) }
        var table = CountsTable()
        var due = ContinuousClock.now
        var warned: String?
        repeat {
            let counts: QueueCounts
            do throws(QueueFailure) { counts = try await inspector.counts() } catch { throw CommandFailure(error) }
            try StandardOutput.write(json ? CountsJSON(queue: address.name, counts).line() : table.rows(counts))
            if let warning = counts.warning, warning != warned {
                StandardError.write("semelctl: \(warning.onOneLine)\n")
                warned = warning
            }
            guard let pause else { break }
            due = max(due + pause, .now)
            try await Task.sleep(until: due, clock: .continuous)
        } while true
        await inspector.close()
    }
}

/// What `--watch` was given. Whatever it is belongs to the flag, so that the error can say what would be right.
struct WatchInterval: ExpressibleByArgument, CustomStringConvertible {
    let description: String

    static let everySecond = WatchInterval(argument: "1s")

    init(argument: String) {
        description = argument
    }

    func duration() throws(CommandFailure) -> Duration {
        guard let duration = Units.duration(description), duration >= .milliseconds(100), duration <= .seconds(86_400)
        else { throw .usage("--watch: ‘\(description)’ is not a time between 100ms and 24h") }
        return duration
    }
}
