import Foundation
import Glibc

/// Where RabbitMQ is installed, and a slimmer home for it to start from.
struct RabbitMQInstallation {
    let home: String

    init() throws {
        let own = ProcessInfo.processInfo.environment
        // `lib` first: what is on the PATH may be a wrapper that wants to run as another user.
        let scripts = ["/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server"]
        let inPath = (own["PATH"] ?? "").split(separator: ":").map { "\($0)/rabbitmq-server" }
        for script in scripts + inPath where access(script, X_OK) == 0 {
            let home = URL(fileURLWithPath: script).resolvingSymlinksInPath()
                .deletingLastPathComponent().deletingLastPathComponent().path
            if access(home + "/plugins", R_OK) == 0 {
                self.home = home
                return
            }
        }
        throw SupportError("rabbitmq-server is not installed (on Debian: apt-get install rabbitmq-server)")
    }

    /// Links scripts and only those plugins that are needed into a directory.
    ///
    /// At its start the broker looks through every application it could load, one file name at a time along all
    /// paths; leaving out the unused ones halves the time.
    func linkHome(at directory: String, plugins: [String]) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: directory + "/plugins", withIntermediateDirectories: true)
        for folder in ["sbin", "escript"] {
            try files.createSymbolicLink(atPath: "\(directory)/\(folder)", withDestinationPath: "\(home)/\(folder)")
        }
        for plugin in try needed(by: ["rabbit", "rabbitmq_prelaunch"] + plugins) {
            try files.createSymbolicLink(
                atPath: "\(directory)/plugins/\(plugin)", withDestinationPath: "\(home)/plugins/\(plugin)")
        }
    }

    /// The folders of these applications and of all that they build upon.
    private func needed(by applications: [String]) throws -> [String] {
        let folders = try FileManager.default.contentsOfDirectory(atPath: home + "/plugins")
        var folderByName: [String: String] = [:]
        for folder in folders {
            folderByName[String(folder.prefix { $0 != "-" })] = folder
        }
        var result = Set<String>()
        var open = applications
        while let name = open.popLast() {
            // What is not among the plugins belongs to Erlang itself.
            guard let folder = folderByName[name], result.insert(folder).inserted else { continue }
            open += try dependencies(in: "\(home)/plugins/\(folder)/ebin/\(name).app")
        }
        return result.sorted()
    }

    /// The list in `{applications, [kernel, stdlib, …]}`.
    private func dependencies(in file: String) throws -> [String] {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard let match = text.firstMatch(of: /\{\s*applications\s*,\s*\[([^\]]*)\]/) else {
            throw SupportError("no list of applications in \(file)")
        }
        return match.1.split(separator: ",").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    }
}
