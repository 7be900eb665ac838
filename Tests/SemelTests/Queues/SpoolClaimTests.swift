import Glibc
import Semel
import SemelSpool
import Testing

@Suite(.timeLimit(.minutes(5))) struct SpoolClaimTests {
    @Test func anEmptySpoolHasNothing() async throws {
        let spool = try SpoolFixture()
        #expect(try await spool.claim() == nil)
        #expect(try await spool.claim(ClaimRequest(wait: .upTo(.milliseconds(20)))) == nil)
    }

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

    @Test func aTaskReadsItsMessageFromTheBeginning() async throws {
        let spool = try SpoolFixture()
        try spool.put("hello", "ready/a")
        let body = try await spool.mustClaim().message.body
        #expect(lseek(body.descriptor, 0, SEEK_CUR) == 0)
        #expect(write(body.descriptor, "x", 1) == -1)
    }

    @Test func whatOneWorkerHoldsNoOtherGets() async throws {
        let spool = try SpoolFixture()
        try spool.put("one", "ready/a")
        let first = try await spool.mustClaim()
        #expect(try await spool.claim() == nil)
        try spool.put("two", "ready/b")
        let second = try await spool.mustClaim()
        #expect(second.message.id == "b")
        #expect(try await spool.claim() == nil)
        try await first.settle(.complete(result: nil))
        try await second.settle(.complete(result: nil))
        #expect(try spool.names("done") == ["a", "b"])
    }

    @Test func everyMessageIsClaimedOnce() async throws {
        let spool = try SpoolFixture()
        for number in 0..<60 { try spool.put("\(number)", "ready/m\(number)") }
        let ids = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<6 {
                group.addTask {
                    var ids: [String] = []
                    while let claim = try await spool.claim() {
                        ids.append(claim.message.id)
                        try await claim.settle(.complete(result: nil))
                    }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(ids.sorted() == (0..<60).map { "m\($0)" }.sorted())
        #expect(try spool.names("done").count == 60)
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

    @Test func aWorkerThatIsGoneLetsGo() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        do {
            let held = try await spool.mustClaim()
            #expect(held.message.attempt == 1)
            #expect(try await spool.claim() == nil)
        }
        // The lock went with the claim, as it goes with a process.
        let next = try await spool.mustClaim()
        #expect(next.message.id == "a")
        #expect(next.message.attempt == 2)
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

    @Test func aWorkerThatWaitsIsWokenByANewMessage() async throws {
        let spool = try SpoolFixture()
        let waiting = Task { try await spool.claim(ClaimRequest(wait: .forever)) }
        try Files.write("late", to: spool.path("incoming/late"))
        #expect(rename(spool.path("incoming/late"), spool.path("ready/late")) == 0)
        #expect(try await waiting.value?.message.id == "late")
    }

    @Test func aWorkerThatWaitsCanBeStopped() async throws {
        let spool = try SpoolFixture()
        let waiting = Task { try await spool.claim(ClaimRequest(wait: .forever)) }
        waiting.cancel()
        #expect(try await waiting.value == nil)
    }

    @Test func aWorkerThatWaitsFindsAnOrphanOnceItsWorkerIsGone() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        var held: (any Claim)? = try await spool.mustClaim()
        let waiting = Task { try await spool.claim(ClaimRequest(wait: .forever)) }
        #expect(held?.message.attempt == 1)
        held = nil
        #expect(try await waiting.value?.message.attempt == 2)
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

    @Test func atMostOnceCanStillBeDeadLettered() async throws {
        let spool = try SpoolFixture()
        try spool.put("x", "ready/a")
        let claim = try #require(try await spool.claim(ClaimRequest(wait: .upTo(.zero), delivery: .atMostOnce)))
        try await claim.settle(.deadLetter(.example))
        #expect(try spool.names("done") == [])
        #expect(try spool.names("dead") == ["a", "a.reason.json"])
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
