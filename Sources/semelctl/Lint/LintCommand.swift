import ArgumentParser
import Foundation
import Semel
import SemelKEDA
import SemelQueues

struct LintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Says what will go wrong with KEDA ScaledJobs, in numbers, and how to mend it.",
        discussion: """
            Directories are walked for .yaml, .yml and .json; ‘-’ is standard input: helm template … | semelctl lint -. \
            What is no ScaledJob is passed over. Files of one directory, and files that are named together, belong \
            together: Secrets and TriggerAuthentications are looked up there.

            --queue looks at the real queue, too: whether it is there, and for RabbitMQ the broker's version, the queue's \
            type, delivery limit, dead letter exchange and time-out.

            A comment silences a rule: # semel-lint: ignore SJ070 (on the line or above it), # semel-lint: ignore-file \
            SJ070. All rules: docs/lint.md.

            Exit codes: 0 no errors; 1 errors, or with --strict warnings; 64 wrong usage; 78 a file that cannot be \
            read; 69 and 77 for --queue.
            """)

    @Argument(help: ArgumentHelp("Files and directories; ‘-’ is standard input.", valueName: "file|dir"))
    var paths: [String]

    @Option(help: ArgumentHelp("Also looks at this queue.", valueName: "url"))
    var queue: String?

    @OptionGroup var keda: KEDAVersionOption

    @Flag(help: "Prints a JSON object with all findings.")
    var json = false

    @Flag(help: "Prints SARIF 2.1.0, for code review.")
    var sarif = false

    @Flag(help: "Warnings are errors.")
    var strict = false

    func run() async throws {
        guard !(json && sarif) else { throw CommandFailure.usage("--json and --sarif exclude each other") }
        let version = try keda.parsed()
        let address = try queueAddress()
        let groups = try LintFiles.groups(paths)
        var linters: [Linter] = []
        for group in groups {
            var linter = Linter(version: version)
            for file in group { linter.add(file.text, file: file.name) }
            linters.append(linter)
        }
        var facts: QueueFacts?
        if let address { facts = try await QueueLook.facts(address) }
        // Of many groups, those that count the queue; when none does, all of them are told.
        let isForSome = facts.map { facts in linters.contains { $0.counts(facts) } } ?? false
        let findings = linters.flatMap { linter in
            linter.run(queue: facts.flatMap { !isForSome || linter.counts($0) ? $0 : nil })
        }
        try report(
            findings, scaledJobs: linters.reduce(0) { $0 + $1.scaledJobCount },
            passingOver: linters.flatMap(\.scaledObjects))
        let worst = findings.map(\.rule.severity).max()
        if worst == .error || (strict && worst == .warning) { throw ExitCode(1) }
    }

    private func queueAddress() throws(CommandFailure) -> QueueAddress? {
        guard let queue else { return nil }
        do throws(ConfigurationError) {
            return try QueueAddress(
                QueueURL(queue, source: "--queue"), ProcessInfo.processInfo.environment)
        } catch {
            throw CommandFailure(error)
        }
    }

    private func report(_ findings: [LintFinding], scaledJobs: Int, passingOver objects: [String])
        throws(CommandFailure)
    {
        if json { return try StandardOutput.write(LintJSON(findings, scaledJobs: scaledJobs).line()) }
        if sarif { return try StandardOutput.write(LintSarif.text(findings)) }
        try StandardOutput.write(findings.map { "\($0.description)\n" }.joined())
        for object in objects {
            StandardError.write("passed over: ScaledObject \(object) is not a ScaledJob".onOneLine + "\n")
        }
        StandardError.write(summary(findings, scaledJobs: scaledJobs))
    }

    /// For people; on standard error, so that the findings alone go through a pipe.
    private func summary(_ findings: [LintFinding], scaledJobs: Int) -> String {
        let counts = LintSeverity.allCases.reversed().map { severity in
            let count = findings.count { $0.rule.severity == severity }
            return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return "\(scaledJobs) ScaledJob\(scaledJobs == 1 ? "" : "s"): \(counts.joined(separator: ", "))\n"
    }
}
