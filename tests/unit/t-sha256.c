/* SHA-256: vectors of FIPS 180-4. */
#include "base/prelude.h"

#include "base/sha256.h"

#include "tap.h"

static const char EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void known_vectors(void)
{
    uint8_t digest[SHA256_SIZE];
    char text[SHA256_HEX_SIZE];
    REQUIRE(sha256_of("", 0, digest));
    sha256_hex(digest, text);
    CHECK_STR(text, EMPTY);
    REQUIRE(sha256_of("abc", 3, digest));
    sha256_hex(digest, text);
    CHECK_STR(text, ABC);
    char base64[45];
    sha256_base64(digest, base64);
    CHECK_STR(base64, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

static void peek_does_not_end_the_state(void)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    uint8_t digest[SHA256_SIZE];
    char text[SHA256_HEX_SIZE];
    REQUIRE(state != NULL);
    REQUIRE(sha256_peek(state, digest));
    sha256_hex(digest, text);
    CHECK_STR(text, EMPTY);
    REQUIRE(sha256_add(state, "a", 1));
    REQUIRE(sha256_peek(state, digest));
    REQUIRE(sha256_add(state, "bc", 2));
    REQUIRE(sha256_peek(state, digest));
    sha256_hex(digest, text);
    CHECK_STR(text, ABC);
}

static void free_takes_null(void)
{
    sha256_free(NULL);
    CHECK(true);
}

TAP_MAIN(TAP("sha256: known vectors", known_vectors),
         TAP("sha256: peek does not end the state", peek_does_not_end_the_state),
         TAP("sha256: free takes NULL", free_takes_null))
