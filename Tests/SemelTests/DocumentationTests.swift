import Foundation
import Semel
import Testing

@Suite struct DocumentationTests {
    /// `Tests/SemelTests/X.swift` is two folders below the root.
    private var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    @Test func exitCodesAreDocumentedAsTheyAre() throws {
        let page = try String(contentsOf: root.appendingPathComponent("docs/exit-codes.md"), encoding: .utf8)
        let documented = page.split(separator: "\n").filter { $0.first == "|" }.dropFirst(2).map(String.init)
        let actual = Outcome.allCases.sorted { $0.exitCode < $1.exitCode }.map {
            "| \($0.exitCode) | `\($0.rawValue)` | \($0.meaning) | \($0.fate) |"
        }
        #expect(documented == actual)
    }
}
