import Semel

struct WorkersView {
    struct Choice {
        let value: String
        let label: String
        let isChosen: Bool
    }

    let states: [Choice]
    let liveAddress: String
    let live: String

    init(state: String?, liveAddress: String, live: String) {
        states =
            [Choice(value: "", label: "all", isChosen: state == nil)]
            + WorkerStateWord.all.map { Choice(value: $0.state, label: $0.label, isChosen: $0.state == state) }
        (self.liveAddress, self.live) = (liveAddress, live)
    }
}

struct WorkersLiveView {
    struct Worker {
        let name: String
        let state: String
        let stateClass: String
        let problem: String?
        let claimLost: String?
        let isTask: Bool
        let progress: String?
        let percent: String
        let note: String?
        let messageId: String?
        let attempt: String?
        let elapsed: String?
        let deadline: String?
        let queue: String?
        let node: String?
        let outcome: String?
        let reason: String?
        let hasOutput: Bool
        let lines: String
        let output: String

        init(_ worker: WorkerDocument) {
            let word = WorkerStateWord.of(worker.state)
            (name, state, stateClass) = (worker.name, word.label, word.cssClass)
            (problem, claimLost) = (worker.problem, worker.claimLost)
            isTask = worker.messageId != nil
            progress = worker.progress.map { "\($0)" }
            percent = worker.progress.map { "\(Int(($0 * 100).rounded(.down))) %" } ?? "no progress told"
            (note, messageId) = (worker.note, worker.messageId)
            attempt = worker.attempt.map { number in
                worker.maxAttempts.map { "\(number) of \($0)" } ?? "\(number)"
            }
            elapsed = worker.messageId == nil ? nil : worker.seconds.map { HumanText.age($0) }
            deadline = worker.deadline.map { MomentText.of($0) }
            (queue, node) = (worker.queue, worker.node)
            (outcome, reason) = (worker.outcome, worker.reason)
            hasOutput = !worker.output.isEmpty
            lines = worker.output.count == 1 ? "line" : "\(worker.output.count) lines"
            output = worker.output.joined(separator: "\n")
        }
    }

    struct Ended {
        let name: String
        let time: String
        let outcome: String
        let messageId: String
        let attempt: String
        let exit: String
        let reason: String

        init(_ worker: EndedWorkerDocument) {
            name = worker.name
            time = worker.time.map { MomentText.of($0) } ?? "–"
            outcome = worker.outcome ?? "–"
            messageId = worker.messageId ?? "–"
            attempt = worker.attempt.map { "\($0)" } ?? "–"
            exit = worker.exit.map { "\($0)" } ?? "–"
            reason = worker.reason ?? ""
        }
    }

    let problem: String?
    /// When they could be read last.
    let since: String?
    let isLoading: Bool
    let isUnconfigured: Bool
    let isEmpty: Bool
    let workers: [Worker]
    let hasEnded: Bool
    let ended: [Ended]
    let pager: PagerView?

    init(_ source: WorkerSource, _ reading: WorkersReading?, state: String?, page: String?) {
        if case .none = source { isUnconfigured = true } else { isUnconfigured = false }
        isLoading = reading == nil && !isUnconfigured
        (problem, since) = (reading?.problem, reading?.time.map(MomentText.of))
        let all = (reading?.workers ?? []).filter { state == nil || $0.state == state }
        isEmpty = all.isEmpty && !isUnconfigured && !isLoading && problem == nil
        let paging = Paging(page, of: all.count)
        workers = all[paging.range].map { Worker($0) }
        ended = (reading?.ended ?? []).map { Ended($0) }
        hasEnded = !ended.isEmpty
        pager = PagerView(paging, "/workers", state.map { [("state", $0)] } ?? [])
    }
}
