public import Foundation

/// The termination log's line, read as strictly as a program would that somebody else wrote.
public struct TerminationReport: Decodable, Hashable, Sendable {
    public var outcome: String
    public var messageId: String?
    public var attempt: Int?
    public var taskExit: Int?
    public var seconds: Double
    public var reason: String?

    private static let names: Set = ["outcome", "messageId", "attempt", "taskExit", "seconds", "reason"]

    public init(_ log: Data) throws {
        let text = String(decoding: log, as: UTF8.self)
        guard log.count <= 4096 else { throw SupportError("the termination log has \(log.count) bytes") }
        guard text.hasSuffix("\n"), text.dropLast().allSatisfy({ !$0.isNewline }) else {
            throw SupportError("the termination log is not one line: \(text)")
        }
        let fields = try JSONSerialization.jsonObject(with: log) as? [String: Any]
        guard let fields, Set(fields.keys).isSubset(of: Self.names) else {
            throw SupportError("the termination log has fields that nobody knows: \(text)")
        }
        self = try JSONDecoder().decode(Self.self, from: log)
        guard seconds >= 0 else { throw SupportError("a time below zero: \(text)") }
    }
}
