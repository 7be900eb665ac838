import Foundation

/// What the person at the terminal may choose, by variables: `make bench PAIRS=101 ONLY=message,latency`.
struct BenchSettings {
    /// Of the short runs; what takes long is done less often.
    var pairs = 41
    var groups = Group.allCases
    /// How long processor time is counted for.
    var minute = Duration.seconds(60)
    /// Where the Python peers are installed.
    let peers: String

    enum Group: String, CaseIterable {
        case message, latency, footprint, output, claim, drain, console, size, instructions
    }

    var isWhole: Bool { groups.count == Group.allCases.count }

    init(_ environment: [String: String]) throws {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        peers = given("BENCH_PEERS") ?? ".build/bench-venv"
        if let text = given("PAIRS") {
            guard let value = Int(text), value > 0 else {
                throw BenchFailure("PAIRS: ‘\(text)’ is not a number from 1 up")
            }
            pairs = value
        }
        if let text = given("BENCH_MINUTE") {
            guard text.hasSuffix("s"), let value = Double(text.dropLast()), value > 0 else {
                throw BenchFailure("BENCH_MINUTE: ‘\(text)’ is not a number of seconds; write 10s")
            }
            minute = .seconds(value)
        }
        if let text = given("ONLY") {
            let known = Group.allCases.map(\.rawValue).joined(separator: ", ")
            let chosen = try text.split(separator: ",").map { name in
                guard let group = Group(rawValue: String(name)) else {
                    throw BenchFailure("ONLY: ‘\(name)’ is none of \(known)")
                }
                return group
            }
            groups = Group.allCases.filter(chosen.contains)
        }
    }

    /// So many pairs of what takes `times` as long as a short run.
    func pairs(dividedBy times: Int) -> Int {
        min(pairs, max(3, pairs / times))
    }
}
