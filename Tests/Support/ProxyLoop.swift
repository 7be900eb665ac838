import Foundation
import Glibc

/// The proxy's thread: accepts, reads and writes on non-blocking sockets, and does what the controls say in between.
final class ProxyLoop {
    var isFrozen = false
    var delay = Duration.zero
    private(set) var connections: [ProxyConnection] = []
    private(set) var accepted = 0
    private var listener: Listener?
    private let port: Int
    private let target: Int
    private let controls: ProxyControls

    init(listener: Listener, target: Int, controls: ProxyControls) {
        self.listener = listener
        port = listener.port
        self.target = target
        self.controls = controls
    }

    func run() {
        while let work = controls.take() {
            for task in work {
                task(self)
            }
            round()
        }
        for connection in connections {
            connection.reset()
        }
        listener?.close()
        close(controls.wakeDescriptor)
    }

    /// Waits for one event of whatever kind and serves it.
    private func round() {
        let now = ContinuousClock.now
        var polled = [pollfd(fd: controls.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
        polled.append(pollfd(fd: isFrozen ? -1 : listener?.descriptor ?? -1, events: Int16(POLLIN), revents: 0))
        var wait = Duration.seconds(3600)
        if !isFrozen {
            for connection in connections {
                polled += connection.interests(now)
                wait = min(wait, connection.nextDue.map { now.duration(to: $0) } ?? wait)
            }
        }
        guard retryInterrupted({ poll(&polled, nfds_t(polled.count), wait.pollMilliseconds) }) >= 0 else { return }
        if polled[0].revents != 0 {
            var bytes: [UInt8] = Array(repeating: 0, count: 64)
            retryInterrupted { read(controls.wakeDescriptor, &bytes, bytes.count) }
        }
        if !isFrozen {
            for (index, connection) in connections.enumerated() {
                connection.serve(polled[2 + 2 * index], polled[3 + 2 * index], delay: delay)
            }
            connections.removeAll { $0.isClosed }
        }
        if polled[1].revents != 0 {
            accept()
        }
    }

    private func accept() {
        guard let listener else { return }
        let client = withDescriptorsSettled {
            let client = Glibc.accept(listener.descriptor, nil, nil)
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            return client
        }
        guard client >= 0 else { return }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let connected = withLoopbackAddress(target) { connect(server, $0, $1) }
        let connection = ProxyConnection(client: client, server: server)
        accepted += 1
        if connected == 0 {
            connections.append(connection)
        } else {
            connection.reset()
        }
    }

    func cut() {
        for connection in connections {
            connection.reset()
        }
        connections = []
    }

    func halfClose(towards side: TCPProxy.Side) {
        for connection in connections {
            connection.halfClose(towards: side)
        }
    }

    func refuse(_ refused: Bool) throws {
        if refused {
            listener?.close()
            listener = nil
        } else if listener == nil {
            listener = try Listener(port: port)
        }
    }
}

/// One client's connection and the one to the server that belongs to it.
final class ProxyConnection {
    /// What flows from one socket into the other.
    private struct Flow {
        let source: Int32
        let sink: Int32
        var waiting: [(due: ContinuousClock.Instant, bytes: Data)] = []
        var waitingBytes = 0
        var sourceEnded = false
        var sinkEnded = false

        var isFinished: Bool { sinkEnded && sourceEnded }
    }

    private var toServer: Flow
    private var toClient: Flow
    private var failed = false
    private(set) var isClosed = false
    var isFrozen = false
    private static let mostWaiting = 1 << 20

    init(client: Int32, server: Int32) {
        toServer = Flow(source: client, sink: server)
        toClient = Flow(source: server, sink: client)
        var yes: Int32 = 1
        for descriptor in [client, server] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// When the next held-up bytes may go on.
    var nextDue: ContinuousClock.Instant? {
        [toServer.waiting.first?.due, toClient.waiting.first?.due].compactMap(\.self).filter { $0 > .now }.min()
    }

    /// What to wait for: first on the client's socket, then on the server's.
    func interests(_ now: ContinuousClock.Instant) -> [pollfd] {
        func interest(_ descriptor: Int32, reading: Flow, writing: Flow) -> pollfd {
            var events: Int32 = 0
            if !reading.sourceEnded && reading.waitingBytes < Self.mostWaiting {
                events |= POLLIN
            }
            if let first = writing.waiting.first, first.due <= now {
                events |= POLLOUT
            }
            // With nothing to wait for even a hang-up would wake the loop, again and again.
            return pollfd(fd: events == 0 ? -1 : descriptor, events: Int16(events), revents: 0)
        }
        guard !isFrozen else { return Array(repeating: pollfd(fd: -1, events: 0, revents: 0), count: 2) }
        return [
            interest(toServer.source, reading: toServer, writing: toClient),
            interest(toClient.source, reading: toClient, writing: toServer),
        ]
    }

    func serve(_ client: pollfd, _ server: pollfd, delay: Duration) {
        guard !isFrozen else { return }
        let readable = Int16(POLLIN | POLLHUP | POLLERR)
        if client.revents & readable != 0 {
            receive(&toServer, delay)
        }
        if server.revents & readable != 0 {
            receive(&toClient, delay)
        }
        send(&toServer)
        send(&toClient)
        // A failure on one side is passed on as a reset; a regular end as a regular end.
        if failed {
            reset()
        } else if toServer.isFinished && toClient.isFinished {
            closeBoth()
        }
    }

    private func receive(_ flow: inout Flow, _ delay: Duration) {
        guard !flow.sourceEnded, flow.waitingBytes < Self.mostWaiting else { return }
        var bytes = Data(count: 1 << 16)
        let count = bytes.withUnsafeMutableBytes { bytes in
            retryInterrupted { recv(flow.source, bytes.baseAddress!, bytes.count, 0) }
        }
        if count > 0 && !flow.sinkEnded {
            flow.waiting.append((.now + delay, bytes.prefix(count)))
            flow.waitingBytes += count
        } else if count == 0 {
            flow.sourceEnded = true
        } else if count < 0 && errno != EAGAIN {
            failed = true
        }
    }

    private func send(_ flow: inout Flow) {
        while !failed, !flow.sinkEnded, let first = flow.waiting.first, first.due <= .now {
            let count = first.bytes.withUnsafeBytes { bytes in
                retryInterrupted { Glibc.send(flow.sink, bytes.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL)) }
            }
            guard count >= 0 else {
                failed = errno != EAGAIN
                return
            }
            flow.waitingBytes -= count
            if count == first.bytes.count {
                flow.waiting.removeFirst()
            } else {
                flow.waiting[0].bytes = first.bytes.dropFirst(count)
                return
            }
        }
        if flow.sourceEnded, flow.waiting.isEmpty {
            finish(&flow)
        }
    }

    private func finish(_ flow: inout Flow) {
        if !flow.sinkEnded {
            flow.sinkEnded = true
            flow.waiting = []
            flow.waitingBytes = 0
            shutdown(flow.sink, Int32(SHUT_WR))
        }
    }

    func halfClose(towards side: TCPProxy.Side) {
        switch side {
        case .client: finish(&toClient)
        case .server: finish(&toServer)
        }
    }

    /// Makes the kernel send a reset instead of an orderly end.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        for descriptor in [toServer.source, toServer.sink] {
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        closeBoth()
    }

    private func closeBoth() {
        isClosed = true
        close(toServer.source)
        close(toServer.sink)
    }
}
