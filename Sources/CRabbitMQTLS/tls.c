#include "semel_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

void semel_tls_keep_until_exit(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }

/// Verifies as ever. The library frees the connection with its result when a handshake fails; this copy stays.
static int verify(X509_STORE_CTX *store, void *verdict) {
    int accepted = X509_verify_cert(store);
    *(int *)verdict = X509_STORE_CTX_get_error(store);
    return accepted;
}

/// Instead of the question on the terminal.
static int no_passphrase(char *buffer, int size, int writing, void *unused) {
    (void)buffer, (void)size, (void)writing, (void)unused;
    return -1;
}

enum semel_tls_step semel_tls_prepare(void *context, const char *host, const char *authorities, const char *chain,
                                      const char *key, int *verdict) {
    SSL_CTX *tls = context;
    ERR_clear_error();
    if (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION)) return semel_tls_other;
    // A server that ends without a farewell has ended; AMQP has one of its own.
    SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    if (authorities) {
        if (!SSL_CTX_load_verify_file(tls, authorities)) return semel_tls_authorities;
        X509_VERIFY_PARAM *expected = SSL_CTX_get0_param(tls);
        // A name that is no address fails as one and leaves its word behind.
        if (!X509_VERIFY_PARAM_set1_ip_asc(expected, host)) {
            ERR_clear_error();
            X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
            if (!X509_VERIFY_PARAM_set1_host(expected, host, 0)) return semel_tls_other;
        }
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(tls, verify, verdict);
    }
    if (chain) {
        SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
        if (!SSL_CTX_use_certificate_chain_file(tls, chain)) return semel_tls_chain;
        if (!SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM)) return semel_tls_key;
    }
    return semel_tls_ready;
}

enum semel_tls_certificate semel_tls_certificate(int verdict) {
    switch (verdict) {
    case X509_V_OK: return semel_tls_accepted;
    case X509_V_ERR_CERT_HAS_EXPIRED: return semel_tls_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return semel_tls_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return semel_tls_other_host;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return semel_tls_unknown_authority;
    default: return semel_tls_not_accepted;
    }
}

const char *semel_tls_certificate_text(int verdict) { return X509_verify_cert_error_string(verdict); }

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
