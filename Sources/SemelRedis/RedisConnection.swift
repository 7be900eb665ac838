import NIOCore
import Semel
import Synchronization

/// A connection to the server that has a queue, through which every user of Redis speaks. In a cluster it goes where it
/// is sent.
final class RedisConnection: Sendable {
    /// How long an answer may take. A busy server is still a server, and a large body takes its time.
    static let patience = Duration.seconds(30)
    /// Between two tries of what nobody could answer.
    private static let pause = Duration.milliseconds(50)
    /// So many redirections are followed at once: as long as a cluster is not at one, its nodes send in circles.
    private static let directSteps = 4

    private struct Links {
        var current: RedisLink
        /// Other nodes of the cluster.
        var others: [QueueURL.Host: RedisLink] = [:]
        var isClosed = false
    }

    private let servers: RedisServers
    private let group: any EventLoopGroup
    private let links: Mutex<Links>

    private init(_ link: RedisLink, _ servers: RedisServers, _ group: any EventLoopGroup) {
        self.servers = servers
        self.group = group
        links = Mutex(Links(current: link))
    }

    static func open(_ address: RedisAddress, on group: any EventLoopGroup, within limit: Duration = .seconds(10))
        async throws(RedisFailure) -> RedisConnection
    {
        try await open(address.servers, on: group, within: limit)
    }

    static func open(_ servers: RedisServers, on group: any EventLoopGroup, within limit: Duration = .seconds(10))
        async throws(RedisFailure) -> RedisConnection
    {
        RedisConnection(try await servers.connect(on: group, within: limit), servers, group)
    }

    /// Sends one command and waits for its reply; an error reply is thrown. A reply that does not come in time ends the
    /// connection: what is heard later could not be told apart any more.
    func command(_ arguments: [RedisArgument], within limit: Duration = patience) async throws(RedisFailure)
        -> RedisValue
    {
        let end = ContinuousClock.now + limit
        var link = current
        var isAsking = false
        var steps = 0
        while true {
            let failure: RedisFailure
            do throws(RedisFailure) {
                let rest = steps == 0 ? limit : max(.milliseconds(1), end - .now)
                return try await link.command(arguments, asking: isAsking, within: rest)
            } catch { failure = error }
            guard case .answered(let text) = failure, let redirection = RedisRedirection(text, by: link.host),
                ContinuousClock.now < end
            else { throw failure }
            steps += 1
            if redirection == .later || steps > Self.directSteps {
                do { try await Life.sleep(for: Self.pause) } catch { throw failure }
            }
            switch redirection {
            case .moved(let node):
                link = try await self.link(to: node, until: end)
                isAsking = false
                moved(to: link)
            case .ask(let node):
                link = try await self.link(to: node, until: end)
                isAsking = true
            case .later:
                link = current
                isAsking = false
            }
        }
    }

    /// Sends many commands at once; the replies are in their order. The first error reply is thrown.
    func pipeline(_ commands: [[RedisArgument]]) async throws(RedisFailure) -> [RedisValue] {
        let link = current
        let replies = commands.map { link.send($0, within: Self.patience) }
        var values: [RedisValue] = []
        for (command, reply) in zip(commands, replies) {
            do throws(RedisFailure) {
                values.append(try await RedisLink.value(of: reply))
            } catch {
                guard case .answered(let text) = error, RedisRedirection(text, by: link.host) != nil else {
                    throw error
                }
                // All behind it were sent away with it: one after the other they keep their order.
                values.append(try await self.command(command))
            }
        }
        return values
    }

    /// Until either side has hung up, as far as is known.
    var isOpen: Bool { current.isOpen }

    func close() {
        let all = links.withLock { links in
            links.isClosed = true
            return [links.current] + links.others.values
        }
        for link in all { link.close() }
    }

    private var current: RedisLink { links.withLock { $0.current } }

    private func link(to node: QueueURL.Host, until end: ContinuousClock.Instant) async throws(RedisFailure)
        -> RedisLink
    {
        let known = links.withLock { $0.current.host == node ? $0.current : $0.others[node] }
        if let known, known.isOpen { return known }
        let link: RedisLink
        do throws(RedisFailure) {
            let limit = min(.seconds(10), max(.milliseconds(50), end - .now))
            link = try await servers.connect(to: node, on: group, within: limit)
        } catch {
            throw error.naming(node)
        }
        // Who closes the connection does so once, and perhaps while this one was opened.
        let isClosed = links.withLock { links in
            if !links.isClosed { links.others[node] = link }
            return links.isClosed
        }
        guard !isClosed else {
            link.close()
            throw .broken("the connection was closed")
        }
        return link
    }

    private func moved(to link: RedisLink) {
        servers.clusterNode.known = link.host
        links.withLock { links in
            guard links.current !== link else { return }
            links.others[links.current.host] = links.current
            links.others[link.host] = nil
            links.current = link
        }
    }
}
