import Foundation
import Semel
import SemelSpool
import Testing

@Suite(.timeLimit(.minutes(5))) struct SpoolSettlementTests {
    @Test func completed() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        try await spool.mustClaim().settle(.complete(result: nil))
        #expect(try spool.names("done") == ["a"])
        #expect(try spool.names("claimed") == [])
        #expect(try Files.text(of: spool.path("done/a")) == "x")
        #expect(try await spool.claim() == nil)
    }

    @Test func completedWithAResult() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        try await spool.mustClaim().settle(.complete(result: MessageBody([0, 255, 10])))
        #expect(try spool.names("done") == ["a", "a.result"])
        #expect(try Files.bytes(of: spool.path("done/a.result")) == [0, 255, 10])
    }

    @Test func retriedWhenItIsDue() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        let before = Timestamp.now
        try await spool.mustClaim().settle(.retry(after: .seconds(3_600)))
        let name = try #require(try spool.names("delayed").first)
        let parts = name.split(separator: "~")
        #expect(parts.count == 3)
        #expect(parts[1] == "a")
        #expect(parts[2] == "1")
        let due = try #require(Int64(parts[0]))
        #expect(due >= (before + .seconds(3_600)).milliseconds)
        #expect(due <= (Timestamp.now + .seconds(3_600)).milliseconds)
        #expect(try await spool.claim() == nil)
        #expect(try spool.names("delayed") == [name])
    }

    @Test func theEarliestDueIsFirst() async throws {
        let spool = try SpoolFixture()
        try spool.put("later", "delayed/0000000000900~b~1")
        try spool.put("sooner", "delayed/0000000000100~c~1")
        try spool.put("never", "delayed/9999999999999~a~1")
        var order: [String] = []
        while let claim = try await spool.claim() {
            #expect(claim.message.attempt == 2)
            order.append(claim.message.text)
            try await claim.settle(.complete(result: nil))
        }
        #expect(order == ["sooner", "later"])
        #expect(try spool.names("delayed") == ["9999999999999~a~1"])
        #expect(try spool.names("done") == ["b", "c"])
    }

    @Test func deadLettered() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        try await spool.mustClaim().settle(.deadLetter(.example))
        #expect(try spool.names("dead") == ["a", "a.reason.json"])
        #expect(try Files.text(of: spool.path("dead/a")) == "x")
        let reason = Data(try Files.bytes(of: spool.path("dead/a.reason.json")))
        #expect(try JSONDecoder().decode(DeadLetter.self, from: reason) == .example)
        #expect(try await spool.claim() == nil)
    }

    @Test func whatSomebodyTookAwayIsLost() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        let claim = try await spool.mustClaim()
        #expect(rename(spool.path("claimed/a~1"), spool.path("ready/a")) == 0)
        let lost = SettlementFailure.lost(ClaimLoss("\(spool.path("claimed/a~1")) was taken away"))
        await #expect(throws: lost) { try await claim.settle(.complete(result: nil)) }
        #expect(try spool.names("ready") == ["a"])
        #expect(try spool.names("done") == [])
    }

    /// Users who put files into `ready/` use the same names again.
    @Test func namesThatAreTakenAreNotOverwritten() async throws {
        let spool = try SpoolFixture()
        for round in 1...3 {
            try spool.put("round \(round)", "ready/a")
            try await spool.mustClaim().settle(.complete(result: MessageBody("result \(round)".utf8)))
        }
        let done = try spool.names("done")
        let messages = done.filter { !$0.hasSuffix(".result") }
        #expect(messages.count == 3)
        #expect(messages.first == "a")
        // Each message has its own result beside it.
        for name in messages {
            let round = try Files.text(of: spool.path("done/\(name)")).suffix(1)
            #expect(try Files.text(of: spool.path("done/\(name).result")) == "result \(round)")
        }
        #expect(done.count == 6)
    }

    @Test func deadLettersAreNotOverwritten() async throws {
        let spool = try SpoolFixture()
        for round in 1...3 {
            try spool.put("round \(round)", "ready/a")
            var letter = DeadLetter.example
            letter.attempts = round
            try await spool.mustClaim().settle(.deadLetter(letter))
        }
        let messages = try spool.names("dead").filter { !$0.hasSuffix(".reason.json") }
        #expect(messages.count == 3)
        for name in messages {
            let round = try Files.text(of: spool.path("dead/\(name)")).suffix(1)
            let reason = Data(try Files.bytes(of: spool.path("dead/\(name).reason.json")))
            #expect(String(try JSONDecoder().decode(DeadLetter.self, from: reason).attempts) == round)
        }
    }

    @Test func messagesOfTheSameNameAreHeldSideBySide() async throws {
        let spool = try SpoolFixture()
        try spool.put("one", "ready/a")
        let first = try await spool.mustClaim()
        try spool.put("two", "ready/a")
        let second = try await spool.mustClaim()
        #expect(try spool.names("claimed").count == 2)
        #expect([first.message.text, second.message.text] == ["one", "two"])
        try spool.put("three", "ready/a")
        try await second.settle(.release)
        try await first.settle(.release)
        let texts = try spool.names("ready").map { try Files.text(of: spool.path("ready/\($0)")) }
        #expect(texts.sorted() == ["one", "three", "two"])
    }
}
