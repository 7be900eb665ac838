import CDigest
import Glibc
public import Semel

/// The first half of a key's SHA-256.
public struct KeyDigest: Sendable, Hashable {
    /// Bytes 0 to 7, the first one on top.
    public let high: UInt64
    /// Bytes 8 to 15.
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The bucket that the key belongs to: the first two bytes as a number. In a shell:
    /// `printf %s KEY | sha256sum | cut -c 1-4`, hexadecimal.
    public var bucket: Int { Int(high >> 48) }

    /// 32 hexadecimal digits.
    public var text: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Makes digests, on one thread at a time.
public final class KeyHasher {
    private let series: OpaquePointer

    public init() throws(SystemError) {
        guard let series = semel_sha256_series_new() else { throw Self.outOfMemory }
        self.series = series
    }

    deinit {
        semel_sha256_series_free(series)
    }

    public func digest(_ key: UnsafeRawBufferPointer) throws(SystemError) -> KeyDigest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let code = withUnsafeMutableBytes(of: &words) { digest in
            semel_sha256_series_next(
                series, key.bindMemory(to: UInt8.self).baseAddress, key.count,
                digest.bindMemory(to: UInt8.self).baseAddress)
        }
        guard code == 0 else { throw Self.outOfMemory }
        return KeyDigest(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
    }

    private static var outOfMemory: SystemError { SystemError(doing: "hash a key", code: ENOMEM) }
}
