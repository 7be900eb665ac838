import Foundation
import Glibc

/// A program on this machine.
public struct Executable: Sendable, CustomStringConvertible {
    public let path: String

    /// The program at a path.
    public init(path: String) {
        self.path = path
    }

    public var description: String { path }

    public static var semel: Executable { get throws { try built("semel") } }
    public static var semelctl: Executable { get throws { try built("semelctl") } }
    public static var secretScan: Executable { get throws { try built("secret-scan") } }

    /// A program of this package: from `SEMEL_BIN_DIR`, else from where the running tests were built to.
    public static func built(_ name: String) throws -> Executable {
        try built(name, in: buildDirectories())
    }

    /// A program of the system, found along `PATH` or in the directories where servers are kept.
    public static func installed(_ name: String) throws -> Executable {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        guard let found = first(name, in: directories) else {
            throw SupportError("\(name) is not installed (looked in \(directories.joined(separator: ", ")))")
        }
        return found
    }

    static func built(_ name: String, in directories: [String]) throws -> Executable {
        guard let found = first(name, in: directories) else {
            throw SupportError(
                "\(name) is not built (looked in \(directories.joined(separator: ", "))): "
                    + "run `swift build --product \(name)`, or set SEMEL_BIN_DIR to the directory that holds it")
        }
        return found
    }

    /// On Linux the test bundle is itself the executable that runs, beside the package's products.
    static func buildDirectories() -> [String] {
        if let chosen = ProcessInfo.processInfo.environment["SEMEL_BIN_DIR"], !chosen.isEmpty {
            return [chosen]
        }
        let running = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directories: [String] = []
        for file in [running, Bundle.main.executablePath ?? "", CommandLine.arguments.first ?? ""]
        where !file.isEmpty {
            let directory = URL(fileURLWithPath: file).resolvingSymlinksInPath().deletingLastPathComponent().path
            if !directories.contains(directory) {
                directories.append(directory)
            }
        }
        return directories
    }

    private static func first(_ name: String, in directories: [String]) -> Executable? {
        directories.map { "\($0)/\(name)" }.first { path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
                && access(path, X_OK) == 0
        }.map(Executable.init(path:))
    }
}
