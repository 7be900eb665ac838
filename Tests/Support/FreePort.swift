import Glibc
import Synchronization

/// Ports for servers under test.
public enum FreePort {
    private static let given = Mutex(Set<Int>())

    /// A TCP port on loopback that nobody listens on, chosen by the kernel and given out only once per process.
    public static func next() throws -> Int {
        try given.withLock { given in
            while true {
                let listener = try Listener(port: 0)
                defer { listener.close() }
                if given.insert(listener.port).inserted {
                    return listener.port
                }
            }
        }
    }
}

/// A listening socket on 127.0.0.1.
struct Listener: Sendable {
    let descriptor: Int32
    let port: Int

    init(port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw SupportError.system("socket", errno)
        }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withLoopbackAddress(port) { bind(descriptor, $0, $1) }
        guard bound == 0, listen(descriptor, 128) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw SupportError.system("listen on 127.0.0.1:\(port)", code)
        }
        self.descriptor = descriptor
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &address) { bytes in
            _ = getsockname(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() {
        Glibc.close(descriptor)
    }
}

/// Calls a socket function with the address 127.0.0.1:port.
func withLoopbackAddress<Result>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    return withUnsafeBytes(of: &address) { bytes in
        body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
}
