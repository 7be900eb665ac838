import Logging

extension Logger {
    /// For what is tested otherwise.
    static var silent: Logger {
        Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
    }
}
