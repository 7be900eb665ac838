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
}
