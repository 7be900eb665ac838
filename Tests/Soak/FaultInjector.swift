import Foundation
import Glibc
import TestSupport

/// Breaks something every 50 to 500 ms: a worker, the network, now and then the server. What is broken is mended again;
/// of the faults that everybody feels there is one at a time.
actor FaultInjector {
    struct WorkerFault: Sendable {
        let kind: FaultKind
        let worker: Int
        let time: Int64
    }

    private let queue: any SoakQueue
    private let crew: WorkerCrew
    private var random: SeededRandom
    private(set) var workerFaults: [WorkerFault] = []
    private(set) var outages: [Outage] = []
    private(set) var failure: (any Error)?
    private var isBroken = false
    private var pending: [Task<Void, Never>] = []
    private var pausedWorkers = Set<Int>()

    /// So many at most stand still at the same time.
    private static let mostPaused = 6

    init(queue: any SoakQueue, crew: WorkerCrew, seed: UInt64) {
        self.queue = queue
        self.crew = crew
        random = SeededRandom(seed)
    }

    /// Injects faults until `end`; returns when all of them are over. In between, while the server is whole, it does
    /// what else there is to do about it.
    func run(until end: ContinuousClock.Instant, restarts: Int, meanwhile: () async throws -> Void) async throws {
        let start = ContinuousClock.now
        var due = (0..<restarts).map { index in
            // Spread over the time, so that each finds a queue that has recovered from the one before.
            start + (end - start) * ((Double(index) + Double.random(in: 0.2...0.8, using: &random)) / Double(restarts))
        }
        while ContinuousClock.now < end, failure == nil {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...500, using: &random)))
            if !isBroken { try await meanwhile() }
            if let next = due.first, ContinuousClock.now >= next, !isBroken, queue.proxy != nil {
                due.removeFirst()
                breakForAll(queue.serverFault)
            } else {
                await inject()
            }
        }
        for fault in pending { await fault.value }
        if let failure { throw failure }
    }

    private func inject() async {
        var kinds: [(FaultKind, Int)] = [(.killed, 25), (.paused, 16), (.pausedWithTask, 12), (.terminated, 17)]
        if queue.proxy != nil && !isBroken {
            kinds += [(.cut, 14), (.halfClosed, 8), (.frozen, 10), (.slowedAndCut, 12)] + queue.ownFaults
        }
        let kind = random.pick(kinds)
        switch kind {
        case .killed, .terminated, .paused, .pausedWithTask: await breakWorker(kind)
        default: breakForAll(kind)
        }
    }

    // MARK: Workers

    private func breakWorker(_ kind: FaultKind) async {
        if kind.pausesWorker && pausedWorkers.count >= Self.mostPaused { return }
        let candidates = await crew.workers.filter { !kind.pausesWorker || !pausedWorkers.contains($0.number) }
        guard let victim = candidates.randomElement(using: &random) else { return }
        workerFaults.append(WorkerFault(kind: kind, worker: victim.number, time: WallClock.now))
        switch kind {
        case .killed: victim.process.send(SIGKILL)
        case .terminated: victim.process.send(SIGTERM)
        default: pause(victim.number, victim.process, withTask: kind == .pausedWithTask)
        }
    }

    /// Shorter and longer than a lease and than the heartbeats' patience.
    private func pause(_ worker: Int, _ process: RunningProcess, withTask: Bool) {
        let span = random.duration(0.1...5)
        process.send(SIGSTOP)
        // A worker that stands still cannot collect its task: these numbers stay what they are until it goes on.
        let groups = withTask ? LeftBehind.children(of: process.pid) : []
        for group in groups { kill(-group, SIGSTOP) }
        pausedWorkers.insert(worker)
        pending.append(
            Task {
                try? await Task.sleep(for: span)
                for group in groups { kill(-group, SIGCONT) }
                process.send(SIGCONT)
                pausedWorkers.remove(worker)
            })
    }

    // MARK: The network and the server

    private func breakForAll(_ kind: FaultKind) {
        let span = random.duration(0.1...6)
        let delay = random.duration(0.01...0.2)
        let side = random.chance(0.5) ? TCPProxy.Side.client : .server
        let pause = Duration.seconds(Double.random(in: 0...2, using: &random))
        isBroken = true
        pending.append(
            Task {
                let start = WallClock.now
                do {
                    switch kind {
                    case .cut: await queue.proxy?.cut()
                    case .halfClosed: await queue.proxy?.halfClose(towards: side)
                    case .frozen:
                        await queue.proxy?.freeze()
                        try await Task.sleep(for: span)
                        await queue.proxy?.thaw()
                    case .slowedAndCut:
                        await queue.proxy?.delay(delay)
                        try await Task.sleep(for: min(span, .seconds(2)))
                        await queue.proxy?.cut()
                        await queue.proxy?.delay(.zero)
                    case .serverKilled: try await queue.inflict(kind, for: pause)
                    default: try await queue.inflict(kind, for: span)
                    }
                } catch {
                    failure = error
                }
                outages.append(Outage(kind: kind, from: start, to: WallClock.now))
                isBroken = false
            })
    }
}
