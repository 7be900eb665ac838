import Semel

/// What was last seen of a queue.
struct QueueReading: Sendable {
    /// `nil` before it could be read for the first time.
    var counts: QueueCounts?
    /// When these counts were read.
    var time: Timestamp?
    /// Why the last look failed; the counts are those of an earlier one then.
    var problem: String?

    /// Somebody looks every two seconds, nobody every ten.
    private static let longestSilence = Duration.seconds(15)

    /// Why the counts are not those of now: a broker that says nothing fails late.
    var presentProblem: String? {
        if let problem { return problem }
        guard let time, Timestamp.now - time > Self.longestSilence else { return nil }
        return "no answer so far"
    }
}

/// Counts at one moment.
struct QueueSample: Sendable, Encodable {
    let moment: Timestamp
    /// RFC 3339
    var time: String
    var ready: Int
    var claimed: Int?
    var delayed: Int?
    var dead: Int?

    private enum CodingKeys: String, CodingKey {
        case time, ready, claimed, delayed, dead
    }

    init(_ counts: QueueCounts, at moment: Timestamp) {
        self.moment = moment
        time = moment.rfc3339
        (ready, claimed, delayed, dead) = (counts.ready, counts.claimed, counts.delayed, counts.dead)
    }
}

/// The last hour, as far as the console has run.
struct QueueHistory: Sendable {
    static let span = Duration.seconds(3_600)
    static let step = Duration.seconds(10)

    private(set) var samples: [QueueSample] = []

    mutating func add(_ counts: QueueCounts, at time: Timestamp) {
        // The last one is always the newest, whatever its distance: a chart ends with what the numbers say.
        if samples.count > 1, time - samples[samples.count - 2].moment <= Self.step { samples.removeLast() }
        samples.append(QueueSample(counts, at: time))
        samples.removeFirst(samples.prefix { time - $0.moment > Self.span }.count)
    }
}
