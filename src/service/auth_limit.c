/* Limits on attempts, counted in the database, so that they hold over processes and restarts: the
 * generic cell rate algorithm, one upsert for each attempt. Keys are keyed hashes: the table tells
 * nobody who tried. A name is slowed down, never locked: whoever logged in from a network before
 * has a count of his own there, which a stranger cannot use up. */
#include "base/prelude.h"

#include <arpa/inet.h>
#include <lumilio/status.h>

#include "base/buf.h"
#include "service/auth_internal.h"
#include "service/auth_token.h"

#define SECOND_US INT64_C(1000000)

pgc_status auth_network(const lum_client *client, char out[static AUTH_ADDRESS_SIZE],
                        pgc_error *err)
{
    uint8_t bytes[16];
    char text[AUTH_ADDRESS_SIZE];
    slice address = client != NULL ? client->address : (slice) { NULL, 0 };
    out[0] = '\0';
    if (address.ptr == NULL) {
        return PGC_OK;
    }
    if (address.len >= sizeof text || memchr(address.ptr, '\0', address.len) != NULL) {
        return pgc_error_set(err, PGC_INVALID, "client address: is no IP address");
    }
    memcpy(text, address.ptr, address.len);
    text[address.len] = '\0';
    if (inet_pton(AF_INET, text, bytes) == 1) {
        (void) inet_ntop(AF_INET, bytes, out, AUTH_ADDRESS_SIZE);
        return PGC_OK;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1) {
        return pgc_error_set(err, PGC_INVALID, "client address: is no IP address");
    }
    static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };
    if (memcmp(bytes, MAPPED, sizeof MAPPED) == 0) {
        (void) inet_ntop(AF_INET, bytes + sizeof MAPPED, out, AUTH_ADDRESS_SIZE);
        return PGC_OK;
    }
    memset(bytes + 8, 0, 8);
    (void) inet_ntop(AF_INET6, bytes, out, AUTH_ADDRESS_SIZE);
    return PGC_OK;
}

/* The row of a count. ASCII letters of a name are folded, or each spelling would have its own. */
static pgc_status key_of(lum_auth *auth, auth_limit_kind kind, slice subject, slice address,
                         uint8_t out[static 32], pgc_error *err)
{
    AUTO(auth_secret_wipe) auth_secret secret;
    AUTO(buf_auto) buf text;
    buf_init(&text, auth->env->alloc, 4096);
    TRY(auth_keys_oldest(auth->keys, AUTH_FOR_LIMITS, &secret, err));
    buf_add_char(&text, (char) ('0' + (int) kind));
    for (size_t i = 0; kind != AUTH_BY_ADDRESS && i < subject.len; i++) {
        buf_add_char(&text, (char) tolower((unsigned char) subject.ptr[i]));
    }
    buf_add_char(&text, '\n');
    if (kind != AUTH_BY_ACCOUNT) {
        buf_add(&text, address);
    }
    TRY(buf_finish(&text, err));
    if (!hmac_sha256(secret.key, buf_view(&text).ptr, buf_view(&text).len, out)) {
        return pgc_error_set(err, PGC_NOMEM, "count an attempt");
    }
    return PGC_OK;
}

/* How long until the next attempt is free, for the answer. */
static pgc_status refuse(lum_auth *auth, const lum_auth_rate *rate, pgc_bytes key, int64_t now_us,
                         int64_t *retry_after_us, pgc_error *err)
{
    pgc_timestamptz free_at;
    int64_t wait_us = rate->interval_us;
    if (repo_auth_attempt_at(auth_db(auth), key, &free_at, NULL) == PGC_OK) {
        wait_us = pgc_timestamptz_to_unix_us(free_at) + rate->interval_us -
                  rate->interval_us * (int64_t) rate->burst - now_us;
    }
    wait_us = wait_us > 1 ? wait_us : 1;
    if (retry_after_us != NULL) {
        *retry_after_us = wait_us;
    }
    auth->limited++;
    return pgc_error_set(err, LUM_TOO_MANY_ATTEMPTS,
                         "too many attempts: try again in %" PRId64 " s",
                         (wait_us + SECOND_US - 1) / SECOND_US);
}

pgc_status auth_limit_take(lum_auth *auth, auth_limit_kind kind, slice subject, slice address,
                           int64_t *retry_after_us, pgc_error *err)
{
    uint8_t key[32];
    const lum_auth_rate *rate =
        kind == AUTH_BY_ADDRESS ? &auth->options.by_address : &auth->options.by_account;
    TRY(key_of(auth, kind, subject, address, key, err));
    int64_t now_us = auth_now_us(auth);
    const repo_auth_take_attempt_params params = {
        .key = { key, sizeof key },
        .now = pgc_timestamptz_from_unix_us(now_us),
        .cost = { .us = rate->interval_us },
        .burst = { .us = rate->interval_us * (int64_t) rate->burst },
    };
    pgc_timestamptz free_at;
    pgc_status status = repo_auth_take_attempt(auth_db(auth), &params, &free_at, err);
    if (status == PGC_NOT_FOUND) {
        return refuse(auth, rate, params.key, now_us, retry_after_us, err);
    }
    return pgc_error_wrap(err, status, "count an attempt");
}

pgc_status auth_limit_forget(lum_auth *auth, auth_limit_kind kind, slice subject, slice address,
                             pgc_error *err)
{
    uint8_t key[32];
    TRY(key_of(auth, kind, subject, address, key, err));
    return repo_auth_forget_attempts(auth_db(auth), (pgc_bytes) { key, sizeof key }, err);
}
