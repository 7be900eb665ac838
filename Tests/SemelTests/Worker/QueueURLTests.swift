import Glibc
import Semel
import Testing

@Suite struct QueueURLTests {
    private func url(_ text: String) throws -> QueueURL {
        try QueueURL(text, source: "--queue")
    }

    @Test func hasAllParts() throws {
        let url = try url("amqp://user:secret@broker.example:5673/tasks?queue=a&heartbeat=10s")
        #expect(url.scheme == "amqp")
        #expect(try url.credentials.current().user == "user")
        #expect(try url.credentials.current() == QueueCredentials.Current(user: "user", password: "secret"))
        #expect(url.hosts.first?.name == "broker.example")
        #expect(url.hosts.first?.port == 5673)
        #expect(url.path == "/tasks")
        #expect(url.options == ["queue": "a", "heartbeat": "10s"])
        #expect(url.source == "--queue")
    }

    @Test func hasNoMoreThanWasWritten() throws {
        let url = try url("redis://host")
        #expect(try url.credentials.current().user == nil)
        #expect(try url.credentials.current().password == nil)
        #expect(url.hosts.first?.port == nil)
        #expect(url.path == "")
        #expect(url.options == [:])
        #expect(try self.url("spool:/var/spool/x").hosts.isEmpty)
        #expect(try self.url("spool:/var/spool/x").path == "/var/spool/x")
        #expect(try self.url("spool:relative/x").path == "relative/x")
    }

    @Test func schemesAreCaseInsensitive() throws {
        #expect(try url("AMQP://host").scheme == "amqp")
    }

    @Test func decodesPercentSigns() throws {
        let url = try url("amqp://us%40er:p%40ss%2F%3F%23%3A@host/%2Fvhost%20x?queue=a%26b%3Dc%20d&heartbeat=1%30s")
        #expect(try url.credentials.current().user == "us@er")
        #expect(try url.credentials.current().password == "p@ss/?#:")
        #expect(url.path == "//vhost x")
        #expect(url.options == ["queue": "a&b=c d", "heartbeat": "10s"])
    }

    @Test func passwordsWithoutUserAndEmptyOnes() throws {
        let only = try url("redis://:secret@host/0?list=a")
        #expect(try only.credentials.current().user ?? "" == "")
        #expect(try only.credentials.current().password == "secret")
        #expect(only.hosts.map(\.name) == ["host"])
        #expect(try url("redis://:@host").credentials.current().password == nil)
    }

    @Test func plusSignsStay() throws {
        #expect(try url("redis://host?list=a+b").options["list"] == "a+b")
    }

    @Test func addressesOfVersionSix() throws {
        let url = try url("redis://:secret@[2001:db8::1]:6380/2?list=a")
        #expect(url.hosts.first?.name == "2001:db8::1")
        #expect(url.hosts.first?.port == 6380)
        #expect(url.redacted == "redis://[2001:db8::1]:6380/2?list=a")
    }

    @Test(arguments: [
        ("amqp://user:secret@host:5672/v?queue=a&heartbeat=9s", "amqp://host:5672/v?heartbeat=9s&queue=a"),
        ("amqp://user:secret@host/%2Fv?queue=a", "amqp://host/%2Fv?queue=a"),
        ("redis://:secret@host?list=a", "redis://host?list=a"),
        ("spool:/var/spool/x", "spool:/var/spool/x"),
        ("amqp://host", "amqp://host"),
    ])
    func isShownWithoutCredentials(text: String, shown: String) throws {
        #expect(try url(text).redacted == shown)
    }

    @Test func isShownWithoutCredentialsWhenMadeOfParts() throws {
        let url = QueueURL(
            scheme: "amqp", credentials: try QueueCredentials(user: "user", password: "secret", source: "MQ_HOST"),
            hosts: [QueueURL.Host(name: "::1", port: 5672)], path: "//v w", options: ["queue": "a"], source: "MQ_HOST")
        #expect(url.redacted == "amqp://[::1]:5672//v%20w?queue=a")
        #expect(try url.credentials.current() == QueueCredentials.Current(user: "user", password: "secret"))
    }

    @Test func severalHosts() throws {
        let url = try url("amqp://user:p%2Cw@one,two:5673,[::1]:5674/v?queue=a")
        #expect(url.hosts.map(\.name) == ["one", "two", "::1"])
        #expect(url.hosts.map(\.port) == [nil, 5673, 5674])
        #expect(url.redacted == "amqp://one,two:5673,[::1]:5674/v?queue=a")
        #expect(try url.credentials.current() == QueueCredentials.Current(user: "user", password: "p,w"))
    }

    @Test(arguments: [
        ("amqp://one,/v?queue=a", "‘’ is not a host"), ("amqp://one,two:0/v?queue=a", "port 0"),
        ("amqp://one,t o/v?queue=a", "‘t o’ is not a host"), ("amqp://one,two:x/v?queue=a", "not a host"),
    ])
    func hostsThatAreNone(text: String, saying: String) {
        let error = #expect(throws: ConfigurationError.self) { try url(text) }
        #expect(error?.description.contains(saying) == true, "\(error?.description ?? "")")
    }

    @Test func passwordsFromAFile() throws {
        let directory = try TemporaryDirectory()
        try Files.write("s3cret\n", to: directory / "password")
        let url = try url("amqp://user@host/v?queue=a&passwordFile=\(directory / "password")")
        #expect(try url.credentials.current() == QueueCredentials.Current(user: "user", password: "s3cret"))
        unlink(directory / "password")
        try Files.write("newer", to: directory / "password")
        #expect(try url.credentials.current().password == "newer")
        unlink(directory / "password")
        try Files.write("", to: directory / "password")
        #expect(throws: ConfigurationError.self) { try url.credentials.current() }
    }

    @Test func aPasswordAndAFileForOne() {
        let error = #expect(throws: ConfigurationError.self) { try url("redis://:x@host?list=a&passwordFile=/p") }
        #expect(error?.description == "--queue: both password and passwordFile are given; keep one of them")
    }

    @Test func optionsThatAreGivenTwice() {
        let error = #expect(throws: ConfigurationError.self) { try url("redis://host?list=a&list=b") }
        #expect(error?.description == "--queue: option ‘list’ is given twice")
        #expect(error?.outcome == .misconfigured)
    }

    @Test(arguments: ["redis://host?list=", "redis://host?list"])
    func optionsWithoutAValue(text: String) {
        let error = #expect(throws: ConfigurationError.self) { try url(text) }
        #expect(error?.description == "--queue: option ‘list’ has no value")
    }

    @Test func optionsThatNobodyKnows() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try url("redis://host?lst=a&list=b").allowOnly(["list"])
        }
        #expect(error?.description == "--queue: unknown option ‘lst’; a redis queue knows list")
        try url("redis://host?list=b").allowOnly(["list", "other"])
    }

    @Test func optionsThatAreMissing() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try url("redis://host").require("list", example: "x?list=y")
        }
        #expect(error?.description == "--queue: names no list; write x?list=y")
        #expect(try url("redis://host?list=b").require("list", example: "") == "b")
    }

    @Test(arguments: ["redis://host:0", "redis://host:65536"])
    func portsThatCannotBe(text: String) {
        let error = #expect(throws: ConfigurationError.self) { try url(text) }
        #expect(error?.description.hasSuffix("is not between 1 and 65535") == true)
    }

    /// An `@` behind a port may be the end of a password; elsewhere it is nothing but itself.
    @Test(arguments: [
        "redis://host/0?list=jobs@eu", "redis://user:x@host:6379/0?list=jobs@eu", "redis://host:6379/0?list=jobs%40eu",
        "redis://[::1]/0?list=jobs@eu",
    ])
    func atSignsBehindTheHost(text: String) throws {
        #expect(try url(text).options == ["list": "jobs@eu"])
    }

    /// What is not a URL is very often one with a password that was not percent-encoded.
    @Test(arguments: [
        "", "hunter2", "//user:hunter2@host", "amqp://user:hunter2#@host/v?queue=a",
        "amqp://user:hunter2/x@host/v?queue=a", "amqp://user:hunter2?x@host/v?queue=a",
        "amqp://user:hunter2 @host/v?queue=a", "amqp://user:hunter2%@host/v?queue=a",
        "amqp://user:hunter2[@host/v?queue=a", "amqp://user:2?hunter2@host/v?queue=a", "amqp://user:2?hunter2=@host",
        "amqp://user:2/hunter2@host/v?queue=a", "amqp://user:2#hunter2@host/v?queue=a", "hunter2:5672",
        "amqp://user:@hunter2@host/v?queue=a", "amqp://hunter2@x:y@host/v?queue=a",
    ])
    func mistakesAreNotRepeated(text: String) {
        do {
            let url = try url(text)
            // What stands before a colon at the beginning is a scheme, whatever was meant.
            #expect(!url.redacted.contains("hunter2") || url.scheme == "hunter2")
        } catch {
            #expect(!"\(error)".contains("hunter2"))
            #expect("\(error)".hasPrefix("--queue: "))
        }
    }
}
