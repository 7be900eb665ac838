import Glibc
public import Semel

/// Finds what a command names, before anything is claimed: a message must not suffer for a mistyped command.
public enum ExecutableSearch {
    /// The path of `command`: itself when it has a slash, else the first executable file of that name in `path`.
    public static func find(_ command: String, path: String) throws(ConfigurationError) -> String {
        guard !command.isEmpty else { throw ConfigurationError("the command is empty") }
        if command.utf8.contains(UInt8(ascii: "/")) {
            if let problem = problem(with: command) { throw ConfigurationError("command ‘\(command)’: \(problem)") }
            return command
        }
        var unusable: String?
        // Bytes: to find the characters of a long PATH takes longer than to look into its directories.
        for directory in path.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            let candidate = (directory.isEmpty ? "." : String(Substring(directory))) + "/" + command
            guard let problem = problem(with: candidate) else { return candidate }
            if access(candidate, F_OK) == 0 { unusable = unusable ?? "\(candidate) \(problem)" }
        }
        throw ConfigurationError("command ‘\(command)’: \(unusable ?? "not found in PATH (\(path))")")
    }

    private static func problem(with file: String) -> String? {
        var facts = stat()
        guard stat(file, &facts) == 0 else { return String(cString: strerror(errno)) }
        guard facts.st_mode & S_IFMT == S_IFREG else { return "is not a file" }
        return access(file, X_OK) == 0 ? nil : "is not executable"
    }
}
