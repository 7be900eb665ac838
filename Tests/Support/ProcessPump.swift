import Foundation
import Glibc

/// Moves a child's streams on one thread: feeds its input and collects both outputs until the last writer is gone.
struct ProcessPump: Sendable {
    struct Output: Sendable {
        let descriptor: Int32
        let stream: CapturedStream
    }

    let input: Int32?
    let inputBytes: Data
    let outputs: [Output]
    /// Becomes readable when the child has ended.
    let exitNotice: Int32
    /// Called once the child has ended and all that it had printed has been collected.
    let onExit: @Sendable () -> Void

    /// What a pipe can hold at most: more than that after the exit comes from somebody else.
    private static let largestPipe = 1 << 20
    private static let chunk = 1 << 16

    func run() {
        ignoreBrokenPipes()
        let descriptors = outputs.map(\.descriptor) + [exitNotice] + (input.map { [$0] } ?? [])
        for descriptor in descriptors {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 16)
        defer { buffer.deallocate() }
        var openOutputs = outputs
        var openInput = input
        var sent = 0
        var running = true
        while running || !openOutputs.isEmpty {
            var polled = openOutputs.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            polled.append(pollfd(fd: running ? exitNotice : -1, events: Int16(POLLIN), revents: 0))
            polled.append(pollfd(fd: openInput ?? -1, events: Int16(POLLOUT), revents: 0))
            retryInterrupted { poll(&polled, nfds_t(polled.count), -1) }
            if let descriptor = openInput, polled[polled.count - 1].revents != 0, !feed(descriptor, &sent) {
                close(descriptor)
                openInput = nil
            }
            let ended = running && polled[polled.count - 2].revents != 0
            openOutputs = openOutputs.enumerated().filter { index, output in
                guard ended || polled[index].revents != 0 else { return true }
                return collect(output, buffer, atMost: ended ? Self.largestPipe : 1)
            }.map(\.element)
            if ended {
                running = false
                onExit()
            }
        }
        if let openInput {
            close(openInput)
        }
        close(exitNotice)
    }

    /// A child may end without reading its input; the signal for that would end the test process.
    private func ignoreBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Whether there is more to send.
    private func feed(_ descriptor: Int32, _ sent: inout Int) -> Bool {
        let written = inputBytes.withUnsafeBytes { bytes in
            retryInterrupted { write(descriptor, bytes.baseAddress! + sent, bytes.count - sent) }
        }
        if written < 0 {
            return errno == EAGAIN
        }
        sent += written
        return sent < inputBytes.count
    }

    /// Reads what is there, and says whether the stream is still open.
    private func collect(_ output: Output, _ buffer: UnsafeMutableRawBufferPointer, atMost limit: Int) -> Bool {
        var total = 0
        while total < limit {
            let count = retryInterrupted { read(output.descriptor, buffer.baseAddress!, buffer.count) }
            if count > 0 {
                output.stream.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                total += count
            } else if count < 0 && errno == EAGAIN {
                return true
            } else {
                close(output.descriptor)
                output.stream.end()
                return false
            }
        }
        return true
    }
}
