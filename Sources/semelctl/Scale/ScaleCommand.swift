import ArgumentParser
import Glibc
import Semel
import SemelKEDA

struct ScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract:
            "Runs a ScaledJob on this machine: KEDA's loop, with processes for pods. For the desk, not for production.",
        discussion: """
            The real queues are read, KEDA's decision is made at every pollingInterval, and for each Job the pod's first \
            container runs as a process, with its environment and an address of its own (127.x.y.z). For production there \
            is KEDA: nothing here survives this command, and there is one machine only.

            An image is not run. Its entry point is ‘semel run --’, as that of semel-runtime, or --entrypoint; its command \
            is given after --. Names that only the cluster knows are replaced with --host.

            Ctrl-C asks all workers to end and waits for their grace period; a second one kills them. SIGTERM, \
            SIGHUP and SIGQUIT do the same. Exit codes: 0 done; \
            1 some Job failed (with --once or --until-empty); 64, 69, 77, 78 before anything runs; 130 or 143 stopped.
            """)

    @OptionGroup var manifest: ManifestOption

    @Option(
        name: .customLong("host"),
        help: ArgumentHelp(
            "An address in place of a name of the cluster, wherever the files have it. May be given many times.",
            valueName: "name[:port]=address[:port]"))
    var hosts: [String] = []

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp(
            "A variable of the worker, in place of what is written; without a value, the one that semelctl has. May be "
                + "given many times.", valueName: "name[=value]"))
    var variables: [String] = []

    @Option(
        help: ArgumentHelp(
            "Stands for the image's entry point, and replaces the container's command; words are separated by blanks.",
            valueName: "command"))
    var entrypoint: String?

    @Option(
        help: ArgumentHelp("From one poll to the next, such as 500ms, instead of pollingInterval.", valueName: "time"))
    var poll: String?

    @Flag(help: "Polls once, waits until no Job is unfinished, and ends.")
    var once = false

    @Flag(help: "Ends when the triggers read nothing and no Job is unfinished.")
    var untilEmpty = false

    @Option(
        help: ArgumentHelp(
            "With --until-empty, for how long the triggers have to read nothing: two polls, and 10s for a rabbitmq "
                + "trigger over HTTP, whose numbers are old.", valueName: "time"))
    var emptyFor: String?

    @Option(
        help: ArgumentHelp(
            "Keeps what the pods print in this directory, a file for each; otherwise nobody sees it.",
            valueName: "directory"))
    var logs: String?

    @Option(
        name: .customLong("metric"),
        help: ArgumentHelp(
            "What a trigger reads in every poll, instead of asking. May be given many times.", valueName: "index=value")
    )
    var metrics: [String] = []

    @OptionGroup var keda: KEDAVersionOption

    @Flag(help: "Prints a JSON object a line.")
    var json = false

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The task, as the image's command.", valueName: "task"))
    var task: [String] = []

    func run() async throws {
        let settings = try settings()
        let files = try ScaleManifest.read(settings)
        let loop = try ScaleLoop(settings, files)
        try await loop.run()
    }

    private func settings() throws(CommandFailure) -> ScaleSettings {
        if once && untilEmpty { throw .usage("--once and --until-empty: choose one of them") }
        if emptyFor != nil && !untilEmpty { throw .usage("--empty-for: goes with --until-empty") }
        var changes = DeskChanges()
        for text in hosts {
            guard let host = HostAlias(text) else {
                throw .usage(
                    "--host: ‘\(text)’ is not NAME[:PORT]=ADDRESS[:PORT], such as rabbitmq.default.svc=127.0.0.1")
            }
            changes.hosts.append(host)
        }
        for text in variables {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // What is behind the sign may be a password, and what is not understood may be one as well.
            guard let name = parts.first, !name.isEmpty else { throw .usage("--env: write NAME=VALUE or NAME") }
            // A value on the command line is seen by everybody who may list processes.
            guard let value = parts.count == 2 ? String(parts[1]) : getenv(String(name)).map({ String(cString: $0) })
            else { throw .usage("--env: write NAME=VALUE, or NAME of a variable that is set") }
            changes.variables.removeAll { $0.name == name }
            changes.variables.append((String(name), SecretText(value)))
        }
        let words = entrypoint.map { $0.split(separator: " ").map(String.init) }
        if let words, words.isEmpty { throw .usage("--entrypoint: no command") }
        let end: ScaleSettings.End =
            once ? .afterOnePoll : untilEmpty ? .whenEmpty(for: try time(emptyFor, "--empty-for")) : .never
        let poll = try time(poll, "--poll")
        if let poll, poll < .milliseconds(10) { throw .usage("--poll: at least 10ms") }
        return ScaleSettings(
            manifest: manifest, changes: changes,
            image: PodCommand.Image(
                entrypoint: words ?? ["semel", "run", "--"], replacesCommand: words != nil,
                arguments: task.isEmpty ? nil : task),
            version: try keda.parsed(), poll: poll, end: end, logs: logs,
            metrics: metrics, isJSON: json)
    }

    private func time(_ text: String?, _ flag: String) throws(CommandFailure) -> Duration? {
        guard let text else { return nil }
        guard let duration = Units.duration(text) else {
            throw .usage("\(flag): ‘\(text)’ is not a time such as 500ms, 5s or 2m")
        }
        return duration
    }
}
