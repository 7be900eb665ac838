import Foundation
import Glibc

enum FaultKind: String, CaseIterable, Sendable {
    // A worker's.
    case killed, paused
    case pausedWithTask = "paused-with-task"
    case terminated
    // Inflicted by the task upon its worker.
    case killedAtStart = "killed-at-start"
    case killedBeforeSettling = "killed-before-settling"
    case pausedBeforeSettling = "paused-before-settling"
    // The network's and the server's.
    case cut
    case halfClosed = "half-closed"
    case frozen
    /// Every byte is held up for a while, and then everything on its way is lost.
    case slowedAndCut = "slowed-and-cut"
    case serverKilled = "server-killed"
    case serverPaused = "server-paused"
    /// The server says that it is busy, or has trouble of its own, whatever it is asked.
    case throttled

    /// For people, as what has happened.
    var words: String { rawValue.replacing("-", with: " ") }
    var killsWorker: Bool { self == .killed || self == .killedAtStart || self == .killedBeforeSettling }
    var pausesWorker: Bool { self == .paused || self == .pausedWithTask || self == .pausedBeforeSettling }
}

/// A time in which the way to the server, or the server, was broken.
struct Outage: Sendable {
    let kind: FaultKind
    let from: Int64
    let to: Int64

    /// How long before it something must have been over to be out of its reach: a server that is killed forgets what it
    /// was told last, and does not know whether a message that was delayed had gone back to its queue.
    private static let reach: Int64 = 5_000_000_000
    /// For how long it is felt.
    private static let aftermath: Int64 = 10_000_000_000

    /// Whether it can have had to do with what happened in this time.
    func touches(_ start: Int64, _ end: Int64) -> Bool {
        mayUndo(start, end) || (from...to + Self.aftermath).contains(start)
    }

    /// Whether it can have undone what was settled in this time.
    func mayUndo(_ start: Int64, _ end: Int64) -> Bool {
        start <= to && from - Self.reach <= end
    }
}

enum WallClock {
    /// The clock that `date +%s%N` reads, which the tasks write into the ledger.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
