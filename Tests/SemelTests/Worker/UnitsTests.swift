import Semel
import Testing

@Suite struct UnitsTests {
    @Test(arguments: [
        ("0", 0), ("0s", 0), ("0ms", 0), ("1ms", 1), ("500ms", 500), ("10s", 10_000), ("1.5s", 1_500),
        ("1.5m", 90_000), ("2m", 120_000), ("2h", 7_200_000), ("0.5h", 1_800_000), ("24h", 86_400_000),
        ("0.4ms", 0), ("0.6ms", 1), ("0001s", 1_000),
    ])
    func readsDurations(text: String, milliseconds: Int64) {
        #expect(Units.duration(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", " ", "1", "10", "s", "ms", "h", ".", ".5s", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1d", "1.5", "1e3s",
        "1,5s", "1..5s", "0x10s", "nans", "infs", "infinitys", "１s", "٣s", "1_000s", "99999999999999999999h",
        String(repeating: "9", count: 500) + "s",
    ])
    func refusesWhatIsNotADuration(text: String) {
        #expect(Units.duration(text) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1), ("1000", 1_000), ("1KiB", 1_024), ("64KiB", 65_536), ("128MiB", 134_217_728),
        ("1GiB", 1_073_741_824), ("1.5KiB", 1_536), ("10kB", 10_000), ("10MB", 10_000_000), ("1GB", 1_000_000_000),
    ])
    func readsSizes(text: String, bytes: Int) {
        #expect(Units.bytes(text) == bytes)
    }

    @Test(arguments: [
        "", "B", "KiB", "-1", "+1", "1 KiB", "1KB", "1kib", "1mib", "1K", "1M", "1G", "1TiB", "1e3", "0x10", "1B",
        ".5", "１", "9999999999GiB", String(repeating: "9", count: 500),
    ])
    func refusesWhatIsNotASize(text: String) {
        #expect(Units.bytes(text) == nil)
    }

    @Test(arguments: [
        (0, "0"), (1, "1ms"), (250, "250ms"), (999, "999ms"), (1_000, "1s"), (1_001, "1.001s"), (1_500, "1.5s"),
        (12_500, "12.5s"), (60_000, "1m"), (90_000, "90s"), (180_000, "3m"), (3_600_000, "1h"), (5_400_000, "90m"),
        (86_400_000, "24h"), (3_600_001, "3600.001s"),
    ])
    func writesDurations(milliseconds: Int64, text: String) {
        #expect(Units.text(.milliseconds(milliseconds)) == text)
    }

    @Test func readsBackWhatItWrites() {
        var milliseconds: Int64 = 1
        while milliseconds < 100_000_000_000_000 {
            for value in [milliseconds - 1, milliseconds, milliseconds + 1, milliseconds * 3 / 2] {
                let text = Units.text(.milliseconds(value))
                #expect(Units.duration(text) == .milliseconds(value), "\(text)")
            }
            milliseconds = milliseconds * 7 + 3
        }
    }

    @Test func cutsDurationsToMilliseconds() {
        #expect(Duration.microseconds(1_999).milliseconds == 1)
        #expect(Duration.microseconds(-1_999).milliseconds == -1)
        #expect(Duration.seconds(3).milliseconds == 3_000)
        #expect(Duration.milliseconds(12_345).seconds == 12.345)
    }
}

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_795_267_662_123, "2026-11-21T13:27:42.123Z"),
        (4_102_444_800_050, "2100-01-01T00:00:00.050Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-1_000, "1969-12-31T23:59:59.000Z"),
        (-86_400_500, "1969-12-30T23:59:59.500Z"),
    ])
    func isWrittenAsRFC3339(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
    }

    @Test func addsAndSubtracts() {
        let start = Timestamp(milliseconds: 1_000)
        #expect(start + .milliseconds(250) == Timestamp(milliseconds: 1_250))
        #expect(start + .seconds(-2) == Timestamp(milliseconds: -1_000))
        #expect(Timestamp(milliseconds: 4_500) - start == .milliseconds(3_500))
        #expect(start < start + .milliseconds(1))
    }

    @Test func nowIsTheWallClock() {
        let before = Timestamp.now
        let after = Timestamp.now
        #expect(before <= after)
        // Later than when this was written, and in milliseconds rather than seconds or microseconds.
        #expect((1_700_000_000_000..<20_000_000_000_000).contains(before.milliseconds))
    }
}
