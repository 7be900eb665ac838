import TestSupport

/// The user whom the workers under test are, on every broker that has users.
enum Credentials {
    static let user = "integration"
    /// With characters that mean something in a URL, in a header line and in a shell.
    static let password = "s3cr:et/p@ss w?rd&#%41=+$x'"

    /// The password in every form in which it might be printed.
    static let secrets = [password, percentEncoded]

    private static let percentEncoded = "s3cr%3Aet%2Fp%40ss%20w%3Frd%26%23%2541%3D%2B%24x%27"

    private static let created = UserCreation()

    /// The shared broker, with the user.
    static func rabbitMQ() async throws -> RabbitMQServer {
        try await created.once()
    }

    private actor UserCreation {
        private var creating: Task<RabbitMQServer, any Error>?

        func once() async throws -> RabbitMQServer {
            let task =
                creating
                ?? Task {
                    let server = try await RabbitMQServer.shared()
                    try await server.createUser(Credentials.user, password: Credentials.password)
                    try await server.setPermissions(user: Credentials.user)
                    return server
                }
            creating = task
            return try await task.value
        }
    }
}
