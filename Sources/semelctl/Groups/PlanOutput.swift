import Semel
import SemelGroups
import SemelKubernetes

/// What is to be done, or has been.
struct PlanOutput {
    private let plan: GroupPlan
    private let groups: String
    private let prune: Bool

    init(_ plan: GroupPlan, _ groups: String, prune: Bool) {
        (self.plan, self.groups, self.prune) = (plan, groups, prune)
    }

    var changeCount: Int { plan.entries.count { $0.isWrite || (prune && $0.isDeletable) } }

    func write(json: Bool, isDone: Bool) throws(CommandFailure) {
        if json { return try StandardOutput.write(object(isDone: isDone).text + "\n") }
        // What is as it was is of interest only to whoever asks what would be done.
        let rows = plan.entries.filter { !isDone || $0.action != .unchanged }
        if !rows.isEmpty { try StandardOutput.write(table(rows)) }
        StandardError.write(summary(isDone: isDone) + "\n")
    }

    private func table(_ rows: [GroupPlan.Entry]) -> String {
        let cells = [["CRONJOB", "GROUP", "ACTION", "WHAT"]] + rows.flatMap(lines)
        let widths = (0..<3).map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            let columns = (0..<3).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
            let line = (columns + [row[3]]).joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }

    private func lines(_ entry: GroupPlan.Entry) -> [[String]] {
        let words: [String]
        switch entry.action {
        case .create, .unchanged: words = [""]
        case .update(let differences): words = differences.map(\.text)
        case .orphaned(let running): words = [fate(running)]
        }
        return words.enumerated().map { index, word in
            index == 0 ? [entry.name, entry.group, entry.action.word, word] : ["", "", "", word]
        }
    }

    private func fate(_ running: [String]) -> String {
        guard prune else { return "stays; --prune deletes it" }
        return running.isEmpty ? "is deleted" : "stays until Job \(running.joined(separator: ", ")) has ended"
    }

    /// `nightly: 1 created, 3 updated, 996 unchanged, 1 orphaned (deleted)`
    private func summary(isDone: Bool) -> String {
        let (create, update) = isDone ? ("created", "updated") : ("to create", "to update")
        var parts = [
            "\(plan.count("create")) \(create)", "\(plan.count("update")) \(update)",
            "\(plan.count("unchanged")) unchanged",
        ]
        let orphans = plan.count("orphaned")
        if orphans > 0 {
            let deleted = prune ? plan.entries.count(where: \.isDeletable) : 0
            let word = isDone ? "deleted" : "to delete"
            parts.append("\(orphans) orphaned" + (prune ? " (\(deleted) \(word))" : " (--prune deletes them)"))
        }
        return "\(groups): \(parts.joined(separator: ", "))"
    }

    private func object(isDone: Bool) -> JSONValue {
        [
            "groups": .string(groups), "dryRun": .bool(!isDone),
            "create": .integer(Int64(plan.count("create"))), "update": .integer(Int64(plan.count("update"))),
            "unchanged": .integer(Int64(plan.count("unchanged"))),
            "orphaned": .integer(Int64(plan.count("orphaned"))),
            "delete": .integer(Int64(prune ? plan.entries.count(where: \.isDeletable) : 0)),
            "cronJobs": .array(plan.entries.filter { $0.action != .unchanged }.map(object)),
        ]
    }

    private func object(_ entry: GroupPlan.Entry) -> JSONValue {
        var object: JSONValue = [
            "name": .string(entry.name), "group": .string(entry.group), "action": .string(entry.action.word),
        ]
        switch entry.action {
        case .create, .unchanged: break
        case .update(let differences):
            object["changes"] = .array(
                differences.map { difference in
                    [
                        "field": .string(difference.path), "before": difference.before.map { .string($0) } ?? .null,
                        "after": difference.after.map { .string($0) } ?? .null,
                    ]
                })
        case .orphaned(let running):
            object["running"] = .array(running.map { .string($0) })
            object["deleted"] = .bool(prune && running.isEmpty)
        }
        return object
    }
}
