/// For those who look at a stream from outside.
extension RedisStreamScripts {
    /// KEYS stream, delayed, dead; ARGV group, lease (ms) of clients whose name says none. Returns `{ready, claimed,
    /// delayed, dead, age of the oldest that is ready (ms) or -1, entries that the group never gets}` and changes nothing.
    ///
    /// An entry is as old as its id says. Of those that are due, so many are looked at that the server is not held up.
    static let counts =
        RedisScripts.clock + """
            local stream, delayed, group, lease = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])

            """ + consumers + claims + """
            local function record(flat)
                local record = {}
                for index = 1, #flat, 2 do record[flat[index]] = flat[index + 1] end
                return record
            end
            local length, dead = redis.call('XLEN', stream), redis.call('XLEN', KEYS[3])
            local info
            if redis.call('EXISTS', stream) == 1 then
                for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
                    local one = record(flat)
                    if one.name == group then info = one end
                end
            end
            local oldest
            local function see(entry)
                local time = tonumber(string.match(entry, '^%d+'))
                oldest = math.min(oldest or time, time)
            end
            local held, orphans, unread, missed = 0, 0, length, 0
            local resting = redis.call('ZCARD', delayed)
            local from = info and after(info['last-delivered-id']) or '-'
            local ahead = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
            if info then
                local seen = 0
                each(function(rest, entry)
                    seen = seen + 1
                    if rest <= 0 then
                        orphans = orphans + 1
                        see(entry)
                    end
                    return seen == 10000
                end)
                held = info.pending - orphans
                -- A server before 7.0, or one that has lost count, tells no lag; then what lies before the group's first
                -- entry cannot be told from what is behind its last.
                local rest = length - info.pending - resting
                unread = info.lag or ahead and rest or 0
                if info.lag or not ahead then missed = math.max(0, rest - unread) end
            end
            local due = redis.call('ZCOUNT', delayed, '-inf', text(now))
            for _, entry in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', text(now), 'LIMIT', 0, 1000)) do
                see(entry)
            end
            if unread > 0 and not oldest and ahead then see(ahead[1]) end
            local age = oldest and math.max(0, now - oldest) or -1
            return {math.max(0, unread) + orphans + due, held, resting - due, dead, age, missed}
            """

    /// KEYS stream; ARGV of each message the number of its fields' names and values, and these.
    static let putAll = """
        local index = 1
        while ARGV[index] do
            local last = index + ARGV[index]
            redis.call('XADD', KEYS[1], '*', unpack(ARGV, index + 1, last))
            index = last + 1
        end
        return index
        """

    /// KEYS stream, result; ARGV the fields. An older result of the same id is none of this message's: where it may not be
    /// deleted, nothing is queued. Returns the entry, and the server's time.
    static let put =
        RedisScripts.clock + """
            local entry = redis.call('XADD', KEYS[1], '*', unpack(ARGV))
            local refused = refusal(redis.pcall('DEL', KEYS[2]), 'DEL', KEYS[2])
            if refused then
                redis.call('XDEL', KEYS[1], entry)
                return refused
            end
            return {entry, text(now)}
            """

    /// What became of a message. KEYS stream, taken, result, settled, dead; ARGV id, entry, when it was put there.
    /// Returns `{'waiting'}`, `{'completed', result or nil}`, `{'dead', reason}` or `{'vanished'}`.
    static let end =
        RedisScripts.died + """
            local entry = ARGV[2]
            if redis.call('XRANGE', KEYS[1], entry, entry)[1] or redis.call('SISMEMBER', KEYS[2], entry) == 1 then
                return {'waiting'}
            end
            local result = redis.call('GET', KEYS[3])
            if result then return {'completed', result} end
            local reason = died(KEYS[5])
            if reason then return {'dead', reason} end
            local settled = redis.call('GET', KEYS[4])
            return settled and string.find(settled, ' complete$') and {'completed', false} or {'vanished'}
            """

    /// KEYS stream, dead; ARGV the letter's entry, the field for the body. In one step: it is never in both places, and
    /// never in none. It keeps its id.
    static let retryDeadLetter = """
        local letter = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
        if not letter then return 0 end
        local fields = {}
        for index = 1, #letter[2], 2 do
            local name, value = letter[2][index], letter[2][index + 1]
            local own = name == 'body' and ARGV[2] or name == 'id' and name or string.match(name, '^header:(.*)$')
            if own then
                table.insert(fields, own)
                table.insert(fields, value)
            end
        end
        if not fields[1] then return 0 end
        -- What comes after it is asked for before it.
        redis.call('XDEL', KEYS[2], '0-0')
        redis.call('XADD', KEYS[1], '*', unpack(fields))
        redis.call('XDEL', KEYS[2], ARGV[1])
        return 1
        """
}
