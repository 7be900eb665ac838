import TestSupport
import Testing

/// `semelctl scale`: what it refuses, before anything runs.
@Suite(.oneLane)
struct CtlScaleUsageTests {
    @Test(arguments: [
        (["--host", "a"], "--host: ‘a’ is not NAME[:PORT]=ADDRESS[:PORT], such as rabbitmq.default.svc=127.0.0.1"),
        (["--env", "=secret"], "--env: write NAME=VALUE or NAME"),
        (["--env", "NOT_SET"], "--env: write NAME=VALUE, or NAME of a variable that is set"),
        (["--poll", "5"], "--poll: ‘5’ is not a time such as 500ms, 5s or 2m"),
        (["--poll", "1ms"], "--poll: at least 10ms"), (["--entrypoint", " "], "--entrypoint: no command"),
        (["--once", "--until-empty"], "--once and --until-empty: choose one of them"),
        (["--empty-for", "1s"], "--empty-for: goes with --until-empty"),
        (["--until-empty", "--empty-for", "x"], "--empty-for: ‘x’ is not a time such as 500ms, 5s or 2m"),
        (["--metric", "1=5"], "--metric: no trigger 1; there is only 0"),
        (["--keda", "3"], "--keda: ‘3’ is not a version between 2.15 and 2.20"),
    ])
    func wrongUsage(_ flags: [String], _ complaint: String) async throws {
        let end = try await Scale.plain(CtlScaleTests.text(), flags)
        #expect(end.status == .exited(64) && end.stdout.isEmpty)
        #expect(end.complaint == complaint)
    }

    @Test(
        arguments: [
            ("a: [", [], "standard input:2: not YAML"), ("kind: Job", [], "-: no ScaledJob"),
            (CtlScaleTests.text(container: "image: i"), [], "containers[0].name: neither command nor args"),
            (CtlScaleTests.text(container: "command: [/no/such]"), [], "command ‘/no/such’: No such file"),
            (
                CtlScaleTests.text(pod: "initContainers: [{name: semel}]", container: "command: [/opt/semel, run]"), [],
                "init containers, which may bring it, do not run here; --entrypoint"
            ),
            (CtlScaleTests.text(), ["--entrypoint", "no-such-program"], "command ‘no-such-program’: not found"),
            (
                CtlScaleTests.text(
                    container: "args: [x], env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]"),
                [], "Secret ‘s’ is not in the files; give it with --env A=VALUE"
            ),
        ] as [(String, [String], String)])
    func wrongFiles(_ text: String, _ flags: [String], _ complaint: String) async throws {
        let end = try await Scale.plain(text, ["--metric", "0=1"] + flags)
        #expect(end.status == .exited(78) && end.stdout.isEmpty)
        #expect(end.complaint.contains(complaint), "\(end.stderrText)")
    }

    @Test func logsThatCannotBeWritten() async throws {
        let files = try TemporaryDirectory("logs")
        let file = try files.write("", to: "file")
        let end = try await Scale.plain(
            CtlScaleTests.text(), ["--metric", "0=1", "--entrypoint", "env", "--logs", file])
        #expect(end.status == .exited(78) && end.complaint.hasPrefix("--logs: "), "\(end.stderrText)")
    }

    /// A queue that is not there at the first poll.
    @Test func anUnreachableQueue() async throws {
        let end = try await Scale.plain(CtlScaleTests.text(), ["--entrypoint", "env"])
        #expect(end.status == .exited(69) && end.stdout.isEmpty)
        #expect(end.complaint.contains("spec.triggers[0]: Redis at 127.0.0.1:1: "), "\(end.stderrText)")
    }

    @Test func whatTheDeskLeavesOut() async throws {
        let text = CtlScaleTests.text(
            pod: "restartPolicy: Never, initContainers: [{name: first}]",
            container: "command: [\"true\"], workingDir: /x, volumeMounts: [{name: a, mountPath: /a}, "
                + "{name: t, mountPath: /tmp}]}, {name: other")
        let end = try await Scale.plain(text, ["--once", "--metric", "0=1"])
        #expect(end.status == .exited(0))
        for words in [
            "only the first container runs here", "init containers do not run here", "in the present directory here",
            "‘/a’ is not mounted here",
        ] { #expect(end.stderrText.contains(words), "\(end.stderrText)") }
        #expect(!end.stderrText.contains("‘/tmp’"))
    }

    @Test func helpSaysWhatItIsFor() async throws {
        let end = try await TestSupport.run(.semelctl, ["scale", "--help"])
        #expect(end.stdoutText.contains("For the desk, not for") && end.stdoutText.contains("KEDA"))
    }
}
