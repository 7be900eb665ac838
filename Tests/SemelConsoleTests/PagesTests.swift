import HTTPTypes
import Hummingbird
import HummingbirdCore
import Semel
import SemelKubernetes
import SemelQueues
import Testing

@testable import SemelConsole

/// What is in a message is a stranger's: it stays text wherever it is shown.
struct PagesTests {
    /// A character that a grapheme's eyes do not see is one to a browser.
    private static let hostile = "<script>alert(1)</script>\"\u{301} onfocus='alert(2)' x=\"&amp;"

    private func expectHarmless(_ html: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!html.contains("<script>alert"), sourceLocation: sourceLocation)
        let bytes = Array(html.utf8)
        let quote = Array("&quot;\u{301}".utf8)
        let raw = Array("\"\u{301}".utf8)
        #expect(bytes.contains(quote), sourceLocation: sourceLocation)
        #expect(!bytes.contains(raw), sourceLocation: sourceLocation)
    }

    private func letter(_ text: String) -> StoredDeadLetter {
        StoredDeadLetter(
            messageID: text,
            letter: DeadLetter(reason: text, attempts: 2, exit: 1, output: [text], worker: text, time: text),
            body: Array(text.utf8), contentType: text, headers: [text: .string(text), "list": .array([.string(text)])])
    }

    private func queue() throws -> ConsoleQueue {
        let address = try QueueAddress(QueueURL("spool:/tmp/a", source: "--queue"), [:])
        return try #require(ConsoleQueue.all([address]).first)
    }

    @Test func aMessage() throws {
        let view = MessageView(try queue(), letter(Self.hostile), view: nil, mayChange: true, formToken: "t")
        expectHarmless(try Pages(isReadOnly: false).fragment("message", view))
    }

    @Test func aListOfDeadLetters() throws {
        var shelf = DeadLetterShelf()
        shelf.add(letter(Self.hostile))
        shelf.problem = Self.hostile
        let queue = try queue()
        let view = DeadView(
            queue, among: [queue], shelf, reason: "<SCRIPT>", page: nil, mayChange: true, formToken: "t")
        let html = try Pages(isReadOnly: false).fragment("dead", view)
        expectHarmless(html)
        #expect(!html.contains("<SCRIPT>"))
    }

    @Test func whatAWorkerSays() throws {
        var worker = WorkerDocument(name: Self.hostile, state: "")
        worker.take(
            WorkerAnswer(
                state: Self.hostile, messageId: Self.hostile, note: Self.hostile, reason: Self.hostile,
                claimLost: Self.hostile, output: [Self.hostile]))
        worker.problem = Self.hostile
        var ended = EndedWorkerDocument(name: Self.hostile)
        (ended.reason, ended.messageId, ended.outcome) = (Self.hostile, Self.hostile, Self.hostile)
        let reading = WorkersReading(workers: [worker], ended: [ended], problem: Self.hostile)
        let view = WorkersLiveView(.addresses([]), reading, state: nil, page: nil)
        expectHarmless(try Pages(isReadOnly: false).fragment("workers_live", view))
    }

    @Test func aFormThatIsShownAgain() throws {
        let form = Form("body=\(URLText.escaped("</textarea>" + Self.hostile))&id=\(URLText.escaped(Self.hostile))")
        let view = EnqueueView([try queue()], chosen: nil, form, problem: Self.hostile, formToken: "t")
        let html = try Pages(isReadOnly: false).fragment("enqueue", view)
        expectHarmless(html)
        #expect(html.components("</textarea>") == 3)
    }

    @Test func aQuestion() throws {
        let change = DeadChange(action: .drop, selection: DeadLetterSelection(ids: [Self.hostile]))
        let view = ConfirmView(change, try queue(), seen: nil, formToken: "t")
        expectHarmless(try Pages(isReadOnly: false).fragment("confirm", view))
    }

    @Test func theFrameOfAPage() throws {
        let pages = try Pages(isReadOnly: true)
        let visitor = Visitor(name: Self.hostile, formToken: "t")
        let response = pages.page("error", ["reason": Self.hostile], title: Self.hostile, at: "/", visitor)
        #expect(response.status == .ok)
        let html = pages.fragment("error", ["reason": Self.hostile])
        expectHarmless(html)
    }

    /// A worker's numbers are a stranger's, too.
    @Test func noNumberOfAWorkerIsTooLarge() throws {
        for (progress, seconds) in [(1e300, 1e300), (-2, -1), (0.5, 60)] {
            var worker = WorkerDocument(name: "a", state: "ING")
            worker.take(WorkerAnswer(state: "ING", messageId: "m", progress: progress, seconds: seconds))
            let view = WorkersLiveView(.addresses([]), WorkersReading(workers: [worker]), state: nil, page: nil)
            let html = try Pages(isReadOnly: false).fragment("workers_live", view)
            #expect(html.contains(progress > 1 ? "100 %" : progress < 0 ? "0 %" : "50 %"))
        }
    }

    /// Progress bars return to the beginning of their line, which ends one of an event stream.
    @Test func everyLineOfAnEventIsData() {
        let event = Response.event("10%\r20%\r\n\r\nb\r\rretry: 1\nc")
        #expect(event.utf8.allSatisfy { $0 != 0x0D })
        let lines = event.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(2) == ["", ""])
        #expect(lines.dropLast(2).allSatisfy { $0.hasPrefix("data: ") })
    }

    @Test func onlyANumberIsTakenFromAnAddress() throws {
        #expect(Notice(Form.query("retried=2"))?.text == "2 messages back in the queue.")
        #expect(Notice(Form.query("dropped=0"))?.text.hasPrefix("Nothing was changed") == true)
        #expect(Notice(Form.query("retried=your+bank+is+closed")) == nil)
        #expect(Notice(Form.query("retried=-1")) == nil)
    }

    @Test func formsAreReadAsBrowsersWriteThem() {
        let form = Form("a=x+y%2B%26#c&id=1&id=%C3%A4&empty=&id=")
        #expect(form["a"] == "x y+&#c")
        #expect(form.all("id") == ["1", "ä"])
        #expect(form["empty"] == nil)
        #expect(form["nothing"] == nil)
    }
}

extension String {
    /// How many pieces it falls into.
    fileprivate func components(_ separator: String) -> Int {
        split(separator: separator, omittingEmptySubsequences: false).count
    }
}

extension [UInt8] {
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        guard count >= other.count else { return false }
        return (0...count - other.count).contains { self[$0..<$0 + other.count].elementsEqual(other) }
    }
}
