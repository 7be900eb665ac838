/// This machine, as it is called by itself.
public enum Loopback {
    /// - Parameter host: A name or an address, an IPv6 one without brackets. A name that only begins like an address
    ///   (`127.0.0.1.example.org`) is somebody's who may lead it anywhere.
    public static func isName(_ host: String) -> Bool {
        if ["localhost", "::1"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil }
    }
}
