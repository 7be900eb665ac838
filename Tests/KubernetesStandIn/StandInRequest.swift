import Foundation
import SemelKubernetes

/// A request that has been read.
struct StandInRequest: Sendable {
    var method: String
    /// Without the query, its parts not escaped any more.
    var parts: [String]
    var query: [String: String]
    /// With the query, as it came.
    var target: String
    var headers: [String: String]
    var body: [UInt8]
    /// The common name of the client's certificate.
    var certificateName: String?

    init(method: String, target: String, headers: [String: String], body: [UInt8], certificateName: String?) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.certificateName = certificateName
        let sides = target.split(separator: "?", maxSplits: 1).map(String.init)
        parts = (sides.first ?? "").split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) }
        query = [:]
        for pair in (sides.count > 1 ? sides[1] : "").split(separator: "&") {
            let words = pair.split(separator: "=", maxSplits: 1).map {
                String($0).replacing("+", with: " ").removingPercentEncoding ?? String($0)
            }
            query[words[0]] = words.count > 1 ? words[1] : ""
        }
    }

    func json() throws -> JSONValue {
        guard headers["content-type"]?.contains("protobuf") != true else {
            throw StandInRefusal(
                code: 415, reason: "UnsupportedMediaType", message: "the stand-in reads JSON only, not protobuf")
        }
        guard let json = try? JSONValue(parsing: body) else {
            throw StandInRefusal.badRequest("the object provided is unrecognized (must be of type Object)")
        }
        return json
    }

    /// Who writes, when nobody says so: the first word of the client's name.
    var manager: String {
        let agent = headers["user-agent"] ?? "unknown"
        return query["fieldManager"].flatMap { $0.isEmpty ? nil : $0 }
            ?? agent.split(separator: "/").first.map(String.init) ?? "unknown"
    }

    var isDryRun: Bool { query["dryRun"] == "All" }
}

/// What is asked for by a path.
struct StandInTarget: Sendable {
    var type: StandInType
    var namespace: String?
    var name: String?
    var subresource: String?

    init?(_ parts: [String]) {
        var rest = parts[...]
        let group: String
        switch rest.popFirst() {
        case "api": group = ""
        case "apis": group = rest.popFirst() ?? ""
        default: return nil
        }
        guard let version = rest.popFirst(), var plural = rest.popFirst() else { return nil }
        var namespace: String?
        if plural == "namespaces", rest.count >= 2, StandInType.named(group, version, rest[rest.startIndex + 1]) != nil
        {
            namespace = rest.popFirst()
            plural = rest.popFirst() ?? ""
        }
        guard let type = StandInType.named(group, version, plural) else { return nil }
        self.type = type
        self.namespace = namespace
        name = rest.popFirst()
        subresource = rest.isEmpty ? nil : rest.joined(separator: "/")
    }
}

/// What goes back.
enum StandInAnswer: Sendable {
    case json(Int, JSONValue, [(String, String)])
    case text(Int, String, [(String, String)])
    /// The body has no end; the closure is given a sink and gives back how to stop it.
    case watch(@Sendable (@escaping @Sendable (StandInState.StandInLine) -> Void) -> @Sendable () -> Void)

    static func refusal(_ refusal: StandInRefusal) -> StandInAnswer {
        .json(refusal.code, refusal.json, refusal.headers)
    }
}
