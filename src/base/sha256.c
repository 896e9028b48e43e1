/* SHA-256 by OpenSSL's EVP interface: the handle is OpenSSL's own context under our name, so the
 * library's allocator is the one in use here. One thread per state. */
#include "base/prelude.h"

#include <openssl/evp.h>

#include "base/sha256.h"

/* The state is OpenSSL's context; only its name is ours. */
static EVP_MD_CTX *context(sha256 *state)
{
    return (EVP_MD_CTX *) (void *) state;
}

/* Fails when memory is exhausted, and also where the system's OpenSSL policy forbids the digest. */
sha256 *sha256_new(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return (sha256 *) (void *) ctx;
}

void sha256_free(sha256 *state)
{
    EVP_MD_CTX_free(context(state));
}

bool sha256_add(sha256 *state, const void *bytes, size_t count)
{
    return EVP_DigestUpdate(context(state), bytes, count) == 1;
}

bool sha256_peek(const sha256 *state, uint8_t digest[static SHA256_SIZE])
{
    /* Finishing consumes a context: finish a copy. */
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy != NULL &&
              EVP_MD_CTX_copy_ex(copy, (const EVP_MD_CTX *) (const void *) state) == 1 &&
              EVP_DigestFinal_ex(copy, digest, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return ok;
}

bool sha256_of(const void *bytes, size_t count, uint8_t digest[static SHA256_SIZE])
{
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) == 1;
}

void sha256_hex(const uint8_t digest[static SHA256_SIZE], char text[static SHA256_HEX_SIZE])
{
    static const char HEX[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        text[2 * i] = HEX[digest[i] >> 4];
        text[2 * i + 1] = HEX[digest[i] & 15];
    }
    text[SHA256_HEX_SIZE - 1] = '\0';
}

void sha256_base64(const uint8_t digest[static SHA256_SIZE], char text[static 45])
{
    (void) EVP_EncodeBlock((unsigned char *) text, digest, SHA256_SIZE);
}
