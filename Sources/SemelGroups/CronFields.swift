import Semel

/// The five fields of a schedule, each a set of bits.
struct CronFields: Sendable, Hashable {
    private let minute: Set
    private let hour: Set
    private let day: Set
    private let month: Set
    private let weekday: Set

    private struct Set: Sendable, Hashable {
        var bits: UInt64 = 0
        /// Whether it is not restricted: `*` or `?`, without a step.
        var isStar = false

        func contains(_ value: Int) -> Bool { bits & 1 << UInt64(value) != 0 }
    }

    private struct Bounds {
        let name: String
        let values: ClosedRange<Int>
        var names: [String] = []
    }

    private static let bounds = [
        Bounds(name: "minute", values: 0...59),
        Bounds(name: "hour", values: 0...23),
        Bounds(name: "day of month", values: 1...31),
        Bounds(
            name: "month", values: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        Bounds(name: "day of week", values: 0...6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    init(_ text: String) throws(CronSchedule.Problem) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 5 else {
            throw CronSchedule.Problem(
                message:
                    "‘\(text)’ has \(words.count) fields, where 5 have to be: minute, hour, day of month, month, day "
                    + "of week")
        }
        var sets: [Set] = []
        for (word, bounds) in zip(words, Self.bounds) { sets.append(try Self.set(word, bounds)) }
        (minute, hour, day, month, weekday) = (sets[0], sets[1], sets[2], sets[3], sets[4])
    }

    var minutesOfDay: [Int] {
        (0..<1_440).filter { hour.contains($0 / 60) && minute.contains($0 % 60) }
    }

    func next(after moment: Int64, _ offset: CronSchedule.Offset) -> Int64? {
        let end = moment + 5 * 366 * 86_400
        // The next whole minute.
        var time = moment - floorRemainder(moment, 60) + 60
        while time < end {
            let shift = offset(time)
            let local = time + Int64(shift)
            guard matchesDay(local) else {
                // To midnight; or to the hour, where the clocks are changed on the way there.
                let midnight = time + 86_400 - floorRemainder(local, 86_400)
                time = offset(midnight) == shift ? midnight : time + 3_600 - floorRemainder(local, 3_600)
                continue
            }
            let minuteOfDay = Int(floorRemainder(local, 86_400) / 60)
            guard hour.contains(minuteOfDay / 60) else {
                time += 3_600 - floorRemainder(local, 3_600)
                continue
            }
            if minute.contains(minuteOfDay % 60) { return time }
            time += 60
        }
        return nil
    }

    private func matchesDay(_ local: Int64) -> Bool {
        let days = Int((local - floorRemainder(local, 86_400)) / 86_400)
        let date = Timestamp.date(daysSince1970: days)
        guard month.contains(date.month) else { return false }
        // 1 January 1970 was a Thursday.
        let isWeekday = weekday.contains(Int(floorRemainder(Int64(days) + 4, 7)))
        let isDay = day.contains(date.day)
        return day.isStar || weekday.isStar ? isDay && isWeekday : isDay || isWeekday
    }
}

extension CronFields {
    private static func set(_ word: Substring, _ bounds: Bounds) throws(CronSchedule.Problem) -> Set {
        var set = Set()
        for part in word.split(separator: ",") {
            let part = try range(part, bounds)
            set.bits |= part.bits
            set.isStar = set.isStar || part.isStar
        }
        return set
    }

    /// `*`, `5`, `1-5`, `mon-fri`, each with `/step` behind it; `5/15` is from 5 to the end.
    private static func range(_ text: Substring, _ bounds: Bounds) throws(CronSchedule.Problem) -> Set {
        func refused(_ why: String) -> CronSchedule.Problem {
            CronSchedule.Problem(message: "‘\(text)’ is no \(bounds.name): \(why)")
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        var set = Set()
        var (first, last) = (bounds.values.lowerBound, bounds.values.upperBound)
        if ends[0] == "*" || ends[0] == "?" {
            set.isStar = true
        } else {
            guard ends.count <= 2 else { throw refused("it has too many hyphens") }
            first = try number(ends[0], bounds, refused)
            last = try ends.count == 2 ? number(ends[1], bounds, refused) : first
            if parts.count > 1, ends.count == 1 { last = bounds.values.upperBound }
        }
        guard parts.count <= 2 else { throw refused("it has too many slashes") }
        let step = try parts.count == 2 ? number(parts[1], Bounds(name: "", values: bounds.values), refused) : 1
        guard step > 0 else { throw refused("a step is at least 1") }
        if step > 1 { set.isStar = false }
        guard bounds.values.contains(first), bounds.values.contains(last) else {
            throw refused("it goes from \(bounds.values.lowerBound) to \(bounds.values.upperBound)")
        }
        guard first <= last else { throw refused("it ends before it begins") }
        for value in stride(from: first, through: last, by: min(step, 60)) { set.bits |= 1 << UInt64(value) }
        return set
    }

    private static func number(
        _ text: Substring, _ bounds: Bounds, _ refused: (String) -> CronSchedule.Problem
    ) throws(CronSchedule.Problem) -> Int {
        if let place = bounds.names.firstIndex(of: text.lowercased()) { return place + bounds.values.lowerBound }
        guard let number = Int(text), number >= 0 else {
            throw refused(
                "‘\(text)’ is no number" + (bounds.names.isEmpty ? "" : " and no English name of three letters"))
        }
        return number
    }
}

/// Never negative.
func floorRemainder(_ value: Int64, _ divisor: Int64) -> Int64 {
    let remainder = value % divisor
    return remainder < 0 ? remainder + divisor : remainder
}
