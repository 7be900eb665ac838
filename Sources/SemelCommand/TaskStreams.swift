import Glibc
import Semel
import Synchronization

/// What a command writes to — its output, its errors and its progress — with those who read it.
final class TaskStreams: Sendable {
    /// The command's ends.
    struct Ends: Sendable {
        let output: CInt
        let error: CInt
        let progress: CInt
    }

    let output: OutputPump
    let error: OutputPump
    let ends: Ends
    private let areEndsOpen = Mutex(true)

    /// - Parameter captureLimit: The size of the largest result, where the output is the result.
    init(_ status: WorkerStatus, captureLimit: Int?) throws(SystemError) {
        var output = try Pipe()
        var error = try Pipe()
        var progress = try Pipe()
        output.widen()
        error.widen()
        self.output = try OutputPump(
            from: output.takeReading(), to: STDOUT_FILENO, status: status, captureLimit: captureLimit)
        self.error = try OutputPump(from: error.takeReading(), to: STDERR_FILENO, status: status, captureLimit: nil)
        try ProgressReader.start(from: progress.takeReading(), status: status)
        ends = Ends(output: output.takeWriting(), error: error.takeWriting(), progress: progress.takeWriting())
    }

    deinit {
        closeEnds()
    }

    /// To be called when the command has its own: the streams end when nobody holds such an end any more.
    func closeEnds() {
        areEndsOpen.withLock { areOpen in
            guard areOpen else { return }
            areOpen = false
            for end in [ends.output, ends.error, ends.progress] { close(end) }
        }
    }
}
