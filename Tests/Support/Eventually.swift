/// Waits until a condition holds, looking every few milliseconds, and throws when it does not in time.
///
/// An error that the condition throws ends the waiting at once.
public func eventually(
    timeout: Duration = .seconds(10), _ what: String, isolation: isolated (any Actor)? = #isolation,
    condition: () async throws -> Bool
) async throws {
    guard try await holds(within: timeout, condition: condition) else {
        throw SupportError("not within \(timeout): \(what)")
    }
}

/// Whether the condition came to hold within the time.
func holds(
    within timeout: Duration, isolation: isolated (any Actor)? = #isolation, condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + timeout
    var pause = Duration.milliseconds(1)
    while true {
        if try await condition() {
            return true
        }
        if ContinuousClock.now >= deadline {
            return false
        }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(10))
    }
}
