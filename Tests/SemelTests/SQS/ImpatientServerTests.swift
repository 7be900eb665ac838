import NIOPosix
import Semel
import Testing

@testable import SemelSQS

/// A server that speaks as SQS does, but answers at once where it should wait for a message.
@Suite struct ImpatientServerTests {
    private func queue(at server: HTTPResponder) throws -> SQSQueue {
        let environment = AWSEnvironment(["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "S3CRET"])
        let url = "sqs:?url=\(server.url)/123456789012/scans&region=eu-central-1&endpoint=\(server.url)"
        return SQSQueue(
            try SQSAddress(QueueURL(url, source: "--queue"), environment),
            on: MultiThreadedEventLoopGroup.singleton, status: nil, log: .silent)
    }

    private func polls(of server: HTTPResponder) -> Int {
        server.questions.count { $0.headers["x-amz-target"] == "AmazonSQS.ReceiveMessage" }
    }

    @Test func itIsNotAskedAgainAndAgain() async throws {
        let server = try await HTTPResponder { _ in (200, "{}") }
        let queue = try queue(at: server)
        #expect(try await queue.claim(ClaimRequest(wait: .upTo(.seconds(2)))) == nil)
        // The pauses are of 50, 100, 200, 400, 500, 500… milliseconds at the least: on a slow machine there are fewer.
        #expect((2...9).contains(polls(of: server)), "\(polls(of: server))")
        await queue.close()
    }

    @Test func aWorkerThatDoesNotWaitAsksOnce() async throws {
        let server = try await HTTPResponder { _ in (200, "{}") }
        let queue = try queue(at: server)
        #expect(try await queue.claim(ClaimRequest(wait: .upTo(.zero))) == nil)
        #expect(polls(of: server) == 1)
        await queue.close()
    }

    @Test func thePauseEndsWhenTheWorkerIsStopped() async throws {
        let server = try await HTTPResponder { _ in (200, "{}") }
        let queue = try queue(at: server)
        let claiming = Task { try await queue.claim(ClaimRequest(wait: .forever)) }
        try await eventually("it has asked") { polls(of: server) > 1 }
        claiming.cancel()
        #expect(try await claiming.value == nil)
        await queue.close()
    }
}
