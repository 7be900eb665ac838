import Semel

/// A worker, as it says of itself and as the cluster says of its pod. What is not known is left out.
@dynamicMemberLookup
struct WorkerDocument: Sendable, Encodable {
    /// The pod's name, else the address.
    var name: String
    /// `10.1.2.3:8082`; `nil` while the pod has none.
    var address: String?
    var node: String?
    /// What the worker answers (`IDLE`, `ING`, `COMPLETED`, `FAILED`), else `PENDING`, or `SILENT` when it does not answer.
    var state: String
    /// Why it is pending or silent.
    var problem: String?
    /// What it says of itself; in JSON its fields stand beside the others.
    private(set) var answer: WorkerAnswer?

    init(name: String, address: String? = nil, state: String, problem: String? = nil) {
        (self.name, self.address, self.state, self.problem) = (name, address, state, problem)
    }

    subscript<Value>(dynamicMember field: KeyPath<WorkerAnswer, Value?>) -> Value? { answer?[keyPath: field] }

    /// The last lines of the task, both streams, oldest first.
    var output: [String] { answer?.output ?? [] }

    /// Takes what the worker says of itself. Whatever answers there may be no worker of ours: no number of it is taken as it is.
    mutating func take(_ answer: WorkerAnswer) {
        var answer = answer
        answer.progress = answer.progress.map { min(max($0, 0), 1) }
        answer.seconds = answer.seconds.map { min(max($0, 0), 1e9) }
        (state, problem, self.answer) = (answer.state, nil, answer)
    }

    private enum CodingKeys: String, CodingKey {
        case name, address, node, state, problem, output
    }

    func encode(to encoder: any Encoder) throws {
        try answer?.encode(to: encoder)
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(name, forKey: .name)
        try object.encodeIfPresent(address, forKey: .address)
        try object.encodeIfPresent(node, forKey: .node)
        try object.encode(state, forKey: .state)
        try object.encodeIfPresent(problem, forKey: .problem)
        try object.encode(output, forKey: .output)
    }
}

/// What `GET /status` of a worker answers, as far as it is shown.
struct WorkerAnswer: Sendable, Codable {
    var state: String
    var queue: String?
    var messageId: String?
    var attempt: Int?
    var maxAttempts: Int?
    /// 0 to 1
    var progress: Double?
    var note: String?
    /// RFC 3339
    var started: String?
    var deadline: String?
    /// For how long the task has run.
    var seconds: Double?
    var outcome: String?
    var reason: String?
    var claimLost: String?
    var output: [String]?
}

/// A pod that is through, with what its worker left in the termination log.
struct EndedWorkerDocument: Sendable, Encodable {
    var name: String
    /// As in the termination log; `nil` when there was none to read.
    var outcome: String?
    var messageId: String?
    var attempt: Int?
    var reason: String?
    var exit: Int?
    /// RFC 3339
    var time: String?
}

/// The Jobs of all ScaledJobs.
struct JobCounts: Sendable, Encodable, Hashable {
    /// With a pod that is ready: its worker has claimed a message.
    var running = 0
    /// Without one.
    var pending = 0
    var succeeded = 0
    var failed = 0

    var unfinished: Int { running + pending }
}

struct WorkersReading: Sendable {
    var workers: [WorkerDocument] = []
    var ended: [EndedWorkerDocument] = []
    /// By the name of the ScaledJob; `nil` without a cluster.
    var jobs: [String: JobCounts]?
    /// `nil` before the first one.
    var time: Timestamp?
    /// Why the rest is older than it should be.
    var problem: String?

    /// Of all ScaledJobs together.
    var allJobs: JobCounts? {
        jobs?.values.reduce(into: JobCounts()) { sum, counts in
            sum.running += counts.running
            sum.pending += counts.pending
            sum.succeeded += counts.succeeded
            sum.failed += counts.failed
        }
    }
}
