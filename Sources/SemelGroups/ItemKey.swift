import Glibc

/// What an item's key may be: UTF-8 on one line, without control characters. Everything else, spaces at either end
/// included, is the key, byte by byte.
public enum ItemKey {
    /// In bytes.
    public static let longest = 1024

    /// A line without the carriage return that some systems end lines with.
    public static func key(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        line.last == UInt8(ascii: "\r") ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
    }

    /// What is wrong with a key that is not empty; `nil` when nothing is.
    public static func problem(_ key: UnsafeRawBufferPointer) -> String? {
        if key.count > longest { return "is longer than \(longest) bytes" }
        var isASCII = true
        for byte in key {
            if byte < 0x20 || byte == 0x7f {
                return byte == 0x09 ? "has a tab in it" : "has a control character in it (byte \(byte))"
            }
            isASCII = isASCII && byte < 0x80
        }
        return isASCII || String(validating: key, as: UTF8.self) != nil ? nil : "is not UTF-8"
    }
}

/// Cuts a stream of bytes into lines, whatever pieces it comes in.
public struct LineCutter {
    private let longest: Int
    private var rest: [UInt8] = []
    /// Of the line that was given last, from 1.
    public private(set) var number = 0

    /// - Parameter longest: A line that is longer is given with what there is of it as soon as it is, so that it may be
    ///   refused before it fills the memory.
    public init(longest: Int) {
        self.longest = longest
    }

    /// Whether the last line has no end so far.
    public var hasRest: Bool { !rest.isEmpty }

    /// - Parameter take: Is given each line without its line feed.
    public mutating func cut<Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer, _ number: Int) throws(Failure) -> Void
    ) throws(Failure) {
        var left = bytes
        while let start = left.baseAddress, let end = memchr(start, 10, left.count) {
            let length = UnsafeRawPointer(end) - start
            try give(UnsafeRawBufferPointer(start: start, count: length), take)
            left = UnsafeRawBufferPointer(rebasing: left[(length + 1)...])
        }
        rest.append(contentsOf: left)
        if rest.count > longest { try finish(take) }
    }

    /// The last line need not have an end.
    public mutating func finish<Failure: Error>(
        _ take: (UnsafeRawBufferPointer, _ number: Int) throws(Failure) -> Void
    ) throws(Failure) {
        if hasRest { try give(UnsafeRawBufferPointer(start: nil, count: 0), take) }
    }

    private mutating func give<Failure: Error>(
        _ end: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer, _ number: Int) throws(Failure) -> Void
    ) throws(Failure) {
        number += 1
        guard hasRest else { return try take(end, number) }
        rest.append(contentsOf: end)
        let line = rest
        rest.removeAll(keepingCapacity: true)
        let result = line.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try take(bytes, number) }
        }
        try result.get()
    }
}
