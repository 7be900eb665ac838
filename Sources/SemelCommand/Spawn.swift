import CLinux
import Glibc
package import Semel

/// What becomes a child's descriptors 0, 1, 2 and 3. The caller keeps its own copies.
package struct ChildDescriptors: Sendable {
    package var input: CInt
    package var output: CInt
    package var error: CInt
    package var progress: CInt

    package init(input: CInt, output: CInt, error: CInt, progress: CInt) {
        self.input = input
        self.output = output
        self.error = error
        self.progress = progress
    }
}

/// Starts a program in a process group of its own. The kernel kills it when the calling thread ends.
///
/// - Parameters:
///   - arguments: All of them, the program's name first.
///   - environment: As `NAME=value`.
/// - Returns: Its process id.
package func spawn(
    _ path: String, _ arguments: [String], environment: [String], _ descriptors: ChildDescriptors
) throws(SystemError) -> CInt {
    var pid = pid_t()
    let sources = [descriptors.input, descriptors.output, descriptors.error, descriptors.progress]
    let code = withCStrings(arguments) { argv in
        withCStrings(environment) { envp in semel_spawn(&pid, path, argv, envp, sources) }
    }
    guard code == 0 else { throw SystemError(doing: "run ‘\(path)’", code: code) }
    return pid
}

/// Calls `body` with a null-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[strings.count] = nil
    defer {
        for index in strings.indices { free(pointers[index]) }
        pointers.deallocate()
    }
    return body(pointers)
}
