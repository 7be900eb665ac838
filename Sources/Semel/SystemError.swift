import Glibc

/// A system call that failed: what was being done, and why it did not work.
public struct SystemError: Error, Sendable, CustomStringConvertible {
    public let doing: String
    public let code: CInt

    public init(doing: String, code: CInt) {
        self.doing = doing
        self.code = code
    }

    /// With the calling thread's `errno`.
    public init(doing: String) {
        self.init(doing: doing, code: errno)
    }

    /// `cannot open /x: Permission denied`
    public var description: String {
        "cannot \(doing): \(String(cString: strerror(code)))"
    }
}
