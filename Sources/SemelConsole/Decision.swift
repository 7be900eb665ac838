/// What KEDA would do for a ScaledJob at this moment, and why.
public struct DecisionDocument: Encodable, Sendable {
    public var scaledJob: String
    /// How many Jobs are created in this poll.
    public var create: Int64
    /// Unfinished Jobs that it was reckoned with, pending ones included.
    public var running: Int
    public var pending: Int
    /// What `semelctl explain --json` prints, of which the above is a part.
    public var explanation: any Encodable & Sendable
    /// What could not be read, and was left out as KEDA does.
    public var problems: [String]
    /// Step by step, for people.
    public var text: String

    public init(
        scaledJob: String, create: Int64, running: Int, pending: Int, explanation: any Encodable & Sendable,
        problems: [String], text: String
    ) {
        (self.scaledJob, self.create, self.running) = (scaledJob, create, running)
        (self.pending, self.explanation, self.problems, self.text) = (pending, explanation, problems, text)
    }

    private enum CodingKeys: CodingKey {
        case problems, text
    }

    /// The explanation, and beside its fields what is known only here.
    public func encode(to encoder: any Encoder) throws {
        try explanation.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(problems, forKey: .problems)
        try container.encode(text, forKey: .text)
    }
}

public protocol DecisionSource: Sendable {
    /// - Parameter jobs: Unfinished Jobs by the name of their ScaledJob, and how many of them are pending; `nil` when nobody
    ///   knows.
    func decisions(jobs: [String: (running: Int, pending: Int)]?) async -> [DecisionDocument]
}
