import FoundationEssentials
import Glibc

/// The `secret-scan` executable: a message on standard input, a SARIF document on standard output.
public enum SecretScanCommand {
    /// The version that the report names.
    public static let version = "1.0.0"

    /// Exit codes from sysexits.h.
    private enum ExitCode {
        static let success: Int32 = 0
        /// `EX_DATAERR`: the message can never work.
        static let dataError: Int32 = 65
        /// `EX_IOERR`: the message could not be read, or the report could not be written.
        static let inputOutputError: Int32 = 74
    }

    private static let largestMessage = 1024 * 1024

    /// Reads the message, scans what it names, writes the report.
    /// - Returns: the exit code: 0 whether or not there are secrets, 65 if the message can never work,
    ///   74 if the streams fail.
    public static func run() -> Int32 {
        // A reader that goes away must show as an error of `write`, not end the process in the middle.
        signal(SIGPIPE, SIG_IGN)
        do {
            let request = try ScanRequest(message: readMessage())
            let target = try ScanTarget(path: request.path)
            let progress = ProgressReporter(variable: ProcessInfo.processInfo.environment["SEMEL_PROGRESS_FD"])
            try write(Scan(target: target, progress: progress).run().encoded())
            return ExitCode.success
        } catch let error as MessageError {
            complain(error.description)
            return ExitCode.dataError
        } catch {
            complain("\(error)")
            return ExitCode.inputOutputError
        }
    }

    private static func readMessage() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0 {
                guard errno == EINTR else { throw SystemError.last }
                continue
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= largestMessage else { throw MessageError("the message is larger than 1 MiB") }
        }
    }

    private static func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw SystemError.last
            }
        }
    }

    private static func complain(_ text: String) {
        let line = Array("secret-scan: \(text)\n".utf8)
        _ = Glibc.write(STDERR_FILENO, line, line.count)
    }
}
