import Foundation
import Synchronization
import TestSupport

/// What became of one worker.
struct WorkerRecord: Sendable {
    /// The line in the termination log.
    struct Report: Codable, Sendable {
        var outcome: String
        var messageId: String?
        var attempt: Int?
        var taskExit: Int32?
        var reason: String?
    }

    let worker: Int
    let start: Int64
    let end: Int64
    /// Missing for a worker that would not end.
    let status: ExitStatus?
    let report: Report?
    /// It had no good answer to its settlement at first.
    let triedToSettleAgain: Bool

    var exitCode: Int32? { if case .exited(let code)? = status { code } else { nil } }
}

/// Keeps a number of workers running: where one has ended the next one starts.
actor WorkerCrew {
    private let arguments: [String]
    private let environment: [String: String]
    private let directory: String
    private let semel: Executable
    private var isHiring = true
    private var nextWorker = 1
    private var running: [Int: RunningProcess] = [:]
    private(set) var records: [WorkerRecord] = []

    private static let isOver = Atomic(false)

    /// Longer than any pause, outage and patience of a worker together.
    private static let longestLife = Duration.seconds(180)

    init(queue: any SoakQueue, directory: String, environment: [String: String]) throws {
        semel = try .semel
        self.directory = directory + "/workers"
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        arguments =
            [
                "run", "--queue", queue.url, "--wait", "2s", "--retry-delay", "100ms..1s", "--max-attempts", "50",
                "--grace", "1s", "--status-address", "off",
            ] + queue.flags
        self.environment = environment
    }

    /// Returns when nobody is hired any more and the last worker has left.
    func work(_ count: Int) async {
        isHiring = true
        await withTaskGroup { group in
            for _ in 0..<count {
                group.addTask {
                    while await self.isHiring { await self.workOnce() }
                }
            }
        }
    }

    func stopHiring() {
        isHiring = false
    }

    /// For the end of the whole soak by a signal: workers that are killed then have no successors.
    static func startNobodyAnyMore() {
        isOver.store(true, ordering: .relaxed)
    }

    /// Those that run now, with their numbers.
    var workers: [(number: Int, process: RunningProcess)] {
        running.filter { $0.value.isRunning }.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    func logFile(of worker: Int) -> String { "\(directory)/\(worker).log" }

    private func terminationLog(of worker: Int) -> String { "\(directory)/\(worker).termination" }

    private func workOnce() async {
        guard !Self.isOver.load(ordering: .relaxed) else {
            isHiring = false
            return
        }
        let worker = nextWorker
        nextWorker += 1
        let start = WallClock.now
        let log = terminationLog(of: worker)
        do {
            let process = try RunningProcess(
                semel, arguments + ["--termination-log", log, "--"] + SoakTask.command,
                environment: environment.merging([SoakTask.Variable.worker: String(worker)]) { $1 })
            running[worker] = process
            defer { running[worker] = nil }
            let status = try? await process.waitForExit(timeout: Self.longestLife)
            let report = FileManager.default.contents(atPath: log).flatMap {
                try? JSONDecoder().decode(WorkerRecord.Report.self, from: $0)
            }
            try? Data(process.stderr.bytes).write(to: URL(fileURLWithPath: logFile(of: worker)))
            if status == nil { process.killGroup() }
            records.append(
                WorkerRecord(
                    worker: worker, start: start, end: WallClock.now, status: status, report: report,
                    triedToSettleAgain: process.stderr.text.contains("could not settle, trying again")))
            // While the server is away nobody is helped by workers that come and go a hundred times a second.
            if status == .exited(69) { try? await Task.sleep(for: .milliseconds(200)) }
        } catch {
            FileHandle.standardError.write(Data("cannot start a worker: \(error)\n".utf8))
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
