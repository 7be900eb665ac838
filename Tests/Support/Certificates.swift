import Foundation

/// A certificate authority that exists for one test, made with `openssl` in a directory of its own.
///
/// Keys are on the curve P-256, which takes no time to make; what it issues is valid for a day unless said otherwise.
public final class CertificateAuthority: Sendable {
    /// PEM files, by their paths.
    public struct Certificate: Sendable {
        public let chain: String
        public let key: String
        /// The certificate of whoever has issued it, where that is no root.
        public let intermediate: String?
        fileprivate let directory: TemporaryDirectory

        /// What the files hold, as a Kubernetes Secret would.
        public var chainText: String { get throws { try String(contentsOfFile: chain, encoding: .utf8) } }
        public var keyText: String { get throws { try String(contentsOfFile: key, encoding: .utf8) } }
    }

    public enum Validity: Sendable {
        case today, past, future

        fileprivate var span: ClosedRange<Date> {
            let hour = 3600.0
            let day = 24 * hour
            return switch self {
            case .today: Date(timeIntervalSinceNow: -hour)...Date(timeIntervalSinceNow: day)
            case .past: Date(timeIntervalSinceNow: -2 * day)...Date(timeIntervalSinceNow: -day)
            case .future: Date(timeIntervalSinceNow: day)...Date(timeIntervalSinceNow: 2 * day)
            }
        }
    }

    /// What a server's certificate says of where it is, unless a test wants something else.
    public static let loopback = ["DNS:localhost", "IP:127.0.0.1"]

    /// The authority's own certificate, for `cacert=`.
    public var certificate: String { directory.path("ca.pem") }
    public var certificateText: String { get throws { try String(contentsOfFile: certificate, encoding: .utf8) } }

    private let directory: TemporaryDirectory
    private let isRoot: Bool

    /// One that trusts itself.
    public convenience init(_ name: String = "semel tests") async throws {
        try self.init(isRoot: true)
        try await openssl(
            ["req", "-x509", "-days", "1", "-subj", "/CN=\(name)", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
                + newKey("ca.key") + ["-out", certificate])
    }

    /// One that another has signed.
    public convenience init(_ name: String, signedBy parent: CertificateAuthority, validity: Validity = .today)
        async throws
    {
        try self.init(isRoot: false)
        try await openssl(
            ["req", "-subj", "/CN=\(name)"] + newKey("ca.key") + ["-out", directory.path("ca.csr")])
        try await parent.sign(
            directory.path("ca.csr"), "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n",
            validity, to: certificate)
    }

    private init(isRoot: Bool) throws {
        self.isRoot = isRoot
        directory = try TemporaryDirectory("certificates")
    }

    /// - Parameters:
    ///   - names: as OpenSSL writes subject alternative names: `DNS:broker.example`, `IP:::1`. None makes a certificate
    ///     that has only its common name.
    ///   - commonName: of the subject; the user, in a client's certificate.
    public func issue(
        _ commonName: String = "localhost", for names: [String] = loopback, validity: Validity = .today
    ) async throws -> Certificate {
        let file = UUID().uuidString
        let issued = Certificate(
            chain: directory.path("\(file).pem"), key: directory.path("\(file).key"),
            intermediate: isRoot ? nil : certificate, directory: directory)
        let request = directory.path("\(file).csr")
        try await openssl(["req", "-subj", "/CN=\(commonName)"] + newKey("\(file).key") + ["-out", request])
        let alternatives = names.isEmpty ? "" : "subjectAltName=\(names.joined(separator: ","))\n"
        try await sign(
            request, alternatives + "basicConstraints=CA:false\nextendedKeyUsage=serverAuth,clientAuth\n", validity,
            to: issued.chain)
        return issued
    }

    private func sign(_ request: String, _ extensions: String, _ validity: Validity, to certificate: String)
        async throws
    {
        let file = UUID().uuidString
        let extensionsFile = try directory.write(extensions, to: "\(file).ext")
        let span = validity.span
        try await openssl([
            "ca", "-batch", "-notext", "-config", try configuration(file), "-in", request, "-extfile", extensionsFile,
            "-startdate", Self.text(span.lowerBound), "-enddate", Self.text(span.upperBound), "-out", certificate,
        ])
    }

    /// With a database that nobody else writes to: several certificates may be issued at once.
    private func configuration(_ file: String) throws -> String {
        let database = try directory.write("", to: "\(file).index")
        return try directory.write(
            """
            [ca]
            default_ca = tests
            [tests]
            database = \(database)
            new_certs_dir = \(directory.path)
            certificate = \(certificate)
            private_key = \(directory.path("ca.key"))
            default_md = sha256
            rand_serial = yes
            policy = anything
            unique_subject = no
            [anything]
            commonName = supplied
            """, to: "\(file).conf")
    }

    private func newKey(_ name: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", directory.path(name)]
    }

    private func openssl(_ arguments: [String]) async throws {
        let finished = try await run(.installed("openssl"), arguments)
        guard finished.status == .exited(0) else {
            throw SupportError("openssl \(arguments[0]) \(finished.status): \(finished.stderrText)")
        }
    }

    /// `20260102030405Z`
    private static func text(_ date: Date) -> String {
        let format = Date.ISO8601FormatStyle(
            dateSeparator: .omitted, dateTimeSeparator: .standard, timeSeparator: .omitted)
        return date.formatted(format).replacing("T", with: "")
    }
}
