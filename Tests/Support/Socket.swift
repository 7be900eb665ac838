import Foundation
import Glibc

/// A blocking TCP connection to loopback with one deadline for all that is done on it. For one thread at a time.
final class Socket {
    private let descriptor: Int32
    private var deadline: ContinuousClock.Instant
    private var buffer = Data()
    private var position = 0

    init(port: Int, timeout: Duration = .seconds(10)) throws {
        deadline = .now + timeout
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw SupportError.system("socket", errno)
        }
        guard retryInterrupted({ withLoopbackAddress(port) { connect(descriptor, $0, $1) } }) == 0 else {
            throw SupportError.system("connect to 127.0.0.1:\(port)", errno)
        }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(descriptor)
    }

    /// Starts the clock anew for what follows.
    func extend(by timeout: Duration) {
        deadline = .now + timeout
    }

    func write(_ bytes: Data) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                send(
                    descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, "send")
            } else if errno != EINTR {
                throw SupportError.system("send", errno)
            }
        }
    }

    /// Exactly so many bytes.
    func read(_ count: Int) throws -> Data {
        while buffer.count - position < count {
            guard try fill(atLeast: count) else {
                throw SupportError("connection closed after \(buffer.count - position) of \(count) bytes")
            }
        }
        let start = buffer.startIndex + position
        position += count
        return Data(buffer[start..<start + count])
    }

    /// A line without its line end.
    func readLine() throws -> String {
        var searched = 0
        while true {
            let start = buffer.startIndex + position
            if let end = buffer[(start + searched)...].firstIndex(of: 10) {
                position += end - start + 1
                let line = buffer[start..<end]
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            searched = buffer.count - position
            guard try fill() else {
                throw SupportError("connection closed in the middle of a line")
            }
        }
    }

    /// Everything up to the end of the stream.
    func readToEnd() throws -> Data {
        while try fill() {}
        return try read(buffer.count - position)
    }

    /// Reads some more; whether there was any.
    private func fill(atLeast wanted: Int = 0) throws -> Bool {
        if position > 0 {
            buffer.removeSubrange(buffer.startIndex..<buffer.startIndex + position)
            position = 0
        }
        try wait(for: POLLIN, "receive")
        let room = max(wanted - buffer.count, 1 << 16)
        let filled = buffer.count
        buffer.count += room
        let count = buffer.withUnsafeMutableBytes { bytes in
            retryInterrupted { recv(descriptor, bytes.baseAddress! + filled, room, 0) }
        }
        buffer.count = filled + max(count, 0)
        guard count >= 0 else {
            throw SupportError.system("receive", errno)
        }
        return count > 0
    }

    private func wait(for event: Int32, _ what: String) throws {
        var polled = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        let remaining = ContinuousClock.now.duration(to: deadline)
        if retryInterrupted({ poll(&polled, 1, remaining.pollMilliseconds) }) == 0 {
            throw SupportError("\(what): timed out")
        }
    }
}
