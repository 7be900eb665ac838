/// `minReplicaCount` and `maxReplicaCount` as KEDA understands them, which is not as they read.
public struct ReplicaLimits: Sendable, Hashable {
    /// KEDA's `MinReplicaCount()`: how many unfinished Jobs there always are, whatever the queue says. Never more than the
    /// maximum that was written.
    public let minimum: Int64
    /// KEDA's `MaxReplicaCount()`, written X in formulas: how many Jobs there may be beside the minimum.
    public let room: Int64

    /// - Parameters:
    ///   - minimum: `spec.minReplicaCount`, `nil` when it is not written.
    ///   - maximum: `spec.maxReplicaCount`, `nil` when it is not written. X is 100 then, with any minimum.
    public init(minimum: Int32?, maximum: Int32?) {
        guard let maximum = maximum.map({ Int64($0) }) else {
            self.minimum = Int64(minimum ?? 0)
            room = 100
            return
        }
        if let minimum, minimum > maximum {
            // The minimum is cut to the maximum, and then not taken off it: in all there may be twice the maximum.
            self.minimum = maximum
            room = maximum
        } else {
            self.minimum = Int64(minimum ?? 0)
            room = maximum - self.minimum
        }
    }

    /// The most Jobs that these limits let be unfinished at a time, with every strategy but `custom`.
    public var total: Int64 { minimum + room }
}
