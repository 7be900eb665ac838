import Semel
import SemelKEDA

/// The fields of `groups.yaml`, each right by itself.
struct GroupsFields {
    let name: Located<String>?
    let namespace: Located<String>?
    let state: Located<String>?
    let capacity: Located<Int32>?
    let schedule: Located<String>?
    let timeZone: Located<String>?
    let window: Located<Window>?
    let startWithin: Located<Int64>?
    let concurrency: Located<String>?
    let history: GroupsFile.History
    let suspend: Located<Bool>?
    let jobTemplate: YAMLValue?
    /// Of the Job, as it is written in the template.
    let activeDeadline: Located<Int64>?

    init(_ reader: inout FieldReader) {
        name = reader.requiredText("name").flatMap { Self.name($0, most: 40, reader.list) }
        namespace = reader.text("namespace").flatMap { Self.name($0, most: 63, reader.list) }
        state = reader.text("state")
        capacity = reader.integer("capacity", least: 1)
        schedule = reader.requiredText("schedule")
        timeZone = reader.requiredText("timeZone").flatMap { Self.zone($0, reader.list) }
        window = Self.window(&reader)
        startWithin = Self.startWithin(&reader)
        concurrency = Self.concurrency(&reader)
        let history = reader.object("history") {
            ($0.integer("successful", least: 0)?.value, $0.integer("failed", least: 0)?.value)
        }
        self.history = GroupsFile.History(successful: history?.0, failed: history?.1)
        suspend = reader.flag("suspend")
        jobTemplate = reader.any("jobTemplate")
        if jobTemplate == nil {
            reader.list.add(.missing, reader.value, "jobTemplate", "is missing: what a CronJob has under that name")
        }
        activeDeadline = reader.object("jobTemplate") { TemplateCheck.read(&$0) } ?? nil
    }

    private static func refuse(_ place: Located<some Sendable>, _ message: String, _ list: FindingList) {
        list.add(Finding(.invalid, at: place.position, path: place.path, message))
    }

    /// A DNS label. A CronJob's name has 52 characters at most, of which the group's number takes up to eleven.
    private static func name(_ text: Located<String>, most: Int, _ list: FindingList) -> Located<String>? {
        let bytes = text.value.utf8
        func isPlain(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last),
            bytes.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: "-") })
        else {
            refuse(text, "‘\(text.value)’ is no name: small letters, digits and hyphens between them", list)
            return nil
        }
        guard bytes.count <= most else {
            refuse(text, "has \(bytes.count) characters, and may have \(most)", list)
            return nil
        }
        return text
    }

    /// Which zones there are, Kubernetes knows; this is what it never takes.
    private static func zone(_ text: Located<String>, _ list: FindingList) -> Located<String>? {
        guard text.value.lowercased() != "local", !text.value.isEmpty, !text.value.contains(where: \.isWhitespace)
        else {
            refuse(text, "‘\(text.value)’ is no time zone; write one such as Europe/Berlin or Etc/UTC", list)
            return nil
        }
        return text
    }

    private static func window(_ reader: inout FieldReader) -> Located<Window>? {
        guard let text = reader.text("window") else { return nil }
        guard let window = Window(text.value) else {
            refuse(text, "‘\(text.value)’ is no window; write two times of day such as 00:00-05:00", reader.list)
            return nil
        }
        return Located(window, at: text.position, path: text.path)
    }

    /// In seconds.
    private static func startWithin(_ reader: inout FieldReader) -> Located<Int64>? {
        guard let text = reader.text("startWithin") else { return nil }
        guard let time = Units.duration(text.value), time >= .seconds(10), time <= .seconds(7 * 86_400) else {
            // Kubernetes looks every ten seconds whether a CronJob is due: with less, Jobs may never start.
            refuse(text, "‘\(text.value)’ is not a time between 10s and 168h", reader.list)
            return nil
        }
        return Located(time.milliseconds / 1_000, at: text.position, path: text.path)
    }

    private static func concurrency(_ reader: inout FieldReader) -> Located<String>? {
        guard let text = reader.text("concurrency") else { return nil }
        guard ["Forbid", "Allow", "Replace"].contains(text.value) else {
            refuse(text, "‘\(text.value)’ is none of Forbid, Allow and Replace", reader.list)
            return nil
        }
        return text
    }
}

/// What is looked at in a `jobTemplate` before Kubernetes looks at all of it.
private enum TemplateCheck {
    /// Returns the Job's own `activeDeadlineSeconds`.
    static func read(_ reader: inout FieldReader) -> Located<Int64>? {
        reader.skip("metadata")
        let job = reader.object("spec") { JobTemplate(&$0) }
        guard let job else {
            reader.list.add(.missing, reader.value, reader.path(of: "spec"), "is missing")
            return nil
        }
        let path = reader.path(of: "spec.template.spec")
        if let pod = job.template {
            if pod.restartPolicy == nil, !pod.containers.isEmpty {
                reader.list.add(
                    Finding(
                        .missing, at: pod.position, path: "\(path).restartPolicy",
                        "is missing; a Job has Never or OnFailure"))
            }
            for container in pod.initContainers + pod.containers {
                for variable in container.env where GroupVariables.names.contains(variable.name?.value ?? "") {
                    reader.list.add(
                        Finding(
                            .invalid, at: variable.position, path: "\(path).containers",
                            "the variable \(variable.name?.value ?? "") is the group's, and is set for every container")
                    )
                }
            }
        }
        return job.activeDeadlineSeconds
    }
}
