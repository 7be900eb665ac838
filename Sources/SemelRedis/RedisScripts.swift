import Semel

/// What happens on the server in one step. Times are the server's own, so that the workers' clocks need not agree.
///
/// Every claim has a token of its own, which every script that ends or extends it checks first. The attempt would not
/// do: after a release the next claim has the same one.
enum RedisScripts {
    static let clock = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local function text(number) return string.format('%.0f', number) end
        -- An answer that is an error, with what it is about.
        local function refusal(answer, command, key)
            if type(answer) == 'table' and answer.err then
                return {err = answer.err .. ', at ' .. command .. ' ' .. key}
            end
        end

        """

    /// KEYS[2] leases.
    static let now =
        clock + """
            -- A server that is out of memory refuses to begin a script's writing with one that needs some. What claims and
            -- settlements need is little and soon given back; to refuse them would be to lose the claims.
            local unfit = refusal(redis.pcall('ZREM', KEYS[2], ''), 'ZREM', KEYS[2])
            if unfit then return unfit end

            """

    /// Does all of the steps or none of them. A step is a command; where a later one may be refused, also what undoes it.
    /// What is done for good comes last; what it needs, and what undoing needs, is asked for first, by a command that
    /// changes nothing: removing the member ‘’, which nothing is called.
    ///
    /// Returns an error that says which step was refused.
    static let all = """
        local function all(steps)
            for index, step in ipairs(steps) do
                local refused = refusal(redis.pcall(unpack(step)), step[1], step[2])
                if refused then
                    for before = index - 1, 1, -1 do
                        if steps[before].undo then redis.call(unpack(steps[before].undo)) end
                    end
                    return refused
                end
            end
        end

        """

    /// KEYS list, leases, payloads, attempts, delayed, named, owners; ARGV new id, lease (ms), largest body wanted
    /// (bytes), token.
    /// Returns `{id, attempt, size, body or nil}`, or `{nil, now, the earliest and the latest lease's end or -1}`.
    static let claim =
        now + all + findName + """
            local id = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, 1)[1]
            local body, attempt, refused
            local leased = text(now + ARGV[2])
            if id then
                body = redis.call('HGET', KEYS[3], id)
                if not body then
                    redis.call('SREM', KEYS[5], id)
                    redis.call('HDEL', KEYS[4], id)
                    redis.call('HDEL', KEYS[7], id)
                    redis.call('ZREM', KEYS[2], id)
                    return {false, text(now), text(now), text(now)}
                end
                attempt = (redis.call('HGET', KEYS[4], id) or 0) + 1
                refused = all({
                    {'SREM', KEYS[5], ''},
                    {'ZADD', KEYS[2], 'XX', 0, ''},
                    {'HINCRBY', KEYS[4], id, 1, undo = {'HINCRBY', KEYS[4], id, -1}},
                    {'HSET', KEYS[7], id, ARGV[4]},
                    {'ZADD', KEYS[2], leased, id},
                    {'SREM', KEYS[5], id},
                })
            else
                body = redis.call('LINDEX', KEYS[1], 0)
                if not body then
                    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
                    local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
                    return {false, text(now), first[2] and text(first[2]) or '-1', last[2] and text(last[2]) or '-1'}
                end
                local found, named
                found, named, refused = findName(body)
                if refused then return refused end
                id, attempt = named or ARGV[1], 1
                refused = all({
                    {'HDEL', KEYS[3], ''}, {'HDEL', KEYS[4], ''}, {'HDEL', KEYS[7], ''}, {'ZREM', KEYS[6], ''},
                    {'HSET', KEYS[3], id, body, undo = {'HDEL', KEYS[3], id}},
                    {'HSET', KEYS[4], id, 1, undo = {'HDEL', KEYS[4], id}},
                    {'HSET', KEYS[7], id, ARGV[4], undo = {'HDEL', KEYS[7], id}},
                    {'ZADD', KEYS[2], leased, id, undo = {'ZREM', KEYS[2], id}},
                    {'LPOP', KEYS[1]},
                    {'ZREM', KEYS[6], found or ''},
                })
            end
            if refused then return refused end
            local wanted = #body <= tonumber(ARGV[3])
            return {id, attempt, #body, wanted and body or false}
            """

    /// Common to all that end a claim or extend it. ARGV id, token, what is to be done, … What may be refused comes first
    /// in each of them: Redis undoes nothing.
    ///
    /// Returns 1, and 1 again when asked again; 0 when the claim is somebody else's or nobody's; 2 when it was ended in
    /// another way before.
    ///
    /// - Parameter settled: Which of the keys tells what was asked before.
    static func once(settled: String) -> String {
        now + """
            local id, token, action = ARGV[1], ARGV[2], ARGV[3]
            local before = redis.call('GET', \(settled))
            if before == token .. ' ' .. action then return 1 end
            if before and string.sub(before, 1, #token) == token then return 2 end
            -- For as long as whoever asks may ask again.
            local function remember(rest)
                redis.pcall('SET', \(settled), token .. ' ' .. action, 'PX', text(60000 + math.max(0, rest)))
            end

            """
    }

    /// KEYS list, leases, payloads, attempts, delayed, settled, owners, named.
    private static let once = once(settled: "KEYS[6]")

    /// At least once: the claim is a lease.
    private static let ours =
        once + """
            local leased = redis.call('ZSCORE', KEYS[2], id)
            if redis.call('HGET', KEYS[7], id) ~= token or not leased then return 0 end
            local function settled()
                -- The lease tells as well that nobody holds it.
                redis.pcall('HDEL', KEYS[7], id)
                remember(leased - now)
            end

            """

    /// What forgets the message is asked for before anything is done.
    private static let ending =
        ours + """
            for _, key in ipairs({KEYS[3], KEYS[4], KEYS[7]}) do redis.call('HDEL', key, '') end
            local function forget()
                redis.call('ZREM', KEYS[2], id)
                redis.call('HDEL', KEYS[3], id)
                redis.call('HDEL', KEYS[4], id)
            end

            """

    /// ARGV[4] lease (ms).
    static let extend =
        ours + """
            redis.call('ZADD', KEYS[2], 'XX', text(now + ARGV[4]), id)
            return 1
            """

    /// At most once: the message is off the list, and nobody else can have it. ARGV[4] for how long it may be asked (ms).
    private static let taken =
        once + """
            redis.call('ZREM', KEYS[8], '')
            local function forget() redis.call('ZREM', KEYS[8], 'taken:' .. id) end
            local function settled() remember(ARGV[4]) end

            """

    private static let settle = """
        forget()
        settled()
        return 1
        """

    /// KEYS[9] result; ARGV[5] its time to live (ms), ARGV[6] the result; or neither.
    static let complete = ending + keepResult(key: 9, first: 5) + settle
    static let completeTaken = taken + keepResult(key: 9, first: 5) + settle

    /// - Parameter first: The argument with which the result's time to live, and the result, begin, where there is one.
    static func keepResult(key: Int, first: Int) -> String {
        "if ARGV[\(first)] then redis.call('SET', KEYS[\(key)], ARGV[\(first + 1)], 'PX', ARGV[\(first)]) end\n"
    }

    /// ARGV[4] delay (ms).
    static let retry =
        ours + """
            redis.call('ZADD', KEYS[2], 'XX', 0, '')
            redis.call('SADD', KEYS[5], id)
            redis.call('ZADD', KEYS[2], 'XX', text(now + ARGV[4]), id)
            settled()
            return 1
            """

    /// A first attempt goes back to the head of the list as if nothing had happened; a later one stays where its
    /// attempts are counted, due at once and marked as held by nobody: the next claim has the same number.
    /// ARGV[5] is there when the id is the producer's.
    static let release =
        ending + name + all + """
            local refused
            if redis.call('HGET', KEYS[4], id) == '1' then
                local body = redis.call('HGET', KEYS[3], id)
                local named = ARGV[5] and name(body, id)
                local steps = {{'LPUSH', KEYS[1], body}}
                if named then
                    table.insert(steps, 1, {'ZREM', KEYS[8], ''})
                    table.insert(steps, 2, {'ZADD', KEYS[8], 0, named, undo = {'ZREM', KEYS[8], named}})
                end
                refused = all(steps)
                if not refused then forget() end
            else
                refused = all({
                    {'ZADD', KEYS[2], 'XX', 0, ''},
                    {'HINCRBY', KEYS[4], id, -1, undo = {'HINCRBY', KEYS[4], id, 1}},
                    {'SADD', KEYS[5], id},
                    {'ZADD', KEYS[2], 'XX', text(now), id},
                })
            end
            if refused then return refused end
            settled()
            return 1
            """

    /// KEYS[9] dead; ARGV[5…] the fields that go with the body.
    static let deadLetter =
        ending
        + "redis.call('XADD', KEYS[9], '*', 'id', id, 'body', redis.call('HGET', KEYS[3], id), unpack(ARGV, 5))\n"
        + settle

    /// KEYS[9] dead; ARGV[5…] the body's field and the others.
    static let deadLetterTaken = taken + "redis.call('XADD', KEYS[9], '*', 'id', id, unpack(ARGV, 5))\n" + settle

    /// KEYS list, leases, delayed, dead. Returns `{ready, claimed, delayed, dead}` and changes nothing.
    ///
    /// A delayed message that is due is ready, though it is in the set of the delayed until somebody claims it. Of
    /// those that are due, so many are looked at that the server is not held up.
    static let counts =
        clock + all + """
            local refused = all({{'ZCARD', KEYS[2]}, {'SCARD', KEYS[3]}, {'XLEN', KEYS[4]}})
            if refused then return refused end
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
            -- What comes after the body is asked for before it.
            redis.call('ZADD', KEYS[3], 'XX', 0, '')
            redis.call('XDEL', KEYS[2], '0-0')
            redis.call('RPUSH', KEYS[1], fields.body)
            if fields.id and fields.id ~= '' then redis.call('ZADD', KEYS[3], 0, name(fields.body, fields.id)) end
            redis.call('XDEL', KEYS[2], ARGV[1])
            return 1
            """

    static func run(_ script: String, keys: [String], _ arguments: [RedisArgument]) -> [RedisArgument] {
        ["EVAL", RedisArgument(script), RedisArgument(keys.count)] + keys.map { RedisArgument($0) } + arguments
    }
}
