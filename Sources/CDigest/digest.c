#include "semel_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

int semel_sha256(const unsigned char *bytes, size_t count, unsigned char *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

int semel_hmac_sha256(
    const unsigned char *key, size_t key_count, const unsigned char *bytes, size_t count, unsigned char *code) {
    return HMAC(EVP_sha256(), key, (int)key_count, bytes, count, code, NULL) ? 0 : -1;
}

struct semel_sha256_series {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
};

semel_sha256_series *semel_sha256_series_new(void) {
    semel_sha256_series *series = calloc(1, sizeof *series);
    if (!series) return NULL;
    series->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    series->context = EVP_MD_CTX_new();
    if (series->algorithm && series->context && EVP_DigestInit_ex2(series->context, series->algorithm, NULL) == 1)
        return series;
    semel_sha256_series_free(series);
    return NULL;
}

void semel_sha256_series_free(semel_sha256_series *series) {
    if (!series) return;
    EVP_MD_CTX_free(series->context);
    EVP_MD_free(series->algorithm);
    free(series);
}

int semel_sha256_series_next(
    semel_sha256_series *series, const unsigned char *bytes, size_t count, unsigned char *digest) {
    // Without an algorithm it begins anew with the one that it has.
    int done = EVP_DigestInit_ex2(series->context, NULL, NULL) == 1
        && EVP_DigestUpdate(series->context, bytes, count) == 1
        && EVP_DigestFinal_ex(series->context, digest, NULL) == 1;
    return done ? 0 : -1;
}

int semel_same_bytes(const unsigned char *one, const unsigned char *other, size_t count) {
    return CRYPTO_memcmp(one, other, count) == 0;
}
