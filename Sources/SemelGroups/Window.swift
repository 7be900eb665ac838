/// The hours of a day in which a group's Job may run, by the clock of the schedule's zone: `00:00-05:00`. What ends before
/// it begins is over midnight.
public struct Window: Sendable, Hashable, CustomStringConvertible {
    /// In minutes from midnight, 0 to 1439.
    public let start: Int
    /// In minutes, 1 to 1440.
    public let length: Int

    /// `nil` for what is not two times of day, such as `00:00-05:00` or `22:30 - 04:00`; `24:00` is the end of a day.
    public init?(_ text: String) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Self.minutes($0) }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < 1_440, start != end else { return nil }
        self.start = start
        length = end > start ? end - start : end + 1_440 - start
    }

    private static func minutes(_ text: Substring) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 1 else { return nil }
        let parts = words[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy(isDigit) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1_440
        else { return nil }
        return hour * 60 + minute
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// How many minutes are left of the window at a minute of the day; `nil` outside. Its end is outside.
    public func left(at minuteOfDay: Int) -> Int? {
        let gone = (minuteOfDay - start + 1_440) % 1_440
        return gone < length ? length - gone : nil
    }

    /// `00:00-05:00`
    public var description: String { "\(Self.clock(start))-\(Self.clock(start + length))" }

    /// `04:30`
    public static func clock(_ minuteOfDay: Int) -> String {
        let minutes = minuteOfDay == 1_440 ? minuteOfDay : minuteOfDay % 1_440
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(padded(minutes / 60)):\(padded(minutes % 60))"
    }
}
