/* Access tokens. The header is checked to be exactly what we write (one algorithm, a key id, a
 * type) before anything is computed, the signature before any claim is read. No state. */
#include "base/prelude.h"

#include "service/auth_token.h"

#include <jansson.h>
#include <lumilio/status.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "base/json_auto.h"

#define HEADER_MAX 128 /* bytes of its JSON */
#define BODY_MAX   512
#define MAC_SIZE   32
#define MAC_CHARS  43
#define SECOND_US  INT64_C(1000000)
#define ISSUER     "lumilio"
#define AUDIENCE   "lumilio"
#define TYPE       "at+jwt"
#define ALGORITHM  "HS256"

size_t base64url_encode(const void *bytes, size_t count, char *out)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *in = bytes;
    size_t used = 0;
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i < 3 ? count - i : 3;
        uint32_t group = (uint32_t) in[i] << 16;
        group |= left > 1 ? (uint32_t) in[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t) in[i + 2] : 0;
        for (size_t j = 0; j <= left; j++) {
            out[used++] = DIGITS[(group >> (18 - 6 * j)) & 63];
        }
    }
    out[used] = '\0';
    return used;
}

/* Value of a digit; 64 for what is none. */
static uint32_t digit_value(char c)
{
    return c >= 'A' && c <= 'Z'   ? (uint32_t) (c - 'A')
           : c >= 'a' && c <= 'z' ? (uint32_t) (c - 'a') + 26
           : c >= '0' && c <= '9' ? (uint32_t) (c - '0') + 52
           : c == '-'             ? 62
           : c == '_'             ? 63
                                  : 64;
}

bool base64url_decode(slice text, void *out, size_t room, size_t *count)
{
    uint8_t *bytes = out;
    size_t used = 0;
    uint32_t bits = 0;
    uint32_t held = 0; /* bits that make no whole byte yet */
    if (text.len % 4 == 1 || text.len / 4 * 3 + (text.len % 4 + 1) / 2 > room + 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint32_t value = digit_value(text.ptr[i]);
        if (value > 63) {
            return false;
        }
        bits = (bits << 6 | value) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            if (used == room) {
                return false;
            }
            bytes[used++] = (uint8_t) (bits >> held);
        }
    }
    /* Bits behind the last byte would make a second spelling of the same bytes. */
    if ((bits & ((1U << held) - 1)) != 0) {
        return false;
    }
    *count = used;
    return true;
}

bool hmac_sha256(const uint8_t key[static AUTH_KEY_BYTES], const void *bytes, size_t count,
                 uint8_t out[static 32])
{
    unsigned size = 0;
    return HMAC(EVP_sha256(), key, AUTH_KEY_BYTES, bytes, count, out, &size) != NULL &&
           size == MAC_SIZE;
}

pgc_status token_sign(auth_keys *keys, const token_claims *claims, char out[static TOKEN_MAX],
                      pgc_error *err)
{
    char sid[PGC_UUID_TEXT_SIZE];
    char jti[PGC_UUID_TEXT_SIZE];
    char text[BODY_MAX];
    char token[TOKEN_MAX];
    uint8_t mac[MAC_SIZE];
    AUTO(auth_secret_wipe) auth_secret secret;
    TRY(auth_keys_newest(keys, AUTH_FOR_ACCESS, &secret, err));
    int length =
        snprintf(text, sizeof text,
                 "{\"alg\":\"" ALGORITHM "\",\"kid\":\"%s\",\"typ\":\"" TYPE "\"}", secret.id);
    size_t used = base64url_encode(text, (size_t) length, token);
    pgc_uuid_format(&claims->session_id, sid);
    pgc_uuid_format(&claims->token_id, jti);
    length = snprintf(text, sizeof text,
                      "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"%" PRId32
                      "\",\"sid\":\"%s\",\"jti\":\"%s\",\"iat\":%" PRId64 ",\"nbf\":%" PRId64
                      ",\"exp\":%" PRId64 "}",
                      claims->user_id, sid, jti, claims->issued_us / SECOND_US,
                      claims->issued_us / SECOND_US, claims->expires_us / SECOND_US);
    assert(length > 0 && (size_t) length < sizeof text);
    token[used++] = '.';
    used += base64url_encode(text, (size_t) length, token + used);
    if (!hmac_sha256(secret.key, token, used, mac)) {
        return pgc_error_set(err, PGC_NOMEM, "sign an access token");
    }
    token[used++] = '.';
    used += base64url_encode(mac, sizeof mac, token + used);
    assert(used < sizeof token);
    memcpy(out, token, used + 1);
    return PGC_OK;
}

/* One reason for all: whoever sends made-up tokens learns nothing from the answer. */
static pgc_status invalid(pgc_error *err)
{
    return pgc_error_set(err, LUM_TOKEN_INVALID, "access token: is not valid");
}

/* A JSON object of exactly `members` members, none of them twice. NULL: it is not that. */
static json_t *object_parse(slice segment, size_t room, size_t members)
{
    char text[BODY_MAX];
    size_t length = 0;
    assert(room <= sizeof text);
    if (!base64url_decode(segment, text, room, &length)) {
        return NULL;
    }
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    if (object != NULL && (!json_is_object(object) || json_object_size(object) != members)) {
        json_decref(TAKE(object));
    }
    return object;
}

/* A string member; absent when it is missing or of another kind. */
static slice text_member(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return json_is_string(member)
               ? (slice) { json_string_value(member), json_string_length(member) }
               : (slice) { NULL, 0 };
}

/* Seconds since 1970 as microseconds, in a range that additions cannot leave. */
static bool time_member(const json_t *object, const char *name, int64_t *out)
{
    const json_t *member = json_object_get(object, name);
    json_int_t seconds = json_integer_value(member);
    if (!json_is_integer(member) || seconds < 0 || seconds > INT64_C(1) << 40) {
        return false;
    }
    *out = (int64_t) seconds * SECOND_US;
    return true;
}

/* The claims of a token whose signature is good. */
static bool claims_read(const json_t *body, token_claims *out, int64_t *not_before_us)
{
    int64_t user_id = 0;
    if (!slice_eq_str(text_member(body, "iss"), ISSUER) ||
        !slice_eq_str(text_member(body, "aud"), AUDIENCE) ||
        !slice_to_i64(text_member(body, "sub"), &user_id) || user_id < 1 || user_id > INT32_MAX) {
        return false;
    }
    out->user_id = (int32_t) user_id;
    return pgc_uuid_parse(text_member(body, "sid"), &out->session_id) &&
           pgc_uuid_parse(text_member(body, "jti"), &out->token_id) &&
           time_member(body, "iat", &out->issued_us) && time_member(body, "nbf", not_before_us) &&
           time_member(body, "exp", &out->expires_us);
}

/* The signature over the first two segments, by the key that the header names. */
static pgc_status signature_check(const auth_secret *secret, slice signed_part, slice signature,
                                  pgc_error *err)
{
    uint8_t given[MAC_SIZE];
    uint8_t computed[MAC_SIZE];
    size_t length = 0;
    if (signature.len != MAC_CHARS || !base64url_decode(signature, given, sizeof given, &length) ||
        length != sizeof given) {
        return invalid(err);
    }
    if (!hmac_sha256(secret->key, signed_part.ptr, signed_part.len, computed)) {
        return pgc_error_set(err, PGC_NOMEM, "check an access token");
    }
    bool good = CRYPTO_memcmp(given, computed, sizeof given) == 0;
    explicit_bzero(computed, sizeof computed);
    return good ? PGC_OK : invalid(err);
}

/* Reads the claims and holds them against the clock. */
static pgc_status claims_check(slice segment, const auth_secret *secret, int64_t now_us,
                               int64_t lifetime_us, token_claims *out, pgc_error *err)
{
    token_claims claims;
    int64_t not_before_us = 0;
    AUTO(json_auto) json_t *body = object_parse(segment, BODY_MAX, 8);
    if (body == NULL || !claims_read(body, &claims, &not_before_us) ||
        not_before_us - TOKEN_LEEWAY_US > now_us || claims.issued_us - TOKEN_LEEWAY_US > now_us ||
        claims.expires_us <= claims.issued_us ||
        claims.expires_us - claims.issued_us > lifetime_us) {
        return invalid(err);
    }
    if (claims.expires_us + TOKEN_LEEWAY_US <= now_us) {
        return pgc_error_set(err, LUM_TOKEN_EXPIRED, "access token: has expired; refresh it");
    }
    /* A key that was replaced signs nothing any more. */
    if (secret->retired_us != INT64_MAX &&
        claims.issued_us > secret->retired_us + 2 * TOKEN_LEEWAY_US) {
        return invalid(err);
    }
    *out = claims;
    return PGC_OK;
}

pgc_status token_verify(auth_keys *keys, slice token, int64_t now_us, int64_t lifetime_us,
                        token_claims *out, pgc_error *err)
{
    slice rest = token;
    if (token.ptr == NULL || token.len >= TOKEN_MAX) {
        return invalid(err);
    }
    slice header_text = slice_next(&rest, '.');
    slice body_text = slice_next(&rest, '.');
    slice signature = rest;
    if (signature.ptr == NULL || slice_find(signature, '.', 0) != SIZE_MAX) {
        return invalid(err);
    }
    AUTO(json_auto) json_t *header = object_parse(header_text, HEADER_MAX, 3);
    slice key_id = text_member(header, "kid");
    if (header == NULL || !slice_eq_str(text_member(header, "alg"), ALGORITHM) ||
        !slice_eq_str(text_member(header, "typ"), TYPE) || key_id.len != AUTH_KEY_ID_SIZE - 1) {
        return invalid(err);
    }
    AUTO(auth_secret_wipe) auth_secret secret;
    pgc_status status = auth_keys_find(keys, key_id, AUTH_FOR_ACCESS, &secret, err);
    if (status != PGC_OK) {
        return status == PGC_NOT_FOUND ? invalid(err) : status;
    }
    slice signed_part = slice_sub(token, 0, header_text.len + 1 + body_text.len);
    TRY(signature_check(&secret, signed_part, signature, err));
    return claims_check(body_text, &secret, now_us, lifetime_us, out, err);
}
