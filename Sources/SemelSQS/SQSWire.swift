/// What SQS is asked and answers in the AWS JSON protocol 1.0, as far as it is needed here. Names begin with a capital
/// letter there: see `SQSCoding`.
/// Source: Amazon SQS API Reference.
enum SQSWire {
    struct Attribute: Codable, Sendable, Hashable {
        var dataType: String
        var stringValue: String?
        /// Base64.
        var binaryValue: String?

        static func text(_ value: String) -> Attribute { Attribute(dataType: "String", stringValue: value) }
    }

    struct GetQueueUrl: Encodable, Sendable {
        var queueName: String
        var queueOwnerAWSAccountId: String?
    }

    struct QueueUrl: Codable, Sendable {
        var queueUrl: String
    }

    struct ReceiveMessage: Encodable, Sendable {
        var queueUrl: String
        var maxNumberOfMessages = 1
        var waitTimeSeconds: Int
        var visibilityTimeout: Int
        // The older name of MessageSystemAttributeNames, which compatible servers know as well.
        var attributeNames = ["All"]
        var messageAttributeNames = ["All"]
        var receiveRequestAttemptId: String?
    }

    struct Received: Decodable, Sendable {
        var messages: [Message]?
    }

    struct Message: Decodable, Sendable {
        var messageId: String
        var receiptHandle: String
        var body: String
        var attributes: [String: String]?
        var messageAttributes: [String: Attribute]?
    }

    struct ChangeMessageVisibility: Encodable, Sendable {
        var queueUrl: String
        var receiptHandle: String
        var visibilityTimeout: Int
    }

    struct ChangeMessageVisibilityBatch: Encodable, Sendable {
        var queueUrl: String
        var entries: [Entry]

        struct Entry: Encodable, Sendable {
            var id: String
            var receiptHandle: String
            var visibilityTimeout: Int
        }
    }

    struct DeleteMessage: Encodable, Sendable {
        var queueUrl: String
        var receiptHandle: String
    }

    struct SendMessage: Encodable, Sendable {
        var queueUrl: String
        var messageBody: String
        var messageAttributes: [String: Attribute]
        var messageGroupId: String?
        var messageDeduplicationId: String?
    }

    struct SendMessageBatch: Encodable, Sendable {
        var queueUrl: String
        var entries: [Entry]

        struct Entry: Encodable, Sendable {
            var id: String
            var messageBody: String
            var messageAttributes: [String: Attribute]
            var messageGroupId: String?
            var messageDeduplicationId: String?
        }
    }

    struct SentBatch: Decodable, Sendable {
        var failed: [Failure]?

        struct Failure: Decodable, Sendable {
            var id: String
            var senderFault: Bool?
            var code: String
            var message: String?
        }
    }

    struct GetQueueAttributes: Encodable, Sendable {
        var queueUrl: String
        var attributeNames: [String]
    }

    struct QueueAttributes: Decodable, Sendable {
        var attributes: [String: String]?
    }

    struct CreateQueue: Encodable, Sendable {
        var queueName: String
        var attributes: [String: String]
    }

    /// What is answered without anything that is of use here.
    struct Nothing: Decodable, Sendable {}

    struct Failure: Decodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case type = "__type"
            case message
        }

        /// `com.amazonaws.sqs#QueueDoesNotExist`
        var type: String?
        var message: String?
    }
}
