/// Why a server's certificate is not accepted, in the same words for every queue.
public enum CertificateProblem: Error, Sendable, Hashable, CustomStringConvertible {
    case expired
    case notYetValid
    case otherHost(asked: String)
    /// - Parameter authorities: The file of those that may have signed it.
    case unknownAuthority(authorities: String)
    /// In the words of the library.
    case other(String)

    public var description: String {
        switch self {
        case .expired: "the server's certificate has expired"
        case .notYetValid: "the server's certificate is not valid yet; is the clock of this machine right?"
        case .otherHost(let asked): "the server's certificate is not for ‘\(asked)’"
        case .unknownAuthority(let authorities):
            "the server's certificate is not signed by an authority in \(authorities) (cacert)"
        case .other(let words): "the server's certificate is not accepted: \(words)"
        }
    }
}
