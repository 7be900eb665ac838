import Glibc
import Semel
import SemelSpool
import Testing

@Suite(.timeLimit(.minutes(5))) struct SpoolClaimTests {
    @Test func aPlainFileIsAMessage() async throws {
        let spool = try SpoolFixture()
        try spool.put("hello", "ready/report.txt")
        let claim = try await spool.mustClaim()
        #expect(claim.message.id == "report.txt")
        #expect(claim.message.attempt == 1)
        #expect(claim.message.size == 5)
        #expect(claim.message.text == "hello")
        #expect(claim.message.headers == [:])
        #expect(claim.message.contentType == nil)
        #expect(claim.lease == nil)
        #expect(claim.loss.value == nil)
        #expect(try spool.names("ready") == [])
        #expect(try spool.names("claimed") == ["report.txt~1"])
    }

    @Test func theNextWorkerTakesWhatADeadOneLeft() async throws {
        let spool = try SpoolFixture()
        try spool.put("orphan", "claimed/a~2")
        try spool.put("new", "ready/b")
        let claim = try await spool.mustClaim()
        #expect(claim.message.id == "a")
        #expect(claim.message.attempt == 3)
        #expect(try spool.names("claimed") == ["a~3"])
        #expect(claim.message.text == "orphan")
    }

    @Test func messagesComeInTheOrderOfTheirNames() async throws {
        let spool = try SpoolFixture()
        for name in ["c", "a", "b"] { try spool.put(name, "ready/\(name)") }
        try spool.put("hidden", "ready/.being-written")
        var order: [String] = []
        while let claim = try await spool.claim() {
            order.append(claim.message.id)
            try await claim.settle(.complete(result: nil))
        }
        #expect(order == ["a", "b", "c"])
        #expect(try spool.names("ready") == [".being-written"])
    }

    @Test func batchesComeInOrderAndAreSweptUp() async throws {
        let spool = try SpoolFixture()
        try spool.put("1", "ready/a")
        try Files.makeDirectory(spool.path("ready/b"))
        try spool.put("3", "ready/b/2")
        try spool.put("2", "ready/b/1")
        try spool.put("4", "ready/c")
        var order: [String] = []
        while let claim = try await spool.claim() {
            order.append(claim.message.text)
            try await claim.settle(.complete(result: nil))
        }
        #expect(order == ["1", "2", "3", "4"])
        #expect(try spool.names("ready") == [])
    }

    @Test func linksAreNotFollowed() async throws {
        let spool = try SpoolFixture()
        try Files.write("secret", to: spool.path("elsewhere"))
        #expect(symlink(spool.path("elsewhere"), spool.path("ready/link")) == 0)
        #expect(try await spool.claim() == nil)
        #expect(try Files.text(of: spool.path("elsewhere")) == "secret")
    }

    @Test func atMostOnceIsDoneBeforeItRuns() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        let claim = try #require(try await spool.claim(ClaimRequest(wait: .upTo(.zero), delivery: .atMostOnce)))
        #expect(claim.message.attempt == 1)
        #expect(try spool.names("done") == ["a"])
        #expect(try spool.names("claimed") == [])
        #expect(claim.message.text == "x")
        try await claim.settle(.complete(result: nil))
        #expect(try spool.names("done") == ["a"])
    }

    @Test func aSpoolThatIsNotThereIsAMistake() async throws {
        let directory = try TemporaryDirectory()
        let queue = try SpoolQueue(
            SpoolAddress(QueueURL("spool:\(directory / "missing")", source: "--queue")), log: .silent)
        await #expect(
            throws: QueueFailure.misconfigured(
                "--queue: spool \(directory / "missing") does not exist; ‘semelctl enqueue’ creates it")
        ) { try await queue.claim(ClaimRequest()) }
        try Files.write("x", to: directory / "file")
        let file = try SpoolQueue(
            SpoolAddress(QueueURL("spool:\(directory / "file")", source: "--queue")), log: .silent)
        await #expect(throws: QueueFailure.misconfigured("--queue: spool \(directory / "file") is not a directory")) {
            try await file.claim(ClaimRequest())
        }
    }

    @Test func anExistingDirectoryBecomesASpool() async throws {
        let directory = try TemporaryDirectory()
        let queue = try SpoolQueue(SpoolAddress(QueueURL("spool:\(directory.path)", source: "--queue")), log: .silent)
        #expect(try await queue.claim(ClaimRequest(wait: .upTo(.zero))) == nil)
        #expect(
            try Files.names(in: directory.path) == ["claimed", "dead", "delayed", "done", "incoming", "meta", "ready"])
        await queue.close()
    }
}
