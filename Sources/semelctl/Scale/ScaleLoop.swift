import ArgumentParser
import AsyncHTTPClient
import Foundation
import Glibc
import NIOSSL
import Semel
import SemelCommand
import SemelKEDA

/// The loop: whatever happens comes through one stream, is told to the ScaledJob, and what that answers is done.
actor ScaleLoop {
    private enum Happening: Sendable {
        case polled(TriggerPoll, since: Duration)
        case pod(DeskPod.ID, PodRunner.News)
        case graceIsOver(DeskPod.ID)
        case filesChanged
        case interrupted
        case time
    }

    private let settings: ScaleSettings
    private let clock = ContinuousClock()
    private let start = ContinuousClock.now
    private let happenings: AsyncStream<Happening>
    private let happen: AsyncStream<Happening>.Continuation
    private let client: HTTPClient
    private let directory: String
    private let firstOctet = 16 + Int(getpid()) % 200

    private var files: ScaleManifest
    private var desk: DeskScaledJob
    /// What Jobs were made of, by their generation: a Job keeps its template whatever the file says later.
    private var templates: [Int: ScaledJob]
    private var output: ScaleOutput
    private var pods: [DeskPod.ID: PodRunner] = [:]
    private var ends = ScaleEnds()
    private var nextPoll: Duration? = .zero
    private var hasPolled = false
    private var pollsAgain = false
    private var emptySince: Duration?
    private var emptyPolls = 0
    private var isDraining = false
    private var alarm: Task<Void, Never>?
    private var graces: [DeskPod.ID: Task<Void, Never>] = [:]
    /// What the last poll could not read: it is told once.
    private var failures: Set<String> = []

    init(_ settings: ScaleSettings, _ files: ScaleManifest) throws(CommandFailure) {
        self.settings = settings
        self.files = files
        desk = DeskScaledJob(files.job, settings.version)
        templates = [desk.generation: files.job]
        output = ScaleOutput(isJSON: settings.isJSON)
        (happenings, happen) = AsyncStream.makeStream(of: Happening.self)
        directory =
            FileManager.default.temporaryDirectory.appendingPathComponent(
                "semelctl-scale-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            ).path
        // What may fail comes first: a client has to be shut down, and the directory to be removed.
        if let logs = settings.logs {
            try? FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
            guard access("\(logs)/.", W_OK | X_OK) == 0 else {
                let reason = SystemError(doing: "write to the directory ‘\(logs)’").description
                throw CommandFailure("--logs: \(reason)", .misconfigured)
            }
        }
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure("\(directory): cannot be made", .misconfigured)
        }
        // The kubelet does not check a pod's certificate either.
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow))
    }

    private var now: Duration { clock.now - start }

    func run() async throws {
        PodOrphans.adopt()
        for line in files.omissions { StandardError.write("semelctl: \(line)\n") }
        if files.job.isPaused { StandardError.write("semelctl: the ScaledJob is paused: nothing is made of it\n") }
        let happen = happen
        let directory = directory
        Interruption.await {
            happen.yield(.interrupted)
        } again: {
            Self.endAtOnce(directory)
        }
        let watch = FileWatch(paths: settings.manifest.files.filter { $0 != "-" })
        let watching = Task { await watch.run { happen.yield(.filesChanged) } }
        let refreshing = output.isTable ? Task { await Self.refresh { happen.yield(.time) } } : nil
        defer {
            watching.cancel()
            refreshing?.cancel()
            alarm?.cancel()
        }
        happen.yield(.time)
        var trouble: (any Error)?
        do { try await handleAll() } catch { trouble = error }
        await cleanUp()
        if let trouble { throw trouble }
        try output.draw(desk, now, isLast: true)
        try output.end(summary)
        if let (outcome, signal) = Interruption.outcome { throw CommandFailure("stopped by \(signal)", outcome) }
        if desk.tally.failed > 0 { throw ExitCode(1) }
    }

    /// On a second signal. Not through the loop, which may be waiting for somebody to read what it writes.
    private static func endAtOnce(_ directory: String) {
        // Every process is a child of this one, or becomes one when its parent is killed.
        Orphans.end()
        remove(directory)
        let (outcome, signal) = Interruption.outcome ?? (.terminated, "SIGTERM")
        StandardError.write("semelctl: stopped by \(signal), everything is killed\n")
        _exit(outcome.exitCode)
    }

    /// The loop may remove a pod's part of it at the same time, which makes the removal of the whole fail.
    private static func remove(_ directory: String) {
        for _ in 1...100 {
            try? FileManager.default.removeItem(atPath: directory)
            guard FileManager.default.fileExists(atPath: directory) else { return }
        }
    }

    private static func refresh(_ body: @Sendable () -> Void) async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { body() }
    }

    private func handleAll() async throws(CommandFailure) {
        for await happening in happenings {
            try handle(happening)
            if try isOver() { return }
            setAlarm()
            try output.draw(desk, now)
        }
    }

    /// Nothing survives: whatever the reason is for the end.
    private func cleanUp() async {
        for grace in graces.values { grace.cancel() }
        for pod in pods.values {
            pod.endProbing()
            pod.process.kill9()
        }
        // Fails only when it is ended twice.
        try? await client.shutdown()
        let directory = directory
        let isDone = OneShot<Bool>()
        do throws(SystemError) {
            try startThread("semelctl-end") {
                Orphans.end()
                Self.remove(directory)
                isDone.fulfil(true)
            }
            _ = await isDone.wait()
        } catch {}
    }

    private var summary: ScaleSummary {
        let tally = desk.tally
        return ScaleSummary(
            scaledJob: desk.scaledJob.name, seconds: (now.seconds * 1_000).rounded() / 1_000, polls: tally.polls,
            jobsCreated: tally.created, jobsComplete: tally.complete, jobsFailed: tally.failed,
            jobsDeleted: tally.deleted, idleJobs: ends.idleJobs, peakJobs: tally.peak, outcomes: ends.outcomes)
    }

    // MARK: What happens

    private func handle(_ happening: Happening) throws(CommandFailure) {
        switch happening {
        case .time: try perform(desk.step(now))
        case .polled(let poll, let since): try polled(poll, since: since)
        case .pod(let id, let news): try podTells(id, news)
        case .graceIsOver(let id): pods[id]?.process.kill9()
        case .filesChanged: try reload()
        case .interrupted: try drain()
        }
        if let due = nextPoll, now >= due, !isDraining { beginPoll() }
    }

    /// The period begins with the check, so a slow check is followed by the next one at once.
    private func beginPoll() {
        nextPoll = nil
        let (files, rules, since, happen) = (files, desk.rules, now, happen)
        Task { happen.yield(.polled(await TriggerPoll.read(files, rules), since: since)) }
    }

    private func polled(_ poll: TriggerPoll, since: Duration) throws(CommandFailure) {
        guard !isDraining else { return }
        // Nothing runs yet: better to end than to repeat that the queue is not there.
        if !hasPolled, !desk.scaledJob.isPaused, let failure = poll.failures.first { throw failure }
        hasPolled = true
        let before = failures
        failures = Set(poll.failures.map(\.description))
        for failure in failures.subtracting(before).sorted() {
            try tellProblem("\(failure); KEDA leaves the trigger out")
        }
        emptySince = poll.isEmpty ? emptySince ?? since : nil
        emptyPolls = poll.isEmpty && desk.isQuiet ? emptyPolls + 1 : 0
        try perform(desk.polled(poll.metrics, now))
        let period = settings.poll ?? .seconds(desk.scaledJob.pollingSeconds)
        nextPoll = pollsAgain ? now : max(now, since + period)
        pollsAgain = false
        if case .afterOnePoll = settings.end { nextPoll = nil }
    }

    private func podTells(_ id: DeskPod.ID, _ news: PodRunner.News) throws(CommandFailure) {
        switch news {
        case .started: try perform(desk.started(id, now))
        case .probed(let isReady): try perform(desk.probed(id, isReady: isReady))
        case .ended(let exit): try perform(ended(id, exit))
        case .failed(let error):
            try tellProblem("pod \(pods[id]?.name ?? ""): \(error.description)")
            // As Kubernetes reports a container that cannot be started.
            try perform(ended(id, .exited(128)))
        }
    }

    private func ended(_ id: DeskPod.ID, _ exit: DeskExit) -> [DeskCommand] {
        if let pod = pods[id] {
            pod.endProbing()
            ends.note(pod)
        }
        return desk.ended(id, exit, now)
    }

    private func reload() throws(CommandFailure) {
        guard !isDraining else { return }
        let read: ScaleManifest
        do throws(CommandFailure) { read = try ScaleManifest.read(settings) } catch {
            return try tellProblem("\(error.description); going on with what was before")
        }
        let isOtherSpec = read.job.source["spec"]?.fingerprint != files.job.source["spec"]?.fingerprint
        let isPausedNow = read.job.isPaused != files.job.isPaused
        files = read
        let deleted = desk.tally.deleted
        let commands = desk.changed(read.job, isOtherSpec: isOtherSpec, now)
        let inUse = Set(desk.unfinished.map(\.generation))
        templates = templates.filter { inUse.contains($0.key) }
        templates[desk.generation] = read.job
        try perform(commands)
        if case .afterOnePoll = settings.end {
            // Its Jobs are deleted: they are made again, so that the end does not say of them that they are done.
            guard hasPolled, desk.tally.deleted > deleted else { return }
            (hasPolled, nextPoll) = (false, now)
            return
        }
        // KEDA begins its loop anew, with a poll at once.
        guard isOtherSpec || isPausedNow else { return }
        if nextPoll == nil { pollsAgain = true } else { nextPoll = now }
    }

    private func drain() throws(CommandFailure) {
        isDraining = true
        var line = ScaleLine(.draining, at: now)
        line.reason = "unfinished Jobs: \(desk.unfinished.count); another signal kills them"
        try output.tell(line)
        try perform(desk.drain())
    }

    // MARK: What is done

    private func perform(_ commands: [DeskCommand]) throws(CommandFailure) {
        for command in commands {
            switch command {
            case .start(let id): try startPod(id)
            case .stop(let id, let grace): stopPod(id, grace)
            case .tell(let event): try tell(event)
            }
        }
    }

    private func startPod(_ id: DeskPod.ID) throws(CommandFailure) {
        guard let pod = desk.pod(id), let job = desk.job(of: id) else { return }
        let template = templates[job.generation] ?? files.job
        // 127.0.0.1 is everybody's; two of these commands hardly ever share the second number.
        let address = "127.\(firstOctet).\(id.number / 254 % 256).\(id.number % 254 + 1)"
        do {
            let identity = PodCommand.Identity(name: pod.name, jobName: job.name, address: address, node: Host.name)
            let command = try PodCommand(template, in: files.manifest, settings.image, identity)
            let happen = happen
            pods[id] = try PodRunner(
                pod, jobName: job.name, command, container: template.job?.template?.containers.first,
                directory: "\(directory)/\(pod.name)", log: settings.logs.map { "\($0)/\(pod.name).log" },
                client: client
            ) { happen.yield(.pod($0, $1)) }
        } catch {
            try tellProblem("pod \(pod.name): \(error)")
            happen.yield(.pod(id, .ended(.exited(128))))
        }
    }

    private func stopPod(_ id: DeskPod.ID, _ grace: Duration) {
        pods[id]?.process.signal(SIGTERM)
        let happen = happen
        graces[id] = Task {
            guard (try? await Task.sleep(for: grace)) != nil else { return }
            happen.yield(.graceIsOver(id))
        }
    }

    private func tell(_ event: DeskEvent) throws(CommandFailure) {
        var line = ScaleLine(event, at: now)
        switch event {
        case .podStarted(let pod): line.address = pods[pod.id]?.address
        case .podEnded(let pod, _):
            let words = pods[pod.id]?.lastWords
            (line.outcome, line.reason) = (words?.outcome, words?.reason)
            pods[pod.id] = nil
            graces.removeValue(forKey: pod.id)?.cancel()
            try? FileManager.default.removeItem(atPath: "\(directory)/\(pod.name)")
        case .jobFinished(let name, let verdict): ends.finished(name, verdict)
        case .jobDeleted(let name, _): ends.forget(name)
        default: break
        }
        try output.tell(line)
    }

    private func tellProblem(_ reason: String) throws(CommandFailure) {
        var line = ScaleLine(.problem, at: now)
        line.reason = reason
        try output.tell(line)
    }

    /// Comes back when something is due.
    private func setAlarm() {
        alarm?.cancel()
        guard let time = [desk.nextTime, isDraining ? nil : nextPoll].compactMap({ $0 }).min() else { return }
        let (pause, happen) = (max(.milliseconds(1), time - now), happen)
        alarm = Task {
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            happen.yield(.time)
        }
    }

    private func isOver() throws(CommandFailure) -> Bool {
        guard desk.isQuiet else { return false }
        if isDraining { return true }
        switch settings.end {
        case .never: return false
        case .afterOnePoll: return hasPolled
        case .whenEmpty(let patience):
            // A single look may come between a worker's end and its message's return.
            guard emptyPolls >= 2, let since = emptySince else { return false }
            return now - since >= patience ?? files.patience
        }
    }
}
