import ArgumentParser
import Glibc
import Semel

struct Semelctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "semelctl",
        abstract: "Puts messages into queues and looks after them.",
        discussion: """
            The queue is a URL: amqp://user:password@host/vhost?queue=name, redis://host:6379/0?list=name (or \
            stream=name) or spool:/path/dir. It is taken from --queue, from SEMEL_QUEUE, from MQ_HOST with MQ_QUEUE or \
            from REDIS_HOST with REDIS_LIST or REDIS_STREAM. When nobody names one, it is the spool in /var/spool/semel.

            Exit codes: 0 done; 1 ‘lint’ has found errors; 64 wrong usage; 69 the queue cannot be reached; 70 internal \
            error; 77 the queue refused the credentials; 78 wrong configuration; 130 or 143 stopped by a signal. ‘enqueue \
            --await’ has more.
            """,
        version: "semelctl \(Version.current)",
        subcommands: [
            EnqueueCommand.self, QueueCommand.self, DeadCommand.self, ExplainCommand.self, LintCommand.self,
            SimulateCommand.self, ScaleCommand.self, GroupsCommand.self, ConsoleCommand.self,
        ])

    /// Parses the command line and does what it says; whatever goes wrong becomes one line and an exit code.
    static func runToEnd() async -> Int32 {
        do {
            try Arguments.requireUTF8()
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return Outcome.completed.exitCode
        } catch let failure as CommandFailure {
            return failed(failure.description, failure.outcome.exitCode)
        } catch let code as ExitCode {
            // The command has said what there was to say.
            return code.rawValue
        } catch {
            let code = exitCode(for: error)
            // Help and version are thrown as well.
            guard code.isSuccess else { return failed("\(message(for: error)); see ‘semelctl --help’", code.rawValue) }
            return shown(fullMessage(for: error))
        }
    }

    private static func shown(_ text: String) -> Int32 {
        do throws(CommandFailure) {
            try StandardOutput.write(text + "\n")
            return Outcome.completed.exitCode
        } catch {
            return failed(error.description, error.outcome.exitCode)
        }
    }

    private static func failed(_ text: String, _ code: Int32) -> Int32 {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        StandardError.write("semelctl: \(line)\n")
        return code
    }
}

private enum Arguments {
    /// Swift replaces what is not UTF-8 in the command line's words; a message must not change on its way.
    static func requireUTF8() throws(CommandFailure) {
        for index in 0..<Int(CommandLine.argc) {
            guard let word = CommandLine.unsafeArgv[index], String(validatingCString: word) == nil else { continue }
            throw CommandFailure(
                "word \(index) of the command line is not UTF-8; pass such a message by standard input or --file",
                .usage)
        }
    }
}
