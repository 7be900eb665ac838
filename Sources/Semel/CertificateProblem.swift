/// Why a server's certificate is not accepted, in the same words for every queue.
public enum CertificateProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Which of the certificates that a server shows.
    public enum Holder: Sendable, Hashable {
        case server
        /// One of those between the server and whom this machine trusts, or the latter.
        case authority
    }

    case expired(Holder)
    case notYetValid(Holder)
    case otherHost(asked: String)
    /// - Parameter authorities: The file of those that may have signed it.
    case unknownAuthority(authorities: String)
    /// In the words of the library.
    case other(String)

    public var description: String {
        switch self {
        case .expired(let holder): "\(Self.name(holder)) has expired"
        case .notYetValid(let holder): "\(Self.name(holder)) is not valid yet; is the clock of this machine right?"
        case .otherHost(let asked): "the server's certificate is not for ‘\(asked)’"
        case .unknownAuthority(let authorities):
            "the server's certificate is not signed by an authority in \(authorities) (cacert)"
        case .other(let words): "the server's certificate is not accepted: \(words)"
        }
    }

    private static func name(_ holder: Holder) -> String {
        switch holder {
        case .server: "the server's certificate"
        case .authority: "the certificate of an authority behind the server's"
        }
    }
}
