import Logging

/// Runs one task and watches over it: whatever comes first — its end, a lost claim, the time limit, a stop request —
/// decides how it ends.
struct Supervision<Work: SingleShotTask>: Sendable {
    let task: Work
    let claim: any Claim
    let policy: WorkerPolicy
    let stop: StopRequest
    let log: Logger
    let context: TaskContext

    private enum Event: Sendable {
        case ended(TaskResult)
        case stopRequested(StopSignal)
        case hurried(StopSignal)
        case lost(ClaimLoss)
        case timedOut(Duration)
        case finishingTimeOver(StopSignal)
        case graceOver
        case abandoned
        case nothing
    }

    /// A task that was killed is gone within milliseconds; a Swift task that ignores its cancellation is not waited for
    /// any longer than this.
    private var patienceAfterKill: Duration { .seconds(5) }

    /// With `--on-term finish` the grace is spent on finishing; what is left for a task that has to be stopped after all.
    private var graceAfterFinishing: Duration { min(policy.grace, .seconds(5)) }

    func run() async -> (TaskResult, Interruption?) {
        if let signal = stop.first.value {
            log.claimed(claim)
            return (.failed(TaskFailure(reason: "never started")), .stop(signal))
        }
        let result = OneShot<TaskResult>()
        let running = Life.task {
            do {
                result.fulfil(try await task.run(claim.message, context: context))
            } catch {
                result.fulfil(.failed(TaskFailure(reason: "\(error)")))
            }
        }
        // Told while the task is being started, instead of before.
        let telling = Life.task { log.claimed(claim) }
        let ending = await watch(running, result)
        context.graceOver.fulfil(())
        await telling.value
        return ending
    }

    private func watch(_ running: Task<Void, Never>, _ result: OneShot<TaskResult>) async -> (TaskResult, Interruption?)
    {
        await withTaskGroup(of: Event.self) { group in
            group.addTask { await result.wait().map { .ended($0) } ?? .nothing }
            group.addTask { await stop.first.wait().map { .stopRequested($0) } ?? .nothing }
            group.addTask { await stop.second.wait().map { .hurried($0) } ?? .nothing }
            group.addTask { await claim.loss.wait().map { .lost($0) } ?? .nothing }
            if let timeout = policy.timeout { group.addTask { await after(timeout, .timedOut(timeout)) } }

            var interruption: Interruption?
            func interrupt(_ why: Interruption, grace: Duration) {
                guard interruption == nil else { return }
                interruption = why
                log.warning("stopping the task", metadata: ["reason": "\(why.text)", "grace": "\(Units.text(grace))"])
                running.cancel()
                group.addTask { await after(grace, .graceOver) }
            }

            while let event = await group.next() {
                switch event {
                case .ended(let result):
                    group.cancelAll()
                    return (result, interruption)
                case .stopRequested(let signal) where policy.onTerm == .finish && interruption == nil:
                    log.info("finishing the task", metadata: ["reason": "\(signal.rawValue)"])
                    group.addTask { await after(policy.grace, .finishingTimeOver(signal)) }
                case .stopRequested(let signal):
                    interrupt(.stop(signal), grace: policy.grace)
                case .finishingTimeOver(let signal):
                    interrupt(.stop(signal), grace: graceAfterFinishing)
                case .hurried(let signal) where interruption == nil:
                    interrupt(.stop(signal), grace: graceAfterFinishing)
                case .lost(let loss):
                    context.status.claimLost(loss)
                    log.error("claim lost", metadata: ["reason": "\(loss.reason)"])
                    if policy.onLost == .stop { interrupt(.lost(loss), grace: policy.grace) }
                case .timedOut(let limit):
                    interrupt(.timedOut(after: limit), grace: policy.grace)
                case .graceOver, .hurried:
                    context.graceOver.fulfil(())
                    group.addTask { await after(patienceAfterKill, .abandoned) }
                case .abandoned:
                    group.cancelAll()
                    return (.failed(TaskFailure(reason: "did not stop when asked to")), interruption)
                case .nothing: break
                }
            }
            return (.failed(TaskFailure(reason: "nobody watched the task")), interruption)
        }
    }

    private func after(_ span: Duration, _ event: Event) async -> Event {
        do {
            try await Life.sleep(for: span)
            return event
        } catch {
            return .nothing
        }
    }
}

extension Interruption {
    fileprivate var text: String {
        switch self {
        case .stop(let signal): signal.rawValue
        case .lost(let loss): loss.reason
        case .timedOut(let limit): "ran past the timeout of \(Units.text(limit))"
        }
    }
}
