import Glibc
import Semel
import SemelGroups

/// Works out the next state: learns the keys of the one before, sees those that come, and then writes the draft. Has a
/// thread of its own, on which it reads and writes files.
actor Assigner {
    struct Settings: Sendable {
        /// `nil`: as the state has it.
        var capacity: Int?
        /// `nil`: as the state has it; of a new one `keys`, unless its text would be too large for where it is kept.
        var layout: GroupState.Layout?
        var rebalancing = false
        var removedAtMost: RemovalLimit
    }

    private nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let settings: Settings
    private let change: any StateChange
    private let store: any StateStore
    private let inputName: String
    private let tally: AssignTally

    private let hasher: KeyHasher
    private var table: KeyTable
    private var old: StateKeys?
    private var capacity = 0
    private var scratch: FileWriter
    /// An item's key, and the carriage return that may be behind it.
    private var cutter = LineCutter(longest: ItemKey.longest + 1)
    /// The items that have come, by their buckets.
    private var counts = [Int](repeating: 0, count: BucketSet.count)
    private var seen = AssignCounts()
    /// Whether the layout is `keys`, or may be.
    private var keepsKeys = true
    /// Whether it is `buckets`, or may be.
    private var countsBuckets = true
    private var next: NextState?

    private enum NextState {
        case keys(KeysDraft, KeysPlan)
        case buckets(GroupState)
    }

    init(
        _ change: any StateChange, of store: any StateStore, _ settings: Settings, input: String, tally: AssignTally
    ) throws(SystemError) {
        self.settings = settings
        self.change = change
        self.store = store
        inputName = input
        self.tally = tally
        hasher = try KeyHasher()
        table = try KeyTable(expecting: 0)
        scratch = FileWriter(change.scratch, name: "the new keys")
        thread = try ThreadExecutor("semelctl-groups")
    }

    /// Reads the state as it is. No key is looked at before.
    func prepare() throws(CommandFailure) {
        old = try change.old.map { old throws(CommandFailure) in try StateKeys(old, source: store.name) }
        guard let capacity = settings.capacity ?? old?.header.capacity else {
            throw .usage("--capacity: is not given, and there is no state at \(store.name) yet that says it")
        }
        self.capacity = capacity
        let known = old?.header.layout ?? settings.layout ?? (store.largestText == nil ? .keys : nil)
        keepsKeys = known != .buckets
        countsBuckets = known != .keys
        guard let old else { return }
        let layout = old.header.layout
        guard settings.layout == nil || settings.layout == layout else {
            throw .usage(
                "--layout: \(store.name) has the layout ‘\(layout.rawValue)’; begin a new state to have another, which gives "
                    + "most items another group")
        }
        tally.begin("reading \(store.name)", of: old.header.items)
        table = try CommandFailure.wrapping { () throws(SystemError) in
            try KeyTable(expecting: old.header.items / 20 * 21)
        }
        guard layout == .keys else { return }
        try old.read { group, key throws(CommandFailure) in
            let isNew = try CommandFailure.wrapping { () throws(SystemError) in try table.learn(hasher.digest(key)) }
            guard isNew else {
                let key = String(decoding: key, as: UTF8.self)
                throw .misconfigured("\(store.name): group \(old.header.groups[group].number): ‘\(key)’ is there twice")
            }
            tally.count()
            return true
        }
    }

    /// Takes a piece of the input, cut wherever it may be.
    func take(_ piece: [UInt8]) throws(CommandFailure) {
        let result = piece.withUnsafeBytes { bytes in
            Result { () throws(CommandFailure) in
                try cutter.cut(bytes) { line, number throws(CommandFailure) in try see(line, number) }
            }
        }
        try result.get()
    }

    private func see(_ line: UnsafeRawBufferPointer, _ number: Int) throws(CommandFailure) {
        let key = ItemKey.key(in: line)
        guard !key.isEmpty else { return }
        if let problem = ItemKey.problem(key) { throw .badData("\(inputName):\(number): the key \(problem)") }
        let (digest, sight) = try CommandFailure.wrapping { () throws(SystemError) in
            let digest = try hasher.digest(key)
            return (digest, try table.see(digest))
        }
        tally.count()
        switch sight {
        case .again: seen.repeated += 1
        case .known: seen.known += 1
        case .new:
            seen.new += 1
            if keepsKeys { try scratch.writeLine(key) }
        }
        if countsBuckets, sight != .again { counts[digest.bucket] += 1 }
    }

    /// At the end of the input: what there is to be done.
    func plan() throws(CommandFailure) -> AssignSummary {
        try cutter.finish { line, number throws(CommandFailure) in try see(line, number) }
        try scratch.flush()
        return switch old?.header.layout ?? settings.layout ?? fittingLayout {
        case .keys: try planKeys()
        case .buckets: try planBuckets()
        }
    }

    /// Of a new state: `keys`, unless its text would be too large for where it is kept.
    private var fittingLayout: GroupState.Layout {
        guard let largest = store.largestText else { return .keys }
        // Before a key come the number of its group and a space, and each group has a line in the header.
        return scratch.byteCount + 8 * seen.new > largest ? .buckets : .keys
    }

    private func planKeys() throws(CommandFailure) -> AssignSummary {
        let before = old?.header.items ?? 0
        var summary = AssignSummary(
            before: old?.header, items: seen.known + seen.new, added: seen.new, removed: before - seen.known,
            repeated: seen.repeated)
        try check(summary, before)
        tally.begin("looking who is gone", of: nil)
        let draft = try KeysDraft(old: old, table, hasher, comeCount: seen.known)
        let plan = try CommandFailure.wrapping { () throws(ConfigurationError) in
            try KeysPlan(
                there: draft.there, new: seen.new, capacity: capacity, rebalancing: settings.rebalancing)
        }
        next = .keys(draft, plan)
        summary.moved = plan.moved
        summary.after = GroupState(
            layout: .keys, capacity: capacity,
            groups: plan.groups.map { GroupState.Group(number: $0.group, items: $0.items) })
        return summary
    }

    /// Who came and who went is not known here, only how many more there are, or fewer.
    private func planBuckets() throws(CommandFailure) -> AssignSummary {
        let before = old?.header.items ?? 0
        let items = seen.known + seen.new
        var summary = AssignSummary(
            before: old?.header, items: items, added: max(0, items - before), removed: max(0, before - items),
            repeated: seen.repeated)
        try check(summary, before)
        let plan = try CommandFailure.wrapping { () throws(ConfigurationError) in
            try BucketsPlan(
                counts: counts, owners: old?.header.bucketOwners ?? Array(repeating: 0, count: BucketSet.count),
                capacity: capacity, rebalancing: settings.rebalancing)
        }
        if let former = old?.header.capacity, capacity < former, plan.moved > 0, !settings.rebalancing {
            throw .misconfigured(
                "--capacity: with \(capacity) in place of \(former), \(plan.moved) items would have to be moved; that is not "
                    + "done without --rebalance")
        }
        let state = GroupState(layout: .buckets, capacity: capacity, groups: plan.groups)
        next = .buckets(state)
        summary.moved = plan.moved
        summary.after = state
        return summary
    }

    /// In front of a mistake that would empty groups: an input that was cut off, or that of something else.
    private func check(_ summary: AssignSummary, _ before: Int) throws(CommandFailure) {
        guard old != nil || summary.items > 0 || settings.removedAtMost.share == 1 else {
            throw .badData("\(inputName): there are no items; --remove-at-most 100% makes a state that has none")
        }
        guard Double(summary.removed) > Double(before) * settings.removedAtMost.share else { return }
        throw .badData(
            "\(inputName): \(summary.removed) of \(before) items are not in it any more, over the \(settings.removedAtMost) of "
                + "--remove-at-most; nothing was changed")
    }

    /// Writes the draft.
    func write() throws(CommandFailure) {
        tally.begin("writing \(store.name)", of: nil)
        switch next {
        case .keys(var draft, let plan):
            next = nil
            try draft.write(plan, capacity: capacity, scratch: change.scratch, to: change.draft)
        case .buckets(let state):
            var output = FileWriter(change.draft, name: "the new state")
            try output.write(Array(state.header.utf8))
            try output.flush()
        case nil: break
        }
    }

    nonisolated func close() {
        thread.stop()
    }
}

/// What has come.
private struct AssignCounts {
    /// Items of the state.
    var known = 0
    var new = 0
    /// Keys that had come before.
    var repeated = 0
}
