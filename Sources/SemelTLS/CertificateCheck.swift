package import CCertificates
import NIOSSL
package import Semel

/// Whether a server is the one that was asked for: see `semel_certificates.h`.
struct CertificateCheck {
    let authorities: TLSClient.PEM
    let host: String

    /// - Parameter chain: What the server has shown, its own certificate first.
    func problem(of chain: [NIOSSLCertificate]) -> CertificateProblem? {
        // One that cannot be written out makes the rest of them a text that cannot be read.
        let bytes = chain.flatMap { (try? $0.toDERBytes()) ?? [0] }
        let verdict = semel_certificates_verify(
            bytes, bytes.count, authorities.content, authorities.whereabouts, host)
        return CertificateProblem(verdict, host: host, authorities: authorities.name)
    }
}

extension CertificateProblem {
    /// - Parameter authorities: What they were read from, for messages.
    /// - Returns: `nil` for a server that is to be trusted.
    package init?(_ verdict: semel_certificates_verdict, host: String, authorities: String) {
        let holder = verdict.depth == 0 ? Holder.server : .authority
        switch semel_certificates_problem(verdict.error) {
        case semel_certificates_accepted: return nil
        case semel_certificates_expired: self = .expired(holder)
        case semel_certificates_not_yet_valid: self = .notYetValid(holder)
        case semel_certificates_other_host: self = .otherHost(asked: host)
        case semel_certificates_unknown_authority: self = .unknownAuthority(authorities: authorities)
        default: self = .other(String(cString: semel_certificates_text(verdict.error)))
        }
    }
}

extension TLSClient.PEM {
    var content: String {
        switch self {
        case .file(let content), .text(let content): content
        }
    }

    var whereabouts: semel_certificates_source {
        switch self {
        case .file: semel_certificates_in_file
        case .text: semel_certificates_in_text
        }
    }

    /// For messages.
    var name: String {
        switch self {
        case .file(let path): path
        case .text: "the text that was given"
        }
    }
}
