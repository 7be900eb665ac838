import Glibc
import Semel

// `main` stays synchronous: an asynchronous one ends its first thread in a static executable by unwinding it, which
// costs tens of milliseconds. The first thread runs the worker's life instead: see ``MainLoop``.
var arguments = (1..<max(1, Int(CommandLine.argc))).compactMap {
    CommandLine.unsafeArgv[$0].map { String(cString: $0) }
}
let environment = Environment.current
switch arguments.first {
case "progress": exit(ProgressCommand.run(Array(arguments.dropFirst()), environment))
case "status": exit(StatusCommand.run(Array(arguments.dropFirst()), environment))
case "install": exit(InstallCommand.run(Array(arguments.dropFirst())))
case "help", "-h", "--help": Help.print()
case "version", "--version": print("semel \(Version.current)")
case "run":
    arguments.removeFirst()
    if ["-h", "--help"].contains(arguments.first) { Help.print() } else { RunCommand.run(arguments, environment) }
default: RunCommand.run(arguments, environment)
}
