// A server's certificates, verified by OpenSSL: the same rules and the same words for every queue, whoever encrypts. That
// is OpenSSL itself under librabbitmq; under SwiftNIO it is BoringSSL, which does not tell which of its checks has failed,
// and to which NIOSSL adds a comparison of names that accepts the address where a name was asked for. OpenSSL's headers
// stay on this side: Swift would meet them beside BoringSSL's, which have the same names for other things.
#pragma once
#include <stddef.h>

/// OpenSSL's word on a chain.
struct semel_certificates_verdict {
    /// `X509_V_OK` or what is wrong.
    int error;
    /// Of the certificate that it is about: 0 is the server's own.
    int depth;
};

enum semel_certificates_problem {
    semel_certificates_accepted,
    semel_certificates_expired,
    semel_certificates_not_yet_valid,
    semel_certificates_other_host,
    semel_certificates_unknown_authority,
    semel_certificates_other,
};

/// What a text in PEM form is given by.
enum semel_certificates_source { semel_certificates_in_file, semel_certificates_in_text };

/// Whether there is a certificate in a text in PEM form.
int semel_certificates_are_in(const char *pem, enum semel_certificates_source source);

/// Verifies that a server is the one that was asked for. At level 2 of OpenSSL's security, as Debian has it everywhere: keys
/// of RSA have 2048 bits at the least, and no signature is made with SHA-1.
///
/// - chain: Its certificates in DER form, one behind the other, its own first.
/// - pem: Those that may have signed them.
/// - host: An address, which has to be among those of the certificate, or a name.
struct semel_certificates_verdict semel_certificates_verify(const unsigned char *chain, size_t length, const char *pem,
                                                            enum semel_certificates_source source, const char *host);

enum semel_certificates_problem semel_certificates_problem(int error);
/// OpenSSL's words for an error.
const char *semel_certificates_text(int error);
