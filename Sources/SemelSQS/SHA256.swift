import CDigest

/// SHA-256, and the message authentication code that is made of it.
package enum SHA256 {
    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: semel_sha256_bytes) { digest, count in
            // What fails for want of memory leaves a signature that is refused.
            if semel_sha256(bytes, bytes.count, digest.baseAddress) == 0 { count = digest.count }
        }
    }

    package static func authenticationCode(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: semel_sha256_bytes) { code, count in
            if semel_hmac_sha256(key, key.count, bytes, bytes.count, code.baseAddress) == 0 { count = code.count }
        }
    }
}
