import Foundation
import Glibc

/// What the kernel says of a process.
enum ProcessState {
    /// Ended, and not yet collected by its parent.
    static func isZombie(_ pid: pid_t) -> Bool { letter(in: "/proc/\(pid)/stat") == "Z" }

    static func onlyChild(of pid: pid_t) -> pid_t? {
        let children = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        return children.flatMap { pid_t($0.trimmingCharacters(in: .whitespaces)) }
    }

    /// Every thread of it; a signal to stop reaches them one after the other.
    static func isStopped(_ pid: pid_t) -> Bool {
        let folder = "/proc/\(pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return !threads.isEmpty && threads.allSatisfy { letter(in: "\(folder)/\($0)/stat") == "T" }
    }

    private static func letter(in path: String) -> Substring? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else {
            return nil
        }
        return String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first
    }
}

extension ProcessState {
    /// Whether it has been sent this signal and not taken it yet.
    static func isPending(_ signal: Int32, _ pid: pid_t) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let pending =
            status.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }?.split(separator: "\t").last ?? "0"
        return (UInt64(pending, radix: 16) ?? 0) & (1 << UInt64(signal - 1)) != 0
    }
}

/// What the kernel says of connections on loopback.
extension ProcessState {
    /// Whether it has a TCP connection to this port of 127.0.0.1, or waits for one.
    static func isConnecting(_ pid: pid_t, to port: Int) throws -> Bool {
        let folder = "/proc/\(pid)/fd"
        let own = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        return try connections().contains { connection in
            connection.remote == address(port) && own.contains("socket:[\(connection.node)]")
        }
    }

    /// Whether something has arrived at a connection of this port of 127.0.0.1 that nobody has read yet.
    static func hasUnread(at port: Int) throws -> Bool {
        let established = "01"
        return try connections().contains { connection in
            connection.local == address(port) && connection.state == established && connection.unread > 0
        }
    }

    private struct Connection {
        let local: String
        let remote: String
        let state: String
        let unread: Int
        let node: String
    }

    private static func connections() throws -> [Connection] {
        let table = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/net/tcp")).readToEnd() ?? Data()
        return String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count > 9, let unread = fields[4].split(separator: ":").last else { return nil }
            return Connection(
                local: fields[1], remote: fields[2], state: fields[3], unread: Int(unread, radix: 16) ?? 0,
                node: fields[9])
        }
    }

    private static func address(_ port: Int) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return "0100007F:" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
