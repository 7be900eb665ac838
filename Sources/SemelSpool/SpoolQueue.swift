import FoundationEssentials
import Glibc
public import Logging
public import Semel

/// A queue in a directory, for one machine: claimed by a lock and a rename, held as long as the process lives.
///
/// The rooms are described at `SpoolName`. Any file moved into `ready/` is a message.
public actor SpoolQueue: MessageQueue {
    public nonisolated let name: String
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let directory: SpoolDirectory
    private let log: Logger
    private var passedOver: Set<String> = []

    /// A worker that died lets go of its lock, which nobody is told of.
    private static let orphanCheck = Duration.seconds(1)

    public init(_ address: SpoolAddress, log: Logger) throws(SystemError) {
        name = address.name
        directory = SpoolDirectory(address)
        thread = try ThreadExecutor("semel-spool")
        self.log = log
    }

    public func claim(_ request: ClaimRequest) async throws(QueueFailure) -> (any Claim)? {
        try directory.prepare(creatingRoot: false)
        let cancelled = OneShot<Void>()
        // This method blocks its thread while it waits, as system calls do, so the wish to stop comes from outside.
        let result = await withTaskCancellationHandler {
            Result { () throws(QueueFailure) in try waitForClaim(request, cancelled: cancelled) }
        } onCancel: {
            cancelled.fulfil(())
            thread.interrupt()
        }
        return try result.get()
    }

    public func close() async {
        thread.stop()
    }

    private func waitForClaim(_ request: ClaimRequest, cancelled: OneShot<Void>) throws(QueueFailure) -> SpoolClaim? {
        let end: ContinuousClock.Instant? = if case .upTo(let limit) = request.wait { .now + limit } else { nil }
        // Most workers are started because there is something; to watch costs milliseconds in the end.
        if let claim = try take(request).claim { return claim }
        request.onConnected?()
        if let end, end <= .now { return nil }
        // Watching begins before the next look, so that nothing can come between the two unseen.
        let changes = try DirectoryWatch([directory.path(.ready), directory.path(.delayed)])
        while true {
            let found = try take(request)
            if let claim = found.claim { return claim }
            if cancelled.value != nil { return nil }
            let now = ContinuousClock.now
            if let end, now >= end { return nil }
            let moments = [end, found.nextDue.map { now + ($0 - .now) }, now + Self.orphanCheck].compactMap { $0 }
            _ = thread.wait(for: changes.descriptor, until: moments.min())
            changes.clear()
        }
    }

    /// One look at everything that can be claimed: what a dead worker left, what is due again, what is new.
    private func take(_ request: ClaimRequest) throws(QueueFailure) -> (claim: SpoolClaim?, nextDue: Timestamp?) {
        for entry in try directory.entries(of: .claimed) {
            let name = SpoolName(reading: entry.name, delayed: false)
            if let claim = try take(directory.path(.claimed, entry.name), name, request) {
                log.warning(
                    "found a message that its worker did not settle", metadata: ["messageId": "\(claim.message.id)"])
                return (claim, nil)
            }
        }
        var nextDue: Timestamp?
        // All of them: a window of a directory knows nothing of the earliest.
        for entry in try directory.entries(of: directory.path(.delayed), atMost: .max) {
            let name = SpoolName(reading: entry.name, delayed: true)
            if let due = name.due, due > .now {
                nextDue = due
                break
            }
            if let claim = try take(directory.path(.delayed, entry.name), name, request) { return (claim, nil) }
        }
        return (try takeReady(directory.path(.ready), request), nextDue)
    }

    private func takeReady(_ folder: String, _ request: ClaimRequest) throws(QueueFailure) -> SpoolClaim? {
        for entry in try directory.entries(of: folder) {
            let path = "\(folder)/\(entry.name)"
            if entry.isDirectory {
                if let claim = try takeReady(path, request) { return claim }
                // Empty batches are swept up by whoever finds them; one that is not empty stays.
                rmdir(path)
            } else if let claim = try take(path, SpoolName(base: entry.name), request) {
                return claim
            }
        }
        return nil
    }

    private func take(_ file: String, _ name: SpoolName, _ request: ClaimRequest) throws(QueueFailure) -> SpoolClaim? {
        guard let locked = try lock(file) else { return nil }
        var name = SpoolName(base: SpoolMeta.freeOfSuffixes(name.base), attemptsUsed: name.attemptsUsed + 1)
        let attempt = name.attemptsUsed
        let room: SpoolDirectory.Room = request.delivery == .atMostOnce ? .done : .claimed
        if room == .done { name.attemptsUsed = 0 }
        do throws(SystemError) {
            name = try directory.move(file, to: room, as: name)
            if room == .done { try directory.sync(.done) }
        } catch {
            if error.code == ENOENT { return nil }
            // With the number of the attempt.
            guard error.code == ENAMETOOLONG else { throw directory.failure(error) }
            passOver(file, because: "its name is too long")
            return nil
        }
        return try claim(name, attempt, in: room, locked)
    }

    private func lock(_ file: String) throws(QueueFailure) -> SpoolFile? {
        do throws(QueueFailure) {
            let locked = try directory.lock(file)
            // What was not UTF-8 was repaired when it was read, and is no file's name any more.
            if locked == nil, file.unicodeScalars.contains("\u{FFFD}"), access(file, F_OK) != 0 {
                passOver(file, because: "its name is not UTF-8")
            }
            return locked
        } catch {
            guard access(file, R_OK) != 0, errno == EACCES else { throw error }
            passOver(file, because: "it may not be read")
            return nil
        }
    }

    /// One file that cannot be a message must not stop the others. It is told of once.
    private func passOver(_ file: String, because reason: String) {
        guard passedOver.insert(file).inserted else { return }
        log.error("passed over: \(reason)", metadata: ["file": "\(file)"])
    }

    private func claim(
        _ name: SpoolName, _ attempt: Int, in room: SpoolDirectory.Room, _ locked: SpoolFile
    ) throws(QueueFailure) -> SpoolClaim {
        // Opened a second time: a lock belongs to an opening, and the task gets this one as its standard input.
        let reading = open(directory.path(room, name.text), O_RDONLY | O_CLOEXEC)
        guard reading >= 0 else { throw directory.failure("open \(directory.path(room, name.text))") }
        let meta = SpoolMeta.read(from: directory, base: name.base)
        let message = Message(
            id: meta?.id ?? name.base, body: MessageBody(adopting: reading, count: locked.size),
            contentType: meta?.contentType, headers: meta?.headers ?? [:], attempt: attempt)
        return SpoolClaim(queue: self, message: message, name: name, room: room, lock: locked)
    }

    /// The claim's end, on this queue's thread.
    fileprivate func settle(_ claim: SpoolClaim, _ settlement: Settlement) throws(SettlementFailure) {
        let file = directory.path(claim.room, claim.name.text)
        guard claim.lock.isStill(at: file) else {
            throw .lost(ClaimLoss("\(file) was taken away"))
        }
        let room: SpoolDirectory.Room
        do throws(SystemError) {
            room = try move(file, claim, settlement)
        } catch {
            // The file stays where it is, and the lock goes with this process: the next worker takes it.
            throw .handedBack("spool: \(error)")
        }
        // At once: whoever waits for this message has been woken by the move.
        claim.lock.release()
        do throws(SystemError) {
            try directory.sync(room)
        } catch {
            log.warning("the settlement may not outlive this machine", metadata: ["reason": "\(error)"])
        }
    }

    /// Returns the room that the message is in now.
    private func move(_ file: String, _ claim: SpoolClaim, _ settlement: Settlement) throws(SystemError)
        -> SpoolDirectory.Room
    {
        let base = claim.name.base
        switch settlement {
        case .complete(let result):
            let name = claim.room == .done ? claim.name : freeName(base, in: .done)
            if let result {
                try directory.publish(result.bytes(), as: name.base + SpoolMeta.resultSuffix, in: .done)
            }
            if claim.room != .done { try directory.move(file, to: .done, as: name) }
            return .done
        case .retry(let delay):
            let due = SpoolName(base: base, attemptsUsed: claim.message.attempt, due: .now + delay)
            try directory.move(file, to: .delayed, as: due)
            return .delayed
        case .release:
            let used = claim.message.attempt - 1
            if used == 0 {
                try directory.move(file, to: .ready, as: SpoolName(base: base))
                return .ready
            }
            // Due at once, and not in ready/, where the attempts before this one could not be written down.
            try directory.move(file, to: .delayed, as: SpoolName(base: base, attemptsUsed: used, due: .now))
            return .delayed
        case .deadLetter(let letter):
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let reason = (try? encoder.encode(letter)).map { Array($0) } ?? []
            let name = freeName(base, in: .dead)
            // The reason first: a dead letter without one would be a riddle.
            try directory.write(reason, to: directory.path(.dead, name.base + SpoolMeta.reasonSuffix), syncing: true)
            try directory.move(file, to: .dead, as: name)
            return .dead
        }
    }

    /// The name that a message will have in a room, so that what belongs to it can be written beforehand under the same.
    private func freeName(_ base: String, in room: SpoolDirectory.Room) -> SpoolName {
        let isTaken = access(directory.path(room, base), F_OK) == 0
        return SpoolName(base: isTaken ? "\(base).\(SpoolName.suffix())" : base)
    }
}

struct SpoolClaim: Claim {
    let queue: SpoolQueue
    let message: Message
    let lease: Duration? = nil
    /// Never set: nothing but the end of the process takes a lock away.
    let loss = OneShot<ClaimLoss>()
    let name: SpoolName
    let room: SpoolDirectory.Room
    let lock: SpoolFile

    func settle(_ settlement: Settlement) async throws(SettlementFailure) {
        try await queue.settle(self, settlement)
    }
}
