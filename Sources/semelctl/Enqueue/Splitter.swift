import Glibc
import Semel

/// Messages that go to the queue together.
struct Window: Sendable {
    /// Large enough that a round trip for each costs nothing, small enough that two of them are little memory.
    private static let mostMessages = 10_000
    private static let mostBytes = 4 << 20

    private(set) var messages: [OutgoingMessage] = []
    private(set) var bodyBytes = 0
    /// Read from the input for them, separators included.
    var inputBytes = 0

    var isFull: Bool { messages.count >= Self.mostMessages || bodyBytes >= Self.mostBytes }

    mutating func append(_ message: OutgoingMessage) {
        messages.append(message)
        bodyBytes += message.body.count
    }
}

/// Cuts a stream of bytes at a separator. What is behind the last one so far is kept for the next piece.
struct Splitter {
    private let separator: BodySource.Separator
    private var rest: [UInt8] = []

    init(_ separator: BodySource.Separator) {
        self.separator = separator
    }

    private var byte: CInt { separator == .lineFeed ? 10 : 0 }

    /// Cuts until the window is full. Returns how many bytes it used.
    mutating func cut(_ bytes: UnsafeRawBufferPointer, into window: inout Window, _ template: MessageTemplate) -> Int {
        var used = 0
        while used < bytes.count, !window.isFull, let start = bytes.baseAddress.map({ $0 + used }) {
            let left = bytes.count - used
            guard let end = memchr(start, byte, left) else {
                rest.append(contentsOf: UnsafeRawBufferPointer(start: start, count: left))
                used += left
                break
            }
            let length = UnsafeRawPointer(end) - start
            append(UnsafeRawBufferPointer(start: start, count: length), to: &window, template)
            used += length + 1
        }
        window.inputBytes += used
        return used
    }

    /// The last message need not end with a separator.
    mutating func finish(into window: inout Window, _ template: MessageTemplate) {
        if !rest.isEmpty { append(UnsafeRawBufferPointer(start: nil, count: 0), to: &window, template) }
    }

    private mutating func append(_ end: UnsafeRawBufferPointer, to window: inout Window, _ template: MessageTemplate) {
        if rest.isEmpty {
            if end.isEmpty && separator == .lineFeed { return }
            window.append(template.message(Array(end)))
        } else {
            rest.append(contentsOf: end)
            window.append(template.message(rest))
            rest = []
        }
    }
}
