import CLinux
import Glibc
import Semel

/// inotify on a few directories.
final class DirectoryWatch {
    let descriptor: CInt

    init(_ directories: [String]) throws(QueueFailure) {
        descriptor = inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else {
            throw .unreachable("spool: \(SystemError(doing: "watch the directory (fs.inotify.max_user_instances?)"))")
        }
        for directory in directories {
            inotify_add_watch(descriptor, directory, UInt32(IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE))
        }
    }

    deinit {
        close(descriptor)
    }

    func clear() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(descriptor, &buffer, buffer.count) > 0 {}
    }
}
