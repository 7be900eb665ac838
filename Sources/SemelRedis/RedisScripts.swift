import Semel

/// What happens on the server in one step. Times are the server's own, so that the workers' clocks need not agree.
///
/// Every claim has a token of its own, which every script that ends or extends it checks first. The attempt would not
/// do: after a release the next claim has the same one.
enum RedisScripts {
    static let now = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local function text(number) return string.format('%.0f', number) end
        -- A server that is out of memory refuses to begin a script's writing with one that needs some. What claims and
        -- settlements need is little and soon given back; to refuse them would be to lose the claims.
        redis.call('ZREM', KEYS[2], '')

        """

    /// KEYS list, leases, payloads, attempts, delayed, named, owners; ARGV new id, lease (ms), largest body wanted
    /// (bytes), token.
    /// Returns `{id, attempt, size, body or nil}`, or `{nil, now, earliest lease's end or -1}`.
    static let claim =
        now + takeName + """
            local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, 1)
            local id, body, attempt = due[1], nil, 1
            if id then
                body = redis.call('HGET', KEYS[3], id)
                attempt = redis.call('HINCRBY', KEYS[4], id, 1)
                redis.call('SREM', KEYS[5], id)
                if not body then
                    redis.call('ZREM', KEYS[2], id)
                    redis.call('HDEL', KEYS[4], id)
                    redis.call('HDEL', KEYS[7], id)
                    return {false, text(now), text(now)}
                end
            else
                body = redis.call('LPOP', KEYS[1])
                if not body then
                    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
                    return {false, text(now), first[2] and text(first[2]) or '-1'}
                end
                id = takeName(body) or ARGV[1]
                redis.call('HSET', KEYS[3], id, body)
                redis.call('HSET', KEYS[4], id, 1)
            end
            redis.call('ZADD', KEYS[2], text(now + ARGV[2]), id)
            redis.call('HSET', KEYS[7], id, ARGV[4])
            local wanted = #body <= tonumber(ARGV[3])
            return {id, attempt, #body, wanted and body or false}
            """

    /// Common to all that end or extend a lease. KEYS list, leases, payloads, attempts, delayed, settled, owners, named;
    /// ARGV id, token, … What may be refused comes first in each of them: Redis undoes nothing.
    private static let ours =
        now + """
            local id, token = ARGV[1], ARGV[2]
            if redis.call('GET', KEYS[6]) == token then return 1 end
            if redis.call('HGET', KEYS[7], id) ~= token or not redis.call('ZSCORE', KEYS[2], id) then return 0 end
            local function forget()
                redis.call('ZREM', KEYS[2], id)
                redis.call('HDEL', KEYS[3], id)
                redis.call('HDEL', KEYS[4], id)
            end
            local function settled()
                redis.call('HDEL', KEYS[7], id)
                redis.pcall('SET', KEYS[6], token, 'PX', 60000)
            end

            """

    /// ARGV[3] lease (ms).
    static let extend =
        ours + """
            redis.call('ZADD', KEYS[2], 'XX', text(now + ARGV[3]), id)
            return 1
            """

    /// The same at most once, where the message is off the list and nobody else can have it.
    private static let taken =
        now + """
            local id, token = ARGV[1], ARGV[2]
            if redis.call('GET', KEYS[6]) == token then return 1 end
            local function forget() redis.call('ZREM', KEYS[8], 'taken:' .. id) end
            local function settled() redis.pcall('SET', KEYS[6], token, 'PX', 60000) end

            """

    private static let settle = """
        forget()
        settled()
        return 1
        """

    /// KEYS[9] result; ARGV[3] its time to live (ms), ARGV[4] the result; or neither.
    private static let keepResult = """
        if ARGV[3] then redis.call('SET', KEYS[9], ARGV[4], 'PX', ARGV[3]) end

        """
    static let complete = ours + keepResult + settle
    static let completeTaken = taken + keepResult + settle

    /// ARGV[3] delay (ms).
    static let retry =
        ours + """
            redis.call('SADD', KEYS[5], id)
            redis.call('ZADD', KEYS[2], 'XX', text(now + ARGV[3]), id)
            settled()
            return 1
            """

    /// A first attempt goes back to the head of the list as if nothing had happened; a later one stays where its
    /// attempts are counted, due at once and marked as held by nobody: the next claim has the same number.
    /// ARGV[3] is there when the id is the producer's.
    static let release =
        ours + name + """
            if redis.call('HGET', KEYS[4], id) == '1' then
                local body = redis.call('HGET', KEYS[3], id)
                if ARGV[3] then redis.call('ZADD', KEYS[8], 0, name(body, id)) end
                redis.call('LPUSH', KEYS[1], body)
                forget()
            else
                redis.call('SADD', KEYS[5], id)
                redis.call('HINCRBY', KEYS[4], id, -1)
                redis.call('ZADD', KEYS[2], 'XX', text(now), id)
            end
            settled()
            return 1
            """

    /// KEYS[9] dead; ARGV[3…] the fields that go with the body.
    static let deadLetter =
        ours + "redis.call('XADD', KEYS[9], '*', 'id', id, 'body', redis.call('HGET', KEYS[3], id), unpack(ARGV, 3))\n"
        + settle

    /// KEYS[9] dead; ARGV[3…] the body's field and the others.
    static let deadLetterTaken = taken + "redis.call('XADD', KEYS[9], '*', 'id', id, unpack(ARGV, 3))\n" + settle

    /// KEYS list, leases, delayed, dead. Returns `{ready, claimed, delayed, dead}` and changes nothing.
    ///
    /// A delayed message that is due is ready, though it is in the set of the delayed until somebody claims it. Of
    /// those that are due, so many are looked at that the server is not held up.
    static let counts =
        now + """
            local due = redis.call('ZCOUNT', KEYS[2], '-inf', text(now))
            local delayed = redis.call('SCARD', KEYS[3])
            if due > 0 and delayed > 0 then
                for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, 10000)) do
                    delayed = delayed - redis.call('SISMEMBER', KEYS[3], id)
                end
            end
            local claimed = redis.call('ZCARD', KEYS[2]) - due - delayed
            return {redis.call('LLEN', KEYS[1]) + due, math.max(0, claimed), delayed, redis.call('XLEN', KEYS[4])}
            """

    /// KEYS list, dead, named; ARGV the stream's id of the letter. In one step: it is never in both places, and never in
    /// none. It keeps its id.
    static let retryDeadLetter =
        name + """
            local entry = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
            if not entry then return 0 end
            local fields = {}
            for index = 1, #entry[2], 2 do fields[entry[2][index]] = entry[2][index + 1] end
            if not fields.body then return 0 end
            redis.call('RPUSH', KEYS[1], fields.body)
            if fields.id and fields.id ~= '' then redis.call('ZADD', KEYS[3], 0, name(fields.body, fields.id)) end
            redis.call('XDEL', KEYS[2], ARGV[1])
            return 1
            """

    static func run(_ script: String, keys: [String], _ arguments: [RedisArgument]) -> [RedisArgument] {
        ["EVAL", RedisArgument(script), RedisArgument(keys.count)] + keys.map { RedisArgument($0) } + arguments
    }
}
