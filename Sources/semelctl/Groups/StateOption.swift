import ArgumentParser
import Semel

/// `--state`, the same for every subcommand.
struct StateOption: ParsableArguments {
    @Option(help: ArgumentHelp("Where the state of the groups is: a file.", valueName: "path"))
    var state: String

    func store() throws(CommandFailure) -> any StateStore {
        try StateFile(path: state)
    }
}
