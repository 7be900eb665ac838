import Semel

/// The last hour of a queue as lines.
struct QueueChart {
    private static let width = 720.0
    private static let height = 120.0
    /// Above the highest and below the lowest line, so that they do not lose half of their width.
    private static let margin = 4.0

    let svg: String
    /// What the picture says, in words.
    let caption: String

    init(_ samples: [QueueSample]) {
        let highest = max(1, samples.flatMap { [$0.ready, $0.claimed ?? 0, $0.delayed ?? 0, $0.dead ?? 0] }.max() ?? 1)
        let count = Int(QueueHistory.span / QueueHistory.step)
        let lines: [(String, (QueueSample) -> Int?)] = [
            ("delayed", { $0.delayed }), ("claimed", { $0.claimed }), ("dead", { $0.dead }), ("ready", { $0.ready }),
        ]
        // The newest is on the right, whatever there is of the hour.
        let first = count - samples.count
        let paths = lines.compactMap { name, value -> String? in
            let points = samples.enumerated().compactMap { index, sample -> String? in
                guard let value = value(sample) else { return nil }
                let x = Double(first + index + 1) / Double(count) * Self.width
                let y = Self.height - Self.margin - Double(value) / Double(highest) * (Self.height - 2 * Self.margin)
                return "\(Self.text(x)),\(Self.text(y))"
            }
            return points.count < 2
                ? nil : #"<polyline class="line \#(name)" points="\#(points.joined(separator: " "))"/>"#
        }
        let bottom = Self.text(Self.height - Self.margin)
        svg = """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" preserveAspectRatio="none" aria-hidden="true">\
            <line class="frame" x1="0" x2="\(Int(Self.width))" y1="\(bottom)" y2="\(bottom)"/>\
            <line class="frame" x1="0" x2="\(Int(Self.width))" y1="\(Self.text(Self.margin))" y2="\(Self.text(Self.margin))"/>\
            \(paths.joined())</svg>
            """
        caption = Self.caption(samples, highest)
    }

    private static func caption(_ samples: [QueueSample], _ highest: Int) -> String {
        guard let first = samples.first, samples.count > 1 else {
            return "The chart begins now: the console remembers nothing from before its start."
        }
        let most = [
            ("ready", samples.map(\.ready).max()), ("claimed", samples.compactMap(\.claimed).max()),
            ("delayed", samples.compactMap(\.delayed).max()), ("dead", samples.compactMap(\.dead).max()),
        ]
        let words = most.compactMap { name, number in number.map { "\(name) \($0)" } }.joined(separator: ", ")
        return
            "From \(MomentText.of(first.time)) to now, the last hour at most. Top line: \(highest). At most: \(words)."
    }

    private static func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
