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
            """,
        discussion: """
            Each <body> is a message. Without any, the whole of standard input is one message. With --lines or --null, \
            input is cut into many, as it comes: it may be larger than memory. Bodies are bytes and stay as they are. \
            A body that begins with ‘-’ goes behind ‘--’.

            A message counts when the queue is known to have it. If something goes wrong half way, the error says \
            how many it has for certain.
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
            Makes the RabbitMQ queue if it is missing: durable, of type quorum. A spool and a Redis list need no such \
            thing: their first message makes them.
            """)
    var declare = false

    func run() async throws {
        let template = try MessageTemplate(id: id, contentType: contentType, headers: headers)
        let source = try BodySource(bodies: bodies, files: files, lines: lines, null: null)
        if id != nil && !source.isOneMessage { throw CommandFailure.usage("--id: only one message can have it") }
        let address = try queueOption.address()
        let enqueuing: Enqueuing
        do throws(SystemError) {
            enqueuing = Enqueuing(
                reader: try BodyReader(source, template),
                producer: try address.producer(
                    declaring: declare, log: .silent),
                totalBytes: source.totalBytes)
        } catch {
            throw CommandFailure(error)
        }
        try await enqueuing.run()
    }
}
