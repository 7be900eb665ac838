/// Lets only so many in at once, in the order of their coming, so that a wide one is not passed by for ever.
public actor Gate {
    private var free: Int
    private var queue: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    public init(places: Int) {
        free = places
    }

    /// Does something in so many of the places.
    public nonisolated func pass(
        _ count: Int = 1, _ body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await enter(count)
        do {
            try await body()
        } catch {
            await leave(count)
            throw error
        }
        await leave(count)
    }

    private func enter(_ count: Int) async {
        if queue.isEmpty && free >= count {
            free -= count
        } else {
            await withCheckedContinuation { queue.append((count, $0)) }
        }
    }

    private func leave(_ count: Int) {
        free += count
        while let next = queue.first, free >= next.count {
            free -= next.count
            queue.removeFirst().continuation.resume()
        }
    }
}
