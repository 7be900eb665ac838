/// What goes wrong in the support library itself: a missing program, a server that does not start, a timeout.
public struct SupportError: Error, CustomStringConvertible, Sendable {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

extension SupportError {
    /// The last system call's failure in words.
    static func system(_ what: String, _ code: Int32) -> SupportError {
        SupportError("\(what): \(systemMessage(code))")
    }
}
