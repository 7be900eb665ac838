import Semel

/// Why a command did not do what it was asked for: one line, and the exit code by its outcome.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let outcome: Outcome

    init(_ description: String, _ outcome: Outcome) {
        self.description = description
        self.outcome = outcome
    }

    init(_ error: ConfigurationError) {
        self.init(error.description, error.outcome)
    }

    init(_ error: SystemError) {
        self.init(error.description, .internalError)
    }

    init(_ failure: QueueFailure) {
        self.init(failure.reason, failure.outcome)
    }

    static func usage(_ description: String) -> CommandFailure {
        CommandFailure(description, .usage)
    }

    static func misconfigured(_ description: String) -> CommandFailure {
        CommandFailure(description, .misconfigured)
    }

    /// What came is not what it should be (EX_DATAERR): the code that a worker has for a message of that kind.
    static func badData(_ description: String) -> CommandFailure {
        CommandFailure(description, .deadLettered)
    }

    /// Makes what a body throws a failure of the command.
    static func wrapping<Value, Cause: CommandCause>(_ body: () throws(Cause) -> Value) throws(CommandFailure) -> Value
    {
        do throws(Cause) { return try body() } catch { throw error.commandFailure }
    }
}

/// An error that says all that a command has to say of it.
protocol CommandCause: Error {
    var commandFailure: CommandFailure { get }
}

extension SystemError: CommandCause {
    var commandFailure: CommandFailure { CommandFailure(self) }
}

extension ConfigurationError: CommandCause {
    var commandFailure: CommandFailure { CommandFailure(self) }
}
