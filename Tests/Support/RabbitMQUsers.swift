extension RabbitMQServer {
    /// Creates a user who may do nothing yet.
    public func createUser(_ name: String, password: String, tags: String = "") async throws {
        try await change("PUT", "/api/users/\(percentEncoded(name))", ["password": password, "tags": tags])
    }

    /// Says with regular expressions on which names the user may work.
    public func setPermissions(
        user: String, virtualHost: String = "/", configure: String = ".*", write: String = ".*", read: String = ".*"
    ) async throws {
        try await change(
            "PUT", "/api/permissions/\(percentEncoded(virtualHost))/\(percentEncoded(user))",
            ["configure": configure, "write": write, "read": read])
    }

    public func createVirtualHost(_ name: String) async throws {
        try await change("PUT", "/api/vhosts/\(percentEncoded(name))", [:])
    }

    private func change(_ method: String, _ path: String, _ json: [String: String]) async throws {
        let response = try await manage(method, path, json: json)
        guard (200..<300).contains(response.status) else {
            throw SupportError("\(method) \(path): \(response.status) \(response.text)")
        }
    }

    /// The number of AMQP connections at this moment.
    public func connectionCount() async throws -> Int {
        let answer = try await evaluate("length(rabbit_networking:connections_local())")
        guard let count = Int(answer) else {
            throw SupportError("not a number of connections: \(answer)")
        }
        return count
    }

    /// Closes all connections from the broker's side, as an operator would (320 CONNECTION_FORCED).
    public func closeConnections(reason: String = "closed by a test") async throws {
        let bytes = reason.utf8.map(String.init).joined(separator: ",")
        try await evaluate(
            "[rabbit_networking:close_connection(C, [\(bytes)]) || C <- rabbit_networking:connections_local()], ok")
    }
}
