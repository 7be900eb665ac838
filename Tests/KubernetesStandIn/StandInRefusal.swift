import SemelKubernetes

/// An answer of the kind `Status` that is a failure, in the words of the real API server.
struct StandInRefusal: Error, Sendable {
    var code: Int
    var reason: String
    var message: String
    var details: JSONValue = [:]
    var headers: [(String, String)] = []

    var json: JSONValue {
        var json: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "reason": .string(reason), "code": .integer(Int64(code)),
        ]
        if details != [:] { json["details"] = details }
        return json
    }

    private static func details(_ type: StandInType, _ name: String) -> JSONValue {
        var details: JSONValue = ["name": .string(name), "kind": .string(type.plural)]
        if !type.group.isEmpty { details["group"] = .string(type.group) }
        return details
    }

    static let unauthorized = StandInRefusal(code: 401, reason: "Unauthorized", message: "Unauthorized")

    static func badRequest(_ message: String) -> StandInRefusal {
        StandInRefusal(code: 400, reason: "BadRequest", message: message)
    }

    static let noSuchPath = StandInRefusal(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource")

    static func notFound(_ type: StandInType, _ name: String) -> StandInRefusal {
        StandInRefusal(
            code: 404, reason: "NotFound", message: "\(type.qualified) \"\(name)\" not found",
            details: details(type, name))
    }

    static func alreadyExists(_ type: StandInType, _ name: String) -> StandInRefusal {
        StandInRefusal(
            code: 409, reason: "AlreadyExists", message: "\(type.qualified) \"\(name)\" already exists",
            details: details(type, name))
    }

    static func conflict(
        _ type: StandInType, _ name: String,
        _ why: String = "the object has been modified; please apply your changes to the latest version and try again"
    ) -> StandInRefusal {
        StandInRefusal(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(type.qualified) \"\(name)\": \(why)",
            details: details(type, name))
    }

    static func forbidden(
        _ user: String, _ verb: String, _ type: StandInType, _ name: String, _ namespace: String?
    ) -> StandInRefusal {
        let subject = name.isEmpty ? type.qualified : "\(type.qualified) \"\(name)\""
        let place = namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
        return StandInRefusal(
            code: 403, reason: "Forbidden",
            message: "\(subject) is forbidden: User \"\(user)\" cannot \(verb) resource \"\(type.plural)\" "
                + "in API group \"\(type.group)\" \(place)",
            details: details(type, name))
    }

    static let expiredList =
        StandInRefusal(
            code: 410, reason: "Expired",
            message: "The provided continue parameter is too old to display a consistent list result. You can start a "
                + "new list without the continue parameter, or use the continue token in this response to retrieve the "
                + "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                + "objects that were created, modified, or deleted between the time the first chunk was returned and "
                + "now may show up in the list.")

    /// The real server has no reason for it and counts it as its own failure.
    static func notInSchema(_ type: StandInType, _ namespace: String?, _ name: String, _ field: String)
        -> StandInRefusal
    {
        StandInRefusal(
            code: 500, reason: "",
            message: "failed to create typed patch object (\(namespace ?? "")/\(name); \(type.apiVersion), "
                + "Kind=\(type.kind)): \(field): field not declared in schema")
    }

    static func expiredWatch(_ asked: Int, oldest: Int) -> StandInRefusal {
        StandInRefusal(code: 410, reason: "Expired", message: "too old resource version: \(asked) (\(oldest))")
    }

    /// A field that is not as it has to be.
    struct Fault: Sendable {
        var reason: String
        var field: String
        var message: String

        static func invalid(_ field: String, _ value: JSONValue, _ why: String) -> Fault {
            Fault(reason: "FieldValueInvalid", field: field, message: "Invalid value: \(value.text): \(why)")
        }

        static func required(_ field: String, _ why: String = "") -> Fault {
            Fault(
                reason: "FieldValueRequired", field: field,
                message: why.isEmpty ? "Required value" : "Required value: \(why)")
        }

        static func unsupported(_ field: String, _ value: String, _ supported: [String]) -> Fault {
            let list = supported.map { "\"\($0)\"" }.joined(separator: ", ")
            return Fault(
                reason: "FieldValueNotSupported", field: field,
                message: "Unsupported value: \"\(value)\": supported values: \(list)")
        }
    }

    static func invalid(_ type: StandInType, _ name: String, _ faults: [Fault]) -> StandInRefusal {
        let lines = faults.map { "\($0.field): \($0.message)" }
        let list = lines.count == 1 ? lines[0] : "[\(lines.joined(separator: ", "))]"
        var details = details(type, name)
        details["kind"] = .string(type.kind)
        details["causes"] = .array(
            faults.map {
                ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)]
            })
        return StandInRefusal(
            code: 422, reason: "Invalid", message: "\(type.qualifiedKind) \"\(name)\" is invalid: \(list)",
            details: details)
    }

    /// Of a server-side apply.
    struct OwnedField: Sendable {
        /// `"kubectl-edit" using batch/v1 at 2026-11-21T13:27:42Z`
        var manager: String
        /// `.spec.schedule`
        var field: String
    }

    static func applyConflict(_ fields: [OwnedField]) -> StandInRefusal {
        let message: String
        if fields.count == 1 {
            message = "Apply failed with 1 conflict: conflict with \(fields[0].manager): \(fields[0].field)"
        } else {
            let lines = Dictionary(grouping: fields, by: \.manager).sorted { $0.key < $1.key }.flatMap {
                ["conflicts with \($0.key):"] + $0.value.map { "- \($0.field)" }
            }
            message = "Apply failed with \(fields.count) conflicts: \(lines.joined(separator: "\n"))"
        }
        return StandInRefusal(
            code: 409, reason: "Conflict", message: message,
            details: [
                "causes": .array(
                    fields.map {
                        [
                            "reason": "FieldManagerConflict", "message": .string("conflict with \($0.manager)"),
                            "field": .string($0.field),
                        ]
                    })
            ])
    }
}
