import Semel

/// Prometheus' text format, version 0.0.4. One snapshot: a registry of counters would be an extra place to keep what the
/// status already knows.
enum Metrics {
    /// What a message can come to; counters that are there from the start, so that their first increase is seen.
    private static let ends: [Outcome] = [
        .completed, .retry, .deadLettered, .timedOut, .lost, .terminated, .interrupted, .misconfigured,
    ]

    static func text(_ board: StatusBoard.Snapshot) -> String {
        let status = board.worker
        var page = MetricsPage()
        page.gauge(
            "semel_state", "What the worker does: 1 for the state it is in.",
            WorkerState.allCases.map { ([("state", $0.rawValue)], $0 == status.state ? 1 : 0) })
        page.gauge("semel_claimed", "Whether a message was claimed.", status.messageID == nil ? 0 : 1)
        page.gauge("semel_attempt", "The attempt number of the claimed message, 0 before.", Double(status.attempt ?? 0))
        page.gauge("semel_progress_ratio", "How far the task is, by its own word.", status.progress ?? 0)
        page.gauge("semel_wait_seconds", "From the worker's start to its claim, or to now.", status.waited.seconds)
        page.gauge("semel_task_seconds", "From the claim to the task's end, or to now.", status.ran.seconds)
        page.counter(
            "semel_lease_extensions_total", "How often the claim's lease was extended.", Double(status.leaseExtensions))
        page.counter("semel_output_bytes_total", "What the task printed, both streams.", Double(status.outputBytes))
        page.gauge("semel_claim_lost", "Whether the claim was lost.", status.claimLost == nil ? 0 : 1)
        page.gauge(
            "semel_start_time_seconds", "When the worker started, since 1970.",
            Double(status.started.milliseconds) / 1_000)
        if let messages = board.messages {
            page.counter(
                "semel_messages_total", "How many messages came to what.",
                ends.map { ([("outcome", $0.rawValue)], Double(messages[$0] ?? 0)) })
        }
        if let outcome = status.outcome {
            page.gauge("semel_outcome", "What it came to, once it is over.", [([("outcome", outcome.rawValue)], 1)])
        }
        page.gauge("semel_build_info", "The version of the worker.", [([("version", Version.current)], 1)])
        return page.text
    }
}

private struct MetricsPage {
    private(set) var text = ""

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        write(name, "gauge", help, [([], value)])
    }

    mutating func gauge(_ name: String, _ help: String, _ values: [([(String, String)], Double)]) {
        write(name, "gauge", help, values)
    }

    mutating func counter(_ name: String, _ help: String, _ value: Double) {
        counter(name, help, [([], value)])
    }

    mutating func counter(_ name: String, _ help: String, _ values: [([(String, String)], Double)]) {
        write(name, "counter", help, values)
    }

    private mutating func write(
        _ name: String, _ type: String, _ help: String, _ values: [([(String, String)], Double)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for (labels, value) in values {
            let shown = labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
            text += name + (shown.isEmpty ? "" : "{\(shown)}") + " \(value)\n"
        }
    }
}
