import Dispatch
import Foundation
import Glibc
import TestSupport

// Runs queues through random faults and looks whether a message was lost or settled by a stale claim. See SoakSettings
// for what can be chosen; 1 when something was found, 2 when the soak could not be done.

let mark = UUID().uuidString
/// Ledgers, logs and spools; kept when something was found.
let logs = "\(NSTemporaryDirectory())semel-soak-\(mark.prefix(8))"

/// Not `print`, which keeps what it is told until the end where the output is no terminal.
func tell(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

/// Ctrl-C must leave nothing behind either; what the watchdog does not know are the tasks' own children.
func endOnSignals() -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM, SIGHUP].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler {
            WorkerCrew.startNobodyAnyMore()
            LeftBehind.end(mark)
            // The logs of the workers that were just killed are still being written.
            usleep(500_000)
            try? FileManager.default.removeItem(atPath: logs)
            exit(128 + number)
        }
        source.resume()
        return source
    }
}

func soak(_ kind: QueueKind, _ settings: SoakSettings) async throws -> Bool {
    let directory = logs + "/" + kind.rawValue
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let start = ContinuousClock.now
    tell("\(kind.rawValue) …")
    let queue: any SoakQueue =
        switch kind {
        case .spool: try SpoolSoak(in: directory)
        case .redis: try await RedisSoak(.list)
        case .stream: try await RedisSoak(.stream)
        case .rabbitmq: try await RabbitMQSoak()
        case .sqs, .fifo: try await SQSSoak(kind)
        }
    let evidence = try await QueueSoak(queue: queue, directory: directory, settings: settings, mark: mark).run()
    let verdict = SoakVerdict(evidence)
    let table = SoakTable(
        evidence: evidence, verdict: verdict, seed: settings.seed, elapsed: ContinuousClock.now - start)
    tell(table.text)
    if !verdict.isGood { tell(table.stories { "\(directory)/workers/\($0).log" }) }
    return verdict.isGood
}

func soakAll() async -> Int32 {
    do {
        let settings = try SoakSettings(ProcessInfo.processInfo.environment)
        tell("seed \(settings.seed), \(try Executable.semel)")
        var isGood = true
        for kind in settings.queues where try await !soak(kind, settings) { isGood = false }
        if isGood {
            try FileManager.default.removeItem(atPath: logs)
            return 0
        }
        tell("the logs are in \(logs)")
        return 1
    } catch {
        LeftBehind.end(mark)
        FileHandle.standardError.write(Data("semel-soak: \(error)\n".utf8))
        if FileManager.default.fileExists(atPath: logs) { tell("the logs are in \(logs)") }
        return 2
    }
}

let sources = endOnSignals()
let code = await soakAll()
withExtendedLifetime(sources) {}
exit(code)
