import ArgumentParser
import Logging
import Semel
import SemelQueues

struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Puts messages into a queue.",
        usage: """
            semelctl enqueue [--queue <url>] <body> …
            semelctl enqueue [--queue <url>] [--lines | --null] < FILE
            semelctl enqueue [--queue <url>] --file <path> … [--lines | --null]
            semelctl enqueue [--queue <url>] --await [--await-timeout <time>] <body>
            semelctl enqueue [--queue <url>] --group <number> --state <path> [--input <source>]
            """,
        discussion: """
            Each <body> is a message. Without any, the whole of standard input is one message. With --lines or --null, \
            input is cut into many, as it comes: it may be larger than memory. Bodies are bytes and stay as they are. \
            A body that begins with ‘-’ goes behind ‘--’.

            A message counts when the queue is known to have it. If something goes wrong half way, the error says \
            how many it has for certain.

            With --group, the items of a group that ‘semelctl groups assign’ made are the messages. From a state with the             layout ‘keys’ they are read themselves; for one with ‘buckets’, --input has all items, as for ‘assign’.

            With --await, the one message is waited for, and what its task printed goes to standard output, byte for \
            byte, if its worker runs with ‘--result stdout’. Exit codes are then: 0 completed; 65 dead-lettered; 75 \
            neither of them in time, the message stays where it is; 76 the message has vanished from the queue.
            """)

    @OptionGroup var queueOption: QueueOption

    @Argument(help: ArgumentHelp("The bodies of the messages.", valueName: "body"))
    var bodies: [String] = []

    @Option(
        name: .customLong("file"),
        help: ArgumentHelp("Each file is a message; ‘-’ is standard input. May be given many times.", valueName: "path")
    )
    var files: [String] = []

    @Flag(help: "Each line of the input is a message, without its line feed. Empty lines are skipped.")
    var lines = false

    @Flag(help: "The input's messages are separated by NUL bytes, as ‘find -print0’ does it. Empty ones count.")
    var null = false

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("A header of every message. May be given many times.", valueName: "name=value"))
    var headers: [String] = []

    @Option(help: ArgumentHelp("The media type of every message.", valueName: "type"))
    var contentType: String?

    @Option(help: "The id of the message, when there is only one. Without it the queue chooses.")
    var id: String?

    @Flag(
        help: """
            Makes the RabbitMQ queue if it is missing (durable, of type quorum), or the SQS queue. A spool and a Redis list need no such \
            thing: their first message makes them.
            """)
    var declare = false

    @Flag(name: .customLong("await"), help: "Waits until the one message is completed, and prints its result.")
    var awaitsEnd = false

    @Option(help: ArgumentHelp("For how long --await waits: 500ms, 10s, 10m (the default), 2h.", valueName: "time"))
    var awaitTimeout: String?

    @OptionGroup(title: "Items of a group") var groupOption: GroupOption

    func run() async throws {
        let template = try MessageTemplate(id: id, contentType: contentType, headers: headers)
        if groupOption.group != nil { try checkThatItIsOnlyAGroup() }
        if let reader = try await groupOption.reader(template) {
            let address = try queueOption.address()
            let producer = try CommandFailure.wrapping { () throws(SystemError) in
                try address.producer(declaring: declare, log: .silent)
            }
            return try await Enqueuing(reader: reader, producer: producer, totalBytes: nil).run()
        }
        let source = try BodySource(bodies: bodies, files: files, lines: lines, null: null)
        if !source.isOneMessage {
            if id != nil { throw CommandFailure.usage("--id: only one message can have it") }
            if awaitsEnd { throw CommandFailure.usage("--await: waits for one message, not for many") }
        }
        let limit = try awaitLimit()
        let address = try queueOption.address()
        let run: @Sendable () async throws(CommandFailure) -> Void
        do throws(SystemError) {
            let reader = try BodyReader(source, template)
            if let limit {
                let requester = try address.requester(declaring: declare, log: .silent)
                run = Awaiting(reader: reader, requester: requester, limit: limit).run
            } else {
                let producer = try address.producer(declaring: declare, log: .silent)
                run = Enqueuing(reader: reader, producer: producer, totalBytes: source.totalBytes).run
            }
        } catch {
            throw CommandFailure(error)
        }
        try await run()
    }

    private func checkThatItIsOnlyAGroup() throws(CommandFailure) {
        let others = [
            ("a body", !bodies.isEmpty), ("--file", !files.isEmpty), ("--lines", lines), ("--null", null),
            ("--id", id != nil), ("--await", awaitsEnd), ("--await-timeout", awaitTimeout != nil),
        ]
        if let other = others.first(where: \.1) { throw .usage("--group: \(other.0) does not go with it") }
    }

    /// `nil` when nothing is to be waited for.
    private func awaitLimit() throws(CommandFailure) -> Duration? {
        guard awaitsEnd else {
            if awaitTimeout != nil { throw .usage("--await-timeout: has a meaning only with --await") }
            return nil
        }
        let text = awaitTimeout ?? "10m"
        guard let limit = Units.duration(text), limit > .zero else {
            throw .usage("--await-timeout: ‘\(text)’ is not a time; write 500ms, 10s, 10m or 2h")
        }
        return limit
    }
}
