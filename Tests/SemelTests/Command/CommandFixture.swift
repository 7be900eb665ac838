import Semel
import SemelCommand
import Testing

/// A command, the message that it works on, and what can be seen of it from outside.
final class CommandFixture: Sendable {
    let status = WorkerStatus(queue: "spool:/var/spool/x")
    let graceOver = OneShot<Void>()
    let directory: TemporaryDirectory
    let message: Message
    let deadline: Timestamp?

    init(
        body: [UInt8] = [], id: String = "m-1", contentType: String? = nil, headers: [String: HeaderValue] = [:],
        attempt: Int = 2, deadline: Timestamp? = nil
    ) throws {
        directory = try TemporaryDirectory()
        message = Message(
            id: id, body: try MessageBody(body), contentType: contentType, headers: headers, attempt: attempt)
        self.deadline = deadline
    }

    var context: TaskContext {
        TaskContext(
            deadline: deadline, maxAttempts: 5, queueName: status.snapshot.queue, graceOver: graceOver, status: status)
    }

    /// `/bin/sh` with a script, in which `$HERE` is a directory of the test's own.
    func shell(
        _ script: String, environment: [String: String] = [:], input: InputMode = .stdin,
        result: CommandTask.ResultMode = .none, maximumResultBytes: Int = 1 << 20
    ) -> CommandTask {
        var all = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HERE": directory.path]
        all.merge(environment) { $1 }
        return CommandTask(
            executable: "/bin/sh", arguments: ["sh", "-c", script], environment: all, input: input, result: result,
            maximumResultBytes: maximumResultBytes)
    }

    func run(_ task: CommandTask) async throws -> TaskResult {
        try await task.run(message, context: context)
    }

    /// Waits until the script has written a line to a file of this name, and returns it.
    func line(of file: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        var text = ""
        try await eventually("\(file) is written", sourceLocation: sourceLocation) {
            text = Files.exists(directory / file) ? try Files.text(of: directory / file) : ""
            return text.hasSuffix("\n")
        }
        return String(text.dropLast())
    }
}

/// A result in words that can be compared.
enum Ending: Equatable {
    case succeeded([UInt8]?)
    case failed(String, exit: Int32?)
    case rejected(String, exit: Int32?)
    case unstartable(String)

    init(_ result: TaskResult) throws {
        self =
            switch result {
            case .succeeded(let body): .succeeded(try body?.bytes())
            case .failed(let failure): .failed(failure.reason, exit: failure.exit)
            case .rejected(let failure): .rejected(failure.reason, exit: failure.exit)
            case .unstartable(let why): .unstartable(why)
            }
    }
}

extension CommandFixture {
    func ending(_ task: CommandTask) async throws -> Ending { try Ending(try await run(task)) }
}
