import Foundation

/// How numbers of one kind are written.
enum Unit {
    case seconds, bytes, count

    func text(_ value: Double) -> String {
        switch self {
        case .seconds where value < 1: "\(Self.digits(value * 1000)) ms"
        case .seconds: "\(Self.digits(value)) s"
        case .bytes: "\(Self.digits(value / 1_000_000)) MB"
        case .count: "\(Int(value))"
        }
    }

    /// Three digits that mean something.
    static func digits(_ value: Double) -> String {
        let decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2
        return String(format: "%.\(decimals)f", value)
    }
}

/// One line of the table: semel beside somebody else.
struct Row {
    /// What was measured, the same words as in the chart.
    let what: String
    let semel: Double
    /// Who it is compared with and what it was measured at; nothing where there is nobody.
    let peer: (name: String, value: Double)?
    let unit: Unit
    /// The median, the lowest and the highest of the pairs' ratios; one of single measurements is only that.
    private(set) var ratio: Samples?
    /// The ratio, or in `unit` the value, that it may come to.
    private(set) var budget: Budget?

    enum Budget {
        case ratio(Double)
        case value(Double)
    }

    init(_ what: String, _ comparison: Comparison, against peer: String, budget: Double? = nil) {
        self.what = what
        semel = comparison.first.median
        self.peer = (peer, comparison.second.median)
        unit = .seconds
        ratio = comparison.ratios
        self.budget = budget.map(Budget.ratio)
    }

    init(_ what: String, _ semel: Double, _ unit: Unit, against peer: (String, Double)? = nil, limit: Double? = nil) {
        self.what = what
        self.semel = semel
        self.peer = peer
        self.unit = unit
        ratio = peer.flatMap { $0.1 > 0 ? Samples(values: [semel / $0.1]) : nil }
        budget = limit.map(Budget.value)
    }

    var isWithinBudget: Bool? {
        switch budget {
        case nil: nil
        case .ratio(let limit): ratio.map { $0.median <= limit }
        case .value(let limit): semel <= limit
        }
    }

    static let head = ["", "semel", "peer", "", "ratio", "lowest – highest", "pairs", "budget", ""]

    var cells: [String] {
        let pairs = ratio.map { $0.values.count } ?? 0
        let budgetText =
            switch budget {
            case nil: ""
            case .ratio(let limit): "≤ \(Self.ratioText(limit))"
            case .value(let limit): "≤ \(unit.text(limit))"
            }
        return [
            what, unit.text(semel), peer?.name ?? "", peer.map { unit.text($0.value) } ?? "",
            ratio.map { Self.ratioText($0.median) } ?? "",
            ratio.flatMap { pairs > 1 ? "\(Self.ratioText($0.lowest)) – \(Self.ratioText($0.highest))" : nil } ?? "",
            pairs > 1 ? "\(pairs)" : "", budgetText,
            isWithinBudget.map { $0 ? "met" : "**missed**" } ?? "",
        ]
    }

    private static func ratioText(_ ratio: Double) -> String {
        String(format: ratio < 0.1 ? "%.3f" : "%.2f", ratio)
    }
}

/// What belongs together, under a heading of its own.
struct Section {
    let title: String
    var rows: [Row] = []
    /// What one has to know to read the numbers.
    var notes: [String] = []
}
