import Foundation
import SemelGroups
import Testing

/// What Kubernetes' parser takes, and when what it takes fires.
@Suite struct CronScheduleTests {
    private func next(_ schedule: String, after text: String, in zone: String = "Etc/UTC") throws -> Int64? {
        let zone = try #require(TimeZone(identifier: zone))
        func offset(_ moment: Int64) -> Int {
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
        }
        let schedule = try CronSchedule(schedule)
        return schedule.next(after: try seconds(text), offset)
    }

    private func seconds(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }

    @Test(arguments: [
        ("0/15 * * * *", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00Z"),
        ("0/15 * * * *", "2012-07-09T14:59:59Z", "2012-07-09T15:00:00Z"),
        ("20-35/15 * * * *", "2012-07-09T15:45:00Z", "2012-07-09T16:20:00Z"),
        ("*/15 * * * *", "2012-07-09T23:46:00Z", "2012-07-10T00:00:00Z"),
        ("20-35/15 1/2 * * *", "2012-07-09T23:35:51Z", "2012-07-10T01:20:00Z"),
        ("20-35/15 1/2 */2 * *", "2012-07-09T23:35:51Z", "2012-07-11T01:20:00Z"),
        ("0 0 9 Apr-Oct ?", "2012-07-09T23:35:00Z", "2012-08-09T00:00:00Z"),
        // Both days restricted: either will do.
        ("0 0 */5 Apr,Aug,Oct Mon", "2012-07-09T23:35:00Z", "2012-08-01T00:00:00Z"),
        ("0 0 1,15 * sun", "2012-07-09T00:00:00Z", "2012-07-15T00:00:00Z"),
        ("0 0 1,15 * *", "2012-07-02T00:00:00Z", "2012-07-15T00:00:00Z"),
        ("0 0 * feb mon", "2012-07-09T23:35:00Z", "2013-02-04T00:00:00Z"),
        ("* * * * *", "2012-12-31T23:59:45Z", "2013-01-01T00:00:00Z"),
        ("0 0 29 2 ?", "2012-07-09T23:35:00Z", "2016-02-29T00:00:00Z"),
        ("@weekly", "2012-07-09T00:00:00Z", "2012-07-15T00:00:00Z"),
        ("@yearly", "2012-07-09T00:00:00Z", "2013-01-01T00:00:00Z"),
        ("@every 1h30m", "2012-07-09T00:00:00Z", "2012-07-09T01:30:00Z"),
        ("@every 1.5h", "2012-07-09T00:00:00Z", "2012-07-09T01:30:00Z"),
        ("@every 2.m.5h", "2012-07-09T00:00:00Z", "2012-07-09T00:32:00Z"),
        ("@every 90s500ms", "2012-07-09T00:00:00Z", "2012-07-09T00:01:30Z"),
        ("@every 1ms", "2012-07-09T00:00:00Z", "2012-07-09T00:00:01Z"),
        ("1,,2 * * * *", "2012-07-09T00:01:00Z", "2012-07-09T00:02:00Z"),
    ])
    func itFires(_ schedule: String, _ from: String, _ expected: String) throws {
        #expect(try next(schedule, after: from) == seconds(expected))
    }

    /// New York in 2012, five hours behind UTC: 2:00 became 3:00 on 11 March, and 1:00 came twice on 4 November.
    @Test(arguments: [
        ("30 2 11 Mar ?", "2012-03-11T05:00:00Z", "2013-03-11T06:30:00Z"),
        ("0 2 * * *", "2012-03-11T05:00:00Z", "2012-03-12T06:00:00Z"),
        ("0 1 * * *", "2012-03-11T06:00:00Z", "2012-03-12T05:00:00Z"),
        ("30 2 4 Nov ?", "2012-11-04T04:00:00Z", "2012-11-04T07:30:00Z"),
        ("0 1 * * *", "2012-11-04T04:00:00Z", "2012-11-04T05:00:00Z"),
        ("0 1 * * *", "2012-11-04T05:00:00Z", "2012-11-04T06:00:00Z"),
        ("0 1 * * *", "2012-11-04T06:00:00Z", "2012-11-05T06:00:00Z"),
    ])
    func clocksAreChanged(_ schedule: String, _ from: String, _ expected: String) throws {
        #expect(try next(schedule, after: from, in: "America/New_York") == seconds(expected))
    }

    /// Against the slowest way: every minute of some weeks looked at, around the days on which the clocks are changed.
    @Test(arguments: [
        "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
    ])
    func asIfEveryMinuteWereLookedAt(_ zone: String) throws {
        let zone = try #require(TimeZone(identifier: zone))
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        func offset(_ moment: Int64) -> Int {
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
        }
        let schedule = try CronSchedule("*/20 0-3,23 * * 0,1,6")
        for start in ["2011-12-29T00:00:00Z", "2018-03-24T00:00:00Z", "2018-10-05T00:00:00Z", "2018-11-03T00:00:00Z"] {
            let first = try seconds(start)
            var expected: [Int64] = []
            for moment in stride(from: first + 60, to: first + 5 * 86_400, by: 60) {
                let parts = calendar.dateComponents(
                    [.minute, .hour, .weekday], from: Date(timeIntervalSince1970: Double(moment)))
                let (minute, hour, weekday) = (parts.minute ?? -1, parts.hour ?? -1, parts.weekday ?? -1)
                if minute % 20 == 0, [0, 1, 2, 3, 23].contains(hour), [1, 2, 7].contains(weekday) {
                    expected.append(moment)
                }
            }
            var found: [Int64] = []
            var moment = first
            while let next = schedule.next(after: moment, offset), next < first + 5 * 86_400 {
                found.append(next)
                moment = next
            }
            #expect(found == expected && !found.isEmpty, "\(zone.identifier) \(start)")
        }
    }

    @Test(arguments: ["0 0 30 2 *", "0 0 31 4 ?", "0 0 31 feb,apr,jun,sep,nov *", ", * * * *"])
    func itNeverFires(_ schedule: String) throws {
        #expect(try next(schedule, after: "2012-07-09T00:00:00Z") == nil)
    }

    @Test(arguments: [
        ("", "0 fields"), ("* * * *", "4 fields"), ("0 0 0 * * *", "6 fields"), ("60 * * * *", "from 0 to 59"),
        ("* 24 * * *", "from 0 to 23"), ("* * 0 * *", "from 1 to 31"), ("* * * 13 *", "from 1 to 12"),
        ("* * * * 7", "from 0 to 6"), ("*/0 * * * *", "at least 1"), ("5-1 * * * *", "ends before"),
        ("1-2-3 * * * *", "hyphens"), ("*/2/3 * * * *", "slashes"), ("x * * * *", "no number"),
        ("-1 * * * *", "no number"), ("* * * * monday", "three letters"), ("jan * * * *", "no number"),
        ("TZ=UTC 0 0 * * *", "timeZone"), ("CRON_TZ=UTC 0 0 * * *", "timeZone"), ("@noon", "@noon"),
        ("@every", "@every"), ("@every 5", "1h30m"), ("@every x", "1h30m"), ("@Daily", "@Daily"),
        ("0 0 * * L", "no number"), ("99999999999999999999 * * * *", "no number"),
    ])
    func itIsRefused(_ schedule: String, _ words: String) {
        let problem = #expect(throws: CronSchedule.Problem.self) { try CronSchedule(schedule) }
        #expect(problem?.message.contains(words) == true, "\(problem?.message ?? "")")
    }

    @Test func timesOfDay() throws {
        #expect(try CronSchedule("0,30 0-1 * * 1").minutesOfDay == [0, 30, 60, 90])
        #expect(try CronSchedule("@daily").minutesOfDay == [0])
        #expect(try CronSchedule("@every 1h").minutesOfDay == nil)
        #expect(try CronSchedule("0/9223372036854775807 0 * * *").minutesOfDay == [0])
    }
}
