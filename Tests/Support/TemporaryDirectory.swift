public import Foundation
import Glibc
import Synchronization

/// A new directory that is removed with everything in it: by `remove()`, with its last reference, or, should the
/// test process be killed, by the watchdog.
public final class TemporaryDirectory: Sendable {
    public let url: URL
    private let removed = Mutex(false)

    public var path: String { url.path }

    /// - Parameter base: the directory that it is made in, which is `TMPDIR` without one.
    public init(_ name: String = "test", in base: String? = nil) throws {
        let watchdog = try Watchdog.shared()
        let place = base.map { "\($0)/semel-" } ?? "\(watchdog.directory)/"
        var template = Array("\(place)\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SupportError.system("temporary directory", errno)
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if base != nil { watchdog.removeAtEnd(path) }
        url = URL(fileURLWithPath: path, isDirectory: true)
    }

    deinit {
        remove()
    }

    /// The path of a file or folder in this directory.
    public func path(_ name: String) -> String {
        path + "/" + name
    }

    /// Writes a file into this directory and gives its path.
    @discardableResult
    public func write(_ contents: String, to name: String, mode: Int = 0o644) throws -> String {
        let file = path(name)
        try Data(contents.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        if mode & 0o111 != 0 { try Self.waitForWriters(of: file) }
        return file
    }

    /// A child that another thread starts just now has the descriptor until it becomes its program, and nobody can run a file
    /// that is open for writing (ETXTBSY). A read lease is given only when there is no writer.
    private static func waitForWriters(of file: String) throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SupportError.system("open \(file)", errno) }
        defer { close(descriptor) }
        // F_SETLEASE, which Swift does not see. Any other error: this file system has no leases.
        let (setLease, end) = (CInt(1024), ContinuousClock.now + .seconds(10))
        while fcntl(descriptor, setLease, F_RDLCK) != 0, errno == EAGAIN {
            guard .now < end else { throw SupportError("\(file): somebody keeps it open for writing") }
            usleep(1_000)
        }
        _ = fcntl(descriptor, setLease, F_UNLCK)
    }

    public func remove() {
        let first = removed.withLock { removed in
            defer { removed = true }
            return !removed
        }
        if first {
            try? FileManager.default.removeItem(at: url)
        }
    }
}
