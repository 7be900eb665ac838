import Glibc

enum Confirmation {
    /// Throws unless somebody at the terminal agrees.
    ///
    /// - Parameter yes: Whether it was said beforehand, by a flag.
    static func ask(_ question: String, yes: Bool) throws(CommandFailure) {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else { throw .usage("nobody is there to confirm; add --yes") }
        StandardError.write("\(question) [y/N] ")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw .usage("not confirmed; nothing was changed")
        }
    }
}
