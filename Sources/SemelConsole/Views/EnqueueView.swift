import Semel

struct EnqueueView {
    let queues: [QueueLink]
    let problem: String?
    let body: String
    let type: String
    let id: String
    let headers: String
    let formToken: String
    let mostBytes: String

    /// - Parameter form: What was sent and could not be taken; it is shown again.
    init(_ queues: [ConsoleQueue], chosen: String?, _ form: Form?, problem: String?, formToken: String) {
        self.queues = queues.map { QueueLink(slug: $0.slug, isCurrent: $0.slug == chosen) }
        self.problem = problem
        (body, type) = (form?["body"] ?? "", form?["type"] ?? "")
        (id, headers) = (form?["id"] ?? "", form?["headers"] ?? "")
        self.formToken = formToken
        mostBytes = HumanText.bytes(EnqueueRoutes.mostBytes)
    }
}

struct DecisionView {
    struct Decision {
        let scaledJob: String
        let summary: String
        let problems: [String]
        let text: String

        init(_ decision: DecisionDocument) {
            scaledJob = decision.scaledJob
            let jobs = decision.create == 1 ? "1 Job" : "\(decision.create) Jobs"
            summary =
                "KEDA would create \(jobs) now, with \(decision.running) unfinished, "
                + "\(decision.pending) of them pending."
            (problems, text) = (decision.problems, decision.text)
        }
    }

    let isUnconfigured: Bool
    let decisions: [Decision]
}
