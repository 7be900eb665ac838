import Glibc
import Semel

/// How the task gets the message's body.
public enum InputMode: String, Sendable, CaseIterable {
    case stdin
    case file
    case none
}

/// The body as one of the task's inputs; what it created is gone when it goes.
final class TaskInput: Sendable {
    /// For the task's standard input.
    let descriptor: CInt
    /// For `SEMEL_MESSAGE_FILE`.
    let file: String?
    private let directory: String?
    private let ownsDescriptor: Bool

    init(_ mode: InputMode, body: MessageBody, temporaryDirectory: String) throws(SystemError) {
        guard mode != .stdin else {
            (descriptor, ownsDescriptor, file, directory) = (body.descriptor, false, nil, nil)
            return
        }
        let written: (file: String, directory: String)? =
            mode == .file ? try Self.write(body, into: temporaryDirectory) : nil
        (file, directory) = (written?.file, written?.directory)
        descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        ownsDescriptor = true
        if descriptor < 0 { throw SystemError(doing: "open /dev/null") }
    }

    deinit {
        if ownsDescriptor { close(descriptor) }
        if let file { unlink(file) }
        if let directory { rmdir(directory) }
    }

    /// A directory that only this user can enter, with the body in it.
    private static func write(_ body: MessageBody, into parent: String) throws(SystemError) -> (
        file: String, directory: String
    ) {
        var template = Array("\(parent)/semel-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(doing: "create a directory in \(parent)") }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = directory + "/message"
        do throws(SystemError) {
            try copy(body, to: file)
        } catch {
            unlink(file)
            rmdir(directory)
            throw error
        }
        return (file, directory)
    }

    private static func copy(_ body: MessageBody, to file: String) throws(SystemError) {
        let target = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw SystemError(doing: "create \(file)") }
        defer { close(target) }
        var offset: off_t = 0
        while offset < body.count {
            let count = sendfile(target, body.descriptor, &offset, body.count - Int(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError(doing: "write \(file)", code: count == 0 ? EIO : errno) }
        }
    }
}
