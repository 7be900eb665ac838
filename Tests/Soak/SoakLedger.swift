import Foundation

/// One run of a task, as its own lines in the ledger tell it. Times are nanoseconds since 1970.
struct SoakRun: Sendable {
    let message: Int
    let attempt: Int
    let worker: Int
    let start: Int64
    /// Missing when the task was killed.
    var end: Int64?
    var code: Int32?
}

/// What the tasks have written. Lines that are not whole cannot be: each is one write to a file opened for appending.
struct SoakLedger: Sendable {
    /// A fault that a task inflicted upon its worker.
    struct OwnFault: Sendable {
        let kind: FaultKind
        let worker: Int
        let time: Int64
    }

    private(set) var runs: [SoakRun] = []
    private(set) var faults: [OwnFault] = []
    /// Messages whose body did not have the size that it says it has.
    private(set) var damaged: [Int] = []
    private(set) var lines: [String] = []
    /// Lines that make no sense.
    private(set) var oddities: [String] = []
    private var runByWorker: [Int: Int] = [:]

    init(reading file: String) throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        lines = text.split(separator: "\n").map(String.init)
        for line in lines where !note(line) { oddities.append(line) }
    }

    func run(of worker: Int) -> SoakRun? {
        runByWorker[worker].map { runs[$0] }
    }

    /// Whether the line could be understood.
    private mutating func note(_ line: String) -> Bool {
        var words = line.split(separator: " ").map(String.init)
        let verb = words.removeFirst()
        let kind = verb == "fault" && !words.isEmpty ? FaultKind(rawValue: words.removeFirst()) : nil
        let numbers = words.compactMap { Int64($0) }
        guard numbers.count == words.count, numbers.count >= 4 else { return false }
        let (message, attempt, worker) = (Int(numbers[0]), Int(numbers[1]), Int(numbers[2]))
        switch verb {
        case "start":
            // A second message of the same worker, which there must never be, would go unseen otherwise.
            guard runByWorker[worker] == nil else { return false }
            runByWorker[worker] = runs.count
            runs.append(SoakRun(message: message, attempt: attempt, worker: worker, start: numbers[3]))
        case "end":
            guard let index = runByWorker[worker], runs[index].message == message, numbers.count == 5 else {
                return false
            }
            runs[index].code = Int32(numbers[3])
            runs[index].end = numbers[4]
        case "damaged": damaged.append(message)
        case "fault":
            guard let kind else { return false }
            faults.append(OwnFault(kind: kind, worker: worker, time: numbers[3]))
        default: return false
        }
        return true
    }
}
