import Foundation
import Logging
import Semel
import SemelQueues
import TestSupport
import Testing

@testable import SemelConsole

/// The description of the API against what the console serves.
struct OpenAPITests {
    private static func document() throws -> [String: Any] {
        let document = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json))
        return try #require(document as? [String: Any])
    }

    @Test func describesEveryRouteAndNoOther() throws {
        let address = try QueueAddress(QueueURL("spool:/tmp/a", source: "--queue"), [:])
        let console = Console(
            .init(host: "127.0.0.1", port: 0, access: .open, isReadOnly: false), queues: ConsoleQueue.all([address]),
            workers: .none, decisions: nil, log: Logger(label: "test")
        ) { _ in }
        let served = Set(try console.routes.filter { $0.contains(" /api/") })
        let paths = try #require(try Self.document()["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        #expect(served == described)
        #expect(served.count == 11)
    }

    @Test func theAnswersAreWhatItSays() async throws {
        let desk = try await ConsoleDesk()
        for path in try #require(try Self.document()["paths"] as? [String: [String: Any]]).keys.sorted() {
            guard let schema = try Self.schema(path, "get") else { continue }
            let query = ["/api/dead/letter": "?id=m0"][path] ?? ""
            let answer = try await HTTP.get(port: desk.port, path: path + query)
            #expect(answer.status == 200, "\(path)")
            let problems = try Schema(schema, in: Self.document()).problems(of: answer.json(), at: path)
            #expect(problems.isEmpty, "\(problems)")
        }
        // What a script has left empty by mistake means nothing.
        for wish in [#"{"reason": ""}"#, "{}", #"{"all": false}"#, #"{"ids": ["m0"], "all": true}"#, "x"] {
            let refused = try await HTTP.request(
                "POST", port: desk.port, path: "/api/dead/drop", body: Array(wish.utf8))
            #expect(refused.status == 400, "\(wish)")
        }
        let missing = try await HTTP.get(port: desk.port, path: "/api/dead/letter?id=nobody")
        #expect(missing.status == 404)
        #expect(try (missing.json() as? [String: String])?["error"] == "there is no dead letter ‘nobody’ in spool")
    }

    private static func schema(_ path: String, _ method: String) throws -> [String: Any]? {
        var value: Any? = try document()["paths"]
        for key in [path, method, "responses", "200", "content", "application/json", "schema"] {
            value = (value as? [String: Any])?[key]
        }
        return value as? [String: Any]
    }
}

/// As much of JSON Schema as the document uses.
private struct Schema {
    private let schema: [String: Any]
    private let document: [String: Any]

    init(_ schema: [String: Any], in document: [String: Any]) {
        self.document = document
        guard let name = (schema["$ref"] as? String)?.split(separator: "/").last,
            let components = document["components"] as? [String: Any],
            let schemas = components["schemas"] as? [String: Any], let named = schemas[String(name)] as? [String: Any]
        else {
            self.schema = schema
            return
        }
        self.schema = named
    }

    func problems(of value: Any, at path: String) -> [String] {
        switch schema["type"] as? String {
        case "object":
            guard let object = value as? [String: Any] else { return ["\(path): no object"] }
            let properties = schema["properties"] as? [String: [String: Any]]
            let others = schema["additionalProperties"] as? [String: Any]
            let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }
            return missing.map { "\(path): no \($0)" }
                + object.flatMap { key, value in
                    if let property = properties?[key] ?? others {
                        return Schema(property, in: document).problems(of: value, at: "\(path)/\(key)")
                    }
                    return properties == nil ? [] : ["\(path): \(key) is not described"]
                }
        case "array":
            guard let array = value as? [Any], let items = schema["items"] as? [String: Any] else {
                return ["\(path): no array"]
            }
            return array.flatMap { Schema(items, in: document).problems(of: $0, at: "\(path)/…") }
        case "string":
            guard let text = value as? String else { return ["\(path): no text"] }
            let words = schema["enum"] as? [String]
            return words?.contains(text) ?? true ? [] : ["\(path): ‘\(text)’ is not described"]
        case "integer", "number", "boolean": return value is NSNumber ? [] : ["\(path): no number"]
        default: return ["\(path): a type that this test does not know"]
        }
    }
}

/// A console of a spool with a dead letter, a worker that runs and a ScaledJob.
private final class ConsoleDesk: Sendable {
    let port: Int
    private let directory: TemporaryDirectory
    private let console: RunningProcess
    private let worker: RunningProcess

    init() async throws {
        directory = try TemporaryDirectory("desk")
        let url = "spool:\(directory.path("spool"))"
        let enqueued = try await run(.semelctl, ["enqueue", "--queue", url, "--id", "m0", "a body"])
        #expect(enqueued.status == .exited(0))
        let rejected = try await run(
            .semel, ["run", "--queue", url, "--status-address", "off", "--", "sh", "-c", "echo no >&2; exit 65"])
        #expect(rejected.status == .exited(65))
        _ = try await run(.semelctl, ["enqueue", "--queue", url, "another"])
        let workerPort = try FreePort.next()
        worker = try RunningProcess(
            .semel,
            [
                "run", "--queue", url, "--status-address", "127.0.0.1:\(workerPort)", "--", "sh", "-c",
                "echo 0.25 half of the half >&$SEMEL_PROGRESS_FD; echo line; exec sleep 600",
            ])
        let redis = try await RedisServer.shared()
        let job = try directory.write(
            """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: desk}
            spec:
              jobTargetRef:
                template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}
              unknown: field
              triggers:
              - {type: redis, name: jobs, metadata: {address: "127.0.0.1:\(redis.port)", listName: a, listLength: "1"}}
              - {type: redis, metadata: {address: "127.0.0.1:1", listName: a, listLength: "1"}}
            """, to: "job.yaml")
        let port = try FreePort.next()
        self.port = port
        console = try RunningProcess(
            .semelctl,
            [
                "console", "--queue", url, "--listen", "127.0.0.1:\(port)", "--workers", "127.0.0.1:\(workerPort)",
                "-f", job,
            ])
        try await eventually(timeout: .seconds(30), "the console sees the worker run") {
            guard let answer = try? await HTTP.get(port: port, path: "/api/workers?state=ING"),
                let page = try answer.json() as? [String: Any], let workers = page["workers"] as? [[String: Any]]
            else { return false }
            return workers.first?["note"] as? String == "half of the half"
        }
    }
}
