/// The life of a Job.
extension SimulationRun {
    /// The longest rest of a Job between pods, and of a pod between restarts of its container.
    private static let longestJobBackOff = 360_000
    private static let longestRestartBackOff = 300_000

    mutating func handle(_ event: EventQueue.Event) {
        let (now, slot) = (event.time, Int(event.slot))
        if event.kind == .leaseOver {
            guard let message = orphans.take(slot) else { return }
            broker.giveBack(message, at: now)
            return queueHasChanged(at: now)
        }
        guard jobs[slot].stamp == event.stamp else { return }
        switch event.kind {
        case .running: podRuns(slot, at: now)
        case .look: claim(slot, at: now)
        case .giveUp: giveUp(slot, at: now)
        case .ready: jobs.change(slot) { $0.isReady = true }
        case .done: taskIsDone(slot, at: now)
        case .crash: workerDies(slot, at: now)
        case .exit: end(slot, succeeded: true, at: now)
        case .retry: tryAgain(slot, at: now)
        case .leaseOver: break
        }
    }

    mutating func schedulePod(_ slot: Int, at now: Int) {
        let job = jobs[slot]
        let time = input.pod.pending.milliseconds(random, .podPending, job.number, job.earlierPods)
        events.add(.running, at: now + time, slot: slot, stamp: job.stamp)
    }

    private mutating func podRuns(_ slot: Int, at now: Int) {
        result.podCount += 1
        var readyAt: Int?
        if case .afterStart(let delay) = input.pod.readiness, pendingStages.looksAtReadiness { readyAt = now + delay }
        jobs.change(slot) { job in
            job.stage = .starting
            job.runningSince = now
            job.isReady = readyAt == now
        }
        let job = jobs[slot]
        if let readyAt, readyAt > now { events.add(.ready, at: readyAt, slot: slot, stamp: job.stamp) }
        let time = input.worker.claimAfter.milliseconds(random, .claimAfter, job.number, job.earlierPods)
        events.add(.look, at: now + time, slot: slot, stamp: job.stamp)
    }

    /// Claims a message, or waits for one.
    mutating func claim(_ slot: Int, at now: Int) {
        guard var message = broker.claim(at: now, isForgotten: input.worker.isAtMostOnce) else {
            return wait(slot, at: now)
        }
        lastChange = now
        if message.claims == 0 { waits.append(now - message.arrival) }
        message.claims += 1
        jobs.change(slot) { job in
            job.stage = .working
            job.hasClaimed = true
            job.claimedAt = now
            job.message = message
        }
        record(at: now)
        if message.deaths >= input.worker.maxAttempts {
            broker.settle(at: now)
            settled(message, .deadLettered, at: now)
            return podFails(slot, at: now)
        }
        scheduleReadiness(slot, at: now)
        scheduleEndOfTask(slot, message, at: now)
    }

    private mutating func scheduleReadiness(_ slot: Int, at now: Int) {
        guard case .claimed(let interval, let first) = input.pod.readiness, pendingStages.looksAtReadiness else {
            return
        }
        let job = jobs[slot]
        let firstProbe = job.runningSince + first
        let probes = max(0, (now - firstProbe + interval - 1) / interval)
        events.add(.ready, at: firstProbe + probes * interval, slot: slot, stamp: job.stamp)
    }

    private mutating func scheduleEndOfTask(_ slot: Int, _ message: SimulatedMessage, at now: Int) {
        let worker = input.worker
        // A message's task takes as long the next time.
        let time = worker.task.milliseconds(random, .task, message.index)
        let dies =
            worker.crashProbability > 0
            && random.unit(.crash, message.index, message.claims) < worker.crashProbability
        guard dies else { return events.add(.done, at: now + time, slot: slot, stamp: jobs[slot].stamp) }
        let share = random.unit(.crashTime, message.index, message.claims)
        events.add(.crash, at: now + Int(Double(time) * share), slot: slot, stamp: jobs[slot].stamp)
    }

    private mutating func wait(_ slot: Int, at now: Int) {
        if input.worker.wait == 0 { return end(slot, succeeded: true, at: now) }
        let deadline = input.worker.wait.map { now + $0 }
        jobs.change(slot) { job in
            job.stage = .waiting
            job.deadline = deadline ?? .max
        }
        waiters.append((slot, jobs[slot].stamp))
        record(at: now)
        if let deadline { events.add(.giveUp, at: deadline, slot: slot, stamp: jobs[slot].stamp) }
    }

    private mutating func giveUp(_ slot: Int, at now: Int) {
        let job = jobs[slot]
        guard job.stage == .waiting, job.deadline == now else { return }
        if input.queue.waitsForLeases, !job.waitsForLeases, let horizon = latestLeaseEnd(at: now), horizon > now {
            jobs.change(slot) { job in
                job.waitsForLeases = true
                job.deadline = horizon
            }
            return events.add(.giveUp, at: horizon, slot: slot, stamp: job.stamp)
        }
        end(slot, succeeded: true, at: now)
    }

    /// When the last of the present leases would be over if nobody extended it. The living extend theirs at a third.
    private func latestLeaseEnd(at now: Int) -> Int? {
        guard broker.level.held > 0 else { return nil }
        var latest = orphans.latestLeaseEnd
        let period = max(1, input.worker.lease / 3)
        for slot in jobs.slots where jobs[slot].stage == .working {
            let age = (now - jobs[slot].claimedAt) % period
            latest = max(latest ?? 0, now - age + input.worker.lease)
            // The others cannot be much later; with thousands of Jobs nobody looks at them all.
            if age * 20 <= period { break }
        }
        return latest
    }

    private mutating func taskIsDone(_ slot: Int, at now: Int) {
        if !input.worker.isAtMostOnce { broker.settle(at: now) }
        settled(jobs[slot].message, .done, at: now)
        result.taskTime += now - jobs[slot].claimedAt
        lastChange = now
        if input.worker.linger == 0 { return end(slot, succeeded: true, at: now) }
        jobs.change(slot) { $0.stage = .lingering }
        events.add(.exit, at: now + input.worker.linger, slot: slot, stamp: jobs[slot].stamp)
    }

    private mutating func settled(_ message: SimulatedMessage, _ fate: SimulationResult.Fate, at now: Int) {
        result.fates[message.index] = fate
        switch fate {
        case .done: result.settlements.done += 1
        case .deadLettered: result.settlements.deadLettered += 1
        case .lost: result.settlements.lost += 1
        case .left: break
        }
        result.drainedAt = now
        lastChange = now
    }

    private mutating func workerDies(_ slot: Int, at now: Int) {
        result.crashes += 1
        var message = jobs[slot].message
        message.deaths += 1
        result.taskTime += now - jobs[slot].claimedAt
        let claimedAt = jobs[slot].claimedAt
        podFails(slot, at: now)
        if input.worker.isAtMostOnce { return settled(message, .lost, at: now) }
        guard input.queue.hasLeases else {
            broker.giveBack(message, at: now)
            return queueHasChanged(at: now)
        }
        let period = max(1, input.worker.lease / 3)
        let leaseEnd = now - (now - claimedAt) % period + input.worker.lease
        events.add(.leaseOver, at: leaseEnd, slot: orphans.add(message, until: leaseEnd))
    }

    private mutating func podFails(_ slot: Int, at now: Int) {
        let failures = jobs[slot].failures + 1
        guard failures <= input.pod.backoffLimit else { return end(slot, succeeded: false, at: now) }
        endPod(slot, at: now)
        let inPlace = input.pod.restartsInPlace
        jobs.change(slot) { job in
            job.failures = failures
            job.hasLostPod = !inPlace
            job.stage = .backingOff
        }
        let longest = inPlace ? Self.longestRestartBackOff : Self.longestJobBackOff
        let rest = min(longest, 10_000 << min(failures - 1, 10))
        events.add(.retry, at: now + rest, slot: slot, stamp: jobs[slot].stamp)
        record(at: now)
    }

    private mutating func tryAgain(_ slot: Int, at now: Int) {
        guard jobs[slot].hasLostPod else { return podRuns(slot, at: now) }
        jobs.change(slot) { $0.stage = .podPending }
        schedulePod(slot, at: now)
    }

    /// Its events are none from now on.
    mutating func endPod(_ slot: Int, at now: Int) {
        let job = jobs[slot]
        if job.podRuns { result.podTime += now - job.runningSince }
        jobs.change(slot) { job in
            job.stamp &+= 1
            job.earlierPods += 1
            job.isReady = false
            job.waitsForLeases = false
        }
    }

    private mutating func end(_ slot: Int, succeeded: Bool, at now: Int) {
        endPod(slot, at: now)
        if !jobs[slot].hasClaimed { result.idleJobs += 1 }
        if succeeded { result.succeededJobs += 1 } else { result.failedJobs += 1 }
        result.endedAt = now
        jobs.remove(slot)
        record(at: now)
    }
}

/// Drained nodes.
extension SimulationRun {
    mutating func evict(_ drain: NodeDrain) {
        var slots = jobs.slots.filter { jobs[$0].podRuns || jobs[$0].stage == .podPending }
        for turn in 0..<min(drain.podCount, slots.count) {
            let word = random.word(.drain, drain.time, turn)
            slots.swapAt(turn, turn + Int(word % UInt64(slots.count - turn)))
            evict(slots[turn], at: drain.time)
        }
    }

    /// Its worker is told to stop: it hands its message back, without having died of it.
    private mutating func evict(_ slot: Int, at now: Int) {
        let job = jobs[slot]
        result.evictions += 1
        if job.stage == .lingering { return end(slot, succeeded: true, at: now) }
        if job.stage == .working { result.taskTime += now - job.claimedAt }
        if input.pod.ignoresEviction {
            endPod(slot, at: now)
            jobs.change(slot) { $0.stage = .podPending }
            schedulePod(slot, at: now)
        } else {
            podFails(slot, at: now)
            if jobs[slot].stage == .backingOff { jobs.change(slot) { $0.hasLostPod = true } }
        }
        guard job.stage == .working else { return }
        if input.worker.isAtMostOnce { return settled(job.message, .lost, at: now) }
        broker.giveBack(job.message, at: now)
        queueHasChanged(at: now)
    }
}
