/// What KEDA would do for a ScaledJob at this moment, and why.
public struct DecisionDocument: Encodable, Sendable {
    public var scaledJob: String
    /// How many Jobs are created in this poll.
    public var create: Int64
    /// Unfinished Jobs that it was reckoned with, pending ones included.
    public var running: Int
    public var pending: Int
    /// What could not be read, and was left out as KEDA does.
    public var problems: [String]
    /// Step by step, for people.
    public var text: String

    public init(
        scaledJob: String, create: Int64, running: Int, pending: Int, problems: [String], text: String
    ) {
        (self.scaledJob, self.create, self.running) = (scaledJob, create, running)
        (self.pending, self.problems, self.text) = (pending, problems, text)
    }
}

public protocol DecisionSource: Sendable {
    /// - Parameter jobs: Unfinished Jobs by the name of their ScaledJob, and how many of them are pending; `nil` when nobody
    ///   knows.
    func decisions(jobs: [String: (running: Int, pending: Int)]?) async -> [DecisionDocument]
}
