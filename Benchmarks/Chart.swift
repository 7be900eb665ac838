import Foundation

/// Bars beside each other, as SVG that can be read on light and on dark pages.
struct Chart {
    struct Bar {
        let label: String
        let value: Double
        let isSemel: Bool
    }

    let title: String
    let bars: [Bar]
    let unit: Unit

    private static let width = 760.0
    private static let labelWidth = 250.0
    private static let valueWidth = 90.0
    private static let lineHeight = 26.0
    private static let titleHeight = 34.0

    private var height: Double { Self.titleHeight + Double(bars.count) * Self.lineHeight + 14 }

    static func svg(_ charts: [Chart]) -> String {
        var top = 0.0
        let bodies = charts.map { chart in
            defer { top += chart.height }
            return chart.body(at: top)
        }
        let titles = charts.map { escaped($0.title) }.joined(separator: "; ")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(top))" role="img" aria-label="\(titles)">
            <style>
            text { font: 13px system-ui, sans-serif; fill: #24292f }
            .title { font-weight: 600; font-size: 14px }
            .value { font-variant-numeric: tabular-nums }
            .semel { fill: #0969da }
            .peer { fill: #8c959f }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 }
            .semel { fill: #4493f8 }
            .peer { fill: #6e7681 }
            }
            </style>
            \(bodies.joined(separator: "\n"))
            </svg>

            """
    }

    private func body(at top: Double) -> String {
        let largest = bars.map(\.value).max() ?? 1
        let room = Self.width - Self.labelWidth - Self.valueWidth
        let lines = bars.enumerated().map { index, bar in
            let y = top + Self.titleHeight + Double(index) * Self.lineHeight
            let length = max(2, bar.value / largest * room)
            let middle = String(format: "%.0f", y + 14)
            return """
                <text x="\(Int(Self.labelWidth - 10))" y="\(middle)" text-anchor="end">\(Self.escaped(bar.label))</text>
                <rect class="\(bar.isSemel ? "semel" : "peer")" x="\(Int(Self.labelWidth))" \
                y="\(String(format: "%.0f", y))" width="\(String(format: "%.1f", length))" height="18" rx="3"/>
                <text class="value" x="\(String(format: "%.1f", Self.labelWidth + length + 8))" y="\(middle)">\
                \(unit.text(bar.value))</text>
                """
        }
        let title =
            "<text class=\"title\" x=\"10\" y=\"\(String(format: "%.0f", top + 20))\">\(Self.escaped(title))</text>"
        return ([title] + lines).joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: "`", with: "")
    }
}

extension Chart {
    /// The chart of the README: what one message costs with each program.
    static func oneMessage(_ section: Section) -> Chart {
        var bars: [Bar] = []
        for queue in ["RabbitMQ", "Redis"] {
            let rows = section.rows.filter { $0.what == "\(queue), 100 B" }
            guard let semel = rows.first?.semel else { continue }
            bars.append(Bar(label: "semel, \(queue)", value: semel, isSemel: true))
            bars += rows.compactMap(\.peer).map { peer in
                Bar(label: "\(peer.name.prefix { $0 != " " }), \(queue)", value: peer.value, isSemel: false)
            }
        }
        return Chart(title: "One message, from start to exit", bars: bars, unit: .seconds)
    }

    static func memory(_ section: Section) -> Chart {
        let rows = section.rows.filter { $0.what.hasSuffix("resident while a task runs") && $0.peer != nil }
        var bars: [Bar] = []
        for row in rows where row.what.hasPrefix("RabbitMQ") || row.peer?.name.hasPrefix("rq") == true {
            let queue = row.what.prefix { $0 != ":" }
            bars.append(Bar(label: "semel, \(queue)", value: row.semel, isSemel: true))
            if let peer = row.peer { bars.append(Bar(label: "\(peer.name)", value: peer.value, isSemel: false)) }
        }
        return Chart(title: "Memory while a task runs", bars: bars, unit: .bytes)
    }
}
