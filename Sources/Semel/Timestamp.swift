import Glibc

/// A moment of the wall clock, in milliseconds since 1970. For people and for due times; spans are measured with
/// `ContinuousClock`, which nobody can set.
public struct Timestamp: Sendable, Comparable, Hashable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    public static func + (moment: Timestamp, span: Duration) -> Timestamp {
        Timestamp(milliseconds: moment.milliseconds + span.milliseconds)
    }

    public static func - (end: Timestamp, start: Timestamp) -> Duration {
        .milliseconds(end.milliseconds - start.milliseconds)
    }

    public static func < (one: Timestamp, other: Timestamp) -> Bool {
        one.milliseconds < other.milliseconds
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-21T13:27:42.123Z`.
    public var rfc3339: String {
        // Rounded down, also before 1970.
        let thousandths = (milliseconds % 1_000 + 1_000) % 1_000
        let seconds = (milliseconds - thousandths) / 1_000
        let secondOfDay = Int((seconds % 86_400 + 86_400) % 86_400)
        let (year, month, dayOfMonth) = Self.date(daysSince1970: Int((seconds - Int64(secondOfDay)) / 86_400))
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
        let (hour, minute, second) = (secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60)
        let clock = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
        return "\(day)T\(clock).\(padded(Int(thousandths), 3))Z"
    }

    /// The proleptic Gregorian calendar (Howard Hinnant, “chrono-Compatible Low-Level Date Algorithms”). Not gmtime_r(3):
    /// that reads the time zone's file first, which no UTC needs.
    package static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        // Counted from 1 March of the year 0, so that a leap day is the last of its year, in eras of 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}
