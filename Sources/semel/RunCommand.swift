import CLinux
import Glibc
import Logging
import NIOPosix
import Semel
import SemelCommand
import SemelQueues
import SemelRabbitMQ
import SemelStatusServer
import Synchronization

/// `semel run`: the process around one worker.
enum RunCommand {
    static func run(_ arguments: [String], _ environment: [String: String]) -> Never {
        StandardStreams.open()
        // First: to PID 1 a signal that comes before it is asked for has never come.
        let signals = Result(catching: SignalSet.block)
        let settings: RunSettings
        let socket: StatusSocket?
        do throws(ConfigurationError) {
            settings = try RunSettings(GivenSettings(arguments, environment), environment)
            socket = if let address = settings.statusAddress { try StatusSocket(address) } else { nil }
        } catch {
            StandardError.write("semel: \(error.description)\n")
            TerminationLog(guessingFrom: arguments, environment)
                .write(Report(outcome: error.outcome, reason: error.description))
            exit(error.outcome.exitCode)
        }
        // A heap for each thread costs a worker more than its few threads ever wait for one another.
        semel_use_one_heap()
        let loop: MainLoop
        do throws(SystemError) {
            loop = try MainLoop(signals.get())
        } catch {
            StandardError.write("semel: \(error.description)\n")
            settings.terminationLog.write(Report(outcome: .internalError, reason: error.description))
            exit(Outcome.internalError.exitCode)
        }
        semel_set_child_subreaper()
        let stop = StopRequest()
        let process = WorkerProcess(settings, stop: stop, loop)
        process.start()
        loop.run(
            taking: { SignalSet.deliver($0, to: stop, forwarding: process.forward) },
            // Nobody looks at most workers: what answers over HTTP comes into being when somebody does.
            watching: socket?.descriptor ?? -1, opened: { if let socket { process.serve(socket) } })
    }
}

/// What a worker is made of, and in which order it starts and ends.
private struct WorkerProcess: Sendable {
    private let queueAddress: QueueAddress
    /// Of several messages.
    private let series: (length: SeriesLength, board: StatusBoard)?
    private let deadLettering: RabbitMQQueue.DeadLettering
    private let policy: WorkerPolicy
    private let task: CommandTask
    private let terminationLog: TerminationLog
    private let stop: StopRequest
    /// Of a single message.
    private let status: WorkerStatus
    private let log: Logger
    private let loop: MainLoop
    private let loops = EventLoops()

    init(_ settings: RunSettings, stop: StopRequest, _ loop: MainLoop) {
        self.stop = stop
        self.loop = loop
        queueAddress = settings.queue.address
        deadLettering = settings.deadLettering
        policy = settings.policy
        terminationLog = settings.terminationLog
        status = WorkerStatus(queue: queueAddress.name)
        series = settings.series.map {
            let readiness: StatusBoard.Readiness = $0 == .endless ? .connected : .claimed
            return ($0, StatusBoard(queue: settings.queue.address.name, readiness: readiness))
        }
        log = settings.logFormat.logger(settings.logLevel)
        task = CommandTask(
            executable: settings.executable, arguments: settings.command, environment: settings.taskEnvironment,
            input: settings.input, result: settings.result,
            maximumResultBytes: settings.policy.request.maxMessageBytes, adoptsOrphans: true)
        for warning in settings.warnings { log.warning("\(warning)") }
    }

    /// Passes a signal on to the task; `false` when there is none.
    func forward(_ signal: CInt) -> Bool {
        task.forward(signal)
    }

    func start() {
        Task(executorPreference: loop) {
            let code = await Life.$executor.withValue(loop) {
                if let series { await live(series.length, series.board) } else { await live() }
            }
            LogWriter.shared.flush(within: .seconds(1))
            _exit(code)
        }
    }

    func serve(_ socket: StatusSocket) {
        Task(executorPreference: loop) {
            do {
                try await StatusServer.serve(socket, series?.board ?? StatusBoard(status), on: loops.group)
            } catch {
                log.error("no status endpoint", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Claim, run, settle, report, linger: see `SingleShotWorker` for the first three.
    private func live() async -> Int32 {
        let report: Report
        do throws(SystemError) {
            // Not closed in the end: it has said goodbye when the claim was settled or nothing came, and whatever hangs
            // is left to the kernel.
            let queue = try queueAddress.queue(
                deadLettering: deadLettering, on: loops.group, status: status, log: log)
            let worker = SingleShotWorker(
                queue: queue, task: task, policy: policy, status: status, stop: stop, log: log)
            report = await worker.run()
            terminationLog.write(report)
            await worker.linger()
        } catch {
            report = Report(outcome: .internalError, reason: error.description)
            log.error("\(report.outcome.rawValue)", metadata: ["reason": "\(error)"])
            terminationLog.write(report)
        }
        return report.outcome.exitCode
    }

    /// The same for one message after the other.
    private func live(_ length: SeriesLength, _ board: StatusBoard) async -> Int32 {
        let lines = TerminationLines(terminationLog)
        let series = WorkerSeries(
            length, task: task, policy: policy, board: board, stop: stop, log: log,
            queue: { (status) throws(SystemError) in
                try queueAddress.queue(deadLettering: deadLettering, on: loops.group, status: status, log: log)
            }, record: lines.add)
        return await series.run().exitCode
    }
}

/// One event loop for all that speaks over a socket of NIO's; started by whoever needs it first.
private final class EventLoops: Sendable {
    private let started = Mutex<MultiThreadedEventLoopGroup?>(nil)

    var group: MultiThreadedEventLoopGroup {
        started.withLock { started in
            let group = started ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
            started = group
            return group
        }
    }
}
