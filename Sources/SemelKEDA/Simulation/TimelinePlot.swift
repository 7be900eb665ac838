import Semel

/// Queue, Jobs and idle Jobs over time, as SVG that can be read on light and on dark pages.
public struct TimelinePlot: Sendable {
    private static let width = 760
    private static let left = 56
    private static let right = 16
    private static let panelHeight = 130
    private static let panelGap = 52
    private static let top = 44

    private struct Series {
        let name: String
        let style: String
        let values: [Int]
    }

    private let title: String
    private let span: Int
    private let panels: [[Series]]

    public init(title: String, timeline: Timeline) {
        self.title = title
        span = timeline.span
        let samples = timeline.samples
        panels = [
            [Series(name: "messages waiting", style: "queue", values: samples.map(\.queue))],
            [
                Series(name: "Jobs", style: "jobs", values: samples.map(\.jobs)),
                Series(name: "waiting for a message", style: "idle", values: samples.map(\.waitingJobs)),
            ],
        ]
    }

    public func svg() -> String {
        let height = Self.top + panels.count * (Self.panelHeight + Self.panelGap)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width) \(height)" role="img" \
            aria-label="\(Self.escaped(title)): messages and Jobs over time">
            <style>
            text { font: 12px system-ui, sans-serif; fill: #24292f }
            .title { font-weight: 600; font-size: 14px }
            .end { text-anchor: end }
            .middle { text-anchor: middle }
            .axis { stroke: #d0d7de; stroke-width: 1 }
            .queue { fill: #8c959f }
            .jobs { fill: #0969da }
            .idle { fill: #cf222e }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 }
            .axis { stroke: #3d444d }
            .queue { fill: #6e7681 }
            .jobs { fill: #4493f8 }
            .idle { fill: #f85149 }
            }
            </style>
            <text class="title" x="\(Self.left)" y="20">\(Self.escaped(Self.shortened(title)))</text>
            \(panels.indices.map { panel($0) }.joined(separator: "\n"))
            </svg>

            """
    }

    private func panel(_ index: Int) -> String {
        let top = Self.top + index * (Self.panelHeight + Self.panelGap)
        let bottom = top + Self.panelHeight
        let series = panels[index]
        let largest = max(1, series.flatMap(\.values).max() ?? 1)
        let legend = series.enumerated().map { position, series in
            let x = Self.left + position * 120
            return "<rect class=\"\(series.style)\" x=\"\(x)\" y=\"\(top - 14)\" width=\"10\" height=\"10\"/>"
                + "<text x=\"\(x + 15)\" y=\"\(top - 5)\">\(series.name)</text>"
        }
        let areas = series.map { "<path class=\"\($0.style)\" d=\"\(area($0.values, largest, top: top))\"/>" }
        return (legend + areas + [axes(largest, top: top, bottom: bottom)]).joined(separator: "\n")
    }

    private func axes(_ largest: Int, top: Int, bottom: Int) -> String {
        let right = Self.width - Self.right
        let total = span * max(1, panels[0][0].values.count)
        let ticks = (0...4).map { tick in
            let x = Self.left + (right - Self.left) * tick / 4
            let time = Self.time(total * tick / 4, of: total)
            let anchor = tick == 4 ? "end" : "middle"
            return "<text class=\"\(anchor)\" x=\"\(x)\" y=\"\(bottom + 17)\">\(time)</text>"
        }
        return """
            <line class="axis" x1="\(Self.left)" y1="\(bottom)" x2="\(right)" y2="\(bottom)"/>
            <text class="end" x="\(Self.left - 6)" y="\(top + 5)">\(Self.short(largest))</text>
            <text class="end" x="\(Self.left - 6)" y="\(bottom + 4)">0</text>
            \(ticks.joined())
            """
    }

    /// Steps, one for each sample; a run of the same value is one of them.
    private func area(_ values: [Int], _ largest: Int, top: Int) -> String {
        let bottom = top + Self.panelHeight
        let width = Double(Self.width - Self.left - Self.right) / Double(max(1, values.count))
        var path = "M\(Self.left) \(bottom)"
        var last = 0
        for (index, value) in values.enumerated() where value != last {
            let x = Self.number(Double(Self.left) + Double(index) * width)
            let y = Self.number(Double(bottom) - Double(Self.panelHeight) * Double(value) / Double(largest))
            path += "H\(x)V\(y)"
            last = value
        }
        return path + "H\(Self.width - Self.right)V\(bottom)Z"
    }

    /// Tenths, which is finer than anybody sees.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// In the unit that suits the whole.
    private static func time(_ milliseconds: Int, of total: Int) -> String {
        let seconds = Double(milliseconds) / 1_000
        return switch total / 1_000 {
        case ..<600: "\(number(seconds)) s"
        case ..<36_000: "\(number(seconds / 60)) min"
        case ..<864_000: "\(number(seconds / 3_600)) h"
        default: "\(number(seconds / 86_400)) d"
        }
    }

    /// Left of the axis there is room for six digits.
    private static func short(_ count: Int) -> String {
        count < 1_000_000 ? "\(count)" : "\(number(Double(count) / 1_000_000))M"
    }

    private static func shortened(_ title: String) -> String {
        title.count > 80 ? title.prefix(79) + "…" : title
    }

    private static func escaped(_ text: String) -> String {
        // No XML may have control characters in it, however they are written.
        text.onOneLine.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
