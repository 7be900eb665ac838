public import Semel

/// Why there is no connection over TLS. The reasons are what can stand behind the name of the server.
public enum TLSFailure: Error, Sendable {
    /// Nobody there speaks it, or the connection broke.
    case broken(String)
    /// A file that the connection needs cannot be used: a whole line, which says where it is named.
    case misconfigured(String)
    /// Who is there is not who is meant.
    case untrusted(CertificateProblem)
    /// The server does not accept our certificate, or wants one.
    case refused(String)
}
