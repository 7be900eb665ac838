import SemelKEDA
import Testing

/// A ScaledJob on a desk whose processes are the test's imagination.
struct Desk {
    var scaled: DeskScaledJob
    /// What was asked for since the last look.
    var started: [DeskPod.ID] = []
    var stopped: [DeskPod.ID] = []
    var told: [String] = []
    private(set) var now = Duration.zero

    init(job: String = "", spec: String = "maxReplicaCount: 20", pod: String = "restartPolicy: Never") throws {
        scaled = DeskScaledJob(try Self.scaledJob(job: job, spec: spec, pod: pod))
    }

    static func scaledJob(
        job: String = "", spec: String = "maxReplicaCount: 20", pod: String = "restartPolicy: Never"
    ) throws -> ScaledJob {
        let text = """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: scans}
            spec:
              \(spec.isEmpty ? "pollingInterval: 5" : spec)
              triggers: [{type: redis, metadata: {address: "a:1", listName: l, listLength: "1"}}]
              jobTargetRef: {\(job)\(job.isEmpty ? "" : ", ")template: {spec: {\(pod), containers: [{name: worker}]}}}
            """
        let manifest = try Manifest(text, file: "test")
        try #require(manifest.findings.isEmpty, "\(manifest.findings)")
        return try #require(manifest.scaledJobs.first)
    }

    private mutating func take(_ commands: [DeskCommand]) {
        for command in commands {
            switch command {
            case .start(let id): started.append(id)
            case .stop(let id, _): stopped.append(id)
            case .tell(let event): told.append(Self.words(event))
            }
        }
    }

    private static func words(_ event: DeskEvent) -> String {
        switch event {
        case .polled(let decision): "poll \(decision.running) \(decision.pending) -> \(decision.create)"
        case .jobCreated(let name): "created \(name)"
        case .jobFinished(let name, .complete): "complete \(name)"
        case .jobFinished(let name, .failed(let why)): "failed \(name) \(why)"
        case .jobDeleted(let name, _): "deleted \(name)"
        case .podStarted(let pod): "started \(pod.name)"
        case .podReady(let pod): "ready \(pod.name)"
        case .podEnded(let pod, let exit): "ended \(pod.name) \(exit.code)"
        case .changed(let generation, _): "changed \(generation)"
        }
    }

    mutating func poll(_ count: Double) {
        let metric = scaled.rules.metric(value: count, target: 1, isActive: count > 0)
        take(scaled.polled([metric], now))
    }

    /// Every process that was asked for runs.
    mutating func run() {
        for id in started { take(scaled.started(id, now)) }
        started = []
    }

    mutating func ready(_ number: Int, _ isReady: Bool = true) {
        for id in ids(number) { take(scaled.probed(id, isReady: isReady)) }
    }

    mutating func end(_ number: Int, _ exit: DeskExit = .exited(0)) {
        for id in ids(number) { take(scaled.ended(id, exit, now)) }
    }

    mutating func pass(_ seconds: Double) {
        now += .seconds(seconds)
        take(scaled.step(now))
    }

    mutating func change(_ job: ScaledJob, isOtherSpec: Bool = true) {
        take(scaled.changed(job, isOtherSpec: isOtherSpec, now))
    }

    mutating func drain() { take(scaled.drain()) }

    /// What was told since the last look.
    mutating func news() -> [String] {
        defer { told = [] }
        return told
    }

    private func ids(_ number: Int) -> [DeskPod.ID] {
        allPods.filter { $0.number == number }
    }

    private var allPods: [DeskPod.ID] {
        // Pods of deleted Jobs are known by their number only.
        Array(Set(scaled.jobs.flatMap(\.pods).map(\.id) + seen)).sorted()
    }

    private var seen: [DeskPod.ID] { stopped + started }
}
