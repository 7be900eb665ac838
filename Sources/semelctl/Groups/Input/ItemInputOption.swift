import ArgumentParser
import Glibc

/// `--input` and `--input-command`.
struct ItemInputOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Where the items' keys are, one a line: a file, ‘-’ for standard input (the default, unless that is a terminal), or \
            the elements of a set, list or stream in Redis, redis://host:6379/0?set=name (list=name; stream=name&field=id).
            """, valueName: "source"))
    var input: String?

    @Option(
        help: ArgumentHelp(
            "A command for the shell that prints the keys; nothing is changed unless it exits with 0.",
            valueName: "command"))
    var inputCommand: String?

    var isGiven: Bool { input != nil || inputCommand != nil }

    func source() throws(CommandFailure) -> any ItemSource {
        switch (input, inputCommand) {
        case (_?, _?): throw .usage("--input and --input-command: items come from one or the other")
        case (nil, let command?): return try CommandSource(command)
        case ("", nil): throw .usage("--input: is empty")
        case (let input?, nil) where input != "-":
            return input.contains("://") ? try RedisSource(input) : try DescriptorSource(file: input)
        default:
            if input == nil, isatty(STDIN_FILENO) == 1 {
                throw .usage("no items: give their keys on standard input, or with --input or --input-command")
            }
            if fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE == O_WRONLY {
                throw .usage("no items: standard input is closed")
            }
            return try DescriptorSource.standardInput()
        }
    }
}
