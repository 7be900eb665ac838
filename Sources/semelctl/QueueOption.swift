import ArgumentParser
import Foundation
import Semel
import SemelQueues

/// `--queue`, the same for every subcommand.
struct QueueOption: ParsableArguments {
    @Option(help: ArgumentHelp("The queue; SEMEL_QUEUE when it is not given.", valueName: "url"))
    var queue: String?

    func address() throws(CommandFailure) -> QueueAddress {
        do throws(ConfigurationError) {
            return try NamedQueue(flag: queue, environment: ProcessInfo.processInfo.environment).address
        } catch {
            throw CommandFailure(error)
        }
    }
}
