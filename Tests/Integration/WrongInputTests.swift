import Foundation
import TestSupport
import Testing

/// One wrong thing that a worker is told, and what it has to answer.
struct WrongInput: Sendable, CustomTestStringConvertible {
    /// Whatever is wrong, this is in no line.
    static let password = ["s3cr3t", "pa55"].joined(separator: "-")

    var flags: [String] = []
    var environment: [String: String] = [:]
    var code: Int32 = 78
    /// The flag or variable, and what is wrong with it.
    var says: [String]

    var testDescription: String {
        (flags + environment.map { "\($0.key)=\($0.value)" }.sorted()).joined(separator: " ")
    }

    static func queue(_ url: String, _ says: String...) -> WrongInput {
        WrongInput(flags: ["--queue", url], says: ["--queue"] + says)
    }

    static func value(_ flag: String, _ value: String, _ says: String...) -> WrongInput {
        WrongInput(flags: ["\(flag)=\(value)"], says: [flag] + says)
    }

    static func usage(_ flags: [String], _ says: String...) -> WrongInput {
        WrongInput(flags: flags, code: 64, says: says)
    }

    static func variables(_ environment: [String: String], _ says: String...) -> WrongInput {
        WrongInput(environment: environment, says: says)
    }

    /// Exactly one line on standard error, which says so; nothing else anywhere; the code; the termination log.
    func expect(
        _ finished: Finished, in spool: TaskSpool, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let error = finished.stderrText
        #expect(finished.status == .exited(code), "\(error)", sourceLocation: sourceLocation)
        #expect(finished.stdout.isEmpty, sourceLocation: sourceLocation)
        #expect(error.hasSuffix("\n") && error.count { $0 == "\n" } == 1, "\(error)", sourceLocation: sourceLocation)
        for words in says {
            #expect(error.contains(words), sourceLocation: sourceLocation)
        }
        #expect(spool.note("ran").isEmpty, "the task ran", sourceLocation: sourceLocation)
        let log = try spool.terminationLog()
        #expect(log["reason"] is String && log["messageId"] == nil, sourceLocation: sourceLocation)
        for text in [error, spool.note("termination-log")] {
            #expect(!text.contains(Self.password), sourceLocation: sourceLocation)
        }
    }
}

/// Mistakes that a worker finds in what it was told, before it connects to anything.
@Suite(.oneLane)
struct WrongInputTests {
    private static let secret = "user:\(WrongInput.password)@host"

    private func expectRefusal(_ input: WrongInput) async throws {
        let spool = try TaskSpool()
        // So that the place is known even where the flags make no sense.
        try spool.directory.write("", to: "termination-log")
        let finished = try await spool.work(
            input.flags, task: spool.script("echo ran >ran"), environment: input.environment)
        try input.expect(finished, in: spool)
        #expect(spool.rooms == .init(ready: ["a"]))
    }

    @Test(arguments: [
        WrongInput.queue("kafka://\(secret)/topic", "unknown scheme", "kafka"),
        .queue("http://\(secret)/?queue=a", "unknown scheme"),
        .queue("not a url", "not a URL"),
        .queue("\(secret)/a"),
        .queue("amqp://\(secret):port/?queue=a", "not a URL"),
        .queue("amqp://\(secret):99999/?queue=a", "port"),
        .queue("amqp://user:\(WrongInput.password)#@host/?queue=a"),
        .queue("amqp://\(secret)/", "names no queue", "?queue="),
        .queue("amqp://\(secret)/?list=a", "unknown option", "list"),
        .queue("amqp://\(secret)/?queue=a&prefetch=2", "unknown option", "prefetch"),
        .queue("amqp://\(secret)/?queue=a&heartbeat=0", "heartbeat"),
        .queue("amqp://\(secret)/?queue=a&heartbeat=soon", "heartbeat"),
        .queue("amqp://\(secret)/?queue=", "queue", "no value"),
        .queue("amqp://\(secret)/?queue=a&queue=b", "given twice"),
        .queue("amqp://\(secret)/?queue=\(String(repeating: "q", count: 256))", "255"),
        .queue("amqp:///?queue=a", "names no host"),
        .queue("amqps://\(secret)/?queue=a&cert=/nowhere", "cert without its key"),
        .queue("amqps://\(secret)/?queue=a&cacert=/nowhere", "cacert", "No such file"),
        .queue("amqps://\(secret)/?queue=a&verify=no", "verify=no"),
        .queue("amqp://\(secret)/?queue=a&verify=off", "verify has no effect", "amqps://"),
        .queue("amqp://\(secret),/?queue=a", "not a host"),
        .queue("redis://:\(WrongInput.password)@host/0", "names no list", "?list="),
        .queue("redis://:\(WrongInput.password)@host/zero?list=a", "database"),
        .queue("redis://:\(WrongInput.password)@host/-1?list=a", "database"),
        .queue("redis://:\(WrongInput.password)@host/0?list=a&stream=b", "names a list and a stream"),
        .queue("redis://:\(WrongInput.password)@host/0?list=a&group=b", "group", "is for a stream"),
        .queue("redis://:\(WrongInput.password)@host/0?set=a", "unknown option", "set"),
        .queue("rediss://:\(WrongInput.password)@host/0?list=a&verify=maybe", "verify=maybe is neither on nor off"),
        .queue("spool://\(secret)/dir", "a spool is a directory"),
        .queue("spool:", "names no directory"),
        .queue("spool:/", "names no directory"),
        .queue("spool:/tmp?list=a", "unknown option"),
    ])
    func queues(_ input: WrongInput) async throws {
        try await expectRefusal(input)
        // The same from the environment names the variable.
        var variable = input
        variable.flags = []
        variable.environment = ["SEMEL_QUEUE": input.flags[1]]
        variable.says[0] = "SEMEL_QUEUE"
        try await expectRefusal(variable)
    }

    @Test(arguments: ["--wait", "--lease", "--timeout", "--grace", "--linger"])
    func durations(_ flag: String) async throws {
        for text in ["10", "-1s", "1d", "abc", "s", "1 s", "1s2", "1e3s", ".5s", "١s", "99999999999999h", "∞"] {
            try await expectRefusal(.value(flag, text, text))
        }
        try await expectRefusal(.usage([flag + "="], flag, "needs a value"))
        let variable = "SEMEL_" + flag.dropFirst(2).uppercased()
        try await expectRefusal(.variables([variable: "10"], variable, "‘10’"))
    }

    @Test(arguments: [
        WrongInput.value("--lease", "0"), .value("--lease", "999ms"), .value("--timeout", "0"),
        .value("--max-message-bytes", "big"), .value("--max-message-bytes", "-1"), .value("--max-message-bytes", "1XB"),
        .value("--max-message-bytes", "1 MiB"), .value("--max-message-bytes", "1e9"),
        .value("--max-attempts", "0"), .value("--max-attempts", "-1"), .value("--max-attempts", "1.5"),
        .value("--max-attempts", "many"), .value("--max-attempts", "99999999999999999999"),
        .value("--retry-delay", "10m..1s"), .value("--retry-delay", "1s.."), .value("--retry-delay", "..1s"),
        .value("--retry-delay", "1s..2s..3s"), .value("--retry-delay", "1s-2s"), .value("--retry-delay", "10..20"),
        .value("--retry-delay", "1s..25h"), .value("--retry-delay", ".."),
        .value("--delivery", "exactly-once", "at-least-once, at-most-once"),
        .value("--on-term", "STOP", "stop, finish"),
        .value("--on-lost", "ignore", "stop, finish"), .value("--input", "pipe", "stdin, file, none"),
        .value("--result", "stderr", "none, stdout"), .value("--log-format", "xml", "text, json"),
        .value("--log-level", "verbose", "trace, debug, info"),
        .value("--status-address", "8082"), .value("--status-address", "127.0.0.1"),
        .value("--status-address", ":http"),
        .value("--status-address", "127.0.0.1:99999"), .value("--status-address", "http://127.0.0.1:8082"),
        .value("--status-address", "no such host:1"), .value("--status-address", "no-such-host.invalid:18082"),
        .value("--status-address", "192.0.2.1:18082"),
    ])
    func values(_ input: WrongInput) async throws {
        try await expectRefusal(input)
    }

    @Test(arguments: [
        WrongInput.usage(["--quue", "spool:/x"], "--quue"), .usage(["-q", "x"], "-q"),
        .usage(["--verbose"], "--verbose"),
        .usage(["--wait", "1s", "--wait", "2s"], "--wait", "twice"),
        .usage(["--wait=1s", "--wait", "1s"], "--wait", "twice"),
        .usage(["--wait"], "--wait", "needs a value"), .usage(["--wait="], "--wait", "needs a value"),
        .usage(["--wait", ""], "--wait", "needs a value"), .usage(["true"], "true", "--"), .usage([""], "--"),
        .usage(["run"], "run", "--"),
    ])
    func usage(_ input: WrongInput) async throws {
        try await expectRefusal(input)
    }

    @Test(arguments: [
        WrongInput.variables(["MQ_HOST": "h", "MQ_QUEUE": "q"], "SEMEL_QUEUE", "MQ_HOST", "two queues"),
        .variables(["REDIS_HOST": "h", "REDIS_LIST": "l"], "SEMEL_QUEUE", "REDIS_HOST", "two queues"),
        WrongInput(
            flags: ["--queue", "spool:/x"], environment: ["MQ_HOST": "h", "MQ_QUEUE": "q"],
            says: ["--queue", "MQ_HOST", "two queues"]),
        .variables(
            ["SEMEL_QUEUE": "", "MQ_HOST": "h", "MQ_QUEUE": "q", "REDIS_HOST": "h", "REDIS_LIST": "l"],
            "MQ_HOST", "REDIS_HOST", "two queues"),
        .variables(["SEMEL_QUEUE": "", "MQ_HOST": "h", "REDIS_HOST": "h"], "MQ_HOST", "REDIS_HOST", "two queues"),
    ])
    func twoQueuesAtOnce(_ input: WrongInput) async throws {
        try await expectRefusal(input)
    }

    @Test(arguments: [
        WrongInput.variables(["MQ_HOST": "h", "MQ_PASSWORD": WrongInput.password], "MQ_QUEUE is not set"),
        .variables(["MQ_HOST": "h", "MQ_QUEUE": "q", "MQ_PORT": "amqp"], "MQ_PORT"),
        .variables(["MQ_HOST": "h", "MQ_QUEUE": "q", "MQ_PORT": "0"], "MQ_PORT"),
        .variables(
            ["REDIS_HOST": "h", "REDIS_PASSWORD": WrongInput.password], "neither REDIS_LIST nor REDIS_STREAM is set"),
        .variables(["REDIS_HOST": "h", "REDIS_LIST": "l", "REDIS_PORT": "70000"], "REDIS_PORT"),
        .variables(["REDIS_HOST": "h", "REDIS_LIST": "l", "REDIS_DATABASE": "-1"], "REDIS_DATABASE"),
    ])
    func incompleteVariables(_ input: WrongInput) async throws {
        var input = input
        input.environment["SEMEL_QUEUE"] = ""
        try await expectRefusal(input)
    }

    /// `SEMEL_COMMAND` counts only where no command comes after `--`.
    @Test(
        arguments: [
            (nil, 64), ("", 64), ("echo ran", 78), (#"{"command": "true"}"#, 78), ("[]", 78), ("[1]", 78),
            (#"["true""#, 78),
            (#"[""]"#, 78),
        ] as [(String?, Int32)])
    func commands(_ text: String?, _ code: Int32) async throws {
        for arguments in [["run"], ["run", "--"], []] {
            let spool = try TaskSpool()
            let environment = spool.environment(adding: text.map { ["SEMEL_COMMAND": $0] } ?? [:])
            try spool.directory.write("", to: "termination-log")
            let finished = try await run(.semel, arguments, environment: environment)
            let says = text == #"[""]"# ? ["command is empty"] : ["SEMEL_COMMAND"]
            try WrongInput(code: code, says: says).expect(finished, in: spool)
            #expect(spool.rooms == .init(ready: ["a"]))
        }
    }

    @Test func aTerminationLogThatCannotBeWritten() async throws {
        for place in ["/nowhere/termination-log", "/dev/null/termination-log", "/"] {
            for variable in [false, true] {
                let spool = try TaskSpool()
                let finished = try await spool.work(
                    variable ? [] : ["--termination-log", place], task: spool.script("echo ran >ran"),
                    environment: variable ? ["SEMEL_TERMINATION_LOG": place] : [:])
                #expect(finished.status == .exited(78))
                let error = finished.stderrText
                #expect(error.count { $0 == "\n" } == 1 && error.contains(place), "\(error)")
                #expect(error.contains(variable ? "SEMEL_TERMINATION_LOG" : "--termination-log"))
                #expect(spool.rooms == .init(ready: ["a"]) && spool.note("ran").isEmpty)
            }
        }
    }

    @Test(arguments: ["/nowhere", "/dev/null"])
    func aTemporaryDirectoryThatCannotBeWritten(_ place: String) async throws {
        try await expectRefusal(
            WrongInput(flags: ["--input", "file"], environment: ["TMPDIR": place], says: ["TMPDIR", place]))
    }
}
