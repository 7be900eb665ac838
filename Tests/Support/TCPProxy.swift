import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server on loopback and makes the network between them fail on demand.
///
/// Each call returns once it has taken effect. The proxy ends with its last reference.
public final class TCPProxy: Sendable {
    public let port: Int
    private let controls: ProxyControls

    /// Which side of a connection.
    public enum Side: Sendable {
        case client, server
    }

    /// Listens on a free port and forwards every connection to 127.0.0.1:target.
    public init(to target: Int) throws {
        let listener = try Listener(port: 0)
        port = listener.port
        let wake = try Pipe()
        let controls = ProxyControls(wake)
        self.controls = controls
        startThread("proxy \(port)") {
            let loop = ProxyLoop(listener: listener, target: target, controls: controls)
            loop.run()
        }
    }

    deinit {
        controls.stop()
    }

    /// Forwards nothing any more and leaves all connections open; new ones are neither refused nor answered.
    public func freeze() async {
        await controls.perform { $0.isFrozen = true }
    }

    /// Forwards nothing any more on the connections that are open; those that come later are forwarded as ever.
    public func freezeOpen() async {
        await controls.perform { loop in
            for connection in loop.connections { connection.isFrozen = true }
        }
    }

    /// Forwards again, beginning with what came meanwhile.
    public func thaw() async {
        await controls.perform { loop in
            loop.isFrozen = false
            for connection in loop.connections { connection.isFrozen = false }
        }
    }

    /// Resets every connection; new ones are forwarded as before.
    public func cut() async {
        await controls.perform { $0.cut() }
    }

    /// Tells one side of every connection that the other has finished sending.
    public func halfClose(towards side: Side) async {
        await controls.perform { $0.halfClose(towards: side) }
    }

    /// Holds up everything that comes from now on, in both directions, for a time.
    public func delay(_ delay: Duration) async {
        await controls.perform { $0.delay = delay }
    }

    /// Whether new connections are refused; open ones are not touched.
    public func refuse(_ refused: Bool) async throws {
        let failure = await controls.perform { loop in
            Result { try loop.refuse(refused) }
        }
        try failure.get()
    }

    /// How many connections are open.
    public var connectionCount: Int {
        get async { await controls.perform { $0.connections.count } }
    }

    /// How many connections there have been.
    public var acceptedCount: Int {
        get async { await controls.perform { $0.accepted } }
    }
}

/// The way into the proxy's thread: work for it to do, and a pipe that wakes it.
final class ProxyControls: Sendable {
    private struct Inbox {
        var work: [@Sendable (ProxyLoop) -> Void] = []
        var stopped = false
    }

    let wakeDescriptor: Int32
    private let wakeWriter: Int32
    private let inbox = Mutex(Inbox())

    init(_ wake: Pipe) {
        wakeDescriptor = wake.readEnd
        wakeWriter = wake.writeEnd
    }

    /// Runs on the proxy's thread between two rounds.
    @discardableResult
    func perform<Result: Sendable>(_ body: @escaping @Sendable (ProxyLoop) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            inbox.withLock { inbox in
                inbox.work.append { loop in continuation.resume(returning: body(loop)) }
                var byte: UInt8 = 0
                retryInterrupted { write(wakeWriter, &byte, 1) }
            }
        }
    }

    func stop() {
        inbox.withLock { $0.stopped = true }
        close(wakeWriter)
    }

    /// Takes the work that is due; nothing when the proxy has been dropped.
    func take() -> [@Sendable (ProxyLoop) -> Void]? {
        inbox.withLock { inbox in
            guard !inbox.stopped else { return nil }
            defer { inbox.work = [] }
            return inbox.work
        }
    }
}
