import Logging
import Semel
import SemelQueues
import Synchronization

/// A queue's dead letters as they were seen last, oldest first.
struct DeadLetterShelf: Sendable {
    struct Letter: Sendable {
        var stored: StoredDeadLetter
        /// Of the body.
        var bytes: Int
        /// Where all letters together are too large, body, output and headers are not kept.
        var isWhole: Bool
    }

    static let mostLetters = 10_000
    /// Bodies come with their letters, so that it is them that a look costs.
    static let mostRead = 256 << 20
    private static let mostKept = 16 << 20

    private(set) var letters: [Letter] = []
    var time = Timestamp.now
    /// There are more than are shown.
    var hasMore = false
    /// Letters are still being read.
    var isGrowing = true
    var problem: String?
    private var read = 0
    private var kept = 0

    /// As much as one look may cost was read.
    var isFull: Bool { letters.count >= Self.mostLetters || read >= Self.mostRead }

    mutating func add(_ letter: StoredDeadLetter) {
        var entry = Letter(stored: letter, bytes: letter.body.count, isWhole: true)
        let size =
            letter.body.count + letter.letter.output.reduce(0) { $0 + $1.utf8.count }
            + letter.headers.reduce(0) { $0 + $1.key.utf8.count + JSONLine.of($1.value).utf8.count }
        read += size
        if kept + size > Self.mostKept {
            entry.isWhole = false
            entry.stored.body = []
            entry.stored.letter.output = []
            entry.stored.headers = [:]
        } else {
            kept += size
        }
        letters.append(entry)
    }
}

/// Shows and changes the dead letters of one queue.
///
/// Brokers have no way of looking without taking: while one look or change goes on, others find nothing. So they come one
/// after the other, and what was seen is shown for some seconds.
final class DeadLetterDesk: Sendable {
    let shelf: LiveReading<DeadLetterShelf>
    private let visitor: LetterVisitor
    private let last = LastShelf()

    /// When so many are read, they are shown: a page of them is soon there, and the others follow.
    private static let steps: Set = [Paging.size, 10 * Paging.size, 100 * Paging.size]

    init(_ queue: ConsoleQueue, log: Logger) {
        let visitor = LetterVisitor(queue: queue, log: log)
        self.visitor = visitor
        let last = self.last
        shelf = LiveReading(.init(watched: .seconds(5), attention: .zero, unwatched: nil)) { show in
            let growing = Mutex(DeadLetterShelf())
            do throws(QueueFailure) {
                try await visitor.visit { letter -> DeadLetterAction in
                    growing.withLock { shelf -> DeadLetterAction in
                        guard !shelf.isFull else {
                            shelf.hasMore = true
                            return .stop
                        }
                        shelf.add(letter)
                        if Self.steps.contains(shelf.letters.count) { show(shelf) }
                        return .keep
                    }
                }
                growing.withLock { $0.isGrowing = false }
            } catch {
                // What was seen before is better than nothing.
                let reason = error.reason
                return last.shelf.withLock { last in
                    last.problem = reason
                    last.isGrowing = false
                    return last
                }
            }
            return last.keep(growing)
        }
    }

    func run() async {
        await shelf.run()
    }

    /// The whole letter; `nil` when there is none with this id any more.
    func letter(_ id: String) async throws(QueueFailure) -> StoredDeadLetter? {
        let selection = DeadLetterSelection(ids: [id])
        guard let seen = await shelf.latest() else {
            throw .unreachable("the dead letters are still being read; ask again in a moment")
        }
        let known = seen.letters.first { selection.contains($0.stored) }
        if let known, known.isWhole { return known.stored }
        if let problem = seen.problem { throw .unreachable(problem) }
        let found = OneShot<StoredDeadLetter>()
        try await visitor.visit { letter in
            guard selection.contains(letter) else { return .keep }
            found.fulfil(letter)
            return .stop
        }
        return found.value
    }

    /// Returns how many were changed: those that are gone already are not. All letters are looked at, since several may have
    /// the same id, and some may have come after those that were seen.
    ///
    /// - Parameter changed: Knows how many also when this throws half way.
    func change(
        _ selection: DeadLetterSelection, _ action: DeadLetterAction, counting changed: ChangeCount = ChangeCount()
    ) async throws(QueueFailure) -> Int {
        let begun = ContinuousClock.now
        let left = Mutex(DeadLetterShelf())
        try await visitor.visit { letter in
            changed.isDone()
            guard !selection.contains(letter) else {
                changed.begin()
                return action
            }
            left.withLock { left in
                if left.isFull { left.hasMore = true } else { left.add(letter) }
            }
            return .keep
        }
        changed.isDone()
        left.withLock { $0.isGrowing = false }
        shelf.show(last.keep(left), of: begun)
        return changed.value
    }
}

/// For when nothing can be read.
private final class LastShelf: Sendable {
    let shelf = Mutex(DeadLetterShelf())

    func keep(_ new: borrowing Mutex<DeadLetterShelf>) -> DeadLetterShelf {
        let new = new.withLock { $0 }
        shelf.withLock { $0 = new }
        return new
    }
}

/// A change counts when the next letter is looked at, or all are through: before that it may still fail.
final class ChangeCount: Sendable {
    private let count = Mutex((done: 0, begun: 0))

    var value: Int { count.withLock { $0.done } }

    fileprivate func begin() {
        count.withLock { $0.begun += 1 }
    }

    fileprivate func isDone() {
        count.withLock { $0.done = $0.begun }
    }
}

private struct LetterVisitor: Sendable {
    let queue: ConsoleQueue
    let log: Logger
    private let turns = OneAtATime()

    init(queue: ConsoleQueue, log: Logger) {
        (self.queue, self.log) = (queue, log)
    }

    func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure) {
        try await turns.run { () async throws(QueueFailure) in
            guard !Task.isCancelled else { throw .unreachable("the console is being stopped") }
            let store: any DeadLetterStore
            do throws(SystemError) {
                store = try queue.address.deadLetters(log: log)
            } catch {
                throw QueueFailure.unreachable(error.description)
            }
            do throws(QueueFailure) {
                try await store.visit(decide)
            } catch {
                await store.close()
                throw error
            }
            await store.close()
        }
    }
}
