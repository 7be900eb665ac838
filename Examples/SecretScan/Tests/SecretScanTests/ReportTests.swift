import Foundation
import Testing

@testable import SecretScan

@Suite struct ReportTests {
    private func document(of report: ScanReport) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(report.encoded()))
        return try #require(object as? [String: Any])
    }

    private func run(of report: ScanReport) throws -> [String: Any] {
        let document = try document(of: report)
        let runs = try #require(document["runs"] as? [[String: Any]])
        #expect(runs.count == 1)
        return try #require(runs.first)
    }

    @Test func namesItselfAndItsRules() throws {
        let folder = try TemporaryFolder()
        let report = try folder.scan()
        let document = try document(of: report)
        #expect(document["version"] as? String == "2.1.0")
        #expect((document["$schema"] as? String)?.contains("sarif-2.1.0") == true)
        let run = try run(of: report)
        #expect((run["results"] as? [Any])?.isEmpty == true, "present when there are none")
        #expect(run["columnKind"] as? String == "unicodeCodePoints")
        let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
        #expect(driver["name"] as? String == "secret-scan")
        #expect((driver["semanticVersion"] as? String)?.wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
        let rules = try #require(driver["rules"] as? [[String: Any]])
        #expect(rules.map { $0["id"] as? String } == Rule.all.map(\.id))
        for rule in rules {
            #expect((rule["name"] as? String)?.wholeMatch(of: /[A-Za-z]+/) != nil)
            #expect((rule["shortDescription"] as? [String: String])?["text"]?.isEmpty == false)
            #expect((rule["help"] as? [String: String])?["text"]?.isEmpty == false)
            let level = (rule["defaultConfiguration"] as? [String: String])?["level"]
            #expect(["error", "warning"].contains(level))
        }
        let invocation = try #require((run["invocations"] as? [[String: Any]])?.first)
        #expect(invocation["executionSuccessful"] as? Bool == true)
    }

    @Test func placesAndRedactsResults() throws {
        let folder = try TemporaryFolder()
        let token = MadeUp.gitHubToken()
        try folder.write("a\n  \(token)\n", to: "with space/ä.txt")
        let report = try folder.scan()
        let text = String(decoding: try report.encoded(), as: UTF8.self)
        #expect(!text.contains(token.dropFirst(4)))
        #expect(text.hasSuffix("}\n"))

        let run = try run(of: report)
        let result = try #require((run["results"] as? [[String: Any]])?.first)
        let index = try #require(result["ruleIndex"] as? Int)
        #expect(result["ruleId"] as? String == Rule.all[index].id)
        #expect(result["level"] as? String == "error")
        #expect((result["message"] as? [String: String])?["text"] == "GitHub access token: \(token.prefix(4))…")
        #expect((result["partialFingerprints"] as? [String: String])?.keys.sorted() == ["secretScan/v1"])

        let location = try #require(
            (result["locations"] as? [[String: Any]])?.first?["physicalLocation"] as? [String: Any])
        #expect(location["region"] as? [String: Int] == ["startLine": 2, "startColumn": 3, "endColumn": 43])
        let artifact = try #require(location["artifactLocation"] as? [String: String])
        #expect(artifact["uri"] == "with%20space/%C3%A4.txt")
        let bases = try #require(run["originalUriBaseIds"] as? [String: [String: Any]])
        let baseID = try #require(artifact["uriBaseId"])
        let base = try #require(bases[baseID]?["uri"] as? String)
        #expect(base.hasPrefix("file:///") && base.hasSuffix("/"))
        let whole = try #require(URL(string: base + (artifact["uri"] ?? "")))
        #expect(FileManager.default.fileExists(atPath: whole.path))
    }

    @Test func tellsWhatWasLeftOut() throws {
        let folder = try TemporaryFolder()
        try folder.write("not an archive", to: "a.tar")
        let run = try run(of: folder.scan("a.tar"))
        let invocation = try #require((run["invocations"] as? [[String: Any]])?.first)
        #expect(invocation["executionSuccessful"] as? Bool == false)
        let notes = try #require(invocation["toolExecutionNotifications"] as? [[String: Any]])
        #expect(notes.map { $0["level"] as? String } == ["error"])
        let descriptor = try #require(notes.first?["descriptor"] as? [String: Any])
        let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
        let known = try #require(driver["notifications"] as? [[String: Any]])
        let index = try #require(descriptor["index"] as? Int)
        #expect(known[index]["id"] as? String == descriptor["id"] as? String)
    }

    @Test func isTheSameForTheSameFiles() throws {
        let folder = try TemporaryFolder()
        for number in 1...20 { try folder.write(MadeUp.gitHubToken(seed: UInt64(number)), to: "\(number).txt") }
        #expect(try folder.scan().encoded() == folder.scan().encoded())
    }
}

@Suite struct RequestTests {
    @Test(arguments: ["", "{", "[]", "null", "{}", #"{"path": 1}"#, #"{"path": ""}"#, #"{"path": "a\u0000b"}"#, "/tmp"])
    func refusesOtherMessages(message: String) {
        #expect(throws: MessageError.self) { try ScanRequest(message: Array(message.utf8)) }
    }

    @Test func takesThePath() throws {
        let message = #" {"path": "/srv/ä b", "requestedBy": "me"} "#
        #expect(try ScanRequest(message: Array(message.utf8)) == ScanRequest(path: "/srv/ä b"))
    }

    @Test(arguments: ["/no/such/path", "/etc/passwd/x", String(repeating: "n", count: 5000)])
    func refusesPathsThatLeadNowhere(path: String) {
        #expect(throws: MessageError.self) { try ScanTarget(path: path) }
    }
}
