import Foundation
import Semel
import SemelQueues
import SemelSpool
import Testing

@testable import SemelRabbitMQ
@testable import SemelRedis

@Suite struct NamedQueueTests {
    private func named(_ environment: [String: String], flag: String? = nil) throws -> NamedQueue {
        try NamedQueue(flag: flag, environment: environment)
    }

    private func rabbitMQ(_ environment: [String: String], flag: String? = nil) throws -> RabbitMQAddress {
        guard case .rabbitMQ(let address) = try named(environment, flag: flag).address else {
            throw ConfigurationError("not RabbitMQ")
        }
        return address
    }

    private func redis(_ environment: [String: String], flag: String? = nil) throws -> RedisAddress {
        guard case .redis(let address) = try named(environment, flag: flag).address else {
            throw ConfigurationError("not Redis")
        }
        return address
    }

    private func mistake(_ environment: [String: String], flag: String? = nil) -> String? {
        #expect(throws: ConfigurationError.self) { try named(environment, flag: flag) }?.description
    }

    @Test func isTheSpoolUnlessSomebodySaysOtherwise() throws {
        let queue = try named([:])
        #expect(queue.address.name == "spool:/var/spool/semel")
        #expect(queue.secretVariables == [])
    }

    @Test func flagGoesBeforeTheVariable() throws {
        let queue = try named(["SEMEL_QUEUE": "redis://:secret@host?list=a"], flag: "spool:/tmp/x")
        #expect(queue.address.name == "spool:/tmp/x")
        // Not used, and still nobody's business.
        #expect(queue.secretVariables == ["SEMEL_QUEUE"])
    }

    @Test func variableOfItsOwn() throws {
        let queue = try named(["SEMEL_QUEUE": "redis://:secret@host?list=a"])
        #expect(queue.address.name == "redis://host?list=a")
        #expect(queue.secretVariables == ["SEMEL_QUEUE"])
        #expect(try named(["SEMEL_QUEUE": ""]).address.name == "spool:/var/spool/semel")
    }

    @Test func variablesOfARabbitMQSetup() throws {
        let all = [
            "MQ_HOST": "broker", "MQ_PORT": "5673", "MQ_USERNAME": "us:er", "MQ_PASSWORD": "p@ss/?", "MQ_VHOST": "v w",
            "MQ_QUEUE": "usertask",
        ]
        let address = try rabbitMQ(all)
        #expect(address.hosts == [QueueURL.Host(name: "broker", port: 5673)])
        #expect(try address.credentials.current().user == "us:er")
        #expect(try address.credentials.current().password == "p@ss/?")
        #expect(address.vhost == "v w")
        #expect(address.queue == "usertask")
        #expect(address.heartbeat == .seconds(30))
        #expect(address.name == "amqp://broker:5673/v%20w?queue=usertask")
        #expect(try named(all).secretVariables == ["MQ_USERNAME", "MQ_PASSWORD"])
    }

    @Test func defaultsOfARabbitMQSetup() throws {
        let address = try rabbitMQ(["MQ_HOST": "broker", "MQ_QUEUE": "a", "MQ_PORT": "", "MQ_VHOST": ""])
        #expect(address.hosts == [QueueURL.Host(name: "broker", port: 5672)])
        #expect(try address.credentials.current().user == nil)
        #expect(try address.credentials.current().password == nil)
        #expect(address.vhost == "/")
        #expect(try rabbitMQ(["MQ_HOST": "broker", "MQ_QUEUE": "a", "MQ_VHOST": "/"]).vhost == "/")
    }

    @Test func variablesOfARedisSetup() throws {
        let all = [
            "REDIS_HOST": "cache", "REDIS_PORT": "6380", "REDIS_USER": "me", "REDIS_PASSWORD": "p@ss",
            "REDIS_LIST": "usertask",
        ]
        let address = try redis(all)
        #expect(address.servers.hosts == [QueueURL.Host(name: "cache", port: 6380)])
        #expect(try address.servers.credentials.current().user == "me")
        #expect(try address.servers.credentials.current().password == "p@ss")
        #expect(address.servers.database == 0)
        #expect(address.layout.key == "usertask")
        #expect(address.layout.type == "list")
        #expect(address.name == "redis://cache:6380/0?list=usertask")
        #expect(try named(all).secretVariables == ["REDIS_USER", "REDIS_PASSWORD"])
    }

    @Test func aRedisUserWithoutAPassword() throws {
        for password in [nil, ""] {
            var variables = ["REDIS_HOST": "cache", "REDIS_LIST": "a", "REDIS_USER": "me"]
            variables["REDIS_PASSWORD"] = password
            let credentials = try redis(variables).servers.credentials.current()
            #expect(credentials == QueueCredentials.Current(user: "me", password: nil))
        }
    }

    @Test func variablesOfAStream() throws {
        let variables = ["REDIS_HOST": "cache", "REDIS_STREAM": "jobs"]
        #expect(try redis(variables).name == "redis://cache/0?stream=jobs")
        let grouped = try redis(variables.merging(["REDIS_GROUP": "g"]) { one, _ in one })
        #expect(grouped.name == "redis://cache/0?group=g&stream=jobs")
        #expect(grouped.layout.type == "stream")
        #expect(
            mistake(variables.merging(["REDIS_LIST": "a"]) { one, _ in one })
                == "REDIS_LIST and REDIS_STREAM name two queues at once; keep one of them")
        #expect(
            mistake(["REDIS_HOST": "cache", "REDIS_LIST": "a", "REDIS_GROUP": "g"])
                == "REDIS_GROUP is set without REDIS_STREAM")
    }

    @Test(arguments: [("", 0), ("0", 0), ("3", 3), ("007", 7)])
    func databasesOfARedisSetup(text: String, number: Int) throws {
        let address = try redis(["REDIS_HOST": "cache", "REDIS_LIST": "a", "REDIS_DATABASE": text])
        #expect(address.servers.database == number)
        #expect(address.name == "redis://cache/\(number)?list=a")
        // Nothing but a detail: it names no queue by itself.
        #expect(try named(["REDIS_DATABASE": "x"]).address.name == "spool:/var/spool/semel")
    }

    @Test(arguments: ["-1", "+1", "1.5", "0x1", "one", " 1", "1 ", "٣", "99999999999999999999"])
    func databasesThatCannotBe(text: String) {
        #expect(
            mistake(["REDIS_HOST": "cache", "REDIS_LIST": "a", "REDIS_DATABASE": text])
                == "REDIS_DATABASE: ‘\(text)’ is not the number of a database (0 or more)")
    }

    /// What Kubernetes puts into every pod when there is a service called redis (or mq).
    @Test func portsThatKubernetesSets() throws {
        let address = try redis(["REDIS_HOST": "redis", "REDIS_LIST": "a", "REDIS_PORT": "tcp://10.96.0.17:6379"])
        #expect(address.servers.hosts.map(\.port) == [6379])
        #expect(
            try rabbitMQ(["MQ_HOST": "mq", "MQ_QUEUE": "a", "MQ_PORT": "tcp://10.96.0.17:5672"]).hosts.map(\.port) == [
                5672
            ])
        #expect(try named(["REDIS_PORT": "tcp://10.96.0.17:6379"]).address.name == "spool:/var/spool/semel")
    }

    @Test(arguments: ["0", "65536", "-1", "abc", "6379 ", "udp://10.0.0.1:1"])
    func portsThatCannotBe(port: String) {
        #expect(
            mistake(["REDIS_HOST": "redis", "REDIS_LIST": "a", "REDIS_PORT": port])
                == "REDIS_PORT: ‘\(port)’ is not a port (1 to 65535)")
        #expect(
            mistake(["MQ_HOST": "mq", "MQ_QUEUE": "a", "MQ_PORT": port])
                == "MQ_PORT: ‘\(port)’ is not a port (1 to 65535)")
    }

    @Test func halfASetup() {
        #expect(mistake(["MQ_HOST": "mq"]) == "MQ_QUEUE is not set")
        #expect(mistake(["REDIS_HOST": "redis", "REDIS_LIST": ""]) == "neither REDIS_LIST nor REDIS_STREAM is set")
    }

    @Test func twoQueuesAtOnce() {
        let mq = ["MQ_HOST": "mq", "MQ_QUEUE": "a"]
        let redis = ["REDIS_HOST": "redis", "REDIS_LIST": "a"]
        let both = mq.merging(redis) { one, _ in one }
        #expect(mistake(both) == "MQ_HOST and REDIS_HOST name two queues at once; keep one of them")
        #expect(
            mistake(mq.merging(["SEMEL_QUEUE": "spool:/x"]) { one, _ in one })
                == "SEMEL_QUEUE and MQ_HOST name two queues at once; keep one of them")
        #expect(mistake(redis, flag: "spool:/x") == "--queue and REDIS_HOST name two queues at once; keep one of them")
        #expect(
            mistake(both, flag: "spool:/x")
                == "--queue and MQ_HOST and REDIS_HOST name two queues at once; keep one of them")
    }

    @Test func filesWithTheURL() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "queue").path
        func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
        try write("amqp://u:before@host/v?queue=a\n")
        let queue = try named(["SEMEL_QUEUE_FILE": file])
        #expect(queue.address.name == "amqp://host/v?queue=a")
        guard case .rabbitMQ(let address) = queue.address else { return #expect(Bool(false)) }
        #expect(try address.credentials.current() == .init(user: "u", password: "before"))
        try write("amqp://w:after@other/v?queue=b")
        #expect(try address.credentials.current() == .init(user: "w", password: "after"))
        #expect(
            try NamedQueue(flag: nil, file: file, environment: ["SEMEL_QUEUE": "spool:/x"]).address.name
                == "amqp://other/v?queue=b")
        #expect(
            mistake(["SEMEL_QUEUE_FILE": file, "SEMEL_QUEUE": "spool:/x"])
                == "SEMEL_QUEUE and SEMEL_QUEUE_FILE name two queues at once; keep one of them")
        #expect(mistake(["SEMEL_QUEUE_FILE": "/nowhere"])?.hasPrefix("SEMEL_QUEUE_FILE: cannot") == true)
        // Those that have no users.
        for url in ["spool:/x", "sqs://eu-central-1/scans"] {
            try write(url)
            #expect(try named(["SEMEL_QUEUE_FILE": file]).address.name == url)
        }
        try write("sqs://key:secret@eu-central-1/scans")
        #expect(mistake(["SEMEL_QUEUE_FILE": file])?.contains("no place for keys") == true)
    }

    @Test func filesWithThePassword() throws {
        let mq = ["MQ_HOST": "mq", "MQ_QUEUE": "a", "MQ_PASSWORD_FILE": "/nowhere"]
        #expect(mistake(mq)?.hasPrefix("MQ_HOST: MQ_PASSWORD_FILE: cannot") == true)
        #expect(
            mistake(mq.merging(["MQ_PASSWORD": "x"]) { one, _ in one })
                == "MQ_HOST: both MQ_PASSWORD and MQ_PASSWORD_FILE are given; keep one of them")
        let redis = ["REDIS_HOST": "redis", "REDIS_LIST": "a", "REDIS_PASSWORD_FILE": "/nowhere"]
        #expect(mistake(redis)?.hasPrefix("REDIS_HOST: REDIS_PASSWORD_FILE: cannot") == true)
    }

    /// A service called `mq` or a Redis that the task itself uses as a cache is no second queue.
    @Test func aHostAloneIsNoSecondQueue() throws {
        let queue = try named(["MQ_HOST": "mq", "REDIS_HOST": "redis"], flag: "spool:/tmp/x")
        #expect(queue.address.name == "spool:/tmp/x")
    }
}

@Suite struct QueueAddressTests {
    private func address(_ text: String) throws -> QueueAddress {
        try QueueAddress(QueueURL(text, source: "--queue"), [:])
    }

    private func mistake(_ text: String) -> String? {
        #expect(throws: ConfigurationError.self) { try address(text) }?.description
    }

    @Test func schemesChooseTheQueue() throws {
        guard case .rabbitMQ = try address("amqp://host?queue=a") else { return #expect(Bool(false)) }
        guard case .redis = try address("redis://host?list=a") else { return #expect(Bool(false)) }
        guard case .spool = try address("spool:/x") else { return #expect(Bool(false)) }
        #expect(mistake("kafka://host") == "--queue: unknown scheme ‘kafka’; use amqp://, redis://, sqs:// or spool:")
    }

    @Test(arguments: [
        ("amqp://host?queue=a", "/"), ("amqp://host/?queue=a", "/"), ("amqp://host/%2F?queue=a", "/"),
        ("amqp://host/tasks?queue=a", "tasks"), ("amqp://host/%2Ftasks?queue=a", "/tasks"),
        ("amqp://host/a%2Fb?queue=a", "a/b"),
    ])
    func virtualHosts(text: String, vhost: String) throws {
        guard case .rabbitMQ(let address) = try address(text) else { return #expect(Bool(false)) }
        #expect(address.vhost == vhost)
    }

    @Test func rabbitMQNames() throws {
        guard case .rabbitMQ(let address) = try address("amqp://u:secret@host/v?queue=a&heartbeat=1m") else {
            return #expect(Bool(false))
        }
        #expect(address.heartbeat == .seconds(60))
        #expect(address.name == "amqp://host/v?heartbeat=1m&queue=a")
        #expect(address.deadQueue == "a.dead")
        #expect(address.retryQueue(.seconds(10)) == "a.retry.10s")
        #expect(address.retryQueue(.milliseconds(500)) == "a.retry.500ms")
        #expect(address.retryQueue(.seconds(600)) == "a.retry.10m")
    }

    @Test func rabbitMQHosts() throws {
        guard case .rabbitMQ(let plain) = try address("amqp://u:secret@a,b:5673,[::1]/v?queue=q"),
            case .rabbitMQ(let encrypted) = try address("amqps://a,b:5673/v?queue=q&verify=off")
        else { return #expect(Bool(false)) }
        #expect(plain.hosts.map(\.text) == ["a:5672", "b:5673", "[::1]:5672"])
        #expect(plain.tls == nil)
        #expect(plain.place == "RabbitMQ at a:5672 or b:5673 or [::1]:5672")
        #expect(plain.name == "amqp://a,b:5673,[::1]/v?queue=q")
        #expect(encrypted.hosts.map(\.text) == ["a:5671", "b:5673"])
        #expect(encrypted.tls?.verifies == false)
    }

    @Test func rabbitMQMistakes() {
        #expect(mistake("amqp://host") == "--queue: names no queue; write amqp://host/vhost?queue=name")
        #expect(mistake("amqp:/v?queue=a")?.hasPrefix("--queue: names no host") == true)
        #expect(
            mistake("amqp://host?queue=a&list=b")
                == "--queue: unknown option ‘list’; a amqp queue knows cacert, cert, heartbeat, key, "
                + "passwordFile, queue, verify")
        #expect(
            mistake("amqp://host?queue=a&cacert=/x")
                == "--queue: cacert has no effect with amqp://; use amqps://")
        for heartbeat in ["0", "0.5s", "2h", "x", "-1s"] {
            #expect(
                mistake("amqp://host?queue=a&heartbeat=\(heartbeat)")
                    == "--queue: heartbeat ‘\(heartbeat)’ is not a time between 1s and 1h")
        }
        let name = String(repeating: "n", count: 256)
        #expect(mistake("amqp://host?queue=\(name)") == "--queue: a queue name has at most 255 bytes")
        #expect(throws: Never.self) { try address("amqp://host?queue=\(name.dropLast())") }
    }

    @Test func redisMistakes() {
        let example = "write redis://host:6379/0?list=name or …?stream=name"
        #expect(mistake("redis://host") == "--queue: names no list and no stream; \(example)")
        #expect(mistake("redis://host?list=a&stream=b") == "--queue: names a list and a stream; \(example)")
        #expect(
            mistake("redis://host?list=a&group=b") == "--queue: option ‘group’ is for a stream; a list has none")
        #expect(mistake("redis://host?group=b") == "--queue: names no list and no stream; \(example)")
        #expect(mistake("redis:/0?list=a")?.hasPrefix("--queue: names no host") == true)
        #expect(
            mistake("redis://host?set=a")
                == "--queue: unknown option ‘set’; a redis queue knows field, group, list, passwordFile, stream")
        #expect(mistake("rediss://host?list=a&verify=maybe")?.contains("verify=maybe is neither on nor off") == true)
        #expect(mistake("redis://host?list=a&cacert=/x")?.contains("use rediss://") == true)
        #expect(mistake("redis://host?list=a&master=m")?.contains("unknown option ‘master’") == true)
        #expect(mistake("redis+sentinel://host?list=a")?.contains("names no master") == true)
        let sentinels = "redis+sentinel://host?list=a&master=m"
        #expect(mistake("\(sentinels)&sentinelPassword=secret")?.contains("sentinelPasswordFile") == true)
        #expect(mistake("\(sentinels)&sentinelPassword=secret")?.contains("secret;") == false)
        #expect(mistake("\(sentinels)&sentinelUser=me")?.contains("without a password") == true)
        #expect(
            mistake("\(sentinels)&sentinelPasswordFile=/none")?.contains("sentinelPasswordFile: cannot open") == true)
        #expect(mistake("redis://host/-1?list=a")?.contains("‘-1’ is not a number") == true)
        #expect(mistake("redis://host/x?list=a")?.contains("‘x’ is not a number") == true)
    }

    @Test func redisParts() throws {
        guard case .redis(let address) = try address("redis://:secret@host/3?list=a") else {
            return #expect(Bool(false))
        }
        #expect(try address.servers.credentials.current().user == nil)
        #expect(try address.servers.credentials.current().password == "secret")
        #expect(address.servers.database == 3)
        #expect(address.servers.hosts.map(\.port) == [6379])
        #expect(address.name == "redis://host/3?list=a")
    }

    @Test(arguments: [
        ("spool:/var/x", "/var/x"), ("spool:/var/x///", "/var/x"), ("spool:relative/x", "relative/x"),
        ("spool:/with%20space", "/with space"), ("spool:///three/slashes", "/three/slashes"),
    ])
    func spools(text: String, root: String) throws {
        guard case .spool(let address) = try address(text) else { return #expect(Bool(false)) }
        #expect(address.root == root)
        #expect(address.name == "spool:\(root)")
    }

    @Test(arguments: ["spool:", "spool:/", "spool:///", "spool://host/x", "spool:/x?list=a", "spool://u:secret@h/x"])
    func spoolMistakes(text: String) {
        let mistake = mistake(text) ?? ""
        #expect(mistake.hasPrefix("--queue: "))
        #expect(!mistake.contains("secret"))
    }
}
