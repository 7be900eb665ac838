#include "semel_digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

int semel_sha256(const unsigned char *bytes, size_t count, unsigned char *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

int semel_hmac_sha256(
    const unsigned char *key, size_t key_count, const unsigned char *bytes, size_t count, unsigned char *code) {
    return HMAC(EVP_sha256(), key, (int)key_count, bytes, count, code, NULL) ? 0 : -1;
}
