#define _GNU_SOURCE
#include "semel_certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

/// NULL when something in it is no certificate.
static STACK_OF(X509) *read_chain(const unsigned char *der, size_t length) {
    const unsigned char *end = der + length;
    STACK_OF(X509) *chain = sk_X509_new_null();
    while (chain && der < end) {
        X509 *certificate = d2i_X509(NULL, &der, (long)(end - der));
        if (!certificate || !sk_X509_push(chain, certificate)) {
            X509_free(certificate);
            sk_X509_pop_free(chain, X509_free);
            return NULL;
        }
    }
    return chain;
}

/// Whether it has, as its subject or elsewhere, the name of somebody who has signed in the chain.
static int names_a_signer(const unsigned char *der, long length, STACK_OF(X509) *chain) {
    for (int index = 0; index < sk_X509_num(chain); index++) {
        const unsigned char *name;
        size_t name_length;
        if (X509_NAME_get0_der(X509_get_issuer_name(sk_X509_value(chain, index)), &name, &name_length) &&
            memmem(der, (size_t)length, name, name_length))
            return 1;
    }
    return 0;
}

/// The next certificate of a text in PEM form, to be freed; NULL at its end, or at a block that is damaged.
static unsigned char *next_certificate(BIO *text, long *length) {
    char *name, *header;
    unsigned char *der;
    while (PEM_read_bio(text, &name, &header, &der, length)) {
        int is_certificate = !strcmp(name, PEM_STRING_X509) || !strcmp(name, PEM_STRING_X509_OLD);
        OPENSSL_free(name);
        OPENSSL_free(header);
        if (is_certificate) return der;
        OPENSSL_free(der);
    }
    ERR_clear_error();
    return NULL;
}

static BIO *open_text(const char *pem, enum semel_certificates_source source) {
    return source == semel_certificates_in_file ? BIO_new_file(pem, "r") : BIO_new_mem_buf(pem, -1);
}

/// - chain: Reads only those certificates that have to do with it; NULL: all.
static STACK_OF(X509) *read_authorities(const char *pem, enum semel_certificates_source source, STACK_OF(X509) *chain) {
    STACK_OF(X509) *authorities = sk_X509_new_null();
    BIO *text = open_text(pem, source);
    unsigned char *der;
    long length;
    while (text && authorities && (der = next_certificate(text, &length))) {
        if (!chain || names_a_signer(der, length, chain)) {
            const unsigned char *start = der;
            X509 *certificate = d2i_X509(NULL, &start, length);
            if (!certificate || !sk_X509_push(authorities, certificate)) X509_free(certificate);
        }
        OPENSSL_free(der);
    }
    BIO_free(text);
    return authorities;
}

static int expect(X509_VERIFY_PARAM *expected, const char *host) {
    X509_VERIFY_PARAM_set_auth_level(expected, 2);
    // A name that is no address fails as one.
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, host)) return 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    size_t length = strlen(host);
    // With a dot at its end a name is looked up as it stands; certificates have none.
    if (length > 1 && host[length - 1] == '.') length--;
    // Without a name nothing would be compared.
    return length > 0 && X509_VERIFY_PARAM_set1_host(expected, host, length);
}

static struct semel_certificates_verdict verify(STACK_OF(X509) *chain, STACK_OF(X509) *authorities, const char *host) {
    struct semel_certificates_verdict verdict = {X509_V_ERR_UNSPECIFIED, 0};
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context && authorities && X509_STORE_CTX_init(context, NULL, sk_X509_value(chain, 0), chain)) {
        X509_STORE_CTX_set0_trusted_stack(context, authorities);
        int is_ready = X509_STORE_CTX_set_default(context, "ssl_server") &&
                       expect(X509_STORE_CTX_get0_param(context), host);
        int is_accepted = is_ready && X509_verify_cert(context) == 1;
        int error = X509_STORE_CTX_get_error(context);
        verdict.error = is_accepted || error != X509_V_OK ? error : X509_V_ERR_UNSPECIFIED;
        verdict.depth = X509_STORE_CTX_get_error_depth(context);
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return verdict;
}

/// To be called before anything else of OpenSSL: it is not taken apart when the process exits, which takes time, and would
/// take it from under other threads.
static void begin(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }

int semel_certificates_are_in(const char *pem, enum semel_certificates_source source) {
    begin();
    BIO *text = open_text(pem, source);
    long length;
    unsigned char *first = text ? next_certificate(text, &length) : NULL;
    OPENSSL_free(first);
    BIO_free(text);
    ERR_clear_error();
    return first != NULL;
}

struct semel_certificates_verdict semel_certificates_verify(const unsigned char *der, size_t length, const char *pem,
                                                            enum semel_certificates_source source, const char *host) {
    struct semel_certificates_verdict verdict = {X509_V_ERR_UNSPECIFIED, 0};
    begin();
    STACK_OF(X509) *chain = read_chain(der, length);
    // OpenSSL takes 0.3 ms to read a certificate, and a system has 140 authorities, of which two or three may have to do
    // with this server. Names that differ in nothing but their encoding are the same to OpenSSL: so all are read before it
    // says no.
    for (int all = 0; chain && sk_X509_num(chain) > 0 && all <= 1 && verdict.error != X509_V_OK; all++) {
        STACK_OF(X509) *authorities = read_authorities(pem, source, all ? NULL : chain);
        verdict = verify(chain, authorities, host);
        sk_X509_pop_free(authorities, X509_free);
    }
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return verdict;
}

enum semel_certificates_problem semel_certificates_problem(int error) {
    switch (error) {
    case X509_V_OK: return semel_certificates_accepted;
    case X509_V_ERR_CERT_HAS_EXPIRED: return semel_certificates_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return semel_certificates_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return semel_certificates_other_host;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return semel_certificates_unknown_authority;
    default: return semel_certificates_other;
    }
}

const char *semel_certificates_text(int error) { return X509_verify_cert_error_string(error); }
