import NIOCore
import Semel
import Synchronization

/// Connections that wait for their next request.
final class HTTPPool: Sendable {
    private struct Parked {
        let connection: HTTPConnection
        let timer: Scheduled<Void>
    }

    private struct State {
        var parked: [Parked] = []
        var isClosed = false
    }

    private let idleLimit: TimeAmount
    private let state = Mutex(State())

    init(idleLimit: Duration) {
        self.idleLimit = .milliseconds(idleLimit.milliseconds)
    }

    /// The one that was used last of those that are open; `nil` when there is none.
    func take(to origin: HTTPOrigin) -> HTTPConnection? {
        state.withLock { state in
            state.parked.removeAll { !$0.connection.isOpen }
            guard let index = state.parked.lastIndex(where: { $0.connection.origin == origin }) else { return nil }
            let parked = state.parked.remove(at: index)
            parked.timer.cancel()
            return parked.connection
        }
    }

    /// To be called on the connection's event loop.
    func park(_ connection: HTTPConnection) {
        let timer = connection.channel.eventLoop.scheduleTask(in: idleLimit) { [weak self] () -> Void in
            self?.drop(connection)
        }
        let isKept = state.withLock { state in
            guard !state.isClosed else { return false }
            state.parked.append(Parked(connection: connection, timer: timer))
            return true
        }
        if !isKept {
            timer.cancel()
            connection.close()
        }
    }

    /// Unless somebody has just taken it.
    private func drop(_ connection: HTTPConnection) {
        let isIdle = state.withLock { state in
            let index = state.parked.firstIndex { $0.connection === connection }
            if let index { state.parked.remove(at: index) }
            return index != nil
        }
        if isIdle { connection.close() }
    }

    func close() {
        let parked = state.withLock { state in
            state.isClosed = true
            defer { state.parked = [] }
            return state.parked
        }
        for one in parked {
            one.timer.cancel()
            one.connection.close()
        }
    }
}
