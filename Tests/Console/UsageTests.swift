import TestSupport
import Testing

/// `semelctl console`: what it refuses, before it listens.
struct UsageTests {
    @Test(
        arguments: [
            (
                ["--listen", "127.0.0.1"], 64,
                "--listen: ‘127.0.0.1’ is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"
            ),
            (["--listen", "::1:80"], 64, "--listen: ‘::1:80’ is not HOST:PORT"),
            (["--listen", "127.0.0.1:65536"], 64, "--listen: ‘127.0.0.1:65536’ is not HOST:PORT"),
            (["--listen", "0.0.0.0:0"], 64, "--listen: 0.0.0.0:0 can be reached by others; say --token-file FILE"),
            (["--workers", "10.0.0.1"], 64, "--workers: ‘10.0.0.1’ is not HOST:PORT, such as 127.0.0.1:8082"),
            (["--workers", "a:1", "--kubernetes", "b"], 64, "--kubernetes and --workers exclude each other"),
            (["--kubeconfig", "a"], 64, "--kubeconfig: has a meaning only with --kubernetes"),
            (["--keda", "2.20"], 64, "--keda: has a meaning only with -f"),
            (["--trust-proxy-user", "X User"], 64, "--trust-proxy-user: ‘X User’ is no header's name"),
            (
                ["--trust-proxy-user", "X-User", "--token-file", "/dev/null"], 64,
                "--token-file and --trust-proxy-user exclude each other"
            ),
            (["--token-file", "/nowhere"], 78, "--token-file: cannot open /nowhere: No such file or directory"),
            (["--token-file", "/dev/null"], 78, "--token-file: /dev/null is empty"),
            (["-f", "/nowhere"], 78, "/nowhere: "),
            (["--queue", "carrier:pigeon"], 78, "--queue: "),
            (["--queue-file", "/nowhere"], 78, "--queue-file: "),
        ] as [([String], Int32, String)])
    func wrongUsage(_ flags: [String], _ code: Int32, _ complaint: String) async throws {
        let directory = try TemporaryDirectory("console")
        let queue = ["--queue", "spool:\(directory.path("spool"))"]
        let end = try await run(.semelctl, ["console"] + queue + flags)
        #expect(end.status == .exited(code), "\(end.stderrText)")
        #expect(end.stdout.isEmpty)
        #expect(end.stderrText.hasPrefix("semelctl: \(complaint)"), "\(end.stderrText)")
        #expect(end.stderrText.split(separator: "\n").count == 1, "\(end.stderrText)")
    }

    @Test func aTokenThatAnybodyGuesses() async throws {
        let directory = try TemporaryDirectory("console")
        let file = try directory.write("fifteen bytes..\n", to: "token")
        let end = try await run(.semelctl, ["console", "--queue", "spool:/tmp/none", "--token-file", file])
        #expect(end.status == .exited(78))
        #expect(end.stderrText.hasPrefix("semelctl: --token-file: \(file) has a token of fewer than 16 bytes"))
    }

    @Test func addressesThatCannotBeListenedOn() async throws {
        let directory = try TemporaryDirectory("console")
        let token = try directory.write("a token of some length", to: "token", mode: 0o600)
        let taken = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([taken])
        for (address, complaint) in [
            ("127.0.0.1:\(console.port)", "--listen: 127.0.0.1:\(console.port): address already in use"),
            ("nowhere.invalid:8080", "--listen: there is no host ‘nowhere.invalid’"),
        ] {
            let end = try await run(
                .semelctl,
                ["console", "--queue", taken.url, "--listen", address, "--token-file", token])
            #expect(end.status == .exited(69) && end.stdout.isEmpty, "\(end.stderrText)")
            #expect(end.stderrText.hasPrefix("semelctl: \(complaint)"), "\(end.stderrText)")
        }
        try await console.stop()
    }
}
