import Semel
import SemelKEDA

/// Something that happened: one line, for people or for a program.
struct ScaleLine: Encodable, Sendable {
    enum Event: String, Encodable, Sendable {
        case poll
        case jobCreated = "job-created"
        case jobComplete = "job-complete"
        case jobFailed = "job-failed"
        case jobDeleted = "job-deleted"
        case podStarted = "pod-started"
        case podReady = "pod-ready"
        case podEnded = "pod-ended"
        case changed, problem, draining
    }

    /// Since the command began.
    var seconds: Double
    var event: Event
    var job: String?
    var pod: String?
    var address: String?
    var exit: Int32?
    /// What the worker's termination log says.
    var outcome: String?
    var reason: String?
    var queueLength: Int64?
    var maxScale: Int64?
    var running: Int64?
    var pending: Int64?
    var create: Int64?
    var generation: Int?

    init(_ event: Event, at now: Duration) {
        self.event = event
        seconds = (now.seconds * 1_000).rounded() / 1_000
    }

    init(_ event: DeskEvent, at now: Duration) {
        switch event {
        case .polled(let decision):
            self.init(.poll, at: now)
            (queueLength, maxScale, create) = (decision.queueLength, decision.maxScale, decision.create)
            (running, pending) = (decision.running, decision.pending)
            if decision.operatorPanics { reason = "KEDA's operator panics; see semelctl explain" }
        case .jobCreated(let name):
            self.init(.jobCreated, at: now)
            job = name
        case .jobFinished(let name, .complete):
            self.init(.jobComplete, at: now)
            job = name
        case .jobFinished(let name, .failed(let why)):
            self.init(.jobFailed, at: now)
            (job, reason) = (name, why)
        case .jobDeleted(let name, let why):
            self.init(.jobDeleted, at: now)
            (job, reason) = (name, why)
        case .podStarted(let pod):
            self.init(.podStarted, at: now)
            self.pod = pod.name
        case .podReady(let pod):
            self.init(.podReady, at: now)
            self.pod = pod.name
        case .podEnded(let pod, let exit):
            self.init(.podEnded, at: now)
            (self.pod, self.exit) = (pod.name, exit.code)
        case .changed(let generation, let isGradual):
            self.init(.changed, at: now)
            self.generation = generation
            reason = isGradual ? "running Jobs go on" : "the rollout is not gradual"
        }
    }

    /// `  12.3 s  pod rabbitmq-amqp-7-1 ended: exit 0, completed`
    var text: String {
        let time = HumanText.seconds(.milliseconds(Int64(seconds * 1_000)))
        return String(repeating: " ", count: max(0, 9 - time.count)) + time + "  " + words
    }

    private var words: String {
        // A worker writes its reason itself.
        let because = reason.map { ": \($0.onOneLine)" } ?? ""
        let (job, pod) = (job ?? "", pod ?? "")
        switch event {
        case .poll:
            let jobs = "R = \(running ?? 0) unfinished, P = \(pending ?? 0) pending"
            return "poll: Q = \(queueLength ?? 0) queued, \(jobs): \(create ?? 0) created\(because)"
        case .jobCreated: return "job \(job) created"
        case .jobComplete: return "job \(job) complete"
        case .jobFailed: return "job \(job) failed\(because)"
        case .jobDeleted: return "job \(job) deleted\(because)"
        case .podStarted: return "pod \(pod) started on \(address ?? "")"
        case .podReady: return "pod \(pod) ready"
        case .podEnded:
            return "pod \(pod) ended: exit \(exit ?? 0)\(outcome.map { ", \($0.onOneLine)" } ?? "")\(because)"
        case .changed: return "changed: generation \(generation ?? 0)\(because)"
        case .problem: return "problem\(because)"
        case .draining: return "draining\(because)"
        }
    }
}

/// What a run came to.
struct ScaleSummary: Encodable, Sendable {
    private let event = "summary"
    var scaledJob: String
    var seconds: Double
    var polls: Int
    var jobsCreated: Int
    var jobsComplete: Int
    var jobsFailed: Int
    /// Before they had ended.
    var jobsDeleted: Int
    /// Complete Jobs whose workers say that there was no message for them.
    var idleJobs: Int
    var peakJobs: Int
    /// How many workers ended with which outcome, as their termination logs say.
    var outcomes: [String: Int]

    var text: String {
        let ends = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.onOneLine)" }.joined(separator: ", ")
        let deleted = jobsDeleted == 0 ? "" : ", \(jobsDeleted) deleted"
        return
            "Jobs: \(jobsCreated) created, at most \(peakJobs) at a time; \(jobsComplete) complete, \(idleJobs) of them "
            + "idle, \(jobsFailed) failed\(deleted)\(ends.isEmpty ? "" : "; workers: \(ends)")\n"
    }
}
