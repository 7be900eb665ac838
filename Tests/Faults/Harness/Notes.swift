import Foundation
import TestSupport

/// What a test and its tasks tell each other: files in a directory of their own.
final class Notes: Sendable {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("notes")
    }

    /// Every task notes its run first: one line, appended as a whole.
    private func script(_ rest: String) -> [String] {
        let head = #"body=$(cat); echo "$body $SEMEL_ATTEMPT" >> "$1/runs"; echo \#(Shell.started); "#
        return ["/bin/sh", "-c", head + rest, "task", directory.path]
    }

    /// Goes on until ``allow()``, then ends with this status.
    func held(exit status: Int = 0) -> [String] {
        // Not for ever: should a test fail, nothing of it is to stay.
        script(#"i=0; while [ ! -e "$1/go" ] && [ $((i += 1)) -lt 2400 ]; do sleep 0.05; done; exit \#(status)"#)
    }

    func at(once status: Int = 0) -> [String] { script("exit \(status)") }

    /// Kills its worker, as a task does that takes all the memory there is.
    var poison: [String] { script("kill -9 $PPID; sleep 60") }

    /// Prints this, as its result.
    func printing(_ text: String) -> [String] { script("echo '\(text)'") }

    /// Lets a held task end.
    func allow() throws { try directory.write("", to: "go") }

    /// From now on tasks are held again.
    func forbid() throws { try FileManager.default.removeItem(atPath: directory.path("go")) }

    /// Body and attempt of each run, in the order of their starts.
    var runs: [String] {
        let text = (try? String(contentsOfFile: directory.path("runs"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
