import ArgumentParser
import Semel
import SemelGroups

struct AssignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assign",
        abstract: "Gives each item a group, and leaves it there.",
        discussion: """
            The input is all items that there are, a key a line: UTF-8 of at most 1024 bytes without control characters. A \
            carriage return at a line's end, empty lines and keys that come again make no difference.

            Items that are in the state stay in their group. New ones fill the last group, then the places of those that \
            are gone, and then new groups. Nothing is changed until all is known, and then at once.

            Exit codes: 0 done; 64 wrong usage; 65 a key that cannot be one, or more items are gone than --remove-at-most; 69 \
            the command failed, or Redis cannot be reached; 70 internal error; 75 the state is being changed by another; 77 \
            Redis refused the credentials; 78 the state or the input cannot be read, or a group is over its capacity; 130 or \
            143 stopped by a signal. Whenever it is not 0, nothing was changed.
            """)

    @OptionGroup var stateOption: StateOption

    @Option(
        help: ArgumentHelp(
            "How many items a group may have; without it, as many as the state says.", valueName: "items"))
    var capacity: String?

    @OptionGroup var inputOption: ItemInputOption

    @Option(
        help: ArgumentHelp(
            """
            Of a new state: ‘keys’ (every key is in it, the default) or ‘buckets’ (items belong to buckets by their hash, so \
            that it is small).
            """, valueName: "layout"))
    var layout: String?

    @Option(
        help: ArgumentHelp(
            "Refuses an input in which more of the state's items are missing.", valueName: "share"))
    var removeAtMost = "50%"

    @Flag(help: "Moves items into as few groups as will do, after it has shown what that costs.")
    var rebalance = false

    @Flag(help: "Does not ask whether items may be moved.")
    var yes = false

    @Flag(help: "Prints a JSON object.")
    var json = false

    func run() async throws {
        let settings = Assigner.Settings(
            capacity: try capacityNumber(), layout: try stateLayout(), rebalancing: rebalance,
            removedAtMost: try RemovalLimit(removeAtMost))
        if yes && !rebalance { throw CommandFailure.usage("--yes: has a meaning only with --rebalance") }
        let source = try inputOption.source()
        let summary = try await stateOption.withStore { store throws(CommandFailure) in
            try await Assignment(store: store, source: source, settings: settings, yes: yes).run()
        }
        try StandardOutput.write(json ? summary.json() : summary.line)
    }

    private func capacityNumber() throws(CommandFailure) -> Int? {
        guard let capacity else { return nil }
        guard let number = Int(capacity), number > 0 else {
            throw .usage("--capacity: ‘\(capacity)’ is not a number of items; write 1 or more")
        }
        return number
    }

    private func stateLayout() throws(CommandFailure) -> GroupState.Layout? {
        guard let layout else { return nil }
        guard let known = GroupState.Layout(rawValue: layout) else {
            throw .usage("--layout: ‘\(layout)’ is neither ‘keys’ nor ‘buckets’")
        }
        return known
    }
}

/// How many of the items in a state may be gone from one run to the next.
struct RemovalLimit: Sendable, CustomStringConvertible {
    let description: String
    /// From 0 to 1.
    let share: Double

    init(_ text: String) throws(CommandFailure) {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...100).contains(percent) else {
            throw .usage("--remove-at-most: ‘\(text)’ is not a share between 0% and 100%; write 10% or 100%")
        }
        description = text
        share = percent / 100
    }
}
