import CRabbitMQ
import Semel

extension AMQPFailure {
    /// What it means to somebody who asked for this queue.
    func asQueueFailure(_ address: RabbitMQAddress) -> QueueFailure {
        let place = "\(address.source): \(address.place)"
        switch self {
        case .broken(let text), .cutShort(let text): return .unreachable("\(place): \(text)")
        case .nowhere(let hosts): return .unreachable("\(address.source): no RabbitMQ at \(hosts)")
        case .refused(let text): return .refused("\(place) refused: \(text)")
        case .untrusted(let problem): return .misconfigured("\(place): \(problem)")
        case .closed(403, let text): return .refused("\(place) refused: \(text)")
        case .closed(530, let text) where text.contains("refused"):
            return .refused("\(place) refused: \(text)")
        case .closed(let code, let text) where [404, 405, 406, 530, 540].contains(code):
            return .misconfigured("\(place): \(text)")
        case .misconfigured(let text): return .misconfigured(text)
        case .closed: return .unreachable("\(place): \(reason)")
        }
    }

    /// Whether another host may do better.
    var isUnreachable: Bool {
        switch self {
        case .broken, .cutShort: true
        // A node that is being stopped closes connections so.
        case .closed(let code, _): code == UInt16(AMQP_CONNECTION_FORCED)
        case .nowhere, .refused, .untrusted, .misconfigured: false
        }
    }
}
