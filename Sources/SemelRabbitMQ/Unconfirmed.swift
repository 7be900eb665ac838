/// What was published on a channel and is not yet confirmed. Tags count from 1, as the broker counts them.
struct Unconfirmed {
    /// As much as is good for speed; more would only be memory.
    private static let mostMessages = 1_000
    private static let mostBytes = 16 << 20

    private var sizes: [UInt64: Int] = [:]
    private var bytes = 0
    private var lastTag: UInt64 = 0
    /// Everything before this one is confirmed.
    private var firstTag: UInt64 = 1

    var isEmpty: Bool { sizes.isEmpty }
    var isFull: Bool { sizes.count >= Self.mostMessages || bytes >= Self.mostBytes }
    /// Below this it is worth writing again: not for every single confirmation.
    var isHalfFull: Bool { sizes.count > Self.mostMessages / 2 || bytes > Self.mostBytes / 2 }

    mutating func add(size: Int) {
        lastTag += 1
        sizes[lastTag] = size
        bytes += size
    }

    /// - Parameter multiple: All up to this tag; up to the last one when the tag is 0.
    mutating func remove(_ tag: UInt64, multiple: Bool) {
        guard multiple else { return remove(tag) }
        let last = tag == 0 ? lastTag : min(tag, lastTag)
        while firstTag <= last {
            remove(firstTag)
            firstTag += 1
        }
    }

    private mutating func remove(_ tag: UInt64) {
        if let size = sizes.removeValue(forKey: tag) { bytes -= size }
    }
}
