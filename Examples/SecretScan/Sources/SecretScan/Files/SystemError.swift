import Glibc

/// A failed system call, with the system's own words for it.
struct SystemError: Error, CustomStringConvertible, Equatable {
    let code: Int32

    /// The error that the last system call of this thread left behind.
    static var last: SystemError { SystemError(code: errno) }

    var description: String {
        var buffer = [CChar](repeating: 0, count: 256)
        // The reentrant form, because `strerror` may hand out a buffer that another thread is writing to.
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the path leads nowhere, as opposed to somewhere that cannot be read now.
    var meansNoSuchPath: Bool {
        [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG].contains(code)
    }
}
