import Glibc

/// What the message asks to be scanned, looked up and opened.
struct ScanTarget {
    enum Kind: Equatable {
        case directory
        case archive(isCompressed: Bool)
        case file
    }

    let kind: Kind
    /// Absolute, without symbolic links.
    let path: [UInt8]

    /// - Throws: `MessageError` if there can never be anything to scan, `SystemError` if it cannot be looked at now.
    init(path: String) throws {
        guard let resolved = realpath(path, nil) else {
            let error = SystemError.last
            guard error.meansNoSuchPath else { throw error }
            throw MessageError("\(RelativePath(path).display): \(error)")
        }
        defer { free(resolved) }
        self.path = Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))

        let file = try FileStream(path: self.path)
        switch file.kind {
        case .directory: kind = .directory
        case .regular: kind = Self.kind(name: self.path, firstBytes: file.peek(TarHeader.blockSize))
        case .other: throw MessageError("\(RelativePath(path).display): neither a folder nor a file")
        }
    }

    /// The content decides, since uploaded archives have all kinds of names; the name decides for old tar archives,
    /// which have no mark.
    private static func kind(name: [UInt8], firstBytes: [UInt8]) -> Kind {
        if firstBytes.starts(with: [0x1f, 0x8b]) { return .archive(isCompressed: true) }
        let isTar = firstBytes.dropFirst(257).starts(with: "ustar".utf8) || name.reversed().starts(with: "rat.".utf8)
        return isTar ? .archive(isCompressed: false) : .file
    }

    /// What the results' relative addresses are relative to.
    var base: Sarif.ArtifactLocation {
        let (folder, description): ([UInt8], String?) =
            switch kind {
            case .directory: (path, nil)
            case .archive: (path, "The inside of the archive")
            case .file: (Array(path[..<(path.lastIndex(of: Ascii.slash) ?? 0)]), nil)
            }
        let address = "file://" + RelativePath.percentEncoded(folder)
        return Sarif.ArtifactLocation(
            uri: address.hasSuffix("/") ? address : address + "/", description: description.map(Sarif.Message.init))
    }
}
