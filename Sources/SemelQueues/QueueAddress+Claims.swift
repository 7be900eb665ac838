public import Logging
public import NIOCore
public import Semel
public import SemelRabbitMQ
import SemelRedis
import SemelSpool

extension QueueAddress {
    /// Claims a message from this queue, for one worker.
    ///
    /// - Parameters:
    ///   - deadLettering: Who puts a dead letter where, on RabbitMQ.
    ///   - group: For a queue that speaks over a socket of NIO's; no other asks for it.
    ///   - status: Is told when the lease is extended.
    public func queue(
        deadLettering: RabbitMQQueue.DeadLettering = .queue, on group: @autoclosure () -> any EventLoopGroup,
        status: WorkerStatus? = nil, log: Logger
    ) throws(SystemError) -> any MessageQueue {
        switch self {
        case .rabbitMQ(let address): try RabbitMQQueue(address, deadLettering: deadLettering, log: log)
        case .redis(let address): RedisQueue(address, on: group(), status: status, log: log)
        case .spool(let address): try SpoolQueue(address, log: log)
        }
    }
}
