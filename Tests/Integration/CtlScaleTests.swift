import Foundation
import Glibc
import TestSupport
import Testing

/// `semelctl scale` without brokers: what triggers read is given, and the pods are shells.
@Suite(.oneLane)
struct CtlScaleTests {
    /// A ScaledJob whose single trigger is given its numbers.
    static func text(
        job: String = "backoffLimit: 0", pod: String = "restartPolicy: Never", container: String = "args: [\"true\"]",
        spec: String = "pollingInterval: 1"
    ) -> String {
        """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata: {name: scans}
        spec:
          \(spec)
          triggers: [{type: redis, metadata: {address: "127.0.0.1:1", listName: scans, listLength: "1"}}]
          jobTargetRef:
            \(job)
            template: {spec: {\(pod), containers: [{name: worker, \(container)}]}}
        """
    }

    @Test func oncePollsOnce() async throws {
        let end = try await Scale.run(Self.text(), ["--once", "--metric", "0=3", "--entrypoint", "env"])
        #expect(end.status == .exited(0), "\(end.text)")
        let summary = try end.summary
        #expect(summary.jobsCreated == 3 && summary.jobsComplete == 3 && summary.polls == 1 && summary.peakJobs == 3)
        #expect(summary.idleJobs == 0 && summary.jobsFailed == 0 && summary.outcomes == ["unknown": 3])
        #expect(end.count("job-created") == 3 && end.count("pod-ended") == 3 && end.count("job-complete") == 3)
        let addresses = Set(end.lines("pod-started").compactMap { $0["address"] as? String })
        #expect(addresses.count == 3 && addresses.allSatisfy { $0.hasPrefix("127.") && $0 != "127.0.0.1" })
    }

    /// Without --json a line for each event, and a summary.
    @Test func linesForPeople() async throws {
        let end = try await Scale.plain(Self.text(), ["--once", "--metric", "0=1", "--entrypoint", "env"])
        let lines = end.stdoutText.split(separator: "\n").map(String.init)
        let events = lines.dropLast().map { line in line.drop { $0 == " " }.split(separator: "  ")[1] }
        #expect(
            events.first == "poll: Q = 1 queued, R = 0 unfinished, P = 0 pending: 1 created"
                && events.contains("job scans-1 created") && events.last == "job scans-1 complete", "\(lines)")
        #expect(lines.last?.hasPrefix("Jobs: 1 created, at most 1 at a time; 1 complete") ?? false)
        #expect(end.stderrText == "")
    }

    @Test func aFailureIsTold() async throws {
        let end = try await Scale.run(
            Self.text(container: "command: [sh, -c, 'exit 7']"), ["--once", "--metric", "0=1"])
        #expect(end.status == .exited(1) && end.stderrText == "", "\(end.text)")
        #expect(end.lines("pod-ended").first?["exit"] as? Int == 7)
        #expect(end.lines("job-failed").first?["reason"] as? String == "BackoffLimitExceeded")
    }

    /// What the pod is given: its own fields, Secrets, and a directory for its files.
    @Test func theEnvironment() async throws {
        let files = try TemporaryDirectory("scale")
        let variables = [
            "{name: MY_POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}",
            "{name: MY_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}",
            "{name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: password}}}",
            "{name: URL, value: \"redis://:$(PASSWORD)@redis.svc:6379/\"}",
        ].joined(separator: ", ")
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hidden-word}"
        let text = Self.text(container: "command: [sh, -c, env], env: [\(variables)]") + "\n---\n" + secret
        let end = try await Scale.run(
            text,
            [
                "--once", "--metric", "0=2", "--logs", files.path("logs"), "--host", "redis.svc=127.0.0.1:7777",
                "--env", "MORE=a=b",
            ])
        #expect(end.status == .exited(0), "\(end.text)")
        #expect(!end.text.contains("hidden-word"))
        let log = try String(contentsOfFile: files.path("logs/scans-2-1.log"), encoding: .utf8)
        let seen = Set(log.split(separator: "\n").map(String.init))
        let address = try #require(end.lines("pod-started").first { $0["pod"] as? String == "scans-2-1" }?["address"])
        for line in [
            "MY_POD_IP=\(address)", "MY_NAME=scans-2-1", "HOSTNAME=scans-2-1", "PASSWORD=hidden-word",
            "URL=redis://:hidden-word@127.0.0.1:7777/", "MORE=a=b", "SEMEL_STATUS_ADDRESS=\(address):8082",
        ] { #expect(seen.contains(line), "\(line) in \(log)") }
        let temporary = try #require(seen.first { $0.hasPrefix("TMPDIR=") }?.dropFirst("TMPDIR=".count))
        #expect(!FileManager.default.fileExists(atPath: String(temporary)), "the pod's directory is gone with it")
    }

    /// Workers of semel's say why they ended, and which Jobs were for nothing.
    @Test func idleWorkers() async throws {
        let spool = try TemporaryDirectory("spool")
        let container =
            "args: [cat], env: [{name: SEMEL_QUEUE, value: \"spool:\(spool.path)\"}, {name: SEMEL_WAIT, value: \"0\"}]"
        let end = try await Scale.run(Self.text(container: container), ["--once", "--metric", "0=2"])
        #expect(end.status == .exited(0), "\(end.text)")
        let summary = try end.summary
        #expect(summary.idleJobs == 2 && summary.jobsComplete == 2 && summary.outcomes == ["idle": 2])
    }

    /// A pod is ready when its probe says so, each on an address of its own.
    @Test(arguments: ["exec: {command: [test, -e, READY]}", "httpGet: {path: /readyz, port: status}"])
    func readiness(_ probe: String) async throws {
        let files = try TemporaryDirectory("ready")
        let spool = try TemporaryDirectory("spool")
        let port = try FreePort.next()
        let probe = probe.replacing("READY", with: files.path("ready"))
        let container = """
            args: [cat], ports: [{name: status, containerPort: \(port)}], readinessProbe: {periodSeconds: 1, \(probe)}, \
            env: [{name: SEMEL_QUEUE, value: "spool:\(spool.path)"}, {name: SEMEL_STATUS_ADDRESS, value: "0.0.0.0:\(port)"}, \
            {name: SEMEL_WAIT, value: 60s}, {name: SEMEL_LINGER, value: 60s}]
            """
        let text = Self.text(
            container: container,
            spec: "pollingInterval: 1\n  scalingStrategy: {strategy: accurate, pendingPodConditions: [Ready]}")
        let run = try Scale.start(text, ["--poll", "100ms", "--metric", "0=2"])
        try await run.process.waitForOutput(containing: "\"running\":2", timeout: .seconds(60))
        #expect(run.lines("poll").allSatisfy { $0["pending"] as? Int == $0["running"] as? Int })
        try files.write("", to: "ready")
        for body in ["a", "b"] {
            _ = try await TestSupport.run(
                .semelctl, ["enqueue", "--queue", "spool:\(spool.path)"], input: Array(body.utf8))
        }
        try await run.process.waitForOutput(containing: "\"pod-ready\"", timeout: .seconds(60))
        // Two more for two ready ones: what is given stays two.
        try await run.process.waitForOutput(containing: "\"running\":4", timeout: .seconds(60))
        run.process.send(SIGTERM)
        let end = try await run.end()
        #expect(end.status == .exited(143), "\(end.text)")
    }

    /// The first signal asks, and waits for those who end in good order.
    @Test func draining() async throws {
        let files = try TemporaryDirectory("drain")
        let script =
            "trap 'echo stopped > $0.$HOSTNAME; exit 3' TERM; echo > $0.up.$HOSTNAME; while :; do sleep 0.05; done"
        let container = "command: [sh, -c, \"\(script)\", \(files.path("note"))]"
        let run = try Scale.start(Self.text(container: container), ["--poll", "100ms", "--metric", "0=2"])
        for pod in ["scans-1-1", "scans-2-1"] { try await waitFor(files.path("note.up.\(pod)"), run) }
        run.process.send(SIGINT)
        let end = try await run.end()
        #expect(end.status == .exited(130), "\(end.text)")
        #expect(end.complaint == "stopped by SIGINT")
        #expect(try end.summary.jobsDeleted == 2 && end.summary.jobsFailed == 0)
        for pod in ["scans-1-1", "scans-2-1"] {
            #expect(FileManager.default.fileExists(atPath: files.path("note.\(pod)")))
        }
    }

    /// Who does not end in time is killed, with everything that has left the process group.
    @Test func theGracePeriod() async throws {
        let files = try TemporaryDirectory("grace")
        let script = "trap '' TERM; setsid sleep 1000 & echo $! > $0; echo $$$$ >> $0; while :; do sleep 0.1; done"
        let text = Self.text(
            pod: "restartPolicy: Never, terminationGracePeriodSeconds: 1",
            container: "command: [sh, -c, \"\(script)\", \(files.path("pids"))]")
        let run = try Scale.start(text, ["--metric", "0=1"])
        let pids = try await processes(in: files.path("pids"), run)
        run.process.send(SIGTERM)
        let end = try await run.end()
        #expect(end.status == .exited(143) && end.lines("pod-ended").first?["exit"] as? Int == 137, "\(end.text)")
        for pid in pids { #expect(kill(pid, 0) != 0, "\(pid) survives") }
    }

    /// A second signal, and a kill, leave nothing behind either.
    @Test(arguments: [SIGINT, SIGHUP, SIGQUIT, SIGKILL])
    func nothingSurvives(_ signal: Int32) async throws {
        let files = try TemporaryDirectory("survive")
        let script = "trap '' TERM; echo $$$$ > $0; echo $$$$ >> $0; exec sleep 1000"
        let run = try Scale.start(
            Self.text(container: "command: [sh, -c, \"\(script)\", \(files.path("pids"))]"), ["--metric", "0=1"],
            temporary: files.path)
        let pids = try await processes(in: files.path("pids"), run)
        run.process.send(signal)
        if signal != SIGKILL {
            try await run.process.waitForOutput(containing: "draining", timeout: .seconds(60))
            run.process.send(signal)
        }
        let status = try await run.process.waitForExit(timeout: .seconds(60))
        if signal != SIGKILL {
            #expect(status == .exited(signal == SIGINT ? 130 : 143))
            let left = try FileManager.default.contentsOfDirectory(atPath: files.path)
            #expect(!left.contains { $0.hasPrefix("semelctl-scale-") }, "\(left)")
        }
        for pid in pids { try await eventually("\(pid) ends") { kill(pid, 0) != 0 } }
    }

    /// The file is looked at; without `gradual` what runs is deleted.
    @Test(arguments: [true, false])
    func theFileChanges(_ isGradual: Bool) async throws {
        let files = try TemporaryDirectory("change")
        func text(_ seconds: Int, _ limit: Int) -> String {
            Self.text(
                job: "backoffLimit: \(limit)", container: "command: [sleep, '\(seconds)']",
                spec: "pollingInterval: 1" + (isGradual ? "\n  rollout: {strategy: gradual}" : ""))
        }
        let file = try files.write(text(1000, 0), to: "scaledjob.yaml")
        let run = try Scale.start(nil, ["-f", file, "--poll", "200ms", "--metric", "0=2"])
        try await run.process.waitForOutput(containing: "\"pod\":\"scans-2-1\"", timeout: .seconds(60))
        try files.write("a: [", to: "scaledjob.yaml")
        try await run.process.waitForOutput(containing: "going on with what was before", timeout: .seconds(60))
        try files.write(text(1000, 0) + "\n# a comment", to: "scaledjob.yaml")
        try files.write(text(1000, 1), to: "scaledjob.yaml")
        try await run.process.waitForOutput(containing: "\"generation\":2", timeout: .seconds(60))
        if !isGradual {
            try await run.process.waitForOutput(containing: "\"scans-4-1\"", timeout: .seconds(60))
        }
        run.process.send(SIGTERM)
        let end = try await run.end()
        #expect(end.count("changed") == 1, "\(end.text)")
        #expect(try end.summary.jobsCreated == (isGradual ? 2 : 4), "\(end.text)")
        #expect(end.count("job-deleted") == (isGradual ? 0 : 2))
    }

    /// A Job keeps its template, and what a changed file has deleted is done again before --once ends.
    @Test(arguments: [true, false])
    func theTemplateOfAJob(_ isGradual: Bool) async throws {
        let files = try TemporaryDirectory("template")
        func text(_ word: String) -> String {
            Self.text(
                job: "backoffLimit: 2", pod: "restartPolicy: OnFailure",
                container: "command: [sh, -c, 'echo \(word) >> $0; sleep 2; test $(grep -c . $0) -ge 2', "
                    + "\(files.path("words"))]",
                spec: "pollingInterval: 1" + (isGradual ? "\n  rollout: {strategy: gradual}" : ""))
        }
        let file = try files.write(text("old"), to: "scaledjob.yaml")
        let run = try Scale.start(nil, ["-f", file, "--once", "--metric", "0=1"])
        try await waitFor(files.path("words"), run)
        try files.write(text("new"), to: "scaledjob.yaml")
        let end = try await run.end()
        let words = try String(contentsOfFile: files.path("words"), encoding: .utf8).split(separator: "\n")
        #expect(end.status == .exited(0) && words == (isGradual ? ["old", "old"] : ["old", "new"]), "\(end.text)")
    }

    private func waitFor(_ file: String, _ run: Scale.Run) async throws {
        try await eventually(timeout: .seconds(60), "\(file): \(run.process.report)") {
            FileManager.default.fileExists(atPath: file)
        }
    }

    /// Two numbers that a pod has written down.
    private func processes(in file: String, _ run: Scale.Run) async throws -> [pid_t] {
        var pids: [pid_t] = []
        try await eventually(timeout: .seconds(60), "\(file): \(run.process.report)") {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            pids = text.split(separator: "\n").compactMap { pid_t($0) }
            return pids.count == 2
        }
        return pids
    }
}
