/// Random numbers that depend on the seed and on what they are for, not on what was asked before: message 7 takes as long
/// under every strategy, so that a comparison compares nothing else.
struct SeededRandom: Sendable {
    enum Purpose: UInt64 {
        case task = 1
        case crash, crashTime, podPending, claimAfter, statistics, arrival, drain
    }

    let seed: UInt64

    /// - Returns: From 0, inclusive, to 1, exclusive.
    func unit(_ purpose: Purpose, _ index: Int, _ turn: Int = 0) -> Double {
        Double(word(purpose, index, turn) >> 11) * 0x1p-53
    }

    func word(_ purpose: Purpose, _ index: Int, _ turn: Int = 0) -> UInt64 {
        var state = Self.mixed(seed &+ purpose.rawValue &* 0x9e37_79b9_7f4a_7c15)
        state = Self.mixed(state ^ UInt64(bitPattern: Int64(index)))
        return Self.mixed(state &+ UInt64(bitPattern: Int64(turn)) &* 0xd1b5_4a32_d192_ed03)
    }

    /// The finalizer of SplitMix64: every bit of the result depends on every bit of the value.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var bits = value &+ 0x9e37_79b9_7f4a_7c15
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
