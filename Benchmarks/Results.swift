import Foundation

/// The tables as text: for the terminal and for `RESULTS.md`.
struct Results {
    let machine: Machine
    let sections: [Section]

    var markdown: String {
        let head = """
            # Results

            Written by `make bench`, all in one run, and never by hand. Each line compares two programs that were run in
            pairs, A B, B A, A B and so on: the times are medians, the ratio is the median of the pairs' own ratios, with
            the lowest and the highest. A line without pairs was measured once. Below 1.00 semel takes less.

            """
        return head + "\n" + machine.lines.joined(separator: "\n") + "\n\n![one message in milliseconds](results.svg)\n"
            + sections.map(Self.markdown).joined()
    }

    private static func markdown(_ section: Section) -> String {
        let rule =
            ["---"] + Array(repeating: "---:", count: 1) + ["---", "---:", "---:", ":---:", "---:", "---:", "---"]
        let table = ([Row.head, rule] + section.rows.map(\.cells)).map { "| \($0.joined(separator: " | ")) |\n" }
        let notes = section.notes.map { "\n\($0)\n" }
        return "\n## \(section.title)\n\n" + table.joined() + notes.joined()
    }

    /// The same for people at a terminal: columns in line.
    static func plain(_ section: Section) -> String {
        let lines = ([Row.head] + section.rows.map(\.cells)).map { cells in
            cells.map { $0.replacingOccurrences(of: "`", with: "").replacingOccurrences(of: "**", with: "") }
        }
        let widths = Row.head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { cells in
            zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }
        return "\n\(section.title.replacingOccurrences(of: "`", with: ""))\n" + table.joined(separator: "\n")
    }
}
