public import Semel

/// `spool:/path/dir`, or `spool:dir` relative to the working directory.
public struct SpoolAddress: Sendable {
    public let root: String
    public let name: String
    public let source: String

    /// Where the spool is when nobody says otherwise; the place that the Filesystem Hierarchy Standard has for it.
    public static let defaultURL = "spool:/var/spool/semel"

    public init(_ url: QueueURL) throws(ConfigurationError) {
        guard url.credentials.areNone, url.hosts.isEmpty else {
            throw ConfigurationError("\(url.source): a spool is a directory; write spool:/path/dir")
        }
        try url.allowOnly([])
        var root = url.path
        while root.count > 1 && root.hasSuffix("/") { root.removeLast() }
        guard !root.isEmpty, root != "/" else {
            throw ConfigurationError("\(url.source): names no directory; write spool:/path/dir")
        }
        self.root = root
        name = "spool:\(root)"
        source = url.source
    }
}
