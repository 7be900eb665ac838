import Foundation
import Semel
import Testing

@Suite struct ReportTests {
    private func decoded(_ report: Report) throws -> Report {
        let line = report.line()
        #expect(line.last == UInt8(ascii: "\n"))
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(line.count <= 4096)
        #expect(String(validating: line, as: UTF8.self) != nil)
        return try JSONDecoder().decode(Report.self, from: Data(line))
    }

    @Test func isTheLineThatTheContractShows() {
        let report = Report(
            outcome: .retry, messageId: "m-1", attempt: 2, taskExit: 1, seconds: 12.8004,
            reason: "the task exited with 1")
        #expect(
            String(decoding: report.line(), as: UTF8.self) == """
                {"attempt":2,"messageId":"m-1","outcome":"retry","reason":"the task exited with 1","seconds":12.8,"taskExit":1}

                """)
    }

    @Test func tellsAnEmptyQueueFromSuccess() {
        #expect(
            String(decoding: Report(outcome: .idle).line(), as: UTF8.self) == #"{"outcome":"idle","seconds":0}"# + "\n")
        #expect(
            String(decoding: Report(outcome: .completed, messageId: "a/b").line(), as: UTF8.self)
                == #"{"messageId":"a/b","outcome":"completed","seconds":0}"# + "\n")
    }

    @Test func roundsSeconds() {
        #expect(Report(outcome: .completed, seconds: 0.000_4).seconds == 0)
        #expect(Report(outcome: .completed, seconds: 1.234_56).seconds == 1.235)
    }

    @Test(arguments: [
        "", "plain", "two\nlines", "tab\tquote\" back\\slash", "nul\u{0}bell\u{7}escape\u{1B}", "e\u{301}🇩🇪👩‍👩‍👧",
        "\u{2028}\u{2029}\r",
    ])
    func keepsShortReasons(reason: String) throws {
        let report = Report(
            outcome: .deadLettered, messageId: "m", attempt: 1, taskExit: 65, seconds: 1, reason: reason)
        #expect(try decoded(report) == report)
    }

    @Test(arguments: ["x", "ä", "€", "👍", "\n", "\u{1}", "\"", "\\", "\u{7F}", "e\u{301}", "🏴‍☠️", "a\u{0}€"])
    func shortensLongReasons(piece: String) throws {
        for count in [1_000, 4_000, 4_095, 4_096, 5_000, 20_000] {
            let reason = String(repeating: piece, count: count)
            let report = Report(outcome: .retry, messageId: "message", attempt: 3, seconds: 2, reason: reason)
            let shown = try decoded(report)
            #expect(shown.messageId == "message")
            #expect(shown.attempt == 3)
            let text = try #require(shown.reason)
            if text != reason {
                #expect(text.unicodeScalars.last == "…")
                #expect(reason.unicodeScalars.starts(with: text.unicodeScalars.dropLast()))
                // Shortened, but not by more than it takes.
                #expect(report.line().count > 4_096 - 100)
            }
        }
    }

    @Test(arguments: ["i", "\u{1}", "€", "\u{301}"])
    func shortensLongIds(piece: String) throws {
        for reason in [nil, "because", String(repeating: "r", count: 10_000)] {
            let id = "id" + String(repeating: piece, count: 10_000)
            let shown = try decoded(Report(outcome: .retry, messageId: id, attempt: 1, reason: reason))
            let text = try #require(shown.messageId)
            #expect(text.unicodeScalars.count >= 100)
            #expect(id.unicodeScalars.starts(with: text.unicodeScalars.prefix(100)))
            if reason == "because" { #expect(shown.reason == "because") }
            if reason == nil { #expect(shown.reason == nil) }
        }
    }

    /// The line is the last thing that a worker does: a reason of any size must not hold the exit up.
    @Test func copesWithAHugeReason() throws {
        let shown = try decoded(Report(outcome: .retry, reason: String(repeating: "x", count: 3_000_000)))
        #expect(shown.reason?.hasSuffix("x…") == true)
    }
}
