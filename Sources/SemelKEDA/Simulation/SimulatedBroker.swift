/// A message on its way.
struct SimulatedMessage {
    let index: Int
    let arrival: Int
    /// How many workers have claimed it.
    var claims = 0
    /// How many of them have died of it.
    var deaths = 0
}

/// What the queue knows, as numbers. Held is every message that a worker has claimed and not settled, whether the worker
/// lives or not.
struct QueueLevel: Sendable, Hashable {
    var ready = 0
    var held = 0
}

/// The queue: what waits, what is held, and what it was like some time ago.
struct SimulatedBroker {
    private struct Run {
        var first: Int
        var count: Int
        let arrival: Int
    }

    let kind: SimulationInput.QueueKind
    private var fresh = FIFO<Run>()
    private var returned = FIFO<SimulatedMessage>()
    private var arrived = 0
    private(set) var level = QueueLevel()
    private var history: LevelHistory?

    /// - Parameter remembers: Whether somebody will ask for what was before.
    init(_ kind: SimulationInput.QueueKind, remembers: Bool) {
        self.kind = kind
        history = remembers ? LevelHistory() : nil
    }

    /// Whether a worker that looks now finds something.
    var hasMessage: Bool { !fresh.isEmpty || !returned.isEmpty }

    mutating func arrive(_ count: Int, at time: Int) {
        fresh.append(Run(first: arrived, count: count, arrival: time))
        arrived += count
        change(at: time, ready: count, held: 0)
    }

    /// What came back goes first, as it does with a lease that is over, and nearly so on RabbitMQ.
    ///
    /// - Parameter isForgotten: The queue gives the message away for good, so that nobody holds it.
    mutating func claim(at time: Int, isForgotten: Bool) -> SimulatedMessage? {
        if let message = returned.popFirst() {
            let (ready, held) = kind.countsReturnedAsHeld ? (0, 1) : (1, 0)
            change(at: time, ready: -ready, held: (isForgotten ? 0 : 1) - held)
            return message
        }
        guard var run = fresh.first else { return nil }
        let message = SimulatedMessage(index: run.first, arrival: run.arrival)
        run.first += 1
        run.count -= 1
        if run.count == 0 { _ = fresh.popFirst() } else { fresh.replaceFirst(run) }
        change(at: time, ready: -1, held: isForgotten ? 0 : 1)
        return message
    }

    /// A held message is done, or given up.
    mutating func settle(at time: Int) {
        change(at: time, ready: 0, held: -1)
    }

    /// A held message may be claimed again.
    mutating func giveBack(_ message: SimulatedMessage, at time: Int) {
        returned.append(message)
        guard !kind.countsReturnedAsHeld else { return }
        change(at: time, ready: 1, held: -1)
    }

    private mutating func change(at time: Int, ready: Int, held: Int) {
        level.ready += ready
        level.held += held
        history?.add(level, at: time)
    }

    /// What the queue was like then, at the end of that millisecond. Never asked for an earlier time than before.
    mutating func level(at time: Int) -> QueueLevel {
        history?.level(at: time) ?? level
    }
}

/// The changes of a level, as far back as somebody may still ask.
private struct LevelHistory {
    private var changes = FIFO<(time: Int, level: QueueLevel)>()
    private var before = QueueLevel()

    mutating func add(_ level: QueueLevel, at time: Int) {
        if let last = changes.last, last.time == time {
            changes.replaceLast((time, level))
        } else {
            changes.append((time, level))
        }
    }

    mutating func level(at time: Int) -> QueueLevel {
        while let first = changes.first, first.time <= time {
            before = first.level
            _ = changes.popFirst()
        }
        return before
    }
}

/// First in, first out, in amortized constant time and with memory for what is in it.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var first: Element? { isEmpty ? nil : elements[head] }
    var last: Element? { isEmpty ? nil : elements.last }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let first = elements[head]
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1_024, head > elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }

    mutating func replaceFirst(_ element: Element) {
        if !isEmpty { elements[head] = element }
    }

    mutating func replaceLast(_ element: Element) {
        if !isEmpty { elements[elements.count - 1] = element }
    }
}

extension SimulationInput.QueueKind {
    var hasLeases: Bool { self != .rabbitMQ }
    var countsReturnedAsHeld: Bool { self == .redisList || self == .redisStream }
    var waitsForLeases: Bool { self == .redisList }
}
