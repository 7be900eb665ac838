#include "semel_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

void semel_tls_keep_until_exit(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }

/// The server's certificates in DER form, one behind the other; NULL where there is no memory for them.
static unsigned char *der_of(STACK_OF(X509) *chain, size_t *length) {
    *length = 0;
    for (int index = 0; index < sk_X509_num(chain); index++) {
        int one = i2d_X509(sk_X509_value(chain, index), NULL);
        if (one < 0) return NULL;
        *length += (size_t)one;
    }
    unsigned char *der = OPENSSL_malloc(*length), *end = der;
    for (int index = 0; der && index < sk_X509_num(chain); index++) i2d_X509(sk_X509_value(chain, index), &end);
    return der;
}

/// Instead of OpenSSL's own, which would read every authority of the machine first. The library frees the connection with
/// its result when a handshake fails; the peer's verdict stays.
static int verify(X509_STORE_CTX *store, void *argument) {
    struct semel_tls_peer *peer = argument;
    size_t length;
    unsigned char *der = der_of(X509_STORE_CTX_get0_untrusted(store), &length);
    peer->verdict = semel_certificates_verify(der, der ? length : 0, peer->authorities, semel_certificates_in_file,
                                              peer->host);
    OPENSSL_free(der);
    X509_STORE_CTX_set_error(store, peer->verdict.error);
    return peer->verdict.error == X509_V_OK;
}

/// Called when the server asks for a certificate, whether there is one or not.
static int asked_for_certificate(SSL *connection, void *argument) {
    struct semel_tls_peer *peer = argument;
    peer->judges_afterwards = SSL_version(connection) == TLS1_3_VERSION;
    return 1;
}

/// Instead of the question on the terminal.
static int no_passphrase(char *buffer, int size, int writing, void *unused) {
    (void)buffer, (void)size, (void)writing, (void)unused;
    return -1;
}

enum semel_tls_step semel_tls_prepare(void *context, struct semel_tls_peer *peer, const char *chain, const char *key) {
    SSL_CTX *tls = context;
    ERR_clear_error();
    if (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION)) return semel_tls_other;
    // A server that ends without a farewell has ended; AMQP has one of its own.
    SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_cert_cb(tls, asked_for_certificate, peer);
    if (peer->authorities) {
        if (!semel_certificates_are_in(peer->authorities, semel_certificates_in_file)) return semel_tls_authorities;
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(tls, verify, peer);
    }
    if (chain) {
        SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
        if (!SSL_CTX_use_certificate_chain_file(tls, chain)) return semel_tls_chain;
        if (!SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM)) return semel_tls_key;
    }
    return semel_tls_ready;
}

const char *semel_tls_failure_text(void) { return ERR_reason_error_string(ERR_peek_last_error()); }

static int reason(void) {
    unsigned long failure = ERR_peek_last_error();
    return ERR_GET_LIB(failure) == ERR_LIB_SSL ? ERR_GET_REASON(failure) : 0;
}

int semel_tls_client_is_refused(void) {
    switch (reason()) {
    // The alerts of RFC 5246 and RFC 8446 that are about a certificate, as they come from the other side; and the one
    // that a server of TLS 1.2 sends when it wants one that it did not get.
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return 1;
    default: return 0;
    }
}

int semel_tls_is_not_spoken(void) {
    switch (reason()) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return 1;
    default: return 0;
    }
}
