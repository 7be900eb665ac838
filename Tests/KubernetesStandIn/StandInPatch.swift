import SemelKubernetes

/// RFC 6902, as far as anybody here uses it.
enum StandInPatch {
    static func applied(_ operations: [JSONValue], to object: JSONValue) throws -> JSONValue {
        var object = object
        for operation in operations {
            let path = (operation["path"]?.string ?? "").split(separator: "/").map {
                String($0).replacing("~1", with: "/").replacing("~0", with: "~")
            }
            let value = operation.object?["value"]
            switch operation["op"]?.string {
            case "test":
                guard Self.value(object, path[...]) == value else {
                    throw StandInRefusal(
                        code: 422, reason: "Invalid",
                        message: "the server rejected our request due to an error in our request")
                }
            case "add", "replace", "remove":
                let isRemoval = operation["op"]?.string == "remove"
                object = try changed(object, path[...], isRemoval ? nil : value ?? .null, operation)
            default: throw StandInRefusal.badRequest("Unexpected kind: \(operation["op"]?.text ?? "null")")
            }
        }
        return object
    }

    private static func value(_ object: JSONValue, _ path: ArraySlice<String>) -> JSONValue? {
        guard let first = path.first else { return object }
        let inner =
            object.array.flatMap { list in Int(first).flatMap { $0 < list.count ? list[$0] : nil } }
            ?? object.object?[first]
        return inner.flatMap { value($0, path.dropFirst()) }
    }

    private static func changed(
        _ object: JSONValue, _ path: ArraySlice<String>, _ value: JSONValue?, _ operation: JSONValue
    ) throws -> JSONValue {
        guard let first = path.first else { return value ?? .null }
        let isLast = path.count == 1
        let missing = StandInRefusal(
            code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request")
        if var list = object.array {
            let index = first == "-" ? list.count : Int(first) ?? -1
            guard index >= 0, index <= list.count, isLast || index < list.count else { throw missing }
            if !isLast {
                list[index] = try changed(list[index], path.dropFirst(), value, operation)
            } else if let value, operation["op"]?.string == "add" {
                list.insert(value, at: index)
            } else if let value, index < list.count {
                list[index] = value
            } else if value == nil, index < list.count {
                list.remove(at: index)
            } else {
                throw missing
            }
            return .array(list)
        }
        guard var fields = object.object else { throw missing }
        if isLast {
            guard operation["op"]?.string == "add" || fields[first] != nil else { throw missing }
            fields[first] = value
        } else {
            guard let inner = fields[first] else { throw missing }
            fields[first] = try changed(inner, path.dropFirst(), value, operation)
        }
        return .object(fields)
    }
}

/// RFC 7386.
extension JSONValue {
    func mergePatched(_ patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var fields = object ?? [:]
        for (name, value) in changes {
            fields[name] = value == .null ? nil : (fields[name] ?? .null).mergePatched(value)
        }
        return .object(fields)
    }
}
