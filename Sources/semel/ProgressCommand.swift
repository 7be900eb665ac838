import Glibc
import Semel

/// `semel progress FRACTION [NOTE…]`, called by a task: shows how far it is.
enum ProgressCommand {
    static let usage = "semel progress FRACTION [NOTE…], FRACTION from 0 to 1"

    static func run(_ arguments: [String], _ environment: [String: String]) -> Int32 {
        guard let first = arguments.first, let fraction = Double(first), (0...1).contains(fraction) else {
            StandardError.write(
                "semel progress: \(arguments.first.map { "‘\($0)’ is not a fraction" } ?? "no fraction"); write \(usage)\n"
            )
            return Outcome.usage.exitCode
        }
        let note = arguments.dropFirst().joined(separator: " ").map { $0.isNewline ? " " : $0 }
        let line = ([first] + (note.isEmpty ? [] : [String(note)])).joined(separator: " ") + "\n"
        signal(SIGPIPE, SIG_IGN)
        guard let descriptor = environment["SEMEL_PROGRESS_FD"].flatMap({ CInt($0) }), write(line, to: descriptor)
        else {
            // Not an error: scripts are also run by hand.
            StandardError.write("semel progress: nobody listens (not run by semel): \(line)")
            return 0
        }
        return 0
    }

    private static func write(_ line: String, to descriptor: CInt) -> Bool {
        // One write of at most a pipe's atomic size: lines of tasks that run side by side do not mix.
        let bytes = Array(line.utf8.prefix(Int(PIPE_BUF) - 1))
        let whole = bytes.last == UInt8(ascii: "\n") ? bytes : bytes + [UInt8(ascii: "\n")]
        return Glibc.write(descriptor, whole, whole.count) == whole.count
    }
}
