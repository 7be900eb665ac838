/// A version of KEDA from 2.15 to 2.20, and what makes a difference between them.
public struct KEDAVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let minor: Int
    /// `nil` for the newest patch of that minor version.
    public let patch: Int?

    public static let supportedMinors = 15...20
    public static let newest = KEDAVersion(minor: 20, patch: nil)

    private init(minor: Int, patch: Int?) {
        self.minor = minor
        self.patch = patch
    }

    /// `2.20`, `2.20.1` or `v2.20.1`; `nil` for anything else, and for a version that is not known here.
    public init?(_ text: String) {
        let digits = text.hasPrefix("v") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count),
            parts.allSatisfy({ part in
                part.allSatisfy { "0"..."9" ~= $0 } && (part.count == 1 || part.first != "0")
            })
        else { return nil }
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == parts.count, numbers[0] == 2, Self.supportedMinors.contains(numbers[1]) else {
            return nil
        }
        self.init(minor: numbers[1], patch: numbers.count == 3 ? numbers[2] : nil)
    }

    public static func < (left: KEDAVersion, right: KEDAVersion) -> Bool {
        (left.minor, left.patch ?? .max) < (right.minor, right.patch ?? .max)
    }

    public var description: String {
        "2.\(minor)" + (patch.map { ".\($0)" } ?? "")
    }

    private func isAtLeast(_ minor: Int, _ patch: Int) -> Bool {
        self >= KEDAVersion(minor: minor, patch: patch)
    }
}

extension KEDAVersion {
    /// `accurate` leaves pending Jobs out of what is compared with the maximum. Before 2.19.0 it made too many Jobs near
    /// the maximum.
    public var accurateComparesWithoutPending: Bool { isAtLeast(19, 0) }

    /// Before 2.18.0 conditions were counted over all pods of a Job together.
    public var looksForConditionsInOnePod: Bool { isAtLeast(18, 0) }

    /// Before 2.20.2 a negative metric stayed negative, and one that is no number became the smallest number.
    public var cutsNegativeMetrics: Bool { isAtLeast(20, 2) }

    /// Before 2.20.2 the operator ended with a panic when `custom` had no `customScalingQueueLengthDeduction`.
    public var toleratesMissingDeduction: Bool { isAtLeast(20, 2) }

    /// What the custom resource's schema allows for `spec.scalingStrategy.strategy`; `nil` when it is a free string.
    public var allowedStrategies: [String]? {
        if isAtLeast(20, 2) { return ["default", "custom", "accurate", "eager"] }
        return isAtLeast(20, 0) ? ["custom", "accurate", "eager"] : nil
    }

    /// What the custom resource's schema allows for `spec.rollout.strategy`; `nil` when it is a free string.
    public var allowedRollouts: [String]? {
        isAtLeast(20, 0) ? ["gradual", "immediate"] : nil
    }
}
