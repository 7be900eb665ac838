/// The files of a directory tree in a fixed order (by bytes of the name), found while they are asked for:
/// the memory it takes grows with the depth of the tree and the width of its directories, not with their product.
struct TreeWalk: Sequence, IteratorProtocol {
    enum Item {
        case file(RelativePath)
        case unreadable(RelativePath, SystemError)
    }

    private enum Pending {
        case file(RelativePath)
        case directory(RelativePath)
    }

    private let root: [UInt8]
    private var pending: [Pending]

    /// - Parameter root: the absolute path of the directory.
    init(root: [UInt8]) {
        self.root = root
        pending = [.directory(RelativePath(""))]
    }

    mutating func next() -> Item? {
        while let entry = pending.popLast() {
            switch entry {
            case .file(let path):
                return .file(path)
            case .directory(let path):
                do {
                    try list(path)
                } catch {
                    return .unreadable(path, error)
                }
            }
        }
        return nil
    }

    private mutating func list(_ path: RelativePath) throws(SystemError) {
        let entries = try FileStream(path: Self.absolute(path, in: root)).directoryEntries()
        // The stack gives back last what was put first.
        for entry in entries.sorted(by: { $1.name.lexicographicallyPrecedes($0.name) }) {
            let child = path.appending(entry.name)
            switch entry.kind {
            case .regular: pending.append(.file(child))
            case .directory where !SkippedFolders.contains(entry.name[...]): pending.append(.directory(child))
            case .directory, .other: continue
            }
        }
    }

    static func absolute(_ path: RelativePath, in root: [UInt8]) -> [UInt8] {
        path.bytes.isEmpty ? root : root + [Ascii.slash] + path.bytes
    }
}

/// Folders that hold history, products or other people's code: what leaked there is found at its source.
enum SkippedFolders {
    private static let names = [".git", ".build", "node_modules", "dist"].map { Array($0.utf8) }

    static func contains(_ name: ArraySlice<UInt8>) -> Bool {
        names.contains { $0.elementsEqual(name) }
    }

    /// Whether the file lies in such a folder, for archives, which are a flat list of paths.
    static func contain(_ path: RelativePath) -> Bool {
        path.components.dropLast().contains(where: contains)
    }
}
