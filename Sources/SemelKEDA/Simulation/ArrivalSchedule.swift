/// When messages come.
public struct ArrivalSchedule: Sendable, Hashable {
    public struct Batch: Sendable, Hashable {
        /// In milliseconds from the beginning.
        public let time: Int
        public let count: Int

        public init(time: Int, count: Int) {
            self.time = time
            self.count = count
        }
    }

    /// More than this are not simulated: a year of messages has a pattern that a day has, too.
    public static let mostMessages = 10_000_000

    /// In the order of their times, one for each time, none of them empty.
    public let batches: [Batch]
    public let messageCount: Int

    /// - Parameter batches: In any order.
    public init(_ batches: [Batch]) {
        var merged: [Batch] = []
        for batch in batches.sorted(by: { $0.time < $1.time }) where batch.count > 0 {
            if let last = merged.last, last.time == batch.time {
                merged[merged.count - 1] = Batch(time: last.time, count: last.count + batch.count)
            } else {
                merged.append(batch)
            }
        }
        self.batches = merged
        messageCount = merged.reduce(0) { $0 + $1.count }
    }

    /// One after the other, as far apart as the rate says.
    ///
    /// - Parameters:
    ///   - perSecond: More than 0.
    ///   - length: In milliseconds. The first message comes at 0, none at the end.
    public static func even(perSecond: Double, for length: Int) -> [Batch] {
        let count = Int((perSecond * Double(length) / 1_000).rounded())
        return times(count) { Int(Double($0) * 1_000 / perSecond) }
    }

    /// As of many senders that do not know of each other: as many as the rate says on average, each at a time of its own.
    public static func random(perSecond: Double, for length: Int, seed: UInt64) -> [Batch] {
        let random = SeededRandom(seed: seed)
        let gap = DurationDistribution.exponential(mean: 1_000_000)
        var batches: [Batch] = []
        var time = 0.0
        while true {
            // In millionths of the mean: at high rates a millisecond is too coarse.
            time += Double(gap.milliseconds(random, .arrival, batches.count)) / 1_000 / perSecond
            guard time < Double(length) else { return batches }
            batches.append(Batch(time: Int(time), count: 1))
        }
    }

    private static func times(_ count: Int, _ time: (Int) -> Int) -> [Batch] {
        var batches: [Batch] = []
        for index in 0..<count {
            let time = time(index)
            if let last = batches.last, last.time == time {
                batches[batches.count - 1] = Batch(time: time, count: last.count + 1)
            } else {
                batches.append(Batch(time: time, count: 1))
            }
        }
        return batches
    }
}
