import Logging
import Semel
import SemelQueues
import TestSupport
import Testing

@testable import SemelConsole

struct QueueTests {
    @Test func noTwoQueuesHaveTheSameName() throws {
        let addresses = try [
            "amqp://localhost/v?queue=user%20task", "redis://localhost/0?list=user/task", "spool:/var/spool/semel",
            "spool:/other/semel", "spool:/ä",
        ].map { try QueueAddress(QueueURL($0, source: "--queue"), [:]) }
        #expect(ConsoleQueue.all(addresses).map(\.slug) == ["user-task", "user-task-2", "semel", "semel-2", "queue"])
    }

    @Test func anHourIsRemembered() {
        var history = QueueHistory()
        let start = Timestamp(milliseconds: 1_800_000_000_000)
        for second in stride(from: 0, to: 3 * 3_600, by: 2) {
            history.add(QueueCounts(ready: second), at: start + .seconds(second))
        }
        let span = Int(QueueHistory.span / QueueHistory.step)
        #expect((span...span + 2).contains(history.samples.count))
        #expect(history.samples.last?.ready == 3 * 3_600 - 2)
        #expect(history.samples.first.map { $0.ready >= 2 * 3_600 - 12 } == true)
    }

    @Test func aChartHasALineForWhatIsKnown() {
        let start = Timestamp(milliseconds: 1_800_000_000_000)
        let samples = (0..<3).map { QueueSample(QueueCounts(ready: $0, dead: 7), at: start + .seconds(10 * $0)) }
        let chart = QueueChart(samples)
        #expect(chart.svg.contains("line ready"))
        #expect(chart.svg.contains("line dead"))
        #expect(!chart.svg.contains("line claimed"))
        #expect(chart.caption.contains("ready 2, dead 7"))
        #expect(QueueChart([]).caption.contains("begins now"))
    }

    @Test func pages() {
        #expect(Paging(nil, of: 0).range.isEmpty)
        #expect(Paging("2", of: 101).range == 50..<100)
        #expect(Paging("3", of: 101).range == 100..<101)
        for nonsense in ["0", "-1", "x", ""] { #expect(Paging(nonsense, of: 101).number == 1) }
        #expect(Paging("99999999999999999999", of: 101).number == 1)
        #expect(Paging("99", of: 101).number == 3)
    }

    @Test func aLookReadsNoMoreThanItMay() {
        let letter = DeadLetter(reason: "r", attempts: 1, exit: 65, output: ["o"], worker: "w", time: "t")
        let body = [UInt8](repeating: 0, count: 12 << 20)
        var shelf = DeadLetterShelf()
        while !shelf.isFull {
            shelf.add(StoredDeadLetter(messageID: "m", letter: letter, body: body, headers: ["h": .string("v")]))
        }
        #expect(shelf.letters.count == 22, "256 MiB by 12 MiB")
        #expect(shelf.letters.allSatisfy { $0.bytes == body.count && $0.stored.letter.reason == "r" })
        #expect(shelf.letters.map(\.isWhole) == [true] + [Bool](repeating: false, count: 21), "16 MiB are kept")
        #expect(shelf.letters.dropFirst().allSatisfy { $0.stored.body.isEmpty && $0.stored.headers.isEmpty })

        var small = DeadLetterShelf()
        while !small.isFull { small.add(StoredDeadLetter(messageID: "m", letter: letter, body: [])) }
        #expect(small.letters.count == DeadLetterShelf.mostLetters)
        #expect(small.letters.allSatisfy { $0.isWhole })
    }

    /// Nothing is said to be all before all were looked at.
    @Test func whatWasNotFoundYetMayStillBeFound() throws {
        let address = try QueueAddress(QueueURL("spool:/tmp/a", source: "--queue"), [:])
        let queue = try #require(ConsoleQueue.all([address]).first)
        let letter = DeadLetter(reason: "disk full", attempts: 1, exit: 1, output: [], worker: "w", time: "t")
        var shelf = DeadLetterShelf()
        shelf.add(StoredDeadLetter(messageID: "m", letter: letter, body: []))
        func view(_ reason: String) -> DeadView {
            DeadView(queue, among: [queue], shelf, reason: reason, page: nil, mayChange: false, formToken: "")
        }
        #expect(view("memory").isLoading && !view("memory").isEmpty)
        #expect(!view("disk full").isLoading && view("disk full").hasLetters)
        shelf.isGrowing = false
        #expect(!view("memory").isLoading && view("memory").isEmpty && view("memory").looked == nil)
        shelf.hasMore = true
        let html = try Pages(isReadOnly: true).fragment("dead", view("memory"))
        #expect(html.contains("No dead letter of the first 1 has ‘memory’ in its reason."))
    }

    /// Brokers tell ids apart by their bytes.
    @Test func idsThatLookTheSame() {
        let letter = DeadLetter(reason: "r", attempts: 1, exit: 1, output: [], worker: "w", time: "t")
        let selection = DeadLetterSelection(ids: ["e\u{301}"])
        #expect(selection.contains(StoredDeadLetter(messageID: "e\u{301}", letter: letter, body: [])))
        #expect(!selection.contains(StoredDeadLetter(messageID: "\u{E9}", letter: letter, body: [])))
    }

    @Test func aQueryIsReadAsAFormSendsIt() throws {
        let query = Form.query("reason=no+space&id=a%2Bb&plain=%20")
        #expect(query.text("reason") == "no space" && query.text("id") == "a+b" && query.text("plain") == " ")
    }

    @Test func lettersAreLookedAtAndChangedOneAfterTheOther() async throws {
        let directory = try TemporaryDirectory("console")
        let address = try QueueAddress(QueueURL("spool:\(directory.path("spool"))", source: "--queue"), [:])
        let queue = try #require(ConsoleQueue.all([address]).first)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let producer = try address.producer(log: log)
        try await producer.enqueue((0..<3).map { OutgoingMessage(body: [], id: "m\($0)") })
        await producer.close()
        let worker = try RunningProcess(
            .semel,
            [
                "run", "--queue", "spool:\(directory.path("spool"))", "--max-messages", "3", "--wait", "0",
                "--status-address", "off", "--", "sh", "-c", "exit 65",
            ])
        try await worker.waitForExit(timeout: .seconds(60))

        let desk = DeadLetterDesk(queue, log: log)
        let running = Task { await desk.run() }
        #expect(await desk.shelf.latest()?.letters.map(\.stored.messageID) == ["m0", "m1", "m2"])
        async let one = desk.change(DeadLetterSelection(ids: ["m1"]), .retry)
        async let other = desk.change(DeadLetterSelection(ids: ["m2", "nobody"]), .drop)
        let counts = try await [one, other]
        #expect(counts == [1, 1])
        #expect(await desk.shelf.latest()?.letters.map(\.stored.messageID) == ["m0"])
        #expect(try await desk.letter("m0")?.letter.exit == 65)
        #expect(try await desk.letter("m1") == nil)
        // One that has died since the look is changed, too.
        let again = try RunningProcess(
            .semel,
            [
                "run", "--queue", "spool:\(directory.path("spool"))", "--wait", "0", "--status-address", "off", "--",
                "sh", "-c", "exit 65",
            ])
        try await again.waitForExit(timeout: .seconds(60))
        #expect(try await desk.change(DeadLetterSelection(ids: ["m1"]), .drop) == 1)
        #expect(try await desk.change(DeadLetterSelection(), .drop) == 1)
        running.cancel()
        await running.value
    }
}

struct LiveReadingTests {
    @Test func isReadAgainWhileSomebodyLooks() async throws {
        let readings = Counter()
        let live = LiveReading<Int>(
            .init(watched: .milliseconds(10), attention: .seconds(3_600), unwatched: nil)
        ) { _ in readings.next() }
        let running = Task { await live.run() }
        #expect(readings.value == 0)
        #expect(await live.latest(within: .seconds(20)) ?? 0 > 0)
        try await eventually("it is read again") { readings.value > 2 }
        running.cancel()
        await running.value
    }

    @Test func isLeftAloneWhenNobodyLooks() async throws {
        let readings = Counter()
        let live = LiveReading<Int>(
            .init(watched: .milliseconds(10), attention: .milliseconds(50), unwatched: nil)
        ) { _ in readings.next() }
        let running = Task { await live.run() }
        #expect(await live.latest(within: .seconds(20)) ?? 0 > 0)
        try await eventually("nobody looks any more") {
            let before = readings.value
            try await Task.sleep(for: .milliseconds(200))
            return readings.value == before
        }
        let before = readings.value
        try await eventually("the next look has it read") { await live.latest() ?? 0 > before }
        running.cancel()
        await running.value
    }

    /// Nobody has to wait for a broker that does not answer.
    @Test func whatTakesLongIsNotWaitedFor() async {
        let answer = OneShot<Int>()
        let live = LiveReading<Int>(.init(watched: .seconds(1), attention: .zero, unwatched: nil)) { _ in
            await answer.wait() ?? 0
        }
        let running = Task { await live.run() }
        #expect(await live.latest(within: .milliseconds(20)) == nil)
        answer.fulfil(5)
        #expect(await live.latest(within: .seconds(20)) == 5)
        running.cancel()
        await running.value
    }
}
