// SHA-256 of the OpenSSL that librabbitmq brings anyway: swift-crypto has a BoringSSL of its own, which is over 2 MB of an
// executable that may have 25. OpenSSL's headers stay on this side, as in CRabbitMQTLS.
#pragma once
#include <stddef.h>

enum { semel_sha256_bytes = 32 };

/// Writes `semel_sha256_bytes` to `digest`. Returns 0, or -1 when OpenSSL is out of memory.
int semel_sha256(const unsigned char *bytes, size_t count, unsigned char *digest);

/// HMAC with SHA-256 (RFC 2104). Writes `semel_sha256_bytes` to `code`. Returns 0, or -1 when OpenSSL is out of memory.
int semel_hmac_sha256(
    const unsigned char *key, size_t key_count, const unsigned char *bytes, size_t count, unsigned char *code);

/// Whether the bytes are the same, found out in a time that does not tell where they differ.
int semel_same_bytes(const unsigned char *one, const unsigned char *other, size_t count);

/// SHA-256 of many texts, one after the other: for short ones a quarter of the time of `semel_sha256`.
typedef struct semel_sha256_series semel_sha256_series;

/// Returns NULL when OpenSSL is out of memory.
semel_sha256_series *semel_sha256_series_new(void);
void semel_sha256_series_free(semel_sha256_series *series);

/// Writes `semel_sha256_bytes` to `digest`. Returns 0, or -1 when OpenSSL is out of memory.
int semel_sha256_series_next(
    semel_sha256_series *series, const unsigned char *bytes, size_t count, unsigned char *digest);
