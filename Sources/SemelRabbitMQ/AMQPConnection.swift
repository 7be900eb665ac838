import CRabbitMQ
import Glibc
import Semel

/// What went wrong with a connection.
enum AMQPFailure: Error {
    /// The library's or the system's word: no connection, or it broke.
    case broken(String)
    /// It broke before the broker had said anything, who may have refused this client: with its reset the alert that says
    /// so can be lost, where something was sent that was never read.
    case cutShort(String)
    /// The broker closed the connection or the channel, with its code and words.
    case closed(code: UInt16, text: String)
    /// None of several hosts can be reached: which, and why.
    case nowhere(String)
    /// The broker does not want this user, or this client.
    case refused(String)
    case untrusted(CertificateProblem)
    /// A file that the connection needs cannot be used.
    case misconfigured(String)

    var reason: String {
        switch self {
        case .broken(let text), .cutShort(let text), .nowhere(let text), .refused(let text), .misconfigured(let text):
            text
        case .untrusted(let problem): problem.description
        case .closed(let code, let text): "closed by the broker: \(code) \(text)"
        }
    }
}

/// One AMQP connection with one channel. Thin: it opens, sends methods and reads frames. Everything must happen on one
/// thread (librabbitmq's rule), which the actor that owns it sees to; heartbeats are served whenever frames are read.
///
/// Whoever polls its socket has read frames until there were none: over TLS a frame may have come that the socket knows
/// nothing of any more, because OpenSSL has decrypted it together with the one before. The library asks OpenSSL first
/// and polls only when it has nothing either.
final class AMQPConnection {
    static let channel: amqp_channel_t = 1
    /// RabbitMQ's own default; a larger frame would be refused.
    private static let frameMax: CInt = 131_072
    /// How long the broker may take to answer any one request. Long, because a busy broker is still a broker.
    static let patience = Duration.seconds(15)

    /// For all hosts together, from the first attempt to a connection: TCP, and TLS where there is any.
    private static let connectTimeout = Duration.seconds(10)
    /// How long a broker is listened to that may be about to refuse this client.
    private static let verdictTimeout = Duration.seconds(5)

    private let state: amqp_connection_state_t
    private var tls: AMQPTLS?
    private var isOpen = true

    /// A connection to the first host that can be reached. What a host says that answers is not asked of another one:
    /// neither a user whom it refuses nor a certificate that is not to be trusted gets better by that.
    static func open(_ address: RabbitMQAddress) throws(AMQPFailure) -> AMQPConnection {
        let end = ContinuousClock.now + connectTimeout
        var failures: [String] = []
        for (index, host) in address.hosts.enumerated() {
            // What one leaves of its share is the others'.
            let share = max(.seconds(1), (end - .now) / (address.hosts.count - index))
            do throws(AMQPFailure) {
                return try open(host, address, share)
            } catch {
                guard address.hosts.count > 1, error.isUnreachable else { throw error }
                failures.append("\(host.text) (\(error.reason))")
            }
        }
        throw .nowhere(failures.joined(separator: ", "))
    }

    private static func open(_ host: QueueURL.Host, _ address: RabbitMQAddress, _ limit: Duration)
        throws(AMQPFailure) -> AMQPConnection
    {
        do throws(AMQPFailure) {
            return try AMQPConnection(host, address, limit)
        } catch .cutShort {
            return try AMQPConnection(host, address, limit, listening: verdictTimeout)
        }
    }

    /// - Parameter patience: For how long the broker is listened to before anything is sent to it. It then has nothing to
    ///   say but that it refuses this client.
    private init(
        _ host: QueueURL.Host, _ address: RabbitMQAddress, _ limit: Duration, listening patience: Duration = .zero
    ) throws(AMQPFailure) {
        guard let state = amqp_new_connection() else { throw .broken("out of memory") }
        self.state = state
        do throws(AMQPFailure) {
            try connect(to: host, address, limit)
            if patience > .zero { _ = try nextFrame(until: .now + patience) }
            // A host that takes connections and then says nothing must not keep from the others.
            try login(address, within: address.hosts.count > 1 ? max(limit, .seconds(5)) : Self.patience)
        } catch {
            isOpen = false
            throw error
        }
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// The socket, to be polled between calls.
    var descriptor: CInt { amqp_get_sockfd(state) }

    /// What the broker says of itself: `3.10.8`.
    var serverVersion: String? {
        guard let properties = amqp_get_server_properties(state) else { return nil }
        if case .string(let version) = HeaderValue.table(properties.pointee)["version"] { return version }
        return nil
    }

    private func connect(to host: QueueURL.Host, _ address: RabbitMQAddress, _ limit: Duration) throws(AMQPFailure) {
        let socket: OpaquePointer
        if let settings = address.tls {
            let tls = try AMQPTLS(settings, host: host.name, for: state, source: address.source)
            self.tls = tls
            socket = tls.socket
        } else {
            guard let plain = amqp_tcp_socket_new(state) else { throw .broken("out of memory") }
            socket = plain
        }
        var limit = timeval(limit)
        let code = amqp_socket_open_noblock(socket, host.name, CInt(host.port ?? 0), &limit)
        // The library asks the socket what went wrong and keeps the answer to itself.
        if code == AMQP_STATUS_SOCKET_ERROR.rawValue { throw .broken("no connection: refused, or no way there") }
        try check(code)
    }

    private func login(_ address: RabbitMQAddress, within limit: Duration) throws(AMQPFailure) {
        var limit = timeval(limit)
        amqp_set_handshake_timeout(state, &limit)
        amqp_set_rpc_timeout(state, &limit)
        let who: QueueCredentials.Current
        do throws(ConfigurationError) {
            who = try address.credentials.current()
        } catch {
            throw .misconfigured(error.description)
        }
        let memory = AMQPMemory()
        defer { memory.keep() }
        var properties = Self.clientProperties(in: memory)
        let heartbeat = CInt(address.heartbeat.seconds.rounded(.up))
        // As KEDA does: a certificate without a user is the user.
        let isCertificateTheUser = address.tls?.client != nil && who.user == nil && who.password == nil
        let reply =
            isCertificateTheUser
            ? semel_amqp_login_external(state, address.vhost, Self.frameMax, heartbeat, &properties)
            : semel_amqp_login(
                state, address.vhost, Self.frameMax, heartbeat, &properties, who.user ?? "guest",
                who.password ?? "guest")
        let system = errno
        let code = amqp_status_enum_(reply.library_error)
        if let tls, serverVersion == nil, tls.isCutShort(code, system) {
            throw .cutShort(String(cString: strerror(system)))
        }
        let hasSaidNothing = tls == nil && serverVersion == nil
        switch code {
        case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD where isCertificateTheUser:
            throw .refused(
                "it knows no users by their certificates (SASL EXTERNAL); name a user and a password, or enable its "
                    + "plugin rabbitmq_auth_mechanism_ssl")
        case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
            throw .refused("it knows no users by their passwords (SASL PLAIN)")
        case AMQP_STATUS_CONNECTION_CLOSED where hasSaidNothing, AMQP_STATUS_BAD_AMQP_DATA where hasSaidNothing,
            AMQP_STATUS_SOCKET_ERROR where hasSaidNothing:
            throw .broken("it hung up before it said who it is; where TLS is spoken write amqps://")
        default: try check(reply)
        }
    }

    private static func clientProperties(in memory: AMQPMemory) -> amqp_table_t {
        // Without these two a deleted queue and a blocked publisher are silent for ever.
        let capabilities = memory.table([
            memory.entry("consumer_cancel_notify", true), memory.entry("connection.blocked", true),
            memory.entry("authentication_failure_close", true), memory.entry("publisher_confirms", true),
            memory.entry("basic.nack", true),
        ])
        return memory.table([
            memory.entry("connection_name", "semel"), memory.entry("capabilities", capabilities),
        ])
    }

    /// How many channels the broker allows on a connection.
    var channelMax: Int {
        let limit = Int(amqp_get_channel_max(state))
        return limit == 0 ? Int(amqp_channel_t.max) : limit
    }

    /// What is sent while this is set goes out together when it no longer is.
    func cork(_ isSet: Bool) {
        var on: CInt = isSet ? 1 : 0
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_CORK, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Sends a method without waiting for its answer.
    func send<Method: BitwiseCopyable>(
        _ id: UInt32, _ method: Method, on channel: amqp_channel_t = AMQPConnection.channel
    ) throws(AMQPFailure) {
        var method = method
        try check(amqp_send_method(state, channel, id, &method))
    }

    /// Sends a message to a queue by the default exchange.
    func publish(
        _ body: UnsafeRawBufferPointer, to queue: String, mandatory: Bool, _ properties: amqp_basic_properties_t
    )
        throws(AMQPFailure)
    {
        let memory = AMQPMemory()
        defer { memory.keep() }
        var properties = properties
        let bytes = amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
        try check(
            amqp_basic_publish(
                state, Self.channel, amqp_empty_bytes, memory.bytes(queue), mandatory ? 1 : 0, 0, &properties, bytes))
    }

    /// The next frame, or `nil` when none came until `end`. The frame's pointers are good until the next call of
    /// ``releaseBuffers()``.
    func nextFrame(until end: ContinuousClock.Instant) throws(AMQPFailure) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var limit = timeval(max(.zero, end - .now))
        let code = amqp_simple_wait_frame_noblock(state, &frame, &limit)
        if code == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        try check(code)
        return frame
    }

    func releaseBuffers() {
        amqp_maybe_release_buffers(state)
    }

    /// Says goodbye without waiting for the answer. The broker has been told all it needs to know by then.
    func close() {
        guard isOpen else { return }
        isOpen = false
        var method = amqp_connection_close_t()
        method.reply_code = UInt16(AMQP_REPLY_SUCCESS)
        method.reply_text = amqp_empty_bytes
        amqp_send_method(state, 0, semel_connection_close, &method)
        // The broker closes its side when nothing more can come, whenever this one is taken apart.
        shutdown(descriptor, CInt(SHUT_WR))
    }

    private func check(_ code: CInt) throws(AMQPFailure) {
        guard code < 0 else { return }
        isOpen = false
        if code == AMQP_STATUS_HEARTBEAT_TIMEOUT.rawValue { throw .broken("the broker was silent for two heartbeats") }
        // The library says only that TLS or a system call failed; OpenSSL and the system say which way.
        let system = errno
        let isTLS = [AMQP_STATUS_SSL_ERROR.rawValue, AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue].contains(code)
        if isTLS, let failure = tls?.failure { throw failure }
        let hasSystemFailed = isTLS || code == AMQP_STATUS_SOCKET_ERROR.rawValue
        let words = hasSystemFailed && system != 0 ? ": \(String(cString: strerror(system)))" : ""
        throw .broken(String(cString: amqp_error_string2(code)) + words)
    }

    private func check(_ reply: amqp_rpc_reply_t) throws(AMQPFailure) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            isOpen = false
            if reply.reply.id == semel_connection_close,
                let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            {
                throw .closed(code: close.reply_code, text: close.reply_text.text)
            }
            throw .broken("the broker refused, without a reason")
        default:
            try check(reply.library_error < 0 ? reply.library_error : AMQP_STATUS_CONNECTION_CLOSED.rawValue)
        }
    }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let microseconds = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        self.init(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
    }
}
