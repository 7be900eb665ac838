import Semel

/// Why SQS did not do what it was asked for.
enum SQSFailure: Error, Sendable, Hashable {
    /// No answer: it may have been done.
    case unanswered(String)
    /// The message cannot be kept here: asking again does not help.
    case unusable(String)
    /// Who answers is not SQS, by its certificate.
    case misconfigured(String)
    /// Too many requests, or SQS has trouble of its own.
    case busy(String)
    /// These credentials may not do it, or none were given out.
    case refused(String)
    /// There are no credentials, or something about them makes no sense.
    case noCredentials(String)
    case noSuchQueue
    /// Anything else that is wrong with the request, by SQS' name for it.
    case rejected(code: String, message: String)
    /// The lease was over before SQS could be asked, so it was not.
    case tooLate

    var reason: String {
        switch self {
        case .unanswered(let reason), .unusable(let reason), .misconfigured(let reason), .busy(let reason),
            .refused(let reason), .noCredentials(let reason):
            reason
        case .noSuchQueue: "there is no such queue"
        case .tooLate: "this process was kept from running"
        case .rejected(let code, let message): message.isEmpty ? code : "\(code): \(message)"
        }
    }

    /// Whether it may go better the next time.
    var isPassing: Bool {
        switch self {
        case .unanswered, .busy: true
        case .unusable, .misconfigured, .refused, .noCredentials, .noSuchQueue, .rejected, .tooLate: false
        }
    }

    /// Whether it says, to a request with a receipt handle, that the handle is good for nothing any more. AWS has several
    /// names for it: one for a message that is visible again, one for a handle it cannot read, one for the rest.
    var isLoss: Bool {
        switch self {
        case .noSuchQueue, .tooLate: true
        case .rejected(let code, _):
            ["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"].contains(code)
        case .unanswered, .unusable, .misconfigured, .busy, .refused, .noCredentials: false
        }
    }

    /// Whether SQS says that it has hidden the message for as long as it ever does.
    var isOfCeiling: Bool {
        if case .rejected(_, let message) = self { message.contains("Total VisibilityTimeout") } else { false }
    }

    func asQueueFailure(_ address: SQSAddress) -> QueueFailure {
        let place = "\(address.source): SQS at \(address.endpoint.host)"
        return switch self {
        case .unanswered(let reason), .unusable(let reason), .busy(let reason): .unreachable("\(place): \(reason)")
        case .misconfigured(let reason): .misconfigured("\(place): \(reason)")
        case .refused(let reason): .refused("\(place) refused: \(reason)")
        case .noCredentials(let reason): .misconfigured("\(address.source): \(reason)")
        case .noSuchQueue:
            .misconfigured("\(place): no queue ‘\(address.queueName)’ in region \(address.region)")
        case .rejected, .tooLate: .misconfigured("\(place): \(reason)")
        }
    }

    init(_ failure: AWSHTTP.Failure) {
        self =
            switch failure.kind {
            case .unanswered: .unanswered(failure.reason)
            case .misconfigured: .misconfigured(failure.reason)
            case .refused: .refused(failure.reason)
            }
    }

    init(_ failure: AWSCredentialFailure) {
        self =
            switch failure {
            case .missing(let reason): .noCredentials(reason)
            case .refused(let reason): .refused(reason)
            case .unreachable(let reason): .unanswered(reason)
            }
    }

    /// What an answer of SQS says.
    ///
    /// - Parameter code: The error's name, without the protocol's trimmings.
    init(code: String, message: String, _ response: AWSHTTP.Response, _ credentials: AWSCredentials, now: Timestamp) {
        let words = message.isEmpty ? code : "\(code): \(message)"
        let ofKeys = "\(words) (credentials from \(credentials.source))"
        switch code {
        case "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "InvalidAddress": self = .noSuchQueue
        case "RequestTimeTooSkewed":
            self = .refused(Self.skew(words, response, now))
        case "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure":
            let isOfTime = ["expired", "not yet current"].contains { message.contains($0) }
            self = .refused(isOfTime ? Self.skew(words, response, now) : ofKeys)
        case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "IncompleteSignature",
            "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
            "ExpiredToken", "ExpiredTokenException", "AccessDenied", "AccessDeniedException", "NotAuthorized",
            "OptInRequired", "InvalidSecurity", "KmsAccessDenied", "KMS.AccessDeniedException":
            self = .refused(ofKeys)
        case _ where response.status == 401 || response.status == 403: self = .refused(ofKeys)
        case _ where response.status >= 500 || response.status == 429: self = .busy(words)
        case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded",
            "RequestThrottledException", "TooManyRequestsException", "PriorRequestNotComplete", "OverLimit",
            "KmsThrottled", "KMS.ThrottlingException", "RequestTimeout", "ServiceUnavailable":
            self = .busy(words)
        default: self = .rejected(code: code, message: message)
        }
    }

    private static func skew(_ words: String, _ response: AWSHTTP.Response, _ now: Timestamp) -> String {
        let theirs = response.header("date").map { "; SQS' clock says \($0)" } ?? ""
        return "this machine's clock is wrong: it says \(now.rfc3339)\(theirs): \(words)"
    }

    /// Whether other credentials may be good where these have expired, or were replaced.
    var blamesCredentials: Bool {
        guard case .refused(let reason) = self else { return false }
        return [
            "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
            "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSecurity",
        ].contains { reason.hasPrefix($0) }
    }
}
