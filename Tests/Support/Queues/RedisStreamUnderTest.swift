extension QueueTraits {
    static let stream = QueueTraits(
        server: "Redis", hasLease: true, orphansComeFirst: true, tellsAge: true, sparesLargeBodies: true)
}

extension RedisUnderTest {
    /// Of the stream's consumers.
    public static let group = "workers"

    /// What the group has not had is ready, what is pending is claimed; the rest waits for its next attempt, or has been
    /// handed back before its first.
    func leftInStream() async throws -> Left {
        let script = """
            local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
            local pending = groups[1] and redis.call('XPENDING', KEYS[1], ARGV[1])[1] or 0
            local rest, delayed = redis.call('ZRANGE', KEYS[2], 0, -1), 0
            for _, one in ipairs(rest) do
                if not string.find(one, '~0$') then delayed = delayed + 1 end
            end
            return {redis.call('XLEN', KEYS[1]), pending, delayed, redis.call('XLEN', KEYS[3])}
            """
        let counts =
            try await server.command(
                "EVAL", "\(script)", "3", "\(list)", key("delayed"), key("dead"), "\(Self.group)"
            ).array?.compactMap(\.integer) ?? []
        guard counts.count == 4 else { throw SupportError("\(list): \(counts)") }
        return Left(
            ready: counts[0] - counts[1] - counts[2], claimed: counts[1], delayed: counts[2], dead: counts[3])
    }

    /// The bodies of all entries that nobody holds, and that need not wait.
    func readyInStream() async throws -> [[UInt8]] {
        let replies = try await server.pipeline([
            ["XRANGE", "\(list)", "-", "+"], ["XPENDING", "\(list)", "\(Self.group)", "-", "+", "10000"],
            ["ZRANGE", key("delayed"), "0", "-1"],
        ])
        let pending = replies[1].array?.compactMap { $0.array?.first?.text } ?? []
        let delayed =
            replies[2].array?.compactMap(\.text).filter { !$0.hasSuffix("~0") }
            .map { String($0.prefix { $0 != "~" }) } ?? []
        let others = Set(pending + delayed)
        return (replies[0].array ?? []).compactMap { entry in
            guard let id = entry.array?.first?.text, !others.contains(id) else { return nil }
            return entry.array?.last?.array?.last?.bytes
        }
    }

    /// The names of the group's consumers.
    public func consumers() async throws -> [String] {
        let replies = try await server.command("XINFO", "CONSUMERS", "\(list)", "\(Self.group)").array ?? []
        return replies.compactMap { $0.array?[1].text }
    }
}
