import Foundation
import Glibc
import TestSupport

/// 1 GiB of a task's output through the worker into a pipe, against a plain `cat` in the worker's place.
struct Output {
    let bench: Bench

    private static let total = 1 << 30
    private static let copies = 16

    func section() async throws -> Section {
        let file = bench.memory.path("lines")
        let line = Data((String(repeating: "a line of output ", count: 6) + "\n").utf8)
        var text = Data(capacity: Self.total / Self.copies)
        while text.count + line.count <= Self.total / Self.copies { text += line }
        text += Data(repeating: 10, count: Self.total / Self.copies - text.count)
        try text.write(to: URL(fileURLWithPath: file))
        let task = [Bench.cat] + Array(repeating: file, count: Self.copies)
        let spool = try Spool(in: bench.memory, "output")
        let pairs = bench.settings.pairs(dividedBy: 6)

        func throughSemel() throws -> Double {
            try spool.add(Data())
            return try timed(bench.worker(spool.url, ["--input", "none"], task: task))
        }
        let throughCat = try await Comparison.inPairs(pairs, warmUp: 1, throughSemel) {
            try timed(["/bin/sh", "-c", "\"$@\" | cat", "-"] + task)
        }
        let direct = try await Comparison.inPairs(pairs, warmUp: 1, throughSemel) { try timed(task) }
        var section = Section(title: "1 GiB of lines from the task to the reader of the worker's output")
        section.rows = [
            Row("task ⇒ worker ⇒ reader", throughCat, against: "task ⇒ `cat` ⇒ reader", budget: 1.1),
            Row("task ⇒ worker ⇒ reader", direct, against: "task ⇒ reader"),
        ]
        return section
    }

    /// Reads everything and counts it.
    private func timed(_ words: [String]) throws -> Double {
        let output = try ChildPipe()
        defer { close(output.readEnd) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        let start = ContinuousClock.now
        let child = try Child(words, output: output.writeEnd)
        close(output.writeEnd)
        var total = 0
        while true {
            let count = read(output.readEnd, buffer.baseAddress, buffer.count)
            guard count > 0 else { break }
            total += count
        }
        try child.wait()
        guard total == Self.total else { throw BenchFailure("\(total) of \(Self.total) bytes came: \(words[0])") }
        return start.secondsSince
    }
}
