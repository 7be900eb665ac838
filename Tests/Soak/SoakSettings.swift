import Foundation

/// What the person at the terminal may choose, by variables: `make soak SOAK=30m SEED=7 QUEUES=redis,spool`.
struct SoakSettings {
    /// For all queues together; starting and stopping servers comes on top.
    var duration = Duration.seconds(300)
    /// Decides the messages, the tasks and the plan of the faults. How they fall together is up to the machine, so that
    /// the same seed gives a similar run, not the same one.
    var seed = UInt64.random(in: 1...999_999)
    var queues = QueueKind.allCases
    /// For each queue at the least; more are queued while there is time left for faults.
    var messages = 1_000
    var workers = 16

    init(_ environment: [String: String]) throws {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let text = given("SOAK") { duration = try Self.duration(text) }
        if let text = given("SEED") {
            guard let value = UInt64(text) else { throw SoakFailure("SEED: ‘\(text)’ is not a whole number") }
            seed = value
        }
        if let text = given("QUEUES") {
            queues = try text.split(separator: ",").map { name in
                guard let kind = QueueKind(rawValue: String(name)) else {
                    let known = QueueKind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw SoakFailure("QUEUES: ‘\(name)’ is none of \(known)")
                }
                return kind
            }
        }
        if let text = given("MESSAGES") { messages = try Self.count(text, "MESSAGES") }
        if let text = given("WORKERS") { workers = try Self.count(text, "WORKERS") }
    }

    private static func count(_ text: String, _ name: String) throws -> Int {
        guard let value = Int(text), value > 0 else {
            throw SoakFailure("\(name): ‘\(text)’ is not a number from 1 up")
        }
        return value
    }

    private static func duration(_ text: String) throws -> Duration {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number > 0 else {
            throw SoakFailure("SOAK: ‘\(text)’ is not a duration; write 300s, 5m or 2h")
        }
        return .seconds(number * unit)
    }
}

enum QueueKind: String, CaseIterable {
    case spool, redis, stream, rabbitmq, sqs, fifo
}

/// The soak itself could not be done, or not be brought to its end.
struct SoakFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
