import Foundation
import Glibc
import Semel

/// A directory of a test's own, gone with everything in it when this goes.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/semel-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(doing: "create a directory in \(parent)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    static func / (directory: TemporaryDirectory, name: String) -> String {
        "\(directory.path)/\(name)"
    }
}

/// What the tests do with files, in as few words as they can.
enum Files {
    static func write(_ bytes: some Sequence<UInt8>, to file: String) throws {
        let target = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard target >= 0 else { throw SystemError(doing: "create \(file)") }
        defer { close(target) }
        let all = Array(bytes)
        guard Glibc.write(target, all, all.count) == all.count else { throw SystemError(doing: "write \(file)") }
    }

    static func write(_ text: String, to file: String) throws {
        try write(text.utf8, to: file)
    }

    static func bytes(of file: String) throws -> [UInt8] {
        let source = open(file, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw SystemError(doing: "open \(file)") }
        defer { close(source) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count >= 0 else { throw SystemError(doing: "read \(file)") }
            if count == 0 { return all }
            all += buffer.prefix(count)
        }
    }

    static func text(of file: String) throws -> String {
        String(decoding: try bytes(of: file), as: UTF8.self)
    }

    static func exists(_ file: String) -> Bool {
        access(file, F_OK) == 0
    }

    static func makeDirectory(_ directory: String) throws {
        guard mkdir(directory, 0o755) == 0 else { throw SystemError(doing: "create \(directory)") }
    }

    /// The names in a directory, sorted.
    static func names(in directory: String) throws -> [String] {
        guard let stream = opendir(directory) else { throw SystemError(doing: "read \(directory)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
