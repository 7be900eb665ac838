import Glibc
import Semel
import Synchronization

/// Writes log lines: at once while standard error takes them, else on a thread of its own. Whoever reads it may stop to
/// read, and neither the task's time limit nor a settlement may wait for that: lines that find no room are counted and
/// left out.
final class LogWriter: Sendable {
    static let shared = LogWriter()

    private static let room = 1_000

    private struct State {
        var lines: [String] = []
        var leftOut = 0
        var isWriting = false
        var wakeUp: WakeUp?
    }

    private let state = Mutex(State())

    func write(_ line: String) {
        guard !writeAtOnce(line) else { return }
        let thread: WakeUp? = state.withLock { state in
            if state.wakeUp == nil { state.wakeUp = start() }
            if state.lines.count < Self.room { state.lines.append(line) } else { state.leftOut += 1 }
            return state.wakeUp
        }
        // Without a thread it is better to wait than to say nothing.
        if let thread { thread.signal() } else { writeAll() }
    }

    /// `false` when others wait already, or the line might not go through.
    private func writeAtOnce(_ line: String) -> Bool {
        let isFirst = state.withLock { state in
            guard state.lines.isEmpty, !state.isWriting, StandardError.takes(line) else { return false }
            state.isWriting = true
            return true
        }
        guard isFirst else { return false }
        StandardError.write(line)
        let others: WakeUp? = state.withLock { state in
            state.isWriting = false
            return state.lines.isEmpty ? nil : state.wakeUp
        }
        others?.signal()
        return true
    }

    /// Waits until everything is written, or for so long. By looking again and again: it is the last thing that the process
    /// does, nobody else wants this thread any more, and the lines are usually out before the first look.
    func flush(within limit: Duration) {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end, state.withLock({ $0.isWriting || !$0.lines.isEmpty }) { usleep(100) }
    }

    private func start() -> WakeUp? {
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            try startThread("semel-log") { [self] in
                while true {
                    var waiting = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
                    poll(&waiting, 1, -1)
                    wakeUp.clear()
                    writeAll()
                }
            }
            return wakeUp
        } catch {
            return nil
        }
    }

    private func writeAll() {
        while true {
            let text: String? = state.withLock { state in
                state.isWriting = !state.lines.isEmpty
                guard state.isWriting else { return nil }
                defer { (state.lines, state.leftOut) = ([], 0) }
                let gap =
                    state.leftOut > 0 ? "(\(state.leftOut) log lines left out: standard error was not read)\n" : ""
                return state.lines.joined() + gap
            }
            guard let text else { return }
            StandardError.write(text)
        }
    }
}
