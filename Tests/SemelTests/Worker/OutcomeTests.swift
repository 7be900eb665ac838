import Semel
import Testing

@Suite struct OutcomeTests {
    @Test(arguments: [
        (Outcome.completed, 0, "completed"), (.idle, 0, "idle"), (.usage, 64, "usage"),
        (.deadLettered, 65, "dead-lettered"), (.unreachable, 69, "unreachable"), (.internalError, 70, "internal-error"),
        (.retry, 75, "retry"), (.lost, 76, "lost"), (.refused, 77, "refused"), (.misconfigured, 78, "misconfigured"),
        (.timedOut, 124, "timed-out"), (.interrupted, 130, "interrupted"), (.terminated, 143, "terminated"),
    ])
    func exitCodes(outcome: Outcome, code: Int32, word: String) {
        #expect(outcome.exitCode == code)
        #expect(outcome.rawValue == word)
    }

    @Test func tableIsWhole() {
        #expect(Outcome.allCases.count == 13)
        #expect(Set(Outcome.allCases.map(\.meaning)).count == 13)
        for outcome in Outcome.allCases {
            #expect(!outcome.meaning.isEmpty)
            #expect(!outcome.fate.isEmpty)
        }
        // Whoever reads the exit code alone can tell all of them apart, but for the two that are well.
        #expect(Set(Outcome.allCases.map(\.exitCode)).count == 12)
    }

    @Test func fates() {
        #expect(Outcome.completed.fate == "completed")
        #expect(Outcome.deadLettered.fate == "dead-lettered")
        #expect(Outcome.retry.fate == "retry")
        #expect(Outcome.terminated.fate == "released")
        #expect(Outcome.interrupted.fate == "released")
        #expect(Outcome.lost.fate == "somebody else's now, or the queue could not be asked")
        #expect(Outcome.timedOut.fate == "retry, or dead-lettered on the last attempt")
        #expect(
            Outcome.misconfigured.fate == "none was claimed, or released when the command could not be started")
        for outcome in [Outcome.idle, .usage, .unreachable, .refused] {
            #expect(outcome.fate == "none was claimed")
        }
    }

    @Test func wordsThatPollLoopsKnow() {
        #expect(WorkerState.allCases.map(\.rawValue) == ["IDLE", "ING", "COMPLETED", "FAILED"])
        #expect(Outcome.completed.state == .completed)
        #expect(Outcome.idle.state == .idle)
        for outcome in Outcome.allCases where outcome != .completed && outcome != .idle {
            #expect(outcome.state == .failed)
        }
    }

    @Test func queueFailuresHaveCodesOfTheirOwn() {
        #expect(QueueFailure.unreachable("x").outcome == .unreachable)
        #expect(QueueFailure.refused("x").outcome == .refused)
        #expect(QueueFailure.misconfigured("x").outcome == .misconfigured)
        #expect(QueueFailure.refused("why").reason == "why")
        #expect(StopSignal.terminate.outcome == .terminated)
        #expect(StopSignal.interrupt.outcome == .interrupted)
        #expect(ConfigurationError("x").outcome == .misconfigured)
        #expect(ConfigurationError.usage("x").outcome == .usage)
    }
}
