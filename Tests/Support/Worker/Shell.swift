/// Tasks.
public enum Shell {
    /// What a task prints that says that it runs.
    public static let started = "task-started"

    public static func run(_ script: String, _ arguments: String...) -> [String] {
        ["/bin/sh", "-c", script, "task"] + arguments
    }

    public static let succeeding = run("cat")
    public static let rejecting = run("cat >/dev/null; echo 'no good' >&2; exit 65")
    public static let failing = run("cat >/dev/null; echo 'went wrong' >&2; exit 3")
    /// Says that it runs, and then does until somebody ends it.
    public static let untilStopped = run("echo \(started); exec sleep 300")

    /// Says that it runs, goes on until a file is there, and ends with this status.
    public static func until(_ file: String, exit status: Int = 0) -> [String] {
        run(#"echo \#(started); while [ ! -e "$1" ]; do sleep 0.05; done; exit \#(status)"#, file)
    }
}
