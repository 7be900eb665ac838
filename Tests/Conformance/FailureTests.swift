import Semel
import SemelQueues
import TestSupport
import Testing

/// Who asks for a queue that cannot be had is told why, in a way that has an exit code.
@Suite(.gated, .timeLimit(.minutes(5)))
struct FailureTests {
    /// Everything that asks a queue for something.
    enum Way: String, CaseIterable, Sendable {
        case claim, claimWaiting, produce, request, inspect, visit

        func ask(_ address: QueueAddress) async throws {
            switch self {
            case .claim: _ = try await address.adapter().claim(.now)
            case .claimWaiting: _ = try await address.adapter().claim(.soon)
            case .produce: try await address.producer(log: .silent).enqueue([OutgoingMessage(body: [1])])
            case .request: try await address.requester(log: .silent).enqueue(OutgoingMessage(body: [1]))
            case .inspect: _ = try await address.inspector().counts()
            case .visit: try await address.deadLetters(log: .silent).visit { _ in .keep }
            }
        }
    }

    enum Failure {
        case unreachable, refused, misconfigured
    }

    private func expect(
        _ failure: Failure, at url: String, _ queue: any QueueUnderTest, by ways: [Way],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for way in ways {
            let error = await #expect(throws: QueueFailure.self, "\(way)", sourceLocation: sourceLocation) {
                try await way.ask(try queue.address(url))
            }
            let kind: Failure? =
                switch error {
                case .unreachable: .unreachable
                case .refused: .refused
                case .misconfigured: .misconfigured
                case nil: nil
                }
            #expect(kind == failure, "\(way): \(String(describing: error))", sourceLocation: sourceLocation)
            let reason = error?.reason ?? ""
            #expect(reason.hasPrefix("--queue: "), "\(way): \(reason)", sourceLocation: sourceLocation)
            for secret in queue.secrets {
                #expect(!reason.contains(secret), "\(way)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: QueueKind.remote)
    func nobodyIsThere(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await expect(.unreachable, at: queue.url(at: try FreePort.next()), queue, by: Way.allCases)
    }

    @Test(arguments: QueueKind.remote)
    func wrongCredentials(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let url = try #require(queue.urlWithWrongCredentials)
        try await queue.put("a")
        try await expect(.refused, at: url, queue, by: Way.allCases)
        #expect(try await queue.left() == .oneReady)
    }

    /// To look does not make it, and dead letters may outlive their queue.
    @Test(arguments: QueueKind.allCases)
    func noSuchQueue(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        guard let url = queue.urlOfMissingQueue else {
            // Without a message it is as much there as any other.
            #expect(try await queue.claim() == nil)
            return
        }
        for _ in 1...2 { try await expect(.misconfigured, at: url, queue, by: [.claim, .claimWaiting, .inspect]) }
    }
}
