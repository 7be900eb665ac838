import Glibc
import Semel

/// Reads what the task says of its progress: lines of a fraction and, after a space, a note.
enum ProgressReader {
    /// A line longer than this is not progress and is passed over.
    static let maximumLine = 4096

    /// Takes `source` over, in any case, and reads until every process has closed the other end.
    static func start(from source: CInt, status: WorkerStatus) throws(SystemError) {
        do throws(SystemError) {
            try startThread("semel-progress") { read(source, status) }
        } catch {
            close(source)
            throw error
        }
    }

    private static func read(_ source: CInt, _ status: WorkerStatus) {
        defer { close(source) }
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(source, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") {
                    show(line, status)
                    line.removeAll(keepingCapacity: true)
                } else if line.count <= maximumLine {
                    line.append(byte)
                }
            }
        }
        show(line, status)
    }

    private static func show(_ line: [UInt8], _ status: WorkerStatus) {
        guard let (fraction, note) = parse(line) else { return }
        status.progress(fraction, note)
    }

    /// `0.42` or `0.42 unpacking layer 3`; `nil` for anything else.
    static func parse(_ line: [UInt8]) -> (fraction: Double, note: String?)? {
        guard line.count <= maximumLine else { return nil }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard let first = words.first, let fraction = Double(first), fraction.isFinite else { return nil }
        return (fraction, words.count > 1 ? String(words[1]) : nil)
    }
}
