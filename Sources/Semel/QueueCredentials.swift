import Glibc

/// Who a worker is to its broker. What is in a file is read again for every connection: a Secret that Kubernetes mounts
/// changes under a running pod.
public struct QueueCredentials: Sendable {
    public struct Current: Sendable, Hashable {
        public var user: String?
        public var password: String?

        public init(user: String?, password: String?) {
            self.user = user
            self.password = password
        }
    }

    private enum Source {
        case given(Current)
        case passwordFile(user: String?, path: String)
        /// The whole URL is in the file. What it names later may be somebody.
        case urlFile(path: String, namesNobody: Bool)
    }

    private let origin: Source
    /// The flag or variable that they came from, for messages.
    private let source: String

    /// - Parameter names: What the password and its file are called where they come from, for messages.
    /// - Throws: When there is a password and a file for one. The file is not read yet.
    public init(
        user: String?, password: String?, passwordFile: String? = nil, source: String,
        names: (password: String, file: String) = ("password", "passwordFile")
    ) throws(ConfigurationError) {
        guard let passwordFile else {
            self.source = source
            origin = .given(Current(user: user, password: password))
            return
        }
        guard password == nil else {
            throw ConfigurationError("\(source): both \(names.password) and \(names.file) are given; keep one of them")
        }
        self.source = "\(source): \(names.file)"
        origin = .passwordFile(user: user, path: passwordFile)
    }

    /// Nobody is named.
    public static let none = QueueCredentials(.given(Current(user: nil, password: nil)), "")

    private init(_ origin: Source, _ source: String) {
        self.origin = origin
        self.source = source
    }

    /// Whether nobody is named, not even by an empty name.
    public var areNone: Bool {
        switch origin {
        case .given(let current): current == Current(user: nil, password: nil)
        case .passwordFile: false
        case .urlFile(_, let namesNobody): namesNobody
        }
    }

    /// Of a file that holds a queue's URL.
    ///
    /// - Parameter namesNobody: As it is now.
    public init(urlFile path: String, source: String, namesNobody: Bool) {
        origin = .urlFile(path: path, namesNobody: namesNobody)
        self.source = source
    }

    /// As they are now; an empty user or password is none.
    ///
    /// - Throws: When their file cannot be read, is empty or larger than 64 KiB, or holds no URL where one is due.
    public func current() throws(ConfigurationError) -> Current {
        switch origin {
        case .given(let current): return current.withoutEmpty
        case .passwordFile(let user, let path):
            return Current(user: user, password: try SecretFile.read(path, source: source)).withoutEmpty
        case .urlFile(let path, _):
            return try QueueURL(SecretFile.read(path, source: source), source: source).credentials.current()
        }
    }
}

extension QueueCredentials.Current {
    fileprivate var withoutEmpty: Self {
        Self(
            user: user.flatMap { $0.isEmpty ? nil : $0 }, password: password.flatMap { $0.isEmpty ? nil : $0 })
    }
}

/// A small file that holds one secret: its text without the line break that editors put at the end.
public enum SecretFile {
    private static let largest = 64 << 10

    /// - Parameter source: What names the file, for messages.
    public static func read(_ path: String, source: String) throws(ConfigurationError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ConfigurationError("\(source): \(SystemError(doing: "open \(path)"))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= largest {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ConfigurationError("\(source): \(SystemError(doing: "read \(path)"))") }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        guard bytes.count <= largest else { throw ConfigurationError("\(source): \(path) is larger than 64 KiB") }
        while let last = bytes.last, [UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(last) { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ConfigurationError("\(source): \(path) is empty") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(source): \(path) is not UTF-8")
        }
        return text
    }
}
