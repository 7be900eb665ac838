/// What a file holds, as far as the scan is concerned.
enum TextContent {
    case text([UInt8])
    case binary
    case tooLarge

    /// A NUL in the first bytes marks a binary file, as it does for git and grep.
    private static let sniffLength = 8 * 1024

    /// Reads a source to its end, or until it is clear that it will not be scanned.
    /// - Parameters:
    ///   - expectedSize: a hint that saves reallocation; the source's real end counts.
    ///   - limit: the largest text that is taken.
    static func read(from source: any ByteSource, expectedSize: Int, limit: Int) throws -> TextContent {
        var bytes = [UInt8](repeating: 0, count: sniffLength)
        var filled = try bytes.withUnsafeMutableBytes { try source.fill($0) }
        if bytes[..<filled].contains(0) { return .binary }

        while filled == bytes.count {
            if expectedSize > limit || filled > limit { return .tooLarge }
            // One byte more than expected, so that reading comes up short at the expected end.
            let goal = max(expectedSize + 1, filled * 2)
            bytes.append(contentsOf: repeatElement(0, count: min(goal, limit + 1) - filled))
            filled += try bytes.withUnsafeMutableBytes { buffer in
                try source.fill(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            }
        }
        bytes.removeLast(bytes.count - filled)
        return .text(bytes)
    }
}
