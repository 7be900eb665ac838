import Foundation
import Glibc
import Synchronization

/// Many clients of one server on loopback, none of which behaves; one thread drives them all.
final class HostileClients: Sendable {
    enum Manner: CaseIterable {
        /// Connects and says nothing.
        case idle
        /// Sends a request of endless headers, a byte at a time.
        case byteByByte
        case longRequestLine, manyHeaders, longHeader, longBody, endlessChunks
        case garbage, tlsHello
        /// Asks again and again and reads no answer.
        case neverReading
        /// Stops sending in the middle of a request.
        case halfClosed

        /// Whether a server can tell from the number of bytes that this will come to nothing.
        var saysTooMuch: Bool {
            switch self {
            case .longRequestLine, .manyHeaders, .longHeader, .longBody, .endlessChunks, .garbage, .neverReading: true
            case .idle, .byteByByte, .tlsHello, .halfClosed: false
            }
        }
    }

    struct Counts: Sendable {
        /// Connections made so far.
        var opened = 0
        /// Those that the server has ended.
        var ended = 0
        /// Bytes that the server has taken, or its kernel.
        var sent = 0
    }

    private struct State {
        var counts = Counts()
        var stopped = false
    }

    private let state = Mutex(State())
    private let gone = DispatchSemaphore(value: 0)

    /// - Parameter reopening: whether a connection that the server ends is made anew, after a second.
    init(port: Int, count: Int, manners: [Manner] = Manner.allCases, reopening: Bool = false) {
        let thread = Thread { [self] in
            var clients = (0..<count).map { HostileClient(manners[$0 % manners.count], port) }
            while !state.withLock({ $0.stopped }) {
                for index in clients.indices { step(&clients[index], reopening) }
                // The clients' pace: nothing is waited for.
                usleep(5_000)
            }
            for client in clients { client.hangUp() }
            gone.signal()
        }
        thread.start()
    }

    var counts: Counts { state.withLock { $0.counts } }

    /// Ends all connections.
    func stop() {
        state.withLock { $0.stopped = true }
        gone.wait()
        // For whoever stops them once more.
        gone.signal()
    }

    private func step(_ client: inout HostileClient, _ reopening: Bool) {
        let before = client.sent
        let event = client.step(reopening: reopening)
        state.withLock { state in
            state.counts.sent += client.sent - before
            if event == .opened { state.counts.opened += 1 }
            if event == .ended { state.counts.ended += 1 }
        }
    }
}

private struct HostileClient {
    enum Event { case nothing, opened, ended }

    private let manner: HostileClients.Manner
    private let port: Int
    private var descriptor: Int32 = -1
    private var nextOpening = ContinuousClock.now
    private var nextByte = ContinuousClock.now
    private var position = 0
    private var hasBeenOpen = false
    private(set) var sent = 0

    /// `POLLRDHUP`, which Glibc's headers hide from Swift.
    private static let hungUp: Int16 = 0x2000
    /// More than any buffer on the way holds, should nobody stop it.
    private static let enough = 8 << 20

    init(_ manner: HostileClients.Manner, _ port: Int) {
        self.manner = manner
        self.port = port
    }

    mutating func step(reopening: Bool) -> Event {
        guard descriptor >= 0 else {
            guard !hasBeenOpen || reopening, ContinuousClock.now >= nextOpening else { return .nothing }
            return open() ? .opened : .nothing
        }
        var polled = pollfd(fd: descriptor, events: Self.hungUp, revents: 0)
        if poll(&polled, 1, 0) > 0 {
            hangUp()
            descriptor = -1
            nextOpening = .now + .seconds(1)
            return .ended
        }
        speak()
        return .nothing
    }

    func hangUp() {
        if descriptor >= 0 { close(descriptor) }
    }

    private mutating func open() -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var small: Int32 = 2048
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        let connected = withUnsafeBytes(of: &address) { bytes in
            connect(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        nextOpening = .now + .seconds(1)
        guard connected == 0 else {
            close(descriptor)
            return false
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        self.descriptor = descriptor
        (position, hasBeenOpen) = (0, true)
        return true
    }

    /// A start, and what follows it for ever.
    private var words: (start: String, rest: String) {
        switch manner {
        case .idle: ("", "")
        case .byteByByte: ("GET /status HTTP/1.1\r\nhost: x\r\n", "x-more: more\r\n")
        case .longRequestLine: ("GET /", "long")
        case .manyHeaders: ("GET / HTTP/1.1\r\nhost: x\r\n", "x-header: value\r\n")
        case .longHeader: ("GET / HTTP/1.1\r\nhost: x\r\nx-header: ", "long")
        case .longBody: ("POST /status HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n", "body")
        case .endlessChunks: ("PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nbody\r\n")
        case .garbage: ("", "\u{0}\u{7}\u{1b}[2J%n%s\r\n\r\n€\n")
        case .tlsHello: ("\u{16}\u{3}\u{1}\u{1}\u{0}\u{1}\u{0}\u{0}\u{7c}\u{3}\u{3}", "")
        case .neverReading: ("", "GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n")
        case .halfClosed: ("GET /get/sta", "")
        }
    }

    private mutating func speak() {
        let (start, rest) = words
        if manner == .byteByByte {
            guard ContinuousClock.now >= nextByte else { return }
            nextByte = .now + .milliseconds(20)
        }
        let piece: [UInt8]
        if position < start.utf8.count {
            piece = Array(start.utf8.dropFirst(position))
        } else if !rest.isEmpty, sent < Self.enough {
            let again = Array(rest.utf8)
            piece = (0..<4096).map { again[(position - start.utf8.count + $0) % again.count] }
        } else {
            if manner == .halfClosed { shutdown(descriptor, Int32(SHUT_WR)) }
            return
        }
        let limit = manner == .byteByByte ? 1 : piece.count
        let count = send(descriptor, piece, limit, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if count > 0 {
            position += count
            sent += count
        }
    }
}
