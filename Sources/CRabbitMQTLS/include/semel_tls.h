// TLS under librabbitmq, which leaves OpenSSL's context open to whoever wants more of it. OpenSSL's own headers stay on
// this side: Swift would meet them beside BoringSSL's, which have the same names for other things.
#pragma once
#include "semel_certificates.h"

/// What kept a context from being prepared.
enum semel_tls_step { semel_tls_ready, semel_tls_authorities, semel_tls_chain, semel_tls_key, semel_tls_other };

/// Who should be there, and OpenSSL's word on who is.
struct semel_tls_peer {
    const char *host;
    /// A file of those that may have signed the server's certificate; NULL: nothing is verified.
    const char *authorities;
    struct semel_certificates_verdict verdict;
    /// Whether the server wants to know who its client is, and judges that when for the client the handshake is over:
    /// TLS 1.3 has it so.
    int judges_afterwards;
};

/// To be called before anything else of OpenSSL: it is not taken apart when the process exits, which takes time, and would
/// take it from under a connection of another thread.
void semel_tls_keep_until_exit(void);

/// Prepares the context of an `amqp_ssl_socket_new` that is not open yet. TLS 1.2 at the least.
///
/// librabbitmq 0.11 compares host names by code of its own, which knows no addresses: a certificate for 127.0.0.1 is
/// refused. So its check is to be turned off; the server is verified as part of the handshake.
///
/// - peer: Has to live as long as the context.
/// - chain, key: Files of the client's certificate; NULL for none. A key that wants a passphrase is not usable.
enum semel_tls_step semel_tls_prepare(void *context, struct semel_tls_peer *peer, const char *chain, const char *key);

/// OpenSSL's words for what last failed on this thread; NULL when it was not OpenSSL.
const char *semel_tls_failure_text(void);
/// Whether that was the server that did not want this client's certificate, or wants one where there is none.
int semel_tls_client_is_refused(void);
/// Whether the other side answered with something that is not TLS.
int semel_tls_is_not_spoken(void);
