import Semel

/// One run of `groups assign`: reads the state and all items, and replaces the state, or leaves it as it is.
struct Assignment: Sendable {
    let store: any StateStore
    let source: any ItemSource
    let settings: Assigner.Settings
    /// Whether items may be moved without being asked.
    let yes: Bool

    func run() async throws(CommandFailure) -> AssignSummary {
        let source = source
        Interruption.await { source.stop() }
        let tally = AssignTally()
        let progress = ProgressLine(tally)
        do throws(CommandFailure) {
            let change = try await store.begin()
            let summary = try await run(change, tally, progress)
            await source.close()
            return summary
        } catch {
            await progress.remove()
            await source.close()
            throw error
        }
    }

    private func run(_ change: any StateChange, _ tally: AssignTally, _ progress: ProgressLine)
        async throws(CommandFailure) -> AssignSummary
    {
        do throws(CommandFailure) {
            let assigner = try CommandFailure.wrapping { () throws(SystemError) in
                try Assigner(change, of: store, settings, input: source.name, tally: tally)
            }
            defer { assigner.close() }
            try await assigner.prepare()
            tally.begin("reading \(source.name)", of: nil)
            while let piece = try await nextPiece() { try await assigner.take(piece) }
            try Interruption.check()
            let summary = try await assigner.plan()
            if settings.rebalancing, summary.moved > 0 {
                await progress.remove()
                try consent(to: summary)
            }
            guard summary.changesSomething else {
                await progress.remove()
                await change.abandon()
                return summary
            }
            try await assigner.write()
            try await change.commit()
            await progress.remove()
            return summary
        } catch {
            await change.abandon()
            throw error
        }
    }

    private func nextPiece() async throws(CommandFailure) -> [UInt8]? {
        do throws(CommandFailure) {
            return try await source.next()
        } catch {
            throw CommandFailure("\(error.description); nothing was changed", error.outcome)
        }
    }

    private func consent(to summary: AssignSummary) throws(CommandFailure) {
        StandardError.write(summary.table)
        let share = Int((Double(summary.moved) / Double(max(1, summary.items)) * 100).rounded())
        try Confirmation.ask(
            "move \(summary.moved) of \(summary.items) items (\(share) %) to other groups?", yes: yes)
    }
}
