import Foundation
import Synchronization

/// What a process has printed on one of its streams so far; may be read while it runs.
public final class CapturedStream: Sendable {
    /// What to do with the bytes.
    public enum Mode: Sendable {
        /// Keep them all.
        case keep
        /// Only count and hash them: for outputs that are too big to keep.
        case digest
    }

    private struct Contents {
        var bytes = Data()
        var count = 0
        var hash = ContentHash()
        var ended = false
    }

    private let mode: Mode
    private let contents = Mutex(Contents())

    init(_ mode: Mode) {
        self.mode = mode
    }

    /// All bytes so far; empty when only a digest is taken.
    public var bytes: [UInt8] { contents.withLock { Array($0.bytes) } }

    /// All bytes so far as text.
    public var text: String { contents.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// The lines so far, an unfinished last one included.
    public var lines: [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" {
            lines.removeLast()
        }
        return lines
    }

    /// How many bytes came so far.
    public var count: Int { contents.withLock { $0.count } }

    /// The hash of the bytes so far; known in both modes.
    public var hash: ContentHash {
        contents.withLock { contents in
            guard mode == .keep else { return contents.hash }
            var hash = ContentHash()
            contents.bytes.withUnsafeBytes { hash.update($0) }
            return hash
        }
    }

    /// Whether the last writer has closed the stream.
    public var isAtEnd: Bool { contents.withLock { $0.ended } }

    /// Whether the text has been printed, from an offset on: so that a waiting caller need not search twice.
    func contains(_ text: Data, from offset: Int) -> (found: Bool, count: Int) {
        contents.withLock { contents in
            let start = max(0, min(offset - text.count + 1, contents.bytes.count))
            let found = contents.bytes.range(of: text, in: start..<contents.bytes.count) != nil
            return (found, contents.bytes.count)
        }
    }

    /// The last few kilobytes, for error messages.
    var tail: String {
        contents.withLock { contents in
            guard mode == .keep else { return "(\(contents.count) bytes, not kept)" }
            guard contents.count > 0 else { return "(nothing)" }
            return String(decoding: contents.bytes.suffix(4096), as: UTF8.self)
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        contents.withLock { contents in
            contents.count += bytes.count
            switch mode {
            case .keep:
                if let base = bytes.baseAddress {
                    contents.bytes.append(base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
                }
            case .digest: contents.hash.update(bytes)
            }
        }
    }

    func end() {
        contents.withLock { $0.ended = true }
    }
}
