import NIOCore
import Semel

extension RedisServers {
    /// Connects to the server that has the queue, or that knows who has.
    ///
    /// A server that cannot be reached, or is no master, is passed over; one that refuses these credentials, or is not
    /// what it should be, ends the search.
    func connect(on group: any EventLoopGroup, within limit: Duration) async throws(RedisFailure) -> RedisLink {
        let search = RedisSearch(servers: self, group: group, end: .now + limit)
        if let node = clusterNode.known {
            do throws(RedisFailure) {
                return try await search.open(node, share: 2)
            } catch {
                clusterNode.known = nil
                guard case .broken = error else { throw error }
            }
        }
        switch topology {
        case .servers where hosts.count == 1: return try await connect(to: hosts[0], on: group, within: limit)
        case .servers: return try await search.firstMaster()
        case .sentinels(let master, let credentials):
            return try await search.master(called: master, sentinelsKnow: credentials)
        }
    }

    /// Connects to one server.
    func connect(to host: QueueURL.Host, on group: any EventLoopGroup, within limit: Duration)
        async throws(RedisFailure) -> RedisLink
    {
        try await RedisLink.open(
            host, as: credentials, database: database, tls: tls, on: group, within: limit)
    }
}

/// One walk through the hosts, which share the time that there is.
private struct RedisSearch {
    let servers: RedisServers
    let group: any EventLoopGroup
    let end: ContinuousClock.Instant

    /// - Parameter share: How many may still be tried, this one included.
    func open(_ host: QueueURL.Host, share: Int) async throws(RedisFailure) -> RedisLink {
        try await servers.connect(to: host, on: group, within: span(share))
    }

    private func span(_ share: Int) -> Duration {
        max(.milliseconds(50), (end - .now) / share)
    }

    func firstMaster() async throws(RedisFailure) -> RedisLink {
        var passedOver: [String] = []
        var replica: RedisLink?
        for (index, host) in servers.hosts.enumerated() {
            do throws(RedisFailure) {
                let link = try await open(host, share: servers.hosts.count - index)
                if try await isMaster(link) {
                    replica?.close()
                    return link
                }
                // Of a cluster, it knows where the master is; any other says that it takes no writes.
                if replica == nil { replica = link } else { link.close() }
            } catch {
                try passOver(error, at: host, &passedOver)
            }
        }
        if let replica { return replica }
        throw .broken(passedOver.joined(separator: "; "))
    }

    func master(called name: String, sentinelsKnow credentials: QueueCredentials) async throws(RedisFailure)
        -> RedisLink
    {
        var passedOver: [String] = []
        // Of those that have answered.
        var isKnown: Bool?
        for (index, sentinel) in servers.hosts.enumerated() {
            // Half of its share for the sentinel, half for the master that it names.
            let share = 2 * (servers.hosts.count - index)
            do throws(RedisFailure) {
                guard let host = try await ask(sentinel, for: name, credentials, within: span(share)) else {
                    passedOver.append("\(sentinel.text): knows no such master")
                    isKnown = isKnown ?? false
                    continue
                }
                isKnown = true
                let link = try await openMaster(host, share: share - 1)
                if try await isMaster(link) { return link }
                link.close()
                passedOver.append("\(sentinel.text): names \(host.text), which is a replica")
            } catch {
                try passOver(error, at: sentinel, &passedOver)
            }
        }
        let reason = passedOver.joined(separator: "; ")
        throw isKnown == false ? .mismatch("\(reason); name it with master=NAME") : .broken(reason)
    }

    private func openMaster(_ host: QueueURL.Host, share: Int) async throws(RedisFailure) -> RedisLink {
        do throws(RedisFailure) {
            return try await open(host, share: share)
        } catch {
            throw error.naming(host)
        }
    }

    private func ask(
        _ sentinel: QueueURL.Host, for master: String, _ credentials: QueueCredentials, within limit: Duration
    ) async throws(RedisFailure) -> QueueURL.Host? {
        let link = try await RedisLink.open(
            sentinel, as: credentials, database: 0, tls: servers.tls, on: group, within: limit)
        defer { link.close() }
        let answer: RedisValue
        do throws(RedisFailure) {
            answer = try await link.command(
                ["SENTINEL", "get-master-addr-by-name", RedisArgument(master)], within: limit)
        } catch {
            guard case .answered(let text) = error, text.contains("unknown command") else { throw error }
            throw .mismatch("it is no sentinel; use \(servers.tls == nil ? "redis" : "rediss")://")
        }
        if case .null = answer { return nil }
        guard let parts = answer.elements, parts.count == 2, let name = parts[0].text, let port = parts[1].integer
        else { throw .broken("the sentinel answered out of turn") }
        return QueueURL.Host(name: name, port: Int(port))
    }

    private func isMaster(_ link: RedisLink) async throws(RedisFailure) -> Bool {
        do throws(RedisFailure) {
            return try await link.command(["ROLE"], within: span(1)).elements?.first?.text == "master"
        } catch {
            link.close()
            throw error
        }
    }

    private func passOver(_ failure: RedisFailure, at host: QueueURL.Host, _ passedOver: inout [String])
        throws(RedisFailure)
    {
        guard case .broken(let reason) = failure else { throw failure.naming(host) }
        passedOver.append("\(host.text): \(reason)")
    }
}
