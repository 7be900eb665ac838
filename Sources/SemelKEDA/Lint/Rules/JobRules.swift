import Semel

/// The Job that is made: who repeats what failed, how many pods there are, and when they are stopped.
enum JobRules {
    static let all = [
        backoffLimit, restartPolicy, manyPods, deadlineTooShort, deadlineEndsWork, graceTooShort, neverEnds, sidecar,
        history, refusedJob, suspended,
    ]

    static let backoffLimit = LintRule(
        "SJ060", "backoff-limit", .warning,
        "A `backoffLimit` other than 0 (6 when it is not written): Kubernetes repeats beside the queue."
    ) { subject in
        guard let job = subject.job.job else { return [] }
        let limit = job.backoffLimit?.value ?? 6
        guard limit > 0 else { return [] }
        let written = job.backoffLimit == nil ? "without backoffLimit" : "with backoffLimit \(limit)"
        return [
            LintRemark(
                job.backoffLimit?.position ?? subject.place("jobTargetRef", "backoffLimit"),
                "\(written) a failed Job runs up to \(Int64(limit) + 1) pods, each of which takes the next message, while the queue "
                    + "gives the failed one to another Job",
                fix: "write backoffLimit: 0, and count attempts on the message")
        ]
    }

    static let restartPolicy = LintRule(
        "SJ061", "restart-policy", .warning,
        "A `restartPolicy` other than Never (KEDA takes OnFailure): the kubelet repeats beside the queue."
    ) { subject in
        guard let pod = subject.pod, pod.restartPolicy?.value != "Never", pod.restartPolicy?.value != "Always" else {
            return []
        }
        let limit = subject.job.job?.backoffLimit?.value ?? 6
        return [
            LintRemark(
                pod.restartPolicy?.position
                    ?? subject.place("jobTargetRef", "template", "spec", "restartPolicy"),
                "with OnFailure a container that fails is started again in its pod up to \(limit) times, its exit code and "
                    + "its log are gone, and no podFailurePolicy is possible",
                fix: "write restartPolicy: Never")
        ]
    }

    static let manyPods = LintRule(
        "SJ062", "many-pods", .warning, "`parallelism` or `completions` other than 1: one Job is many workers."
    ) { subject in
        let counts = [(subject.job.job?.parallelism, "parallelism"), (subject.job.job?.completions, "completions")]
        return counts.compactMap { count, name in
            guard let count, count.value != 1 else { return nil }
            // There are never more pods than completions.
            let most = subject.job.job?.completions.map { Int64($0.value) } ?? .max
            let pods = min(Int64(count.value), most) * 15
            guard pods != 15, pods > 0 || count.value == 0 else { return nil }
            return LintRemark(
                count.position,
                count.value == 0
                    ? "with \(name) 0 the Jobs have no pods: no message is ever taken"
                    : "15 messages make 15 Jobs with \(pods) pods, \(max(0, pods - 15)) of them for nothing",
                fix: "remove \(name), or write 1")
        }
    }

    /// What ends the Job from outside: the Job's own deadline or the pod's.
    private static func deadlines(_ subject: LintSubject) -> [Located<Int64>] {
        [subject.job.job?.activeDeadlineSeconds, subject.pod?.activeDeadlineSeconds].compactMap { $0 }
    }

    static let deadlineTooShort = LintRule(
        "SJ063", "deadline-too-short", .error,
        "`activeDeadlineSeconds` shorter than the worker's time-out for its task."
    ) { subject in
        guard let worker = subject.worker, let timeout = worker.timeout else { return [] }
        let needed = timeout + worker.grace
        return deadlines(subject).filter { .seconds($0.value) < needed }.map { deadline in
            LintRemark(
                deadline.position,
                "the Job ends after \(deadline.value) s, pending time included, before the task's own limit of "
                    + "\(Units.text(timeout)) and its grace of \(Units.text(worker.grace)): such a task is killed, and "
                    + "nothing says why",
                fix: "remove activeDeadlineSeconds, since SEMEL_TIMEOUT limits the task; or write more than "
                    + "\(Int(needed.seconds) + 3_600)")
        }
    }

    static let deadlineEndsWork = LintRule(
        "SJ064", "deadline-ends-work", .warning,
        "`activeDeadlineSeconds` without a time-out of the worker's own: it counts pending time, and settles nothing."
    ) { subject in
        guard subject.worker?.timeout == nil, subject.worker?.isHidden("SEMEL_TIMEOUT") != true else { return [] }
        return deadlines(subject).map { deadline in
            LintRemark(
                deadline.position,
                "a Job ends after \(deadline.value) s, of which it may have been pending for most: good work is stopped, "
                    + "and begins again from 0",
                fix:
                    "give the worker a limit for its task (SEMEL_TIMEOUT) and remove activeDeadlineSeconds, or make it "
                    + "an hour longer than any task")
        }
    }

    static let graceTooShort = LintRule(
        "SJ065", "grace-too-short", .error,
        "`terminationGracePeriodSeconds` shorter than what the worker needs after SIGTERM (SEMEL_GRACE, SEMEL_ON_TERM)."
    ) { subject in
        guard let worker = subject.worker, let pod = subject.pod else { return [] }
        let period = pod.terminationGracePeriodSeconds?.value ?? 30
        let position =
            pod.terminationGracePeriodSeconds?.position
            ?? subject.place("jobTargetRef", "template", "spec", "terminationGracePeriodSeconds")
        let recommended = Int(worker.grace.seconds.rounded(.up)) + max(Int(worker.grace.seconds.rounded(.up)), 20) + 10
        // A task that has used its grace up leaves time to settle its message.
        guard .seconds(period) >= worker.grace + .seconds(5) else {
            return [
                LintRemark(
                    position,
                    "SIGKILL comes \(period) s after SIGTERM, but the task has \(Units.text(worker.grace)) (SEMEL_GRACE) and "
                        + "its message is settled after that: the attempt is lost without a reason",
                    fix: "write terminationGracePeriodSeconds: \(recommended), or a shorter SEMEL_GRACE")
            ]
        }
        if worker.finishesOnTerm, worker.timeout == nil, !worker.isHidden("SEMEL_TIMEOUT") {
            return [
                LintRemark(
                    position,
                    "SEMEL_ON_TERM=finish lets a task go on that has no SEMEL_TIMEOUT, but SIGKILL comes after \(period) s",
                    fix: "write a SEMEL_TIMEOUT and a terminationGracePeriodSeconds above it, or SEMEL_ON_TERM=stop")
            ]
        }
        guard worker.finishesOnTerm, let timeout = worker.timeout, .seconds(period) < timeout else { return [] }
        return [
            LintRemark(
                position,
                "SEMEL_ON_TERM=finish lets the task go on, for \(Units.text(timeout)) if need be, but SIGKILL comes after "
                    + "\(period) s",
                fix: "write terminationGracePeriodSeconds: \(Int(timeout.seconds) + recommended), or SEMEL_ON_TERM=stop"
            )
        ]
    }

    static let neverEnds = LintRule(
        "SJ066", "never-ends", .warning,
        "A container that waits in a shell loop for a server's status: an empty queue or a failure never ends it."
    ) { subject in
        guard subject.worker == nil, deadlines(subject).isEmpty else { return [] }
        return (subject.pod?.containers ?? []).compactMap { container in
            let words = container.command + container.args
            guard let script = words.first(where: { isPollLoop($0.value) }) else { return nil }
            let limit = subject.job.limits.total
            return LintRemark(
                script.position,
                "a worker that finds no message, fails or dies never says it is done: its Job counts as running for ever, "
                    + "and after \(limit) of them no Job is made any more",
                fix: "let the worker itself end, with an exit code, after seconds without a message (semel does both)")
        }
    }

    private static func isPollLoop(_ text: String) -> Bool {
        let loops = ["while ", "while[", "until "].contains { text.contains($0) }
        return loops && ["curl", "wget"].contains { text.contains($0) } && text.contains("sleep")
    }

    static let sidecar = LintRule(
        "SJ067", "sidecar", .note, "A second container: the Job ends when all of them have ended."
    ) { subject in
        guard let containers = subject.pod?.containers, containers.count > 1 else { return [] }
        return [
            LintRemark(
                containers[1].position,
                "a Job ends when all \(containers.count) containers have ended: one that goes on keeps it unfinished, "
                    + "and it counts against maxReplicaCount",
                fix: "make it an init container with restartPolicy: Always, which ends with the others")
        ]
    }

    static let history = LintRule(
        "SJ068", "history", .note, "Finished Jobs that pile up (100 and 100), or that nobody can look at any more (0)."
    ) { subject in
        guard subject.job.job?.ttlSecondsAfterFinished == nil else { return [] }
        let limits = [
            (subject.job.successfulJobsHistoryLimit, "successfulJobsHistoryLimit", "successful"),
            (subject.job.failedJobsHistoryLimit, "failedJobsHistoryLimit", "failed"),
        ]
        return limits.compactMap { limit, name, word in
            let position = limit?.position ?? subject.place(name)
            switch limit?.value ?? 100 {
            case 0:
                return LintRemark(
                    position, "\(word) Jobs are gone with their logs within \(subject.job.pollingSeconds) s",
                    fix: "write \(name): 10")
            case 51...:
                return LintRemark(
                    position,
                    "KEDA keeps \(limit?.value ?? 100) \(word) Jobs with their pods, and looks at each in every poll",
                    fix: "write \(name): 10")
            default: return nil
            }
        }
    }

    static let suspended = LintRule(
        "SJ072", "suspended-jobs", .error, "`suspend: true`: the Jobs get no pods until somebody resumes each of them."
    ) { subject in
        guard let suspend = subject.job.job?.suspend, suspend.value else { return [] }
        return [
            LintRemark(
                suspend.position,
                "each Job is unfinished without a pod: no message is taken, and after \(subject.job.limits.total) of them "
                    + "no Job is made any more",
                fix: "remove suspend")
        ]
    }

    static let refusedJob = LintRule(
        "SJ069", "refused-job", .error, "Values that Kubernetes refuses in a Job: KEDA fails to make any."
    ) { subject in
        guard let pod = subject.pod else { return [] }
        let word = pod.restartPolicy?.value ?? "OnFailure"
        let position =
            pod.restartPolicy?.position ?? subject.place("jobTargetRef", "template", "spec", "restartPolicy")
        if !["Never", "OnFailure"].contains(word) {
            return [
                LintRemark(
                    position, "Kubernetes refuses every Job with restartPolicy ‘\(word)’: 0 Jobs for any message",
                    fix: "write restartPolicy: Never")
            ]
        }
        guard subject.job.job?.podFailurePolicy != nil, word != "Never" else { return [] }
        return [
            LintRemark(
                position, "Kubernetes refuses a podFailurePolicy with restartPolicy \(word): 0 Jobs for any message",
                fix: "write restartPolicy: Never")
        ]
    }
}
