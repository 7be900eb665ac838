import FoundationEssentials
import Glibc
public import Semel

/// The spool's `dead/`: a file for each body, and one for its reason.
public actor SpoolDeadLetters: DeadLetterStore {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let directory: SpoolDirectory

    public init(_ address: SpoolAddress) throws(SystemError) {
        directory = SpoolDirectory(address)
        thread = try ThreadExecutor("semel-spool")
    }

    public func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure) {
        try directory.prepare(creatingRoot: false)
        let letters = try directory.entries(of: directory.path(.dead), atMost: .max)
            .filter { !$0.isDirectory && !$0.name.hasSuffix(SpoolMeta.reasonSuffix) }
            .map { (name: $0.name, letter: directory.deadLetter($0.name)) }
            .sorted { ($0.letter.time, $0.name) < ($1.letter.time, $1.name) }
        for (name, letter) in letters {
            guard let body = directory.read(directory.path(.dead, name), atMost: .max) else { continue }
            let meta = SpoolMeta.read(from: directory, base: name)
            let stored = StoredDeadLetter(
                messageID: meta?.id ?? name, letter: letter, body: body, contentType: meta?.contentType,
                headers: meta?.headers ?? [:])
            let action = decide(stored)
            if action == .stop { return }
            do throws(SystemError) {
                try carryOut(action, name)
            } catch {
                throw directory.failure(error)
            }
        }
    }

    public func close() async {
        thread.stop()
    }

    private func carryOut(_ action: DeadLetterAction, _ name: String) throws(SystemError) {
        let file = directory.path(.dead, name)
        switch action {
        case .keep, .stop: return
        case .retry:
            try directory.move(file, to: .ready, as: SpoolName(base: name))
            try directory.sync(.ready)
        case .drop:
            unlink(file)
            unlink(SpoolMeta.path(in: directory, base: name))
        }
        unlink(file + SpoolMeta.reasonSuffix)
        try directory.sync(.dead)
    }
}

extension SpoolDirectory {
    /// Why the message of this name is in `dead/`.
    func deadLetter(_ name: String) -> DeadLetter {
        guard let bytes = read(path(.dead, name + SpoolMeta.reasonSuffix)) else { return .unknown() }
        return (try? JSONDecoder().decode(DeadLetter.self, from: Data(bytes))) ?? .unknown("its reason cannot be read")
    }
}
