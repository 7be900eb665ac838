import Semel

/// What was last seen of a queue.
struct QueueReading: Sendable {
    /// `nil` before it could be read for the first time.
    var counts: QueueCounts?
    /// When these counts were read.
    var time: Timestamp?
    /// Why the last look failed; the counts are those of an earlier one then.
    var problem: String?
}

/// Counts at one moment.
struct QueueSample: Sendable, Encodable {
    /// RFC 3339
    var time: String
    var ready: Int
    var claimed: Int?
    var delayed: Int?
    var dead: Int?

    init(_ counts: QueueCounts, at time: Timestamp) {
        self.time = time.rfc3339
        (ready, claimed, delayed, dead) = (counts.ready, counts.claimed, counts.delayed, counts.dead)
    }
}

/// The last hour, as far as the console has run.
struct QueueHistory: Sendable {
    static let span = Duration.seconds(3_600)
    static let step = Duration.seconds(10)

    private(set) var samples: [QueueSample] = []
    private var times: [Timestamp] = []

    mutating func add(_ counts: QueueCounts, at time: Timestamp) {
        if let last = times.last, time - last < Self.step - .milliseconds(500), time >= last {
            // The last one stays the newest: a chart ends with what the table says.
            samples[samples.count - 1] = QueueSample(counts, at: time)
            return
        }
        samples.append(QueueSample(counts, at: time))
        times.append(time)
        let old = times.prefix { time - $0 > Self.span }.count
        samples.removeFirst(old)
        times.removeFirst(old)
    }
}
