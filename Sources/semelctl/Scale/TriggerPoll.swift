import Semel
import SemelKEDA

/// All triggers, read once.
struct TriggerPoll: Sendable {
    /// Of those that could be read.
    let metrics: [TriggerMetric]
    let failures: [CommandFailure]

    /// Nothing is there, as far as anybody can tell.
    var isEmpty: Bool { failures.isEmpty && metrics.allSatisfy { $0.quantity == 0 } }

    static func read(_ files: ScaleManifest, _ rules: ScalingRules) async -> TriggerPoll {
        var metrics: [TriggerMetric] = []
        var failures: [CommandFailure] = []
        for trigger in files.triggers {
            do throws(CommandFailure) {
                let reading = try await read(trigger, files.given)
                metrics.append(
                    rules.metric(value: reading.value, target: trigger.target, isActive: reading.isActive))
            } catch {
                failures.append(error)
            }
        }
        return TriggerPoll(metrics: metrics, failures: failures)
    }

    private static func read(
        _ trigger: ResolvedTrigger, _ given: GivenMetrics
    ) async throws(CommandFailure) -> TriggerReading {
        if let value = given.values[trigger.index] {
            return TriggerReading(value: value, isActive: trigger.isActive(at: value))
        }
        do throws(CommandFailure) {
            return try await TriggerReader.read(trigger)
        } catch {
            // As KEDA does: a scaler that fails is made anew and asked once more.
            return try await TriggerReader.read(trigger)
        }
    }
}

extension ScaleManifest {
    /// For how long nothing has to be read until it is believed: statistics over HTTP are up to 10 s old.
    var patience: Duration {
        triggers.contains { trigger in
            guard case .rabbitMQ(let rabbitMQ) = trigger.kind else { return false }
            return rabbitMQ.protocol == .http && given.values[trigger.index] == nil
        } ? .seconds(10) : .zero
    }
}
