import Semel
import Testing

@testable import SemelSQS

@Suite struct SQSAddressTests {
    private func address(_ text: String, _ environment: [String: String] = [:]) throws -> SQSAddress {
        try SQSAddress(QueueURL(text, source: "--queue"), AWSEnvironment(environment))
    }

    @Test func regionAndName() throws {
        let address = try address("sqs://eu-central-1/scans")
        #expect(address.region == "eu-central-1")
        #expect(address.queueName == "scans")
        #expect(address.account == nil && address.writtenURL == nil && !address.isFIFO)
        #expect(address.endpoint.text == "https://sqs.eu-central-1.amazonaws.com/")
        #expect(address.endpoint.host == "sqs.eu-central-1.amazonaws.com")
        #expect(address.name == "sqs://eu-central-1/scans")
        #expect(address.secretVariables == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
    }

    @Test func account() throws {
        let address = try address("sqs://cn-north-1/123456789012/scans.fifo?dead=given-up.fifo&profile=p")
        #expect(address.account == "123456789012" && address.isFIFO)
        #expect(address.endpoint.base == "https://sqs.cn-north-1.amazonaws.com.cn")
        #expect(address.deadQueueName == "given-up.fifo" && address.profile == "p")
        // A profile's keys are in a file: those of the environment are the task's.
        #expect(address.secretVariables.isEmpty)
    }

    @Test(arguments: [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/q", "eu-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/q", "eu-west-1"),
        ("https://queue.amazonaws.com/123456789012/q", "us-east-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/q", "us-gov-west-1"),
        ("https://sqs.eu-west-1.api.aws/123456789012/q", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("https://vpce-0a-1b.sqs.eu-west-3.vpce.amazonaws.com/123456789012/q", "eu-west-3"),
        ("http://localhost:4566/000000000000/q", "eu-north-1"),
        ("https://sqs.eu-west-1.example.org/000000000000/q", "eu-north-1"),
    ])
    func ofAURL(url: String, region: String) throws {
        let address = try address("sqs:?url=\(url)", ["AWS_DEFAULT_REGION": "eu-north-1"])
        #expect(address.region == region)
        #expect(address.queueName == "q" && address.writtenURL == url)
        #expect(url.hasPrefix(address.endpoint.base))
    }

    @Test func endpoints() throws {
        let all = ["AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_SQS": "http://sqs:2/"]
        #expect(try address("sqs://r/q?endpoint=https://own:443/base", all).endpoint.text == "https://own/base")
        #expect(try address("sqs://r/q", all).endpoint.text == "http://sqs:2/")
        #expect(try address("sqs://r/q", ["AWS_ENDPOINT_URL": "http://[::1]:1"]).endpoint.text == "http://[::1]:1/")
        #expect(try address("sqs:?url=https://sqs.eu-west-1.amazonaws.com/1/q", all).endpoint.host == "sqs:2")
        #expect(try address("sqs:/q", ["AWS_REGION": "r", "AWS_DEFAULT_REGION": "d"]).region == "r")
    }

    @Test(arguments: [
        ("sqs://eu-central-1", "names no queue"), ("sqs:scans", "names no region"),
        ("sqs://eu-central-1/1/scans", "not an account number"),
        ("sqs://eu-central-1/123456789012/a/b", "names no queue"),
        ("sqs://EU_CENTRAL/scans", "is not a region"), ("sqs://eu-central-1:80/scans", "has no port"),
        ("sqs://eu-central-1/sc%20ans", "is not a queue's name"), ("sqs://eu-central-1/.fifo", "is not a queue's name"),
        ("sqs://AKID:secret@eu-central-1/scans", "no place for keys"),
        ("sqs://eu-central-1/scans?url=https://sqs.eu-central-1.amazonaws.com/1/q", "names the queue twice"),
        ("sqs:?url=scans", "url is not a queue's URL"), ("sqs://r/q?endpoint=host", "is not a URL like"),
        ("sqs://r/q?endpoint=http://user:secret@host", "without a user or a password"),
        ("sqs://r/q?endpoint=http://host/%3Ftoken=secret", "endpoint is not a URL like"),
        ("sqs://r/q?dead=a.fifo", "both end in .fifo"), ("sqs://r/q?dead=a%20b", "is not a dead letter queue's name"),
        ("sqs://r/q?cacert=/nonexistent", "cacert: cannot read"),
        ("sqs://r/q?visibility=3", "unknown option ‘visibility’"),
    ])
    func badOnes(url: String, says: String) {
        let error = #expect(throws: ConfigurationError.self) { try address(url) }
        #expect(error?.description.hasPrefix("--queue") ?? false)
        #expect(error?.description.contains(says) ?? false, "\(error?.description ?? "")")
        #expect(!(error?.description.contains("secret") ?? true))
    }
}
