import Glibc
import Semel

/// One file, or standard input, on its way to become messages.
final class InputStream {
    private enum Form {
        case whole([UInt8])
        case split(Splitter)
    }

    let descriptor: CInt
    private let name: String
    private var form: Form
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var unused = 0..<0

    init(standardInput separator: BodySource.Separator?) {
        descriptor = STDIN_FILENO
        name = "standard input"
        form = separator.map { .split(Splitter($0)) } ?? .whole([])
    }

    init(file path: String, _ separator: BodySource.Separator?) throws(SystemError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        name = path
        form = separator.map { .split(Splitter($0)) } ?? .whole([])
        if descriptor < 0 { throw SystemError(doing: "open \(path)") }
    }

    deinit {
        if descriptor > STDIN_FILENO { close(descriptor) }
        piece.deallocate()
    }

    /// Whether everything that was read is in a message.
    var isUsedUp: Bool { unused.isEmpty }

    /// Returns `false` at the end.
    func readMore() throws(SystemError) -> Bool {
        while true {
            let count = read(descriptor, piece.baseAddress, piece.count)
            if count >= 0 {
                unused = 0..<count
                return count > 0
            }
            if errno != EINTR { throw SystemError(doing: "read \(name)") }
        }
    }

    /// Puts what was read into the window, until that is full.
    func take(into window: inout Window, _ template: MessageTemplate) {
        let bytes = UnsafeRawBufferPointer(rebasing: piece[unused])
        switch form {
        case .whole(var body):
            // The only reference, so that it grows in place.
            form = .whole([])
            body.append(contentsOf: bytes)
            form = .whole(body)
            window.inputBytes += bytes.count
            unused = 0..<0
        case .split(var splitter):
            form = .whole([])
            let used = splitter.cut(bytes, into: &window, template)
            form = .split(splitter)
            unused = unused.lowerBound + used..<unused.upperBound
        }
    }

    /// At the end: the message that is not in the window yet.
    func finish(into window: inout Window, _ template: MessageTemplate) {
        switch form {
        case .whole(let body): window.append(template.message(body))
        case .split(var splitter): splitter.finish(into: &window, template)
        }
    }
}
