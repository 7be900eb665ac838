import Foundation
import SemelKubernetes

/// What the API server has against an object, in its own words, and what it adds to one.
enum StandInValidation {
    typealias Fault = StandInRefusal.Fault

    static func faults(_ object: JSONValue, _ type: StandInType, old: JSONValue?) -> [Fault] {
        var faults = name(object)
        switch type.kind {
        case "CronJob": faults += cronJob(object)
        case "Job": faults += job(object, old)
        case "ConfigMap": faults += configMap(object, old)
        default: break
        }
        return faults
    }

    private static func name(_ object: JSONValue) -> [Fault] {
        let name = object["metadata", "name"]?.string ?? ""
        guard !name.isEmpty else {
            return [.required("metadata.name", "name or generateName is required")]
        }
        guard name.wholeMatch(of: /[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/) == nil else {
            return []
        }
        return [
            .invalid(
                "metadata.name", .string(name),
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
        ]
    }

    private static func cronJob(_ object: JSONValue) -> [Fault] {
        var faults: [Fault] = []
        let spec = object["spec"] ?? [:]
        // A Job's name is the CronJob's with eleven characters more, and may have 63.
        if let name = object["metadata", "name"]?.string, name.utf8.count > 52 {
            faults.append(.invalid("metadata.name", .string(name), "must be no more than 52 characters"))
        }
        let schedule = spec["schedule"]?.string ?? ""
        if schedule.isEmpty {
            faults.append(.required("spec.schedule"))
        } else if let why = CronText.fault(schedule) {
            faults.append(.invalid("spec.schedule", .string(schedule), why))
        }
        if let zone = spec["timeZone"]?.string, let why = timeZone(zone) {
            faults.append(.invalid("spec.timeZone", .string(zone), why))
        }
        let policies = ["Allow", "Forbid", "Replace"]
        if let policy = spec["concurrencyPolicy"]?.string, !policies.contains(policy) {
            faults.append(.unsupported("spec.concurrencyPolicy", policy, policies))
        }
        for field in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
            if let number = spec[field]?.integer, number < 0 {
                faults.append(.invalid("spec.\(field)", .integer(number), "must be greater than or equal to 0"))
            }
        }
        return faults + pod(spec["jobTemplate", "spec", "template"] ?? [:], "spec.jobTemplate.spec.template")
    }

    private static func timeZone(_ name: String) -> String? {
        if name.isEmpty { return "timeZone must be nil or non-empty string" }
        if name.lowercased() == "local" {
            return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        }
        return TimeZone(identifier: name) == nil ? "unknown time zone \(name)" : nil
    }

    private static func job(_ object: JSONValue, _ old: JSONValue?) -> [Fault] {
        var faults = pod(object["spec", "template"] ?? [:], "spec.template")
        if let old, let template = object["spec", "template"], old["spec", "template"] != template {
            faults.append(.invalid("spec.template", template, "field is immutable"))
        }
        return faults
    }

    private static func pod(_ template: JSONValue, _ path: String) -> [Fault] {
        var faults: [Fault] = []
        let containers = template["spec", "containers"]?.array ?? []
        if containers.isEmpty { faults.append(.required("\(path).spec.containers")) }
        for (index, container) in containers.enumerated() {
            for field in ["name", "image"] where container[field]?.string?.isEmpty ?? true {
                faults.append(.required("\(path).spec.containers[\(index)].\(field)"))
            }
        }
        switch template["spec", "restartPolicy"]?.string {
        case "OnFailure", "Never": break
        case nil: faults.append(.required("\(path).spec.restartPolicy", "valid values: \"OnFailure\", \"Never\""))
        case let policy?:
            faults.append(.unsupported("\(path).spec.restartPolicy", policy, ["OnFailure", "Never"]))
        }
        return faults
    }

    private static func configMap(_ object: JSONValue, _ old: JSONValue?) -> [Fault] {
        let size = (object["data"]?.texts ?? [:]).values.reduce(0) { $0 + $1.utf8.count }
        guard size <= 1 << 20 else {
            return [
                Fault(reason: "FieldValueTooLong", field: "", message: "Too long: may not be more than 1048576 bytes")
            ]
        }
        if let old, old["immutable"]?.bool == true, old["data"] != object["data"] {
            return [
                Fault(
                    reason: "FieldValueForbidden", field: "data",
                    message: "Forbidden: field is immutable when `immutable` is set")
            ]
        }
        return []
    }

    /// The fields that a CronJob's spec can have; others are said to be unknown.
    private static let cronJobFields: Set = [
        "schedule", "timeZone", "startingDeadlineSeconds", "concurrencyPolicy", "suspend", "jobTemplate",
        "successfulJobsHistoryLimit", "failedJobsHistoryLimit",
    ]

    /// `spec.shedule`
    static func unknownFields(_ object: JSONValue, _ type: StandInType) -> [String] {
        guard type.kind == "CronJob" else { return [] }
        return (object["spec"]?.object ?? [:]).keys.filter { !cronJobFields.contains($0) }.sorted().map { "spec.\($0)" }
    }

    static func defaulted(_ object: JSONValue, _ type: StandInType) -> JSONValue {
        var object = object
        func set(_ value: JSONValue, _ path: String...) {
            let inner = path.reduce(object as JSONValue?) { $0?[$1] }
            guard inner == nil else { return }
            switch path.count {
            case 1: object[path[0]] = value
            default: object[path[0], path[1]] = value
            }
        }
        switch type.kind {
        case "CronJob":
            set("Allow", "spec", "concurrencyPolicy")
            set(false, "spec", "suspend")
            set(3, "spec", "successfulJobsHistoryLimit")
            set(1, "spec", "failedJobsHistoryLimit")
            if let template = object["spec", "jobTemplate", "spec", "template"] {
                object["spec", "jobTemplate", "spec", "template"] = pod(defaulting: template)
            }
        case "Job":
            set(6, "spec", "backoffLimit")
            set(1, "spec", "completions")
            set(1, "spec", "parallelism")
            if let template = object["spec", "template"] { object["spec", "template"] = pod(defaulting: template) }
        case "Pod":
            set("Pending", "status", "phase")
        case "Namespace": set("Active", "status", "phase")
        default: break
        }
        return object
    }

    private static func pod(defaulting template: JSONValue) -> JSONValue {
        guard let spec = template["spec"] else { return template }
        var template = template
        let defaults: JSONValue = [
            "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "securityContext": [:],
            "terminationGracePeriodSeconds": 30,
        ]
        var full = defaults.merged(with: spec)
        full["containers"] = .array(
            (full["containers"]?.array ?? []).map { container in
                let defaults: JSONValue = [
                    "imagePullPolicy": "IfNotPresent", "resources": [:],
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                ]
                return defaults.merged(with: container)
            })
        template["spec"] = full
        return template
    }
}

/// A schedule, as robfig/cron reads it.
enum CronText {
    private static let fields: [(range: ClosedRange<Int>, names: [String])] = [
        (0...59, []), (0...23, []), (1...31, []),
        (1...12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        (0...6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]
    private static let words: Set = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]

    static func fault(_ schedule: String) -> String? {
        if schedule.contains("TZ=") { return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead" }
        if schedule.hasPrefix("@") {
            return words.contains(schedule) || schedule.hasPrefix("@every ")
                ? nil : "unrecognized descriptor: \(schedule)"
        }
        let parts = schedule.split(whereSeparator: \.isWhitespace).map(String.init)
        guard parts.count == 5 else {
            return "expected exactly 5 fields, found \(parts.count): [\(parts.joined(separator: " "))]"
        }
        for (part, field) in zip(parts, fields) {
            for piece in part.split(separator: ",") {
                if let fault = fault(String(piece), field.range, field.names) { return fault }
            }
        }
        return nil
    }

    private static func fault(_ piece: String, _ range: ClosedRange<Int>, _ names: [String]) -> String? {
        let steps = piece.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let span = steps[0]
        if span != "*" && span != "?" {
            var numbers: [Int] = []
            for text in span.split(separator: "-", omittingEmptySubsequences: false).map(String.init) {
                if let index = names.firstIndex(of: text.lowercased()) {
                    numbers.append(index + range.lowerBound)
                } else if let number = Int(text) {
                    numbers.append(number)
                } else {
                    return "failed to parse int from \(text): strconv.Atoi: parsing \"\(text)\": invalid syntax"
                }
            }
            if let first = numbers.first, first < range.lowerBound {
                return "beginning of range (\(first)) below minimum (\(range.lowerBound)): \(piece)"
            }
            if let last = numbers.last, last > range.upperBound {
                return "end of range (\(last)) above maximum (\(range.upperBound)): \(piece)"
            }
            if numbers.count == 2, numbers[0] > numbers[1] {
                return "beginning of range (\(numbers[0])) beyond end of range (\(numbers[1])): \(piece)"
            }
        }
        guard steps.count > 1 else { return nil }
        guard let step = Int(steps[1]) else {
            return "failed to parse int from \(steps[1]): strconv.Atoi: parsing \"\(steps[1])\": invalid syntax"
        }
        return step == 0 ? "step of range should be a positive number: \(piece)" : nil
    }
}
