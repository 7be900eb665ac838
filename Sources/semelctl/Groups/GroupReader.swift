import Semel
import SemelGroups

/// Reads the items of one group, as messages.
actor GroupReader: WindowReader {
    private let source: any ItemSource
    private let template: MessageTemplate
    private let run: String?
    private let hasher: KeyHasher
    private var cutter = LineCutter(longest: StateKeys.longestLine)
    private var items: Items
    private var hasEnded = false

    private enum Items {
        /// The source is the state itself.
        case listed(StateBody, group: Int)
        /// The source has all items. A key that comes again is no other item.
        case hashed(BucketSet, KeyTable)
    }

    /// - Parameters:
    ///   - source: Of a state in layout `keys` its text, else all items.
    ///   - group: The group's place in the state's header.
    ///   - run: With it, each message gets an id.
    init(_ source: any ItemSource, of group: Int, in header: GroupState, template: MessageTemplate, run: String?)
        throws(SystemError)
    {
        self.source = source
        self.template = template
        self.run = run
        hasher = try KeyHasher()
        switch header.layout {
        case .keys: items = .listed(StateBody(header: header, source: source.name), group: group)
        case .buckets:
            let buckets = header.groups[group].buckets.flatMap { BucketSet($0) } ?? BucketSet()
            items = .hashed(buckets, try KeyTable(expecting: header.groups[group].items))
        }
    }

    func next() async -> Result<Window?, CommandFailure> {
        do throws(CommandFailure) {
            var window = Window()
            while !window.isFull, !hasEnded {
                guard let piece = try await source.next() else {
                    try end(&window)
                    break
                }
                try take(piece, into: &window)
            }
            return .success(window.messages.isEmpty ? nil : window)
        } catch {
            return .failure(error)
        }
    }

    nonisolated func stop() {
        source.stop()
    }

    func close() async {
        await source.close()
    }

    private func take(_ piece: [UInt8], into window: inout Window) throws(CommandFailure) {
        window.inputBytes += piece.count
        let result = piece.withUnsafeBytes { bytes in
            Result { () throws(CommandFailure) in
                try cutter.cut(bytes) { line, number throws(CommandFailure) in try take(line, number, &window) }
            }
        }
        try result.get()
    }

    private func end(_ window: inout Window) throws(CommandFailure) {
        hasEnded = true
        // What was stopped has not come to its end.
        guard Interruption.outcome == nil else { return }
        switch items {
        case .listed(let body, _): try body.checkEnd(hasRest: cutter.hasRest)
        case .hashed:
            try cutter.finish { line, number throws(CommandFailure) in try take(line, number, &window) }
        }
    }

    private func take(_ line: UnsafeRawBufferPointer, _ number: Int, _ window: inout Window) throws(CommandFailure) {
        switch items {
        case .listed(var body, let group):
            guard !hasEnded, let item = try body.key(in: line, number) else { return }
            items = .listed(body, group: group)
            if item.group == group { try append(item.key, to: &window) }
            hasEnded = item.group > group
        case .hashed(let buckets, let table):
            let key = ItemKey.key(in: line)
            guard !key.isEmpty else { return }
            if let problem = ItemKey.problem(key) { throw .badData("\(source.name):\(number): the key \(problem)") }
            let isNew = try CommandFailure.wrapping { () throws(SystemError) in
                let digest = try hasher.digest(key)
                return buckets.contains(digest.bucket) ? try table.learn(digest) : false
            }
            if isNew { try append(key, to: &window) }
        }
    }

    private func append(_ key: UnsafeRawBufferPointer, to window: inout Window) throws(CommandFailure) {
        let id = try run.map { run throws(CommandFailure) in
            let digest = try CommandFailure.wrapping { () throws(SystemError) in try hasher.digest(key) }
            return "\(run)-\(digest.text)"
        }
        window.append(template.message(Array(key), id: id))
    }
}
