import ArgumentParser
import Semel
import SemelConsole
import SemelQueues

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Looks at dead letters, and tries them again or drops them.",
        discussion: """
            A dead letter is a message that will not be tried again: its task rejected it, its attempts were used up, or \
            it was over the size limit. The reason, the attempts, the exit status and the task's last lines are kept \
            with it.
            """,
        subcommands: [DeadListCommand.self, DeadShowCommand.self, DeadRetryCommand.self, DeadDropCommand.self])
}

struct DeadListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists dead letters, oldest first.")

    @OptionGroup var queueOption: QueueOption

    @Option(help: "Only those whose reason has this text in it, whatever the case.")
    var reason: String?

    @Flag(help: "Prints a JSON object a line.")
    var json = false

    func run() async throws {
        let letters = try await DeadLetters.matching(DeadLetterSelection(reason: reason), in: queueOption.address())
        try StandardOutput.write(
            letters.map { json ? JSONText.of(DeadLetterDocument($0, withBody: false)) + "\n" : DeadLetterText.row($0) }
                .joined())
    }
}

struct DeadShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows one dead letter, body included.")

    @OptionGroup var queueOption: QueueOption

    @Argument(help: "The message's id, as ‘list’ shows it.")
    var id: String

    @Flag(help: "Prints a JSON object; a body that is not UTF-8 is in it as base64.")
    var json = false

    @Flag(help: "Prints nothing but the body, byte for byte.")
    var body = false

    func run() async throws {
        guard !(json && body) else { throw CommandFailure.usage("--json and --body exclude each other") }
        let address = try queueOption.address()
        guard let letter = try await DeadLetters.first(DeadLetterSelection(ids: [id]), in: address) else {
            throw CommandFailure("no dead letter ‘\(id)’ in \(address.name)", .misconfigured)
        }
        if body { return try StandardOutput.write(bytes: letter.body) }
        try StandardOutput.write(
            json ? JSONText.of(DeadLetterDocument(letter, withBody: true)) + "\n" : DeadLetterText.page(letter))
    }
}

struct DeadRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Puts dead letters back into the queue, with a fresh count of attempts.")

    @OptionGroup var change: DeadChange

    func run() async throws {
        try await change.carryOut(.retry, verb: "retry", done: "retried")
    }
}

struct DeadDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop", abstract: "Removes dead letters for good.")

    @OptionGroup var change: DeadChange

    func run() async throws {
        try await change.carryOut(.drop, verb: "drop", done: "dropped")
    }
}
