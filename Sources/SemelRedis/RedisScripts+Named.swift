import Semel

/// Messages whose producer gave them an id.
///
/// The list holds raw bodies, so that any client can push and pop them. An id is kept beside it, under the length and
/// the hash of its body: whoever claims the first of several equal bodies has one of their ids, which of them makes no
/// difference.
extension RedisScripts {
    /// What stands in the set for an id that waits with its body.
    static let name = """
        local function name(body, id) return #body .. ':' .. redis.sha1hex(body) .. ':' .. id end

        """

    /// Common to all that take a body off the list. KEYS list, leases, payloads, attempts, delayed, named. Finds what
    /// stands in the set for this body, and which id it is to have, if any; or an error.
    static let findName = """
        local function within(prefix)
            local last = string.sub(prefix, 1, -2) .. ';'
            local found = redis.pcall('ZRANGEBYLEX', KEYS[6], '[' .. prefix, '(' .. last, 'LIMIT', 0, 1)
            return found[1], refusal(found, 'ZRANGEBYLEX', KEYS[6])
        end
        -- A body is hashed only where one of its length has an id.
        local function findName(body)
            local any, refused = within(#body .. ':')
            if not any then return nil, nil, refused end
            local prefix = #body .. ':' .. redis.sha1hex(body) .. ':'
            local found = within(prefix)
            if not found then return end
            local id = string.sub(found, #prefix + 1)
            -- Two messages that are held under one id would be one.
            return found, redis.call('HEXISTS', KEYS[4], id) == 0 and id
        end

        """

    /// At most once: off the queue before the task runs. KEYS as for claims; ARGV new id. Returns `{id, body, attempt}`,
    /// or nil.
    ///
    /// An id of the producer's stays in the set until the task has ended, in another form. A message that was claimed
    /// before is taken as well, with the number of its attempt, so that it does not stay for ever.
    static let pop =
        now + all + findName + """
            local function taken(id)
                return {'ZADD', KEYS[6], 0, 'taken:' .. id, undo = {'ZREM', KEYS[6], 'taken:' .. id}}
            end
            local id = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, 1)[1]
            if id then
                local body = redis.call('HGET', KEYS[3], id)
                local attempt = (redis.call('HGET', KEYS[4], id) or 0) + 1
                local refused = all({
                    {'HDEL', KEYS[3], ''}, {'HDEL', KEYS[4], ''}, {'HDEL', KEYS[7], ''},
                    {'SREM', KEYS[5], ''}, {'ZREM', KEYS[6], ''},
                    body and taken(id) or {'ZREM', KEYS[2], ''},
                    {'ZREM', KEYS[2], id},
                    {'HDEL', KEYS[3], id}, {'HDEL', KEYS[4], id}, {'HDEL', KEYS[7], id},
                    {'SREM', KEYS[5], id},
                })
                if refused then return refused end
                if body then return {id, body, attempt} end
            end
            local body = redis.call('LINDEX', KEYS[1], 0)
            if not body then return false end
            local found, named, refused = findName(body)
            if refused then return refused end
            refused = all({
                {'ZREM', KEYS[6], ''},
                named and taken(named) or {'ZREM', KEYS[6], ''},
                {'LPOP', KEYS[1]},
                {'ZREM', KEYS[6], found or ''},
            })
            if refused then return refused end
            return {named or ARGV[1], body, 1}
            """

    /// KEYS list, named, result; ARGV body, id. An older result of the same id is none of this message's. Returns what
    /// stands in the set, and the server's time.
    private static let putNamed =
        clock + name + """
            local named = name(ARGV[1], ARGV[2])
            -- What comes with the body is asked for before it.
            local refused = refusal(redis.pcall('ZADD', KEYS[2], 'XX', 0, ''), 'ZADD', KEYS[2])
            if refused then return refused end
            redis.call('DEL', KEYS[3])
            redis.call('RPUSH', KEYS[1], ARGV[1])
            redis.call('ZADD', KEYS[2], 0, named)
            return {named, text(now)}
            """

    static func put(_ body: [UInt8], id: String, in keys: RedisKeys) -> [RedisArgument] {
        run(putNamed, keys: [keys.list, keys.named, keys.result(id)], [RedisArgument(body), RedisArgument(id)])
    }

    /// The smallest id of an entry behind this one. (Redis before 6.2 knows no open intervals.)
    static let after = """
        local function after(entry)
            local time, number = string.match(entry, '^(%d+)-(%d+)$')
            return time .. '-' .. string.format('%.0f', number + 1)
        end

        """

    /// Looks for a message among the dead letters. ARGV id, …, from which of them on.
    static let died =
        after + """
            local id, from = ARGV[1], ARGV[3]
            local function died(dead)
                while true do
                    local page = redis.call('XRANGE', dead, from, '+', 'COUNT', 50)
                    for _, entry in ipairs(page) do
                        local fields = {}
                        for index = 1, #entry[2], 2 do fields[entry[2][index]] = entry[2][index + 1] end
                        if fields.id == id then return fields.reason or '' end
                    end
                    if #page < 50 then return false end
                    from = after(page[#page][1])
                end
            end

            """

    /// What became of a message. KEYS payloads, named, result, settled, dead; ARGV id, what stood in the set, when it
    /// was put there. Returns `{'waiting'}`, `{'completed', result or nil}`, `{'dead', reason}` or `{'vanished'}`.
    static let end =
        died + """
            local named = ARGV[2]
            if redis.call('HEXISTS', KEYS[1], id) == 1 or redis.call('ZSCORE', KEYS[2], named)
                or redis.call('ZSCORE', KEYS[2], 'taken:' .. id) then return {'waiting'} end
            local result = redis.call('GET', KEYS[3])
            if result then return {'completed', result} end
            local reason = died(KEYS[5])
            if reason then return {'dead', reason} end
            return redis.call('EXISTS', KEYS[4]) == 1 and {'completed', false} or {'vanished'}
            """
}

extension RedisKeys {
    /// As the scripts that claim expect them.
    var forClaims: [String] { [list, leases, payloads, attempts, delayed, named, owners] }
}
