import Semel

extension AMQPFailure {
    /// What it means to somebody who asked for this queue.
    func asQueueFailure(_ address: RabbitMQAddress) -> QueueFailure {
        let place = "\(address.source): RabbitMQ at \(address.host):\(address.port)"
        switch self {
        case .broken(let text): return .unreachable("\(place): \(text)")
        case .closed(403, let text): return .refused("\(place) refused: \(text)")
        case .closed(530, let text) where text.contains("refused"):
            return .refused("\(place) refused: \(text)")
        case .closed(let code, let text) where [404, 405, 406, 530, 540].contains(code):
            return .misconfigured("\(place): \(text)")
        case .misconfigured(let text): return .misconfigured(text)
        case .closed: return .unreachable("\(place): \(reason)")
        }
    }
}
