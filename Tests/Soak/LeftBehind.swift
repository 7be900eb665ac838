import Foundation
import Glibc

/// Finds what the soak has started by a mark in its environment, in whichever process group or session it is.
enum LeftBehind {
    static let variable = "SOAK_MARK"

    struct Process: Sendable {
        let pid: pid_t
        let worker: Int?
    }

    /// All that carry the mark and are alive; ended ones have no environment.
    static func processes(_ mark: String) -> [Process] {
        let wanted = "\(variable)=\(mark)"
        let prefix = SoakTask.Variable.worker + "="
        return pids().compactMap { pid in
            guard pid != getpid(), let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
                return nil
            }
            let variables = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard variables.contains(wanted) else { return nil }
            let worker = variables.first { $0.hasPrefix(prefix) }.flatMap { Int($0.dropFirst(prefix.count)) }
            return Process(pid: pid, worker: worker)
        }
    }

    /// Kills them all, those as well that they start meanwhile.
    static func end(_ mark: String) {
        for _ in 0..<100 {
            let found = processes(mark)
            if found.isEmpty { return }
            for process in found { kill(process.pid, SIGKILL) }
            usleep(20_000)
        }
    }

    /// The processes whose parent this is.
    static func children(of parent: pid_t) -> [pid_t] {
        pids().filter { pid in
            guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
            // Behind the name, which is in parentheses and may hold anything: the state, then the parent.
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ")
            return fields.map { $0.count > 1 && pid_t($0[1]) == parent } ?? false
        }
    }

    private static func pids() -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
    }
}
