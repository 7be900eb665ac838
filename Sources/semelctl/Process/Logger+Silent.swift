import Logging

extension Logger {
    /// An operator's command says what it has to say itself, in one line.
    static let silent = Logger(label: "semelctl") { _ in SwiftLogNoOpLogHandler() }
}
