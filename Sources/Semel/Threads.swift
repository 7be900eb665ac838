import CLinux
import Glibc

/// Starts a thread of its own for work that blocks in system or C calls, which must never hold a thread of Swift's
/// cooperative pool.
public func startThread(_ name: StaticString, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    final class Start: Sendable {
        let name: StaticString
        let body: @Sendable () -> Void
        init(name: StaticString, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let code = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            pthread_setname_np(pthread_self(), start.name.utf8Start)
            start.body()
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        start.release()
        throw SystemError(doing: "start a thread", code: code)
    }
    pthread_detach(thread)
}

/// A descriptor that becomes readable when it is signalled from any thread: wakes a `poll`.
public final class WakeUp: Sendable {
    public let descriptor: CInt

    public init() throws(SystemError) {
        descriptor = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
        if descriptor < 0 { throw SystemError(doing: "create an eventfd") }
    }

    deinit {
        close(descriptor)
    }

    public func signal() {
        // Fails only when 2^64 - 2 signals are pending, which is signal enough.
        eventfd_write(descriptor, 1)
    }

    public func clear() {
        var count: eventfd_t = 0
        eventfd_read(descriptor, &count)
    }
}
