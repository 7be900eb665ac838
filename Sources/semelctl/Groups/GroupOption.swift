import ArgumentParser
import Semel
import SemelGroups

/// What makes `enqueue` take a group's items for its messages.
struct GroupOption: ParsableArguments {
    @Option(help: ArgumentHelp("The items of a group: each key is the body of a message.", valueName: "number"))
    var group: String?

    @Option(help: ArgumentHelp("The state that says which items those are.", valueName: "path"))
    var state: String?

    @Option(
        help: ArgumentHelp(
            """
            Gives each item's message the id NAME-HASH, the same whenever this run is repeated; such as the Job's name.
            """, valueName: "name"))
    var run: String?

    @OptionGroup var inputOption: ItemInputOption

    /// `nil` when no group is meant.
    func reader(_ template: MessageTemplate) async throws(CommandFailure) -> GroupReader? {
        guard let group else {
            let others = [("--state", state != nil), ("--run", run != nil), ("--input", inputOption.isGiven)]
            if let other = others.first(where: \.1) { throw .usage("\(other.0): has a meaning only with --group") }
            return nil
        }
        guard let number = Int(group), number > 0 else {
            throw .usage("--group: ‘\(group)’ is not the number of a group; write 1 or more")
        }
        guard let state else { throw .usage("--group: needs the groups' state; name it with --state") }
        if let run, run.isEmpty || run.utf8.count > 200 { throw .usage("--run: has to have 1 to 200 bytes") }
        if ConfigMapPlace.isMeant(by: state) {
            throw .usage("--state: is read from a file here; mount the ConfigMap and name its file")
        }
        let store = try StateFile(path: state)
        guard let descriptor = try await store.read() else {
            throw .misconfigured("--state: there is no \(store.name); ‘semelctl groups assign’ makes it")
        }
        let text = try StateKeys(descriptor, source: store.name)
        guard let index = text.header.groups.firstIndex(where: { $0.number == number }) else {
            throw .misconfigured("--group: \(store.name) has no group \(number)")
        }
        if text.header.layout == .keys, inputOption.isGiven {
            throw .usage("--input: the keys are in the state, which has the layout ‘keys’")
        }
        let source: any ItemSource =
            switch text.header.layout {
            case .keys: try DescriptorSource(descriptor, name: store.name)
            case .buckets: try inputOption.source()
            }
        return try CommandFailure.wrapping { () throws(SystemError) in
            try GroupReader(source, of: index, in: text.header, template: template, run: run)
        }
    }
}
