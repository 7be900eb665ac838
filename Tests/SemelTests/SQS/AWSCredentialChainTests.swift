import Foundation
import Logging
import NIOPosix
import Semel
import Synchronization
import Testing

@testable import SemelSQS

/// Each source of credentials, asked over real HTTP where it is one.
@Suite struct AWSCredentialChainTests {
    private func find(_ environment: [String: String], profile: String? = nil) async throws -> AWSCredentials {
        try await chain(environment, profile: profile).credentials()
    }

    /// Without the machine that the tests run on.
    private func chain(_ environment: [String: String], profile: String? = nil) -> AWSCredentialChain {
        let environment = ["AWS_EC2_METADATA_DISABLED": "true"].merging(environment) { $1 }
        return AWSCredentialChain(
            AWSEnvironment(environment), profile: profile, region: "eu-central-1",
            http: AWSHTTP(on: MultiThreadedEventLoopGroup.singleton, authorities: nil),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func failure(_ environment: [String: String], profile: String? = nil) async -> AWSCredentialFailure? {
        do {
            _ = try await find(environment, profile: profile)
            return nil
        } catch {
            return error as? AWSCredentialFailure
        }
    }

    /// In the place of what is there.
    private func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    private static let document =
        #"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"S","Token":"T","Expiration":"2099-01-01T00:00:00Z"}"#

    private static func assumed(_ id: String, until: String = "2099-01-01T00:00:00.000Z") -> String {
        "<R><Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
            + "<SessionToken>T</SessionToken><Expiration>\(until)</Expiration></Credentials></R>"
    }

    @Test func keysOfTheEnvironmentComeFirst() async throws {
        let found = try await find([
            "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent", "AWS_PROFILE": "nobody",
        ])
        #expect(found.accessKeyID == "AKID" && found.secretAccessKey == "S" && found.sessionToken == "T")
        #expect(found.expiration == nil)
    }

    @Test func halfOfThemIsAMistake() async {
        #expect(
            await failure(["AWS_ACCESS_KEY_ID": "AKID"])
                == .missing("AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"))
        #expect(
            await failure(["AWS_SECRET_ACCESS_KEY": "S", "AWS_ACCESS_KEY_ID": ""])
                == .missing("AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not"))
        #expect(
            await failure(["AWS_WEB_IDENTITY_TOKEN_FILE": "/x"])
                == .missing("AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not"))
    }

    @Test func nowhere() async {
        guard case .missing(let reason) = await failure([:]) else { return #expect(Bool(false)) }
        #expect(reason.hasPrefix("no AWS credentials: not in AWS_ACCESS_KEY_ID"))
    }

    @Test func profiles() async throws {
        let directory = try TemporaryDirectory()
        let sts = try await HTTPResponder { _ in (200, Self.assumed("ASIA-ROLE")) }
        try write(
            """
            [default]
            aws_access_key_id = AKID
            aws_secret_access_key = S
            """, to: directory / "credentials")
        try write(
            """
            [profile role]
            role_arn = arn:aws:iam::1:role/r
            source_profile = default
            external_id = e/x
            [profile round]
            role_arn = r
            source_profile = about
            [profile about]
            role_arn = r
            source_profile = round
            [profile process]
            credential_process = /bin/keys
            [profile single]
            sso_session = s
            [profile alone]
            role_arn = r
            [profile empty]
            region = x
            """, to: directory / "config")
        let environment = [
            "AWS_CONFIG_FILE": directory / "config", "AWS_SHARED_CREDENTIALS_FILE": directory / "credentials",
            "AWS_ENDPOINT_URL_STS": sts.url,
        ]
        #expect(try await find(environment).accessKeyID == "AKID")
        // Named by the queue's address, a profile comes before the environment.
        let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "S"]
        let role = try await find(environment.merging(keys) { $1 }, profile: "role")
        #expect(role.accessKeyID == "ASIA-ROLE" && role.expiration?.rfc3339 == "2099-01-01T00:00:00.000Z")
        let question = try #require(sts.questions.first)
        #expect(question.body.contains("Action=AssumeRole&") && question.body.contains("ExternalId=e%2Fx"))
        #expect(question.headers["authorization"]?.contains("Credential=AKID/") ?? false)
        for (profile, says) in [
            ("round", "has itself as its source_profile"), ("process", "credential_process, which is not supported"),
            ("single", "sso_session, which is not supported"), ("alone", "no source_profile"),
            ("empty", "has no credentials"), ("nobody", "there is no AWS profile ‘nobody’"),
        ] {
            let failure = await failure(environment.merging(["AWS_PROFILE": profile]) { $1 })
            guard case .missing(let reason) = failure else { return #expect(Bool(false), "\(profile)") }
            #expect(reason.contains(says), "\(reason)")
        }
    }

    @Test func webIdentityIsRenewedWithTheTokenOfThatDay() async throws {
        let directory = try TemporaryDirectory()
        try write("token one\n", to: directory / "token")
        let count = Mutex(0)
        // Good for a minute: less than the margin, so it is asked for every time.
        let sts = try await HTTPResponder { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            let soon = Timestamp.now + .seconds(60)
            return number == 3 ? (503, "down") : (200, Self.assumed("ASIA-\(number)", until: soon.rfc3339))
        }
        let chain = chain([
            "AWS_WEB_IDENTITY_TOKEN_FILE": directory / "token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x y",
            "AWS_ENDPOINT_URL_STS": sts.url,
        ])
        #expect(try await chain.credentials().accessKeyID == "ASIA-1")
        try write("token+two", to: directory / "token")
        #expect(try await chain.credentials().accessKeyID == "ASIA-2")
        // Nobody there: what is there is still good for a while.
        #expect(try await chain.credentials().accessKeyID == "ASIA-2")
        let bodies = sts.questions.map(\.body)
        #expect(bodies[0].contains("Action=AssumeRoleWithWebIdentity&Version=2011-06-15"))
        #expect(bodies[0].hasSuffix("WebIdentityToken=token%20one") && bodies[1].hasSuffix("=token%2Btwo"))
        #expect(bodies[0].contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx%20y"))
        #expect(sts.questions.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func aRoleThatIsRefused() async throws {
        let directory = try TemporaryDirectory()
        try write("t0ken", to: directory / "token")
        let sts = try await HTTPResponder { _ in
            (400, "<E><Code>InvalidIdentityToken</Code><Message>No OpenIDConnect provider</Message></E>")
        }
        let failure = await failure([
            "AWS_WEB_IDENTITY_TOKEN_FILE": directory / "token", "AWS_ROLE_ARN": "role",
            "AWS_ENDPOINT_URL_STS": sts.url,
        ])
        guard case .refused(let reason) = failure else { return #expect(Bool(false)) }
        #expect(reason.contains("InvalidIdentityToken: No OpenIDConnect provider") && !reason.contains("t0ken"))
    }

    @Test func containers() async throws {
        let directory = try TemporaryDirectory()
        try write("Bearer one", to: directory / "token")
        let agent = try await HTTPResponder { question in
            question.headers["authorization"] == "Bearer one" ? (200, Self.document) : (401, "")
        }
        let full = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(agent.url)/v1/credentials?x=1"]
        let found = try await find(
            full.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": directory / "token"]) { $1 })
        #expect(found.accessKeyID == "ASIA" && found.sessionToken == "T" && found.expiration != nil)
        #expect(agent.questions.first?.path == "/v1/credentials?x=1")
        guard case .refused = await failure(full.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong"]) { $1 }) else {
            return #expect(Bool(false))
        }
    }

    @Test(arguments: [
        "http://example.org/x", "http://10.0.0.1/", "http://127.evil.org/", "http://169.254.169.254/",
        "ftp://localhost/",
    ])
    func aContainersTokenStaysHere(_ url: String) async {
        guard case .missing(let reason) = await failure(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]) else {
            return #expect(Bool(false))
        }
        #expect(reason.hasPrefix("AWS_CONTAINER_CREDENTIALS_FULL_URI: "))
    }

    @Test func theMachinesMetadata() async throws {
        let service = try await HTTPResponder { question in
            switch (question.method, question.path) {
            case ("PUT", "/latest/api/token"): (200, "t-1")
            case ("GET", "/latest/meta-data/iam/security-credentials/"): (200, "my-role\n")
            case ("GET", "/latest/meta-data/iam/security-credentials/my-role"): (200, Self.document)
            default: (404, "")
            }
        }
        let environment = [
            "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "\(service.url)/",
        ]
        #expect(try await find(environment).accessKeyID == "ASIA")
        let questions = service.questions
        #expect(questions.count == 3)
        #expect(questions[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
        #expect(questions.dropFirst().allSatisfy { $0.headers["x-aws-ec2-metadata-token"] == "t-1" })
    }

    @Test func aMachineWithoutARole() async throws {
        let service = try await HTTPResponder { $0.method == "PUT" ? (200, "t") : (404, "") }
        let failure = await failure([
            "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url,
        ])
        guard case .missing = failure else { return #expect(Bool(false)) }
    }
}
