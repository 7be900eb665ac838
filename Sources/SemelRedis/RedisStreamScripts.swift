/// What happens to a stream on the server in one step.
///
/// The consumer group's list of pending entries is the list of claims: an entry's consumer is the worker that holds it,
/// its idle time tells how much of the lease is over, its count of deliveries is the attempt. What waits for its next
/// attempt is acknowledged but not deleted, so that no claim has to search for a lease that is over among all that is
/// delayed; the stream's length is the number of messages that are neither completed nor dead.
enum RedisStreamScripts {
    /// Needs `stream`, `group` and `me`.
    static let consumers = """
        -- A worker's name says its lease (ms). Other clients of the group have none.
        local function leaseOf(consumer) return tonumber(string.match(consumer, '^semel:.*:%x+:(%d+)$')) end
        -- Consumers would pile up. Deleting one that holds something would lose what it holds.
        local function leave(consumer)
            if not leaseOf(consumer) then return end
            local held = redis.pcall('XPENDING', stream, group, '-', '+', 1, consumer)
            if not held.err and not held[1] then redis.pcall('XGROUP', 'DELCONSUMER', stream, group, consumer) end
        end

        """

    /// Goes through the claims. Needs `lease`, for clients whose name says none.
    static let claims =
        RedisScripts.after + """
            -- Calls for each claim with its rest (ms), entry, attempt and consumer, until that returns something.
            local function each(visit)
                local from = '-'
                repeat
                    local page = redis.call('XPENDING', stream, group, from, '+', 100)
                    for _, row in ipairs(page) do
                        local found = visit((leaseOf(row[2]) or lease) - row[3], row[1], row[4], row[2])
                        if found then return found end
                    end
                    from = page[100] and after(page[100][1])
                until not from
            end

            """

    /// KEYS stream, delayed, taken; ARGV group, consumer, lease (ms), largest value wanted (bytes), delivery.
    /// Returns `{entry, attempt, {field, value, …}}`, with the size in the place of a value that is too large, or
    /// `{nil, time to the earliest and to the latest end of a lease or rest (ms) or -1, entries that the group never gets}`.
    static let claim =
        RedisScripts.now + """
            local stream, delayed, group, me = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
            local lease, largest, taking = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == 'at-most-once'

            """ + consumers + claims + """
            if taking then
                -- What takes the message off the queue is asked for before anything is done.
                redis.call('SREM', KEYS[3], '')
                redis.call('XACK', stream, group, '0-0')
                redis.call('XDEL', stream, '0-0')
            end
            local function give(entry, attempt, fields)
                if taking then
                    for index = 1, #fields, 2 do
                        if fields[index] == 'id' and fields[index + 1] ~= '' then redis.call('SADD', KEYS[3], entry) end
                    end
                    redis.call('XDEL', stream, entry)
                    redis.call('XACK', stream, group, entry)
                    leave(me)
                end
                for index = 2, #fields, 2 do
                    if #fields[index] > largest then fields[index] = #fields[index] end
                end
                return {entry, attempt, fields}
            end
            local function take(entry, attempt)
                local found = redis.call('XRANGE', stream, entry, entry)[1]
                if found then
                    redis.call('XCLAIM', stream, group, me, 0, entry, 'RETRYCOUNT', attempt, 'FORCE', 'JUSTID')
                    return give(entry, attempt, found[2])
                end
                -- Somebody has deleted it.
                redis.call('XACK', stream, group, entry)
            end

            local mine = redis.pcall('XPENDING', stream, group, '-', '+', 1, me)
            if mine.err then
                if not string.find(mine.err, 'NOGROUP', 1, true) then return mine end
                local before = redis.call('ZRANGE', delayed, 0, 999)
                redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
                -- To a new group all that is in the stream is new. (To remove these is allowed; to delete a key, perhaps not.)
                while before[1] do
                    redis.call('ZREM', delayed, unpack(before))
                    before = redis.call('ZRANGE', delayed, 0, 999)
                end
                mine = {}
            end
            -- What an answer brought that was not heard, or is to be taken off the queue now.
            local found = mine[1] and take(mine[1][1], mine[1][4])
            if found then return found end

            local first, last
            local function ends(rest)
                first, last = math.min(first or rest, rest), math.max(last or rest, rest)
            end
            found = each(function(rest, entry, attempt, consumer)
                if rest > 0 then return ends(rest) end
                local orphan = take(entry, attempt + 1)
                leave(consumer)
                return orphan
            end)
            if found then return found end

            for _, due in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', text(now), 'LIMIT', 0, 100)) do
                local entry, used = string.match(due, '^(%d+-%d+)~(%d+)$')
                found = entry and take(entry, used + 1)
                redis.call('ZREM', delayed, due)
                if found then return found end
            end

            local fresh = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', stream, '>')
            if fresh then
                local entry = fresh[1][2][1]
                return give(entry[1], 1, entry[2])
            end

            for _, index in ipairs({0, -1}) do
                local score = redis.call('ZRANGE', delayed, index, index, 'WITHSCORES')[2]
                if score then ends(score - now) end
            end
            leave(me)
            -- Those that were killed while they waited. A worker that waits shows itself every few seconds.
            for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
                if consumer[4] == 0 and consumer[6] > 60000 then leave(consumer[2]) end
            end
            -- With nothing unread, an entry that is neither pending nor delayed is one that was there before the group's
            -- first, or that was acknowledged and not deleted.
            local held = redis.call('XPENDING', stream, group)[1]
            local missed = redis.call('XLEN', stream) - held - redis.call('ZCARD', delayed)
            return {false, first or -1, last or -1, math.max(0, missed)}
            """

    /// What this consumer holds goes back, as if it had not been claimed. KEYS stream, delayed; ARGV group, consumer.
    static let handBack =
        RedisScripts.now + """
            local stream, delayed, group, me = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

            """ + consumers + """
            redis.call('XACK', stream, group, '0-0')
            local mine = redis.pcall('XPENDING', stream, group, '-', '+', 10, me)
            for _, row in ipairs(mine.err and {} or mine) do
                redis.call('ZADD', delayed, text(now), row[1] .. '~' .. text(row[4] - 1))
                redis.call('XACK', stream, group, row[1])
            end
            leave(me)
            return 1
            """

    /// KEYS stream, delayed, settled, taken, …; ARGV entry, consumer, what is to be done, delay (ms), group, …
    private static let ours =
        RedisScripts.once(settled: "KEYS[3]") + """
            local stream, delayed, group, me = KEYS[1], KEYS[2], ARGV[5], token

            """ + consumers + """
            local claim = redis.pcall('XPENDING', stream, group, id, id, 1)
            if claim.err and not string.find(claim.err, 'NOGROUP', 1, true) then return claim end
            claim = claim[1]
            if not claim or claim[2] ~= me then return 0 end

            """

    /// What ends the claim is asked for before anything is done.
    private static let ending =
        ours + """
            redis.call('XACK', stream, group, '0-0')
            local function settled()
                redis.call('XACK', stream, group, id)
                leave(me)
                remember(leaseOf(me))
            end

            """

    /// For those that keep or move an entry: one that is not there any more is no claim.
    private static let there =
        ending + """
            local entry = redis.call('XRANGE', stream, id, id)[1]
            if not entry then
                redis.call('XACK', stream, group, id)
                return 0
            end

            """

    /// An entry that somebody has deleted is no claim any more. (Servers before 5.0.4 count this as a delivery, unless
    /// they are told the number.)
    static let extend =
        ours + """
            local kept = redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', claim[4], 'JUSTID')
            if not kept[1] then return 0 end
            return 1
            """

    /// KEYS[5] result; ARGV[6] its time to live (ms), ARGV[7] the result; or neither.
    static let complete =
        ending + "redis.call('XDEL', stream, '0-0')\n" + RedisScripts.keepResult(key: 5, first: 6) + """
            redis.call('XDEL', stream, id)
            settled()
            return 1
            """

    /// A retry, or a release, which is no attempt.
    static let putBack =
        there + """
            local used = action == 'release' and claim[4] - 1 or claim[4]
            redis.call('ZADD', delayed, text(now + ARGV[4]), id .. '~' .. text(used))
            settled()
            return 1
            """

    /// KEYS[5] dead; ARGV[6] the message's id, ARGV[7] the field with the body or '', ARGV[8…] the fields that go with it.
    static let deadLetter =
        there + """
            redis.call('XDEL', stream, '0-0')
            local letter = {'id', ARGV[6], unpack(ARGV, 8)}
            local function add(name, value)
                table.insert(letter, name)
                table.insert(letter, value)
            end
            for index = 1, #entry[2], 2 do
                local name, value = entry[2][index], entry[2][index + 1]
                if name == ARGV[7] then
                    add('body', value)
                elseif name ~= 'id' and #letter < 7000 then
                    -- A command that Lua sends has no room for more.
                    add('header:' .. name, value)
                end
            end
            redis.call('XADD', KEYS[5], '*', unpack(letter))
            redis.call('XDEL', stream, id)
            settled()
            return 1
            """

    /// At most once: the message is off the stream, and nobody else can have it. ARGV[4] for how long it may be asked (ms).
    private static let taken =
        RedisScripts.once(settled: "KEYS[3]") + """
            redis.call('SREM', KEYS[4], '')
            local function settled()
                redis.call('SREM', KEYS[4], id)
                remember(ARGV[4])
                return 1
            end

            """
    static let completeTaken = taken + RedisScripts.keepResult(key: 5, first: 6) + "return settled()\n"

    /// KEYS[5] dead; ARGV[6…] all fields.
    static let deadLetterTaken = taken + "redis.call('XADD', KEYS[5], '*', unpack(ARGV, 6))\nreturn settled()\n"
}
