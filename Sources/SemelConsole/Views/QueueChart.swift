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
        let lines: [(String, (QueueSample) -> Int?)] = [
            ("delayed", { $0.delayed }), ("claimed", { $0.claimed }), ("dead", { $0.dead }), ("ready", { $0.ready }),
        ]
        // The newest is on the right, whatever there is of the hour.
        let newest = samples.last?.moment ?? .now
        func point(_ sample: QueueSample, _ value: Int) -> String {
            let x = Self.width * (1 - (newest - sample.moment) / QueueHistory.span)
            let y = Self.height - Self.margin - Double(value) / Double(highest) * (Self.height - 2 * Self.margin)
            return "\(Self.text(max(0, x))),\(Self.text(y))"
        }
        let paths = lines.flatMap { name, value in
            Self.pieces(samples).compactMap { piece -> String? in
                let points = piece.compactMap { sample in value(sample).map { point(sample, $0) } }
                guard points.count > 1 else { return nil }
                return #"<polyline class="line \#(name)" points="\#(points.joined(separator: " "))"/>"#
            }
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

    /// Nobody knows what was while the queue could not be read: a line is broken there.
    private static func pieces(_ samples: [QueueSample]) -> [[QueueSample]] {
        var pieces: [[QueueSample]] = []
        for sample in samples {
            if let last = pieces.last?.last, sample.moment - last.moment < QueueHistory.step * 4 {
                pieces[pieces.count - 1].append(sample)
            } else {
                pieces.append([sample])
            }
        }
        return pieces
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
