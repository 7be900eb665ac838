import Glibc
public import Semel

/// Writes messages into a spool, which it makes when there is none.
public actor SpoolProducer: MessageProducer {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let directory: SpoolDirectory
    private var counter = 0

    /// Messages that are queued together share a directory, so that `ready/` stays short and a claim cheap.
    public static let batchSize = 1_000

    public init(_ address: SpoolAddress) throws(SystemError) {
        directory = SpoolDirectory(address)
        thread = try ThreadExecutor("semel-spool")
    }

    public func enqueue(_ messages: [OutgoingMessage]) async throws(QueueFailure) {
        try directory.prepare(creatingRoot: true)
        do throws(SystemError) {
            if messages.count == 1, let message = messages.first {
                _ = try put(message)
                return
            }
            var rest = messages[...]
            while !rest.isEmpty {
                try enqueue(batch: rest.prefix(Self.batchSize))
                rest = rest.dropFirst(Self.batchSize)
            }
        } catch {
            throw directory.failure(error)
        }
    }

    public func close() async {
        thread.stop()
    }

    /// One message, made ready. Returns its name, and its file, wherever that is moved to.
    func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) -> (name: String, file: SpoolFile) {
        try directory.prepare(creatingRoot: true)
        do throws(SystemError) { return try put(message) } catch { throw directory.failure(error) }
    }

    private func put(_ message: OutgoingMessage) throws(SystemError) -> (name: String, file: SpoolFile) {
        let name = nextName()
        let incoming = directory.path(.incoming, name)
        try writeMeta(of: message, name)
        try directory.write(message.body, to: incoming, syncing: true)
        let descriptor = open(incoming, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(doing: "open \(incoming)") }
        let file = SpoolFile(descriptor: descriptor)
        try directory.move(incoming, to: .ready, as: SpoolName(base: name))
        try directory.sync(.ready)
        return (name, file)
    }

    private func enqueue(batch: ArraySlice<OutgoingMessage>) throws(SystemError) {
        let folder = nextName()
        let incoming = directory.path(.incoming, folder)
        guard mkdir(incoming, 0o777) == 0 else { throw SystemError(doing: "create \(incoming)") }
        for message in batch {
            let name = nextName()
            try writeMeta(of: message, name)
            try directory.write(message.body, to: "\(incoming)/\(name)", syncing: false)
        }
        // One write to the disk for all of them, instead of one for each.
        try directory.syncAll()
        try directory.move(incoming, to: .ready, as: SpoolName(base: folder))
        try directory.sync(.ready)
    }

    private func writeMeta(of message: OutgoingMessage, _ name: String) throws(SystemError) {
        guard let meta = SpoolMeta(message) else { return }
        try directory.write(meta.encoded(), to: SpoolMeta.path(in: directory, base: name), syncing: true)
    }

    private func nextName() -> String {
        counter += 1
        return SpoolName.fresh(counter)
    }
}

/// Counts what is in a spool.
public actor SpoolInspector: QueueInspector {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let directory: SpoolDirectory

    public init(_ address: SpoolAddress) throws(SystemError) {
        directory = SpoolDirectory(address)
        thread = try ThreadExecutor("semel-spool")
    }

    public func counts() async throws(QueueFailure) -> QueueCounts {
        try directory.prepare(creatingRoot: false)
        let ready = try ready(in: directory.path(.ready))
        let dead = try directory.entries(of: directory.path(.dead), atMost: .max)
        let delayed = try directory.entries(of: directory.path(.delayed), atMost: .max)
        return QueueCounts(
            ready: ready.count, claimed: try directory.entries(of: directory.path(.claimed), atMost: .max).count,
            delayed: delayed.count,
            dead: dead.count { !$0.name.hasSuffix(SpoolMeta.reasonSuffix) },
            oldestSeconds: ready.oldest.map { max(0, (Timestamp.now - $0).seconds) })
    }

    public func close() async {
        thread.stop()
    }

    private func ready(in folder: String) throws(QueueFailure) -> (count: Int, oldest: Timestamp?) {
        var count = 0
        var oldest: Timestamp?
        for entry in try directory.entries(of: folder, atMost: .max) {
            let path = "\(folder)/\(entry.name)"
            if entry.isDirectory {
                let inner = try ready(in: path)
                count += inner.count
                oldest = [oldest, inner.oldest].compactMap { $0 }.min()
            } else {
                count += 1
                oldest = [oldest, modified(path)].compactMap { $0 }.min()
            }
        }
        return (count, oldest)
    }

    private func modified(_ path: String) -> Timestamp? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return Timestamp(milliseconds: Int64(facts.st_mtim.tv_sec) * 1_000 + Int64(facts.st_mtim.tv_nsec) / 1_000_000)
    }
}
