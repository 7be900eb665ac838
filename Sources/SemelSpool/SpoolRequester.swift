import Glibc
public import Semel

/// Writes a message into a spool and watches the rooms in which it can end.
public actor SpoolRequester: MessageRequester {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let directory: SpoolDirectory
    private let producer: SpoolProducer
    private var request: (name: String, file: SpoolFile)?

    /// Not every end is a new file.
    private static let look = Duration.seconds(1)

    public init(_ address: SpoolAddress) throws(SystemError) {
        directory = SpoolDirectory(address)
        producer = try SpoolProducer(address)
        thread = try ThreadExecutor("semel-spool")
    }

    public func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) {
        request = try await producer.enqueue(message)
    }

    public func end() async throws(QueueFailure) -> RequestEnd? {
        let cancelled = OneShot<Void>()
        // This method blocks its thread while it waits, as system calls do, so the wish to stop comes from outside.
        let result = await withTaskCancellationHandler {
            Result { () throws(QueueFailure) in try waitForEnd(cancelled) }
        } onCancel: {
            cancelled.fulfil(())
            thread.interrupt()
        }
        return try result.get()
    }

    public func close() async {
        request = nil
        await producer.close()
        thread.stop()
    }

    private func waitForEnd(_ cancelled: OneShot<Void>) throws(QueueFailure) -> RequestEnd? {
        guard let (name, file) = request else { return nil }
        // Watching begins before the first look, so that nothing can come between the two unseen.
        let changes = try DirectoryWatch([directory.path(.done), directory.path(.dead)])
        while cancelled.value == nil {
            // Asked first: what was removed just now had ended before.
            let isRemoved = file.isRemoved
            if let end = try end(of: name) { return end }
            if isRemoved { return .vanished }
            _ = thread.wait(for: changes.descriptor, until: .now + Self.look)
            changes.clear()
        }
        return nil
    }

    private func end(of name: String) throws(QueueFailure) -> RequestEnd? {
        if access(directory.path(.dead, name), F_OK) == 0 {
            return .deadLettered(reason: directory.deadLetter(name).reason)
        }
        let done = directory.path(.done, name)
        guard access(done, F_OK) == 0 else { return nil }
        // At most once, a message is done before it is begun; its worker holds it until it has ended.
        let isHeld = try directory.lock(done) == nil
        let result = directory.path(.done, name + SpoolMeta.resultSuffix)
        if access(result, F_OK) == 0 {
            guard let bytes = directory.read(result, atMost: .max) else { throw directory.failure("read \(result)") }
            return .completed(result: bytes)
        }
        return isHeld ? nil : .completed(result: nil)
    }
}
