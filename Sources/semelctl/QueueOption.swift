import ArgumentParser
import Foundation
import Semel
import SemelQueues

/// `--queue` and `--queue-file`, the same for every subcommand.
struct QueueOption: ParsableArguments {
    @Option(help: ArgumentHelp("The queue; SEMEL_QUEUE when it is not given.", valueName: "url"))
    var queue: String?

    @Option(
        help: ArgumentHelp("A file with the queue's URL; SEMEL_QUEUE_FILE when it is not given.", valueName: "path"))
    var queueFile: String?

    func address() throws(CommandFailure) -> QueueAddress {
        do throws(ConfigurationError) {
            return try NamedQueue(
                flag: queue, file: queueFile, environment: ProcessInfo.processInfo.environment
            ).address
        } catch {
            throw CommandFailure(error)
        }
    }
}
