import Glibc
import Semel
import SemelCommand
import Testing

@Suite(.timeLimit(.minutes(5))) struct CommandStoppingTests {
    /// Neither running nor waiting to be collected by somebody.
    private func isGone(_ pid: String) throws -> Bool {
        guard let number = pid_t(pid), number > 1 else {
            throw SystemError(doing: "read the process id ‘\(pid)’", code: EINVAL)
        }
        guard kill(number, 0) == 0 else { return true }
        guard let status = try? Files.text(of: "/proc/\(pid)/stat") else { return true }
        return status.split(separator: ")").last?.hasPrefix(" Z") == true
    }

    @Test func cancellationIsASIGTERM() async throws {
        let fixture = try CommandFixture()
        let script = """
            trap 'echo saved > "$HERE/saved"; exit 7' TERM
            echo $$ > "$HERE/pid"
            while :; do sleep 0.01; done
            """
        let running = Task { try await fixture.ending(fixture.shell(script)) }
        _ = try await fixture.line(of: "pid")
        running.cancel()
        #expect(try await running.value == .failed("the task exited with 7", exit: 7))
        #expect(try Files.text(of: fixture.directory / "saved") == "saved\n")
    }

    @Test func aTaskWithoutAHandlerIsEndedByIt() async throws {
        let fixture = try CommandFixture()
        let running = Task { try await fixture.ending(fixture.shell(#"echo $$ > "$HERE/pid"; exec sleep 1000"#)) }
        _ = try await fixture.line(of: "pid")
        running.cancel()
        #expect(try await running.value == .failed("the task was ended by SIGTERM", exit: 143))
    }

    @Test func theWholeGroupGetsIt() async throws {
        let fixture = try CommandFixture()
        let script = """
            (trap 'echo saved > "$HERE/saved"; exit' TERM; echo ready > "$HERE/ready"; while :; do sleep 0.01; done) &
            trap : TERM
            wait
            wait
            """
        let running = Task { try await fixture.ending(fixture.shell(script)) }
        _ = try await fixture.line(of: "ready")
        running.cancel()
        _ = try await fixture.line(of: "saved")
        _ = try await running.value
    }

    @Test func aTaskThatIgnoresItIsKilledWhenItsGraceIsOver() async throws {
        let fixture = try CommandFixture()
        let script = """
            trap '' TERM
            echo $$ > "$HERE/pid"
            while :; do sleep 0.01; echo alive > "$HERE/alive"; done
            """
        let running = Task { try await fixture.ending(fixture.shell(script)) }
        let pid = try await fixture.line(of: "pid")
        running.cancel()
        unlink(fixture.directory / "alive")
        // It goes on, and this is what its grace is for.
        _ = try await fixture.line(of: "alive")
        #expect(try !isGone(pid))
        fixture.graceOver.fulfil(())
        #expect(try await running.value == .failed("the task was ended by SIGKILL", exit: 137))
        #expect(try isGone(pid))
    }

    @Test func whatItLeavesBehindIsKilled() async throws {
        let fixture = try CommandFixture()
        let script = """
            sh -c 'trap "" TERM; echo $$ > "$HERE/grandchild"; while :; do sleep 0.01; done' &
            while [ ! -s "$HERE/grandchild" ]; do sleep 0.01; done
            exit 3
            """
        #expect(try await fixture.ending(fixture.shell(script)) == .failed("the task exited with 3", exit: 3))
        let grandchild = try await fixture.line(of: "grandchild")
        try await eventually("the grandchild is gone") { try isGone(grandchild) }
    }

    @Test func grandchildrenAreKilledWithTheTask() async throws {
        let fixture = try CommandFixture()
        let script = """
            trap '' TERM
            sh -c 'trap "" TERM; echo $$ > "$HERE/grandchild"; while :; do sleep 0.01; done' &
            wait
            """
        let running = Task { try await fixture.ending(fixture.shell(script)) }
        let grandchild = try await fixture.line(of: "grandchild")
        running.cancel()
        #expect(try !isGone(grandchild))
        fixture.graceOver.fulfil(())
        #expect(try await running.value == .failed("the task was ended by SIGKILL", exit: 137))
        try await eventually("the grandchild is gone") { try isGone(grandchild) }
    }

    @Test func aTaskMayStopItsWork() async throws {
        let fixture = try CommandFixture()
        let script = #"trap 'exit 0' TERM; echo $$ > "$HERE/pid"; while :; do sleep 0.01; done"#
        let running = Task { try await fixture.ending(fixture.shell(script)) }
        _ = try await fixture.line(of: "pid")
        running.cancel()
        #expect(try await running.value == .succeeded(nil))
    }

    @Test func cancelledBeforeItBegan() async throws {
        let fixture = try CommandFixture()
        let running = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await fixture.ending(fixture.shell("exec sleep 1000"))
        }
        running.cancel()
        #expect(try await running.value == .failed("the task was ended by SIGTERM", exit: 143))
    }

    @Test func signalsAreForwarded() async throws {
        let fixture = try CommandFixture()
        let task = fixture.shell(
            #"trap 'echo USR1 > "$HERE/got"; exit 0' USR1; echo $$ > "$HERE/pid"; while :; do sleep 0.01; done"#)
        #expect(!task.forward(SIGUSR1))
        let running = Task { try await fixture.ending(task) }
        _ = try await fixture.line(of: "pid")
        // The command may be a little ahead of whoever has started it.
        try await eventually("the signal is passed on") { task.forward(SIGUSR1) }
        #expect(try await running.value == .succeeded(nil))
        #expect(try Files.text(of: fixture.directory / "got") == "USR1\n")
        // Nobody gets it any more. But it was the command's: a worker that hears of a hang-up now goes on to settle.
        #expect(task.forward(SIGHUP))
        task.prepare(fixture.status)
        #expect(!task.forward(SIGHUP), "the next command has not been started")
    }
}
