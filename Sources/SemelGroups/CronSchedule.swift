/// A CronJob's schedule, read as Kubernetes reads it (robfig/cron v3, its standard parser) and asked when it fires.
///
/// Five fields, minute, hour, day of month, month, day of week, with lists, ranges, steps and English names; or `@daily` and
/// its like; or `@every 1h30m`. When both days are restricted, either one will do.
public struct CronSchedule: Sendable, Hashable {
    /// Why Kubernetes would refuse a schedule, and what would be right.
    public struct Problem: Error, Sendable, Hashable {
        public let message: String
    }

    /// How far the clock of the schedule's zone is ahead of UTC, in seconds, at a moment in seconds since 1970.
    public typealias Offset = (_ moment: Int64) -> Int

    private enum Rule: Sendable, Hashable {
        case fields(CronFields)
        /// In seconds.
        case every(Int64)
    }

    private let rule: Rule

    public init(_ text: String) throws(Problem) {
        if text.hasPrefix("TZ=") || text.hasPrefix("CRON_TZ=") {
            throw Problem(message: "Kubernetes takes no TZ or CRON_TZ in a schedule; write the zone as timeZone")
        }
        if text.hasPrefix("@") {
            rule = try Self.descriptor(text)
            return
        }
        rule = .fields(try CronFields(text))
    }

    private static func descriptor(_ text: String) throws(Problem) -> Rule {
        let every = "@every "
        if text.hasPrefix(every) {
            guard let seconds = GoDuration.seconds(text.dropFirst(every.count)) else {
                throw Problem(message: "‘\(text)’ has no time in it that Go reads; write one such as @every 1h30m")
            }
            return .every(max(1, Int64(seconds)))
        }
        let fields: String
        switch text {
        case "@yearly", "@annually": fields = "0 0 1 1 *"
        case "@monthly": fields = "0 0 1 * *"
        case "@weekly": fields = "0 0 * * 0"
        case "@daily", "@midnight": fields = "0 0 * * *"
        case "@hourly": fields = "0 * * * *"
        default:
            throw Problem(
                message:
                    "‘\(text)’ is none of @yearly, @monthly, @weekly, @daily, @hourly and @every followed by a time")
        }
        return .fields(try CronFields(fields))
    }

    /// The minutes of a day, from 0 to 1439 and in order, at which it fires on the days that it fires on; `nil` for
    /// `@every`, which follows no clock.
    public var minutesOfDay: [Int]? {
        guard case .fields(let fields) = rule else { return nil }
        return fields.minutesOfDay
    }

    /// The first moment behind `moment` at which it fires, both in seconds since 1970; `nil` when there is none within
    /// five years, which is for ever to Kubernetes.
    ///
    /// A time that the clocks skip in spring does not fire on that day; one that they repeat in autumn fires twice.
    public func next(after moment: Int64, _ offset: Offset) -> Int64? {
        switch rule {
        case .every(let seconds): moment + seconds
        case .fields(let fields): fields.next(after: moment, offset)
        }
    }
}

/// The text of a time as Go's `time.ParseDuration` reads it.
enum GoDuration {
    private static let units: [Substring: Double] = [
        "h": 3_600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9,
    ]

    /// In seconds, never negative.
    static func seconds(_ text: Substring) -> Double? {
        var rest = text.first == "+" ? text.dropFirst() : text
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var sum = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
            rest = rest.dropFirst(unit.count)
            guard number.contains(where: { $0 != "." }), number.count(where: { $0 == "." }) < 2,
                let value = Double("0\(number.hasSuffix(".") ? number.dropLast() : number)"), let scale = units[unit]
            else { return nil }
            sum += value * scale
        }
        // What is longer does not fit into Go's 64 bits of nanoseconds.
        return sum < 9.2e9 ? sum : nil
    }
}
