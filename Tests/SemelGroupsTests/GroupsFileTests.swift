import SemelKEDA
import Testing

@testable import SemelGroups

/// `groups.yaml`: what it says, and what is wrong with it, with the line.
@Suite struct GroupsFileTests {
    static let plain = """
        name: nightly
        schedule: 0 0 * * *
        timeZone: Europe/Berlin
        window: 00:00-05:00
        jobTemplate:
          spec:
            backoffLimit: 2
            template:
              spec:
                restartPolicy: Never
                containers:
                  - name: work
                    image: work:1

        """

    private func file(_ changes: (String, String)...) throws -> GroupsFile {
        var text = Self.plain
        for (old, new) in changes {
            #expect(text.contains(old))
            text = text.replacing(old, with: new)
        }
        return try GroupsFile(text, file: "groups.yaml")
    }

    @Test func whatIsNotWritten() throws {
        let file = try file()
        #expect(file.name == "nightly" && file.namespace == nil && file.concurrency == "Forbid")
        #expect(file.suspend == nil && file.history == .init(successful: nil, failed: nil) && file.capacity == nil)
        #expect(file.deadlines == .init(starting: 600, active: 18_000))
    }

    @Test func everythingWritten() throws {
        let more = """
            namespace: scans
            state: configmap:nightly-state
            capacity: 1000
            startWithin: 30m
            concurrency: Allow
            history: {successful: 2, failed: 5}
            suspend: true
            jobTemplate:
            """
        let file = try file(("jobTemplate:", more))
        #expect(file.namespace == "scans" && file.state?.value == "configmap:nightly-state")
        #expect(file.capacity?.value == 1_000 && file.concurrency == "Allow" && file.suspend == true)
        #expect(file.history == .init(successful: 2, failed: 5))
        #expect(file.deadlines == .init(starting: 1_800, active: 18_000))
    }

    @Test(
        arguments: [
            ("0 0 * * *", "00:00-05:00", nil, 600, 18_000), ("30 0 * * *", "00:00-05:00", nil, 600, 16_200),
            // One deadline for all that it starts: what is left when it fires for the last time.
            ("0 0,2 * * *", "00:00-05:00", nil, 600, 10_800), ("0 23 * * *", "22:00-04:00", nil, 600, 18_000),
            ("0 1 * * *", "22:00-04:00", "1h", 3_600, 10_800), ("55 4 * * *", "00:00-05:00", nil, 150, 300),
            ("59 4 * * 1-5", "00:00-05:00", nil, 30, 60),
        ] as [(String, String, String?, Int64, Int64)])
    func deadlines(_ schedule: String, _ window: String, _ within: String?, _ starting: Int64, _ active: Int64) throws {
        let file = try file(
            ("0 0 * * *", schedule), ("00:00-05:00", window + (within.map { "\nstartWithin: \($0)" } ?? "")))
        #expect(file.deadlines == .init(starting: starting, active: active))
    }

    @Test func withoutAWindow() throws {
        #expect(try file(("window: 00:00-05:00\n", "")).deadlines == .init(starting: nil, active: nil))
        let own = try file(
            ("window: 00:00-05:00\n", "startWithin: 1h\n"),
            ("backoffLimit: 2", "activeDeadlineSeconds: 900"))
        #expect(own.deadlines == .init(starting: 3_600, active: 900))
        #expect(try file(("window: 00:00-05:00\n", ""), ("0 0 * * *", "\"@every 2h\"")).deadlines.active == nil)
    }

    @Test(arguments: [
        ("name: nightly\n", "", 1, "name: is missing"),
        ("nightly", "Nightly", 1, "name: ‘Nightly’ is no name"),
        ("nightly", String(repeating: "n", count: 41), 1, "name: has 41 characters"),
        ("nightly", "12", 1, "name: is a number"),
        ("schedule: 0 0 * * *\n", "", 1, "schedule: is missing"),
        ("0 0 * * *", "0 25 * * *", 2, "schedule: ‘25’ is no hour"),
        ("0 0 * * *", "TZ=UTC 0 0 * * *", 2, "schedule: Kubernetes takes no TZ"),
        ("0 0 * * *", "0 0 31 2 *", 2, "schedule: ‘0 0 31 2 *’ is never"),
        ("0 0 * * *", "0 5 * * *", 2, "schedule: fires at 05:00, which is outside the window 00:00-05:00"),
        ("0 0 * * *", "0 */4 * * *", 2, "schedule: fires at 08:00"),
        ("0 0 * * *", "\"@every 2h\"", 2, "schedule: ‘@every 2h’ follows no clock"),
        ("timeZone: Europe/Berlin\n", "", 1, "timeZone: is missing"),
        ("Europe/Berlin", "Local", 3, "timeZone: ‘Local’ is no time zone"),
        ("00:00-05:00", "0-5", 4, "window: ‘0-5’ is no window"),
        ("00:00-05:00", "00:00-05:00\nstartWithin: 5s", 5, "startWithin: ‘5s’ is not a time between 10s and 168h"),
        ("00:00-05:00", "00:00-05:00\nstartWithin: 6h", 5, "startWithin: is longer than what is left"),
        ("00:00-05:00", "00:00-05:00\nconcurrency: Never", 5, "concurrency: ‘Never’ is none of"),
        ("00:00-05:00", "00:00-05:00\ncapacity: 0", 5, "capacity: 0 is not between"),
        ("00:00-05:00", "00:00-05:00\nhistory: {failed: -1}", 5, "history.failed: -1"),
        ("00:00-05:00", "00:00-05:00\nsuspend: 1", 5, "suspend: is a number"),
        ("00:00-05:00", "00:00-05:00\nscheduel: x", 5, "scheduel: unknown field"),
        ("restartPolicy: Never\n", "\n", 9, "jobTemplate.spec.template.spec.restartPolicy: is missing"),
        ("Never", "Always", 10, "restartPolicy: ‘Always’ cannot be in a Job"),
        ("backoffLimit: 2", "activeDeadlineSeconds: 60", 7, "activeDeadlineSeconds: is what the window says"),
        ("backoffLimit: 2", "backoffLimit: two", 7, "jobTemplate.spec.backoffLimit: is text"),
        ("image: work:1", "env: [{name: SEMEL_GROUP, value: a}]", 13, "the variable SEMEL_GROUP is the group's"),
    ])
    func whatIsWrong(_ old: String, _ new: String, _ line: Int, _ message: String) {
        let error = #expect(throws: ManifestError.self) { try file((old, new)) }
        #expect(error?.line == line && error?.file == "groups.yaml", "\(error.map { "\($0)" } ?? "")")
        #expect(error?.message.contains(message) == true, "\(error.map { "\($0)" } ?? "")")
    }

    /// However seldom the days are on which it fires so often.
    @Test(arguments: ["* 0-4 * * *", "* 0-4 * * 1", "* 0-4 29 2 *", "* 10-14,20 * * 3"])
    func tooManyStarts(_ schedule: String) throws {
        let error = #expect(throws: ManifestError.self) {
            try file(("0 0 * * *", "\"\(schedule)\""), ("00:00-05:00", "00:00-24:00\nstartWithin: 101m"))
        }
        #expect(error?.message.contains("more than 100 starts") == true, "\(error.map { "\($0)" } ?? "")")
        _ = try file(("0 0 * * *", "\"\(schedule)\""), ("00:00-05:00", "00:00-24:00\nstartWithin: 99m"))
    }

    @Test(arguments: [
        ("", "is empty"), ("a: 1\n---\nb: 2", "more than one document"), ("- a", "is a list"), ("a: [", "not YAML"),
    ])
    func isNoGroupsFile(_ text: String, _ words: String) {
        let error = #expect(throws: ManifestError.self) { try GroupsFile(text, file: "groups.yaml") }
        #expect(error?.message.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    }

    /// What Kubernetes is asked about is not known better here.
    @Test func newFieldsOfAJobAreLeftToKubernetes() throws {
        #expect(try file(("backoffLimit: 2", "someDayThereMayBe: 2")).name == "nightly")
    }
}
