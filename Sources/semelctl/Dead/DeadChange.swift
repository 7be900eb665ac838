import ArgumentParser
import Glibc
import Semel
import SemelQueues
import Synchronization

/// Which dead letters to change, and whether to ask first.
struct DeadChange: ParsableArguments {
    @OptionGroup var queueOption: QueueOption

    @Argument(help: "The messages' ids, as ‘list’ shows them.")
    var ids: [String] = []

    @Option(help: "Those whose reason has this text in it, whatever the case.")
    var reason: String?

    @Flag(help: "All of them.")
    var all = false

    @Flag(help: "Does not ask.")
    var yes = false

    func carryOut(_ action: DeadLetterAction, verb: String, done: String) async throws {
        let address = try queueOption.address()
        let selection = try selection()
        // Looked at first: what is to be confirmed must be known, and nothing is held while somebody thinks about it.
        let letters = try await DeadLetters.matching(selection, in: address)
        for id in ids where !letters.contains(where: { $0.messageID == id }) {
            throw CommandFailure("no dead letter ‘\(id)’ in \(address.name); nothing was changed", .misconfigured)
        }
        guard !letters.isEmpty else { return StandardError.write("no dead letters\n") }
        try Confirmation.ask("\(verb) \(HumanText.messages(letters.count)) of \(address.name)?", yes: yes)
        let known = Set(letters.map(\.messageID))
        let changed = Mutex(0)
        try await DeadLetters.visit(address) { letter in
            guard selection.contains(letter), known.contains(letter.messageID) else { return .keep }
            changed.withLock { $0 += 1 }
            return action
        }
        StandardError.write("\(done) \(HumanText.messages(changed.withLock { $0 }))\n")
    }

    private func selection() throws(CommandFailure) -> DeadLetterSelection {
        let ways = [!ids.isEmpty, reason != nil, all].count { $0 }
        guard ways == 1 else {
            throw .usage(ways == 0 ? "name ids, --reason TEXT or --all" : "ids, --reason and --all exclude each other")
        }
        return DeadLetterSelection(ids: ids.isEmpty ? nil : Set(ids), reason: reason)
    }
}

enum DeadLetters {
    /// All of them, since several may have the same id.
    static func matching(_ selection: DeadLetterSelection, in address: QueueAddress) async throws(CommandFailure)
        -> [StoredDeadLetter]
    {
        let found = Mutex<[StoredDeadLetter]>([])
        try await visit(address) { letter in
            if selection.contains(letter) { found.withLock { $0.append(letter) } }
            return .keep
        }
        return found.withLock { $0 }
    }

    static func first(_ selection: DeadLetterSelection, in address: QueueAddress) async throws(CommandFailure)
        -> StoredDeadLetter?
    {
        let found = OneShot<StoredDeadLetter>()
        try await visit(address) { letter in
            guard selection.contains(letter) else { return .keep }
            found.fulfil(letter)
            return .stop
        }
        return found.value
    }

    static func visit(
        _ address: QueueAddress, _ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction
    ) async throws(CommandFailure) {
        let store: any DeadLetterStore
        do throws(SystemError) {
            store = try address.deadLetters(log: .silent)
        } catch { throw CommandFailure(error) }
        do throws(QueueFailure) { try await store.visit(decide) } catch { throw CommandFailure(error) }
        await store.close()
    }
}
