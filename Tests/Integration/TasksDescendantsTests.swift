import Foundation
import Glibc
import TestSupport
import Testing

/// Nothing of the task survives the worker, and none of it holds the worker up.
@Suite(.oneLane)
struct TasksDescendantsTests {
    /// Ways of leaving a process behind that holds the task's streams open. Each writes nothing and runs for long.
    enum Leftover: String, CaseIterable {
        case inTheGroup = "sleep 600 &"
        case ignoringSignals = "(trap '' TERM HUP INT; sleep 600; sleep 600) &"
        case inASessionOfItsOwn = "setsid sleep 600 &"
        case forkedTwice = "(setsid sh -c 'sleep 600 & sleep 600 & exit 0' &)"
        /// A supervisor that starts another child as soon as one is killed.
        case respawning = "setsid sh -c 'trap \"\" TERM; while :; do sleep 600; done' &"
        case stopped = "setsid sh -c 'kill -STOP $$' &"
    }

    /// How the worker comes to its end.
    enum End: CaseIterable {
        case success, failure, stop, timeout

        var status: TestSupport.ExitStatus {
            switch self {
            case .success: .exited(0)
            case .failure: .exited(75)
            case .stop: .exited(143)
            case .timeout: .exited(124)
            }
        }

        var rooms: TaskSpool.Rooms {
            switch self {
            case .success: .init(done: ["a"])
            case .failure, .timeout: .init(delayed: ["a~1"])
            case .stop: .init(ready: ["a"])
            }
        }
    }

    @Test(arguments: Leftover.allCases)
    func nothingIsLeft(_ leftover: Leftover) async throws {
        try await expectNothingLeft(leftover, .success)
    }

    @Test(arguments: End.allCases)
    func whateverTheEnd(_ end: End) async throws {
        try await expectNothingLeft(.forkedTwice, end)
    }

    private func expectNothingLeft(_ leftover: Leftover, _ end: End) async throws {
        let spool = try TaskSpool()
        let task = spool.script(
            """
            \(leftover.rawValue)
            echo $$ >task; await go
            date +%s.%N >ended; exit \(end == .failure ? 1 : 0)
            """)
        // Long enough to start everything, short enough to wait for.
        let flags = end == .timeout ? ["--timeout", "5s"] : []
        let worker = try spool.start(flags, task: task)
        try await spool.waitForNote("task")
        let leader = try #require(spool.notes("task").first.flatMap { pid_t($0) })
        try await eventually(timeout: .seconds(30), "something is left behind") {
            spool.mark.processes(besides: worker.pid).contains { pid in
                pid != leader && (arguments(of: pid).suffix(2) == ["sleep", "600"] || isStopped(pid))
            }
        }
        switch end {
        case .success, .failure: try spool.release("go")
        case .stop: worker.send(SIGTERM)
        case .timeout: break
        }
        // They would run for ten minutes, and a pump gives up a stream that stays open after five seconds.
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == end.status)
        let left = spool.mark.processes()
        #expect(left.isEmpty, "\(left.map { arguments(of: $0) })")
        #expect(spool.rooms == end.rooms, "\(worker.report)")
        if let ended = spool.notes("ended").first.flatMap({ Double($0) }) {
            #expect(Date().timeIntervalSince1970 - ended < 5, "the worker waited for what its task left behind")
        }
    }

    private func arguments(of pid: pid_t) -> [String] {
        (ProcFiles.read("/proc/\(pid)/cmdline") ?? Data()).split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func isStopped(_ pid: pid_t) -> Bool {
        let text = ProcFiles.read("/proc/\(pid)/stat").map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: ")").last?.hasPrefix(" T") ?? false
    }

    /// Nobody can tell the task then, so it must have been arranged before.
    @Test func aWorkerThatIsKilledTakesItsTaskWithIt() async throws {
        let spool = try TaskSpool()
        let worker = try spool.start(task: spool.script("trap '' TERM HUP INT; echo >started; while :; do :; done"))
        try await spool.waitForNote("started")
        worker.send(SIGKILL)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .signalled(SIGKILL))
        try await eventually(timeout: .seconds(10), "the task is gone") { spool.mark.processes().isEmpty }
        #expect(spool.rooms == .init(claimed: ["a~1"]))
        // The next worker knows that this was an attempt.
        let next = try await spool.work(task: spool.script(#"echo "$SEMEL_ATTEMPT""#))
        #expect(next.stdoutText == "2\n")
        #expect(spool.rooms == .init(done: ["a"]))
    }

    /// A worker that is PID 1 collects what its task's daemons leave, all the while the task runs.
    @Test func endedDaemonsAreCollectedWhileTheTaskRuns() async throws {
        let spool = try TaskSpool()
        let count = 20
        try spool.directory.write(
            """
            until [ "$(ps -o ppid= -p $$ | tr -d ' ')" = "$1" ]; do sleep 0.02; done
            echo adopted >>adopted
            """, to: "daemon")
        let worker = try spool.start(
            task: spool.script(
                """
                worker=$PPID
                for i in $(seq \(count)); do (setsid sh daemon "$worker" &); done
                await go; exit 65
                """))
        try await eventually(timeout: .seconds(60), "the worker has adopted all daemons") {
            spool.notes("adopted").count == count
        }
        try await eventually(timeout: .seconds(30), "the daemons are collected") {
            let alive = spool.mark.processes(besides: worker.pid).filter {
                ProcFiles.status($0, "PPid") == Int(worker.pid)
            }
            return ProcFiles.zombies(of: worker.pid).isEmpty && alive.count == 1
        }
        #expect(worker.isRunning)
        // The worker has waited for twenty strangers and still knows how its own task ended.
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(65))
        #expect(spool.rooms == .init(dead: ["a"]))
        #expect(spool.mark.processes().isEmpty)
    }
}
