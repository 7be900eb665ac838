import Semel
import Testing

@testable import SemelSQS

/// What becomes of AWS' own words. Moto does not say all of them.
@Suite struct AWSFailureTests {
    private func failure(_ code: String, _ message: String = "", status: UInt = 400) -> SQSFailure {
        SQSFailure(
            code: code, message: message,
            AWSHTTP.Response(status: status, headers: [("Date", "Sat, 21 Nov 2026 10:00:00 GMT")], body: []),
            AWSCredentials(accessKeyID: "AKID", secretAccessKey: "S3CRET", source: "AWS_ACCESS_KEY_ID"),
            now: Timestamp(milliseconds: 1_795_255_200_000))
    }

    private func outcome(_ failure: SQSFailure) throws -> Outcome {
        let address = try SQSAddress(QueueURL("sqs://eu-central-1/scans", source: "--queue"), AWSEnvironment([:]))
        return failure.asQueueFailure(address).outcome
    }

    @Test(arguments: [
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AccessDenied",
        "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "RequestTimeTooSkewed", "InvalidSecurity",
    ])
    func refused(_ code: String) throws {
        let failure = failure(code, "says AWS", status: 403)
        #expect(try outcome(failure) == .refused)
        #expect(!failure.isPassing && !failure.isLoss)
        #expect(failure.reason.contains(code) && !failure.reason.contains("S3CRET"))
    }

    @Test(arguments: [
        ("ThrottlingException", 400), ("RequestThrottled", 400), ("OverLimit", 400), ("InternalFailure", 500),
        ("X", 503),
    ])
    func passing(_ code: String, _ status: UInt) throws {
        let failure = failure(code, status: status)
        #expect(failure.isPassing)
        #expect(try outcome(failure) == .unreachable)
    }

    @Test(arguments: ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"])
    func noQueue(_ code: String) throws {
        #expect(failure(code) == .noSuchQueue)
        #expect(try outcome(failure(code)) == .misconfigured)
    }

    @Test(arguments: ["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"])
    func losses(_ code: String) { #expect(failure(code).isLoss) }

    @Test func clocks() {
        for failure in [
            failure("RequestTimeTooSkewed", "The difference is too large", status: 403),
            failure("InvalidSignatureException", "Signature expired: 20261121T100000Z is now earlier", status: 403),
            failure("SignatureDoesNotMatch", "Signature not yet current", status: 403),
        ] {
            #expect(failure.reason.hasPrefix("this machine's clock is wrong: it says 2026-11-21T"))
            #expect(failure.reason.contains("SQS' clock says Sat, 21 Nov 2026 10:00:00 GMT"))
        }
        #expect(!failure("SignatureDoesNotMatch", "Check your key", status: 403).reason.contains("clock"))
    }

    /// Then others are looked for.
    @Test func ofCredentials() {
        for code in ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"] {
            #expect(failure(code, status: 403).blamesCredentials, "\(code)")
        }
        #expect(!failure("AccessDenied").blamesCredentials)
        #expect(!failure("RequestTimeTooSkewed", status: 403).blamesCredentials)
        #expect(!failure("SignatureDoesNotMatch", "Signature expired: a", status: 403).blamesCredentials)
    }

    @Test func theCeiling() {
        let failure = failure(
            "InvalidParameterValue", "Value 9 is invalid. Reason: Total VisibilityTimeout for the message")
        #expect(failure.isOfCeiling && failure.isLoss)
        #expect(!self.failure("InvalidParameterValue", "The receipt handle has expired").isOfCeiling)
    }
}
