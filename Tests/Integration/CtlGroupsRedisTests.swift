import Foundation
import TestSupport
import Testing

/// `semelctl groups assign --input redis://…`: all elements of a set, a list or a stream, however many pages they take.
@Suite(.oneLane)
struct CtlGroupsRedisTests {
    private static let items = (0..<12_000).map { "acct-\($0)" }

    private func fill(_ key: String, _ form: String) async throws -> RedisServer {
        let server = try await RedisServer.shared()
        for start in stride(from: 0, to: Self.items.count, by: 1_000) {
            let page = Self.items[start..<start + 1_000]
            switch form {
            case "stream":
                // Many entries of one millisecond, so that a page ends within it.
                _ = try await server.pipeline(
                    page.enumerated().map { index, item in
                        ["XADD", "\(key)", "7-\(start + index + 1)", "id", "\(item)", "more", "x"]
                    })
            default:
                try await server.command(
                    [form == "set" ? "SADD" : "RPUSH", "\(key)"] + page.map { "\($0)" })
            }
        }
        return server
    }

    @Test(arguments: ["set", "list", "stream"])
    func allElements(_ form: String) async throws {
        let key = QueueKind.freshName()
        let server = try await fill(key, form)
        let groups = try Groups()
        let url = "redis://127.0.0.1:\(server.port)/0?\(form)=\(key)\(form == "stream" ? "&field=id" : "")"
        let end = try await groups.assign("--capacity", "5000", "--input", url)
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdoutText == "12000 items in 3 groups: 12000 added, 0 removed, 0 moved; opened 1, 2, 3\n")
        let found = try groups.items
        #expect(Set(found.values.joined()) == Set(Self.items))
        if form != "set" { #expect(found[1] == Array(Self.items.prefix(5_000))) }
    }

    @Test func whatIsWrong() async throws {
        let key = QueueKind.freshName()
        let server = try await RedisServer.shared()
        try await server.command("RPUSH", "\(key)", "a\nb")
        let base = "redis://127.0.0.1:\(server.port)/0"
        let place = "--input: Redis at 127.0.0.1:\(server.port)"
        let example = "write redis://host:6379/0?set=name or …?list=name or …?stream=name&field=name"
        let cases: [(url: String, code: Int32, complaint: String)] = [
            ("\(base)?set=\(key)", 78, "\(place): ‘\(key)’ is not a set; nothing was changed"),
            (
                "\(base)?list=\(key)", 65,
                "\(base)?list=\(key): element 1: the key has a line break in it; nothing was changed"
            ),
            (
                "\(base)?hash=\(key)", 78,
                "--input: unknown option ‘hash’; a redis queue knows field, list, passwordFile, set, stream"
            ),
            (base, 78, "--input: names no set, list or stream; \(example)"),
            ("\(base)?set=a&list=b", 78, "--input: names several keys; \(example)"),
            ("\(base)?set=a&field=b", 78, "--input: option ‘field’ is for a stream; a set has none"),
        ]
        for (url, code, complaint) in cases {
            let groups = try Groups()
            let end = try await groups.assign("--capacity", "5", "--input", url)
            #expect(end.status == .exited(code))
            #expect(end.complaint == complaint)
            #expect(try groups.files == [])
        }
    }

    @Test func whoIsNotLetIn() async throws {
        let queue = try await RedisUnderTest()
        let groups = try Groups()
        let url = try #require(queue.urlWithWrongCredentials)
        let end = try await groups.assign("--capacity", "5", "--input", url)
        #expect(end.status == .exited(77))
        #expect(end.complaint.hasPrefix("--input: Redis at 127.0.0.1:\(queue.server.port) refused: "))
        for secret in queue.secrets { #expect(!end.stderrText.contains(secret)) }
        let nobody = try await groups.assign(
            "--capacity", "5", "--input", "redis://127.0.0.1:\(try FreePort.next())/0?set=a")
        #expect(nobody.status == .exited(69))
        #expect(try groups.files == [])
    }
}
