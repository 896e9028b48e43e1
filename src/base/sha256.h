/* SHA-256 by OpenSSL's EVP interface. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE     32
#define SHA256_HEX_SIZE 65 /* 64 characters and NUL */

typedef struct sha256 sha256;

/* NULL when memory is exhausted. */
sha256 *sha256_new(void);
void sha256_free(sha256 *state);
bool sha256_add(sha256 *state, const void *bytes, size_t count);
/* Digest of what was added so far; the state goes on from there. */
bool sha256_peek(const sha256 *state, uint8_t digest[static SHA256_SIZE]);
/* One call for all. */
bool sha256_of(const void *bytes, size_t count, uint8_t digest[static SHA256_SIZE]);
/* Lower case. */
void sha256_hex(const uint8_t digest[static SHA256_SIZE], char text[static SHA256_HEX_SIZE]);
/* Standard base64 with padding; text needs 45 bytes. */
void sha256_base64(const uint8_t digest[static SHA256_SIZE], char text[static 45]);

static inline void sha256_auto(sha256 **local)
{
    sha256_free(*local);
}

#endif
