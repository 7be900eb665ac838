import Glibc
import Semel

/// Carries one of the task's streams to the worker's own, byte for byte, on a thread of its own, and shows it to the
/// status endpoint. A reader of the worker's output that has gone away does not disturb the task.
final class OutputPump: Sendable {
    /// 256 KiB is where larger reads stopped to make a difference.
    private static let chunk = 256 << 10

    private let source: CInt
    private let target: CInt
    private let status: WorkerStatus
    /// What was printed, when it is wanted as the result.
    private let captureLimit: Int?
    private let end = OneShot<Capture>()

    enum Capture: Sendable {
        case none
        case result(MessageBody)
        case failed(String)
    }

    /// Takes `source` over, in any case; `target` stays the caller's.
    init(from source: CInt, to target: CInt, status: WorkerStatus, captureLimit: Int?) throws(SystemError) {
        self.source = source
        self.target = target
        self.status = status
        self.captureLimit = captureLimit
        do throws(SystemError) {
            try startThread("semel-output") { [self] in end.fulfil(run()) }
        } catch {
            close(source)
            throw error
        }
    }

    /// Waits until every process has closed the stream, or for `limit`: a reader of the worker's output that stands
    /// still must not hold up the settlement for ever. `nil` says that the stream had not ended.
    func finished(within limit: Duration) async -> Capture? {
        if let capture = end.value { return capture }
        return await withTaskGroup(of: Capture?.self) { group in
            group.addTask { await self.end.wait() }
            group.addTask {
                try? await Life.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    private func run() -> Capture {
        defer { close(source) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 16)
        defer { buffer.deallocate() }
        var capture = Captured(limit: captureLimit)
        var lines = LineGate(status)
        defer { lines.flush() }
        var targetIsOpen = true
        while true {
            let count = read(source, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return capture.finish() }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            status.printed(count)
            lines.pass(piece)
            capture.append(piece)
            if targetIsOpen { targetIsOpen = write(piece) }
        }
    }

    /// `false` when nobody can read the target any longer.
    private func write(_ piece: UnsafeRawBufferPointer) -> Bool {
        var rest = piece
        while !rest.isEmpty {
            let written = Glibc.write(target, rest.baseAddress, rest.count)
            if written >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            } else if errno == EAGAIN {
                // Whoever started the worker made the stream non-blocking, for all who share it.
                var writable = pollfd(fd: target, events: Int16(POLLOUT), revents: 0)
                poll(&writable, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// Shows the status endpoint whole lines, and what is not a line yet when it is long or the stream ends.
private struct LineGate {
    private static let longest = 4096

    private let status: WorkerStatus
    private var rest: [UInt8] = []

    init(_ status: WorkerStatus) {
        self.status = status
    }

    mutating func pass(_ piece: UnsafeRawBufferPointer) {
        let end = piece.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let isLong = rest.count + piece.count - end > Self.longest
        let shown = isLong ? piece.count : end
        if shown > 0 {
            status.output(UnsafeRawBufferPointer(rebasing: piece[..<shown]), after: rest, isCounted: true)
            rest.removeAll(keepingCapacity: true)
        }
        rest.append(contentsOf: piece[shown...])
    }

    mutating func flush() {
        if !rest.isEmpty { rest.withUnsafeBytes { status.output($0, isCounted: true) } }
        rest = []
    }
}

private struct Captured {
    private enum State {
        case off
        case on(MessageBodyBuilder, room: Int)
        case failed(String)
    }

    private var state = State.off
    private let limit: Int

    init(limit: Int?) {
        self.limit = limit ?? 0
        guard let limit else { return }
        do throws(SystemError) {
            state = .on(try MessageBodyBuilder(), room: limit)
        } catch {
            state = .failed(error.description)
        }
    }

    mutating func append(_ piece: UnsafeRawBufferPointer) {
        guard case .on(let builder, let room) = state else { return }
        guard piece.count <= room else {
            state = .failed("the result has more than \(limit) bytes (--max-message-bytes)")
            return
        }
        do throws(SystemError) {
            try builder.append(piece)
            state = .on(builder, room: room - piece.count)
        } catch {
            state = .failed(error.description)
        }
    }

    func finish() -> OutputPump.Capture {
        switch state {
        case .off: return .none
        case .failed(let why): return .failed(why)
        case .on(let builder, _):
            do throws(SystemError) {
                return .result(try builder.finish())
            } catch {
                return .failed(error.description)
            }
        }
    }
}
