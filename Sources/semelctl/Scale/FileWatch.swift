import Glibc
import Semel

/// Tells that files have changed, by their times and sizes.
struct FileWatch: Sendable {
    private static let pause = Duration.milliseconds(500)

    let paths: [String]

    /// Until it is cancelled. Standard input is not looked at: it is read once.
    func run(_ changed: @Sendable () -> Void) async {
        var before = state
        while (try? await Task.sleep(for: Self.pause)) != nil {
            let now = state
            if now != before { changed() }
            before = now
        }
    }

    private var state: [String] {
        let files = paths.flatMap { path in
            // A directory that cannot be read is said when it is read.
            (try? ManifestFiles.files(at: path)) ?? [path]
        }
        return files.map { file in
            var facts = stat()
            guard stat(file, &facts) == 0 else { return file }
            let time = facts.st_mtim
            return "\(file) \(facts.st_ino) \(facts.st_size) \(time.tv_sec).\(time.tv_nsec)"
        }
    }
}
