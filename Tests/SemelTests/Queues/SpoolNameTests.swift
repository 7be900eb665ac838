import Semel
import Testing

@testable import SemelSpool

@Suite struct SpoolNameTests {
    @Test(arguments: [
        ("report.pdf", 0, nil, "report.pdf"),
        ("report.pdf", 3, nil, "report.pdf~3"),
        ("report.pdf", 2, 1_795_267_662_123, "1795267662123~report.pdf~2"),
        ("report.pdf", 0, 5, "0000000000005~report.pdf~0"),
        ("a~7", 1, nil, "a~7~1"),
    ])
    func isWritten(base: String, attempts: Int, due: Int64?, text: String) {
        let due = due.map { Timestamp(milliseconds: $0) }
        #expect(SpoolName(base: base, attemptsUsed: attempts, due: due).text == text)
    }

    @Test(arguments: [
        "a", "report.pdf", "with space", "tilde~", "~tilde", "a~b", "a~7", "7~a", "~~", "ümläut", "1795267662123",
        "-", "a.b.c~d~9~e", "a\nb",
    ])
    func isReadBack(base: String) {
        for attempts in [1, 2, 10, 1_000_000] {
            let claimed = SpoolName(base: base, attemptsUsed: attempts)
            #expect(SpoolName(reading: claimed.text, delayed: false) == claimed)
            for due in [0, 1, 1_795_267_662_123, 99_999_999_999_999] {
                let delayed = SpoolName(base: base, attemptsUsed: attempts, due: Timestamp(milliseconds: Int64(due)))
                #expect(SpoolName(reading: delayed.text, delayed: true) == delayed)
            }
        }
        let released = SpoolName(base: base, attemptsUsed: 0, due: Timestamp(milliseconds: 1))
        #expect(SpoolName(reading: released.text, delayed: true) == released)
    }

    @Test func namesPutThereByHand() {
        #expect(SpoolName(reading: "letter", delayed: false) == SpoolName(base: "letter"))
        #expect(SpoolName(reading: "letter", delayed: true) == SpoolName(base: "letter"))
        #expect(SpoolName(reading: "letter~x", delayed: false) == SpoolName(base: "letter~x"))
        #expect(SpoolName(reading: "letter~-5", delayed: false) == SpoolName(base: "letter", attemptsUsed: 0))
        #expect(SpoolName(reading: "soon~letter~2", delayed: true) == SpoolName(base: "soon~letter", attemptsUsed: 2))
        #expect(SpoolName(reading: "letter~99999999999999999999", delayed: false).attemptsUsed == 0)
        #expect(SpoolName(reading: "", delayed: true) == SpoolName(base: ""))
    }

    @Test func dueTimesSortLikeTimes() {
        let moments: [Int64] = [0, 9, 10, 999_999_999_999, 1_000_000_000_000, 1_795_267_662_123]
        let names = moments.map { SpoolName(base: "x", attemptsUsed: 1, due: Timestamp(milliseconds: $0)).text }
        #expect(names == names.sorted())
    }

    @Test func freshNamesSortInTheOrderOfTheirMaking() {
        let names = (1...2_000).map { SpoolName.fresh($0) }
        #expect(names == names.sorted())
        #expect(Set(names).count == 2_000)
        #expect(names.allSatisfy { !$0.contains(SpoolName.separator) && !$0.contains("/") && !$0.hasPrefix(".") })
    }
}
