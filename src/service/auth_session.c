/* Sessions and refresh tokens. Token number n of a session is made from n, the session's salt and a
 * key outside of the database, so it can be made again for a client that lost the answer, and a
 * copy of the database makes none. A session's row is locked while its next token is decided. */
#include "base/prelude.h"

#include <lumilio/status.h>
#include <openssl/crypto.h>
#include <pgc/tx.h>

#include "base/sha256.h"
#include "base/uuid.h"
#include "service/auth_internal.h"
#include "service/auth_token.h"

#define REFRESH_VERSION 1
#define REFRESH_HEAD    27 /* version, key id, session, generation */
#define REFRESH_BYTES   (REFRESH_HEAD + 32)
#define SALT_BYTES      32
#define GRACE_US        INT64_C(10000000) /* the last token but one, for lost answers */

/* Layout of a refresh token: what can be read of it, then the proof that we made it. */
typedef struct refresh_token {
    char key_id[AUTH_KEY_ID_SIZE];
    pgc_uuid session_id;
    int32_t generation;
    uint8_t bytes[REFRESH_BYTES];
} refresh_token;

_Static_assert((REFRESH_BYTES * 4 + 2) / 3 + 1 <= LUM_REFRESH_TOKEN_SIZE, "token fits");
_Static_assert(TOKEN_MAX <= LUM_ACCESS_TOKEN_SIZE, "token fits");
_Static_assert(REFRESH_HEAD == 1 + AUTH_KEY_ID_BYTES + 16 + 4, "layout");

void lum_tokens_wipe(lum_tokens *tokens)
{
    explicit_bzero(tokens, sizeof *tokens);
}

pgc_status auth_event(pgc_db *db, const char *event, int32_t subject, pgc_error *err)
{
    const repo_auth_add_event_params params = { .event = pgc_text_from(event),
                                                .subject = { subject > 0, subject } };
    return repo_auth_add_event(db, &params, err);
}

/* The proof: over the head and the session's salt. */
static bool proof_make(const auth_secret *secret, const uint8_t head[static REFRESH_HEAD],
                       pgc_bytes salt, uint8_t out[static 32])
{
    uint8_t message[REFRESH_HEAD + SALT_BYTES];
    assert(salt.len == SALT_BYTES);
    memcpy(message, head, REFRESH_HEAD);
    memcpy(message + REFRESH_HEAD, salt.ptr, SALT_BYTES);
    return hmac_sha256(secret->key, message, sizeof message, out);
}

static void id_pack(const char *id, uint8_t *out)
{
    for (size_t i = 0; i < AUTH_KEY_ID_BYTES; i++) {
        unsigned value = 0;
        (void) sscanf(id + 2 * i, "%2x", &value);
        out[i] = (uint8_t) value;
    }
}

/* Token number `generation` of a session: its text, and the hash that the database knows it by. */
static pgc_status refresh_make(const auth_secret *secret, pgc_uuid session_id, int32_t generation,
                               pgc_bytes salt, char text[static LUM_REFRESH_TOKEN_SIZE],
                               uint8_t hash[static SHA256_SIZE], pgc_error *err)
{
    uint8_t bytes[REFRESH_BYTES] = { REFRESH_VERSION };
    id_pack(secret->id, bytes + 1);
    memcpy(bytes + 1 + AUTH_KEY_ID_BYTES, session_id.bytes, sizeof session_id.bytes);
    for (size_t i = 0; i < 4; i++) {
        bytes[REFRESH_HEAD - 4 + i] = (uint8_t) ((uint32_t) generation >> (24 - 8 * i));
    }
    bool done = proof_make(secret, bytes, salt, bytes + REFRESH_HEAD) &&
                sha256_of(bytes, sizeof bytes, hash);
    (void) base64url_encode(bytes, sizeof bytes, text);
    explicit_bzero(bytes, sizeof bytes);
    return done ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "make a refresh token");
}

static pgc_status refresh_invalid(pgc_error *err)
{
    return pgc_error_set(err, LUM_TOKEN_INVALID, "refresh token: is not valid; log in again");
}

static pgc_status session_over(pgc_error *err)
{
    return pgc_error_set(err, LUM_SESSION_ENDED, "the session has ended; log in again");
}

static pgc_status refresh_parse(slice text, refresh_token *out, pgc_error *err)
{
    size_t count = 0;
    if (text.ptr == NULL || text.len >= LUM_REFRESH_TOKEN_SIZE ||
        !base64url_decode(text, out->bytes, sizeof out->bytes, &count) || count != REFRESH_BYTES ||
        out->bytes[0] != REFRESH_VERSION) {
        return refresh_invalid(err);
    }
    for (size_t i = 0; i < AUTH_KEY_ID_BYTES; i++) {
        (void) snprintf(out->key_id + 2 * i, 3, "%02x", (unsigned) out->bytes[1 + i]);
    }
    memcpy(out->session_id.bytes, out->bytes + 1 + AUTH_KEY_ID_BYTES, 16);
    uint32_t generation = 0;
    for (size_t i = REFRESH_HEAD - 4; i < REFRESH_HEAD; i++) {
        generation = generation << 8 | out->bytes[i];
    }
    if (generation > INT32_MAX) {
        return refresh_invalid(err);
    }
    out->generation = (int32_t) generation;
    return PGC_OK;
}

/* The access token that goes with a refresh token. */
static pgc_status access_make(lum_auth *auth, lum_tokens *tokens, int64_t now_us, pgc_error *err)
{
    token_claims claims = { .user_id = tokens->user_id,
                            .session_id = tokens->session_id,
                            .issued_us = now_us,
                            .expires_us = now_us + auth->options.access_us };
    if (!uuid_v4(auth->env->clock, &claims.token_id)) {
        return pgc_error_set(err, PGC_IO, "make an access token: no random numbers to be had");
    }
    tokens->access_expires_us = claims.expires_us;
    return token_sign(auth->keys, &claims, tokens->access, err);
}

/* The idle time goes on from each use, but never past the end. */
static int64_t expiry_us(const lum_auth *auth, int64_t created_us, int64_t now_us)
{
    int64_t end_us = created_us + auth->options.session_us;
    int64_t idle_us = now_us + auth->options.idle_us;
    return end_us < idle_us ? end_us : idle_us;
}

pgc_status auth_session_open(lum_auth *auth, int32_t user_id, slice hash, slice address,
                             slice user_agent, lum_tokens *out, pgc_error *err)
{
    const clock_ops *clock = auth->env->clock;
    uint8_t salt[SALT_BYTES];
    uint8_t refresh_hash[SHA256_SIZE];
    int64_t now_us = auth_now_us(auth);
    AUTO(lum_tokens_wipe) lum_tokens tokens = { .user_id = user_id };
    AUTO(auth_secret_wipe) auth_secret secret;
    if (!clock->random(clock->ctx, salt, sizeof salt) || !uuid_v4(clock, &tokens.session_id)) {
        return pgc_error_set(err, PGC_IO, "open a session: no random numbers to be had");
    }
    TRY(auth_keys_newest(auth->keys, AUTH_FOR_REFRESH, &secret, err));
    TRY(refresh_make(&secret, tokens.session_id, 0, (pgc_bytes) { salt, sizeof salt },
                     tokens.refresh, refresh_hash, err));
    tokens.refresh_expires_us = expiry_us(auth, now_us, now_us);
    TRY(access_make(auth, &tokens, now_us, err));
    const repo_auth_open_session_params params = {
        .now = pgc_timestamptz_from_unix_us(now_us),
        .user_id = user_id,
        .password_hash = hash,
        .session_id = tokens.session_id,
        .expires_at = pgc_timestamptz_from_unix_us(tokens.refresh_expires_us),
        .salt = { salt, sizeof salt },
        .key_id = pgc_text_from(secret.id),
        .refresh_hash = { refresh_hash, sizeof refresh_hash },
        .address = address.len > 0 ? address : (slice) { NULL, 0 },
        .user_agent = user_agent,
    };
    pgc_uuid opened;
    pgc_status status = repo_auth_open_session(auth_db(auth), &params, &opened, err);
    if (status == PGC_NOT_FOUND) {
        return pgc_error_set(err, LUM_BAD_CREDENTIALS, "user name or password is wrong");
    }
    TRY(pgc_error_wrap(err, status, "open a session"));
    *out = tokens;
    return PGC_OK;
}

/* What is to be done with a token that came, under the lock of its session. */
typedef enum refresh_verdict {
    REFRESH_BAD,
    REFRESH_NEXT,
    REFRESH_AGAIN,
    REFRESH_REUSED
} refresh_verdict;

static pgc_status judge(lum_auth *auth, const refresh_token *token, const repo_auth_session *row,
                        int64_t now_us, refresh_verdict *out, pgc_error *err)
{
    uint8_t proof[32];
    AUTO(auth_secret_wipe) auth_secret secret;
    *out = REFRESH_BAD;
    pgc_status status =
        auth_keys_find(auth->keys, pgc_text_from(token->key_id), AUTH_FOR_REFRESH, &secret, err);
    if (status != PGC_OK) {
        return status == PGC_NOT_FOUND ? PGC_OK : status;
    }
    if (!proof_make(&secret, token->bytes, row->salt, proof)) {
        return pgc_error_set(err, PGC_NOMEM, "check a refresh token");
    }
    int64_t age_us = now_us - pgc_timestamptz_to_unix_us(row->rotated_at);
    if (CRYPTO_memcmp(proof, token->bytes + REFRESH_HEAD, sizeof proof) == 0 &&
        token->generation <= row->generation) {
        *out = token->generation == row->generation                             ? REFRESH_NEXT
               : token->generation == row->generation - 1 && age_us <= GRACE_US ? REFRESH_AGAIN
                                                                                : REFRESH_REUSED;
    }
    explicit_bzero(proof, sizeof proof);
    return PGC_OK;
}

/* The next token of a locked session, written to its row. */
static pgc_status rotate(lum_auth *auth, pgc_db *db, const repo_auth_session *row,
                         const char *address, lum_tokens *tokens, pgc_error *err)
{
    uint8_t hash[SHA256_SIZE];
    int64_t now_us = auth_now_us(auth);
    AUTO(auth_secret_wipe) auth_secret secret;
    if (row->generation == INT32_MAX) {
        return session_over(err);
    }
    TRY(auth_keys_newest(auth->keys, AUTH_FOR_REFRESH, &secret, err));
    TRY(refresh_make(&secret, row->session_id, row->generation + 1, row->salt, tokens->refresh,
                     hash, err));
    tokens->refresh_expires_us =
        expiry_us(auth, pgc_timestamptz_to_unix_us(row->created_at), now_us);
    const repo_auth_rotate_session_params params = {
        .generation = row->generation + 1,
        .key_id = pgc_text_from(secret.id),
        .refresh_hash = { hash, sizeof hash },
        .now = pgc_timestamptz_from_unix_us(now_us),
        .expires_at = pgc_timestamptz_from_unix_us(tokens->refresh_expires_us),
        .address = address[0] != '\0' ? pgc_text_from(address) : (pgc_text) { NULL, 0 },
        .session_id = row->session_id,
    };
    return repo_auth_rotate_session(db, &params, err);
}

/* The current token once more; the stored hash must know it. */
static pgc_status repeat(lum_auth *auth, const repo_auth_session *row, lum_tokens *tokens,
                         pgc_error *err)
{
    uint8_t hash[SHA256_SIZE];
    AUTO(auth_secret_wipe) auth_secret secret;
    TRY(auth_keys_find(auth->keys, row->key_id, AUTH_FOR_REFRESH, &secret, err));
    TRY(refresh_make(&secret, row->session_id, row->generation, row->salt, tokens->refresh, hash,
                     err));
    tokens->refresh_expires_us = pgc_timestamptz_to_unix_us(row->expires_at);
    return row->refresh_hash.len == sizeof hash &&
                   memcmp(hash, row->refresh_hash.ptr, sizeof hash) == 0
               ? PGC_OK
               : refresh_invalid(err);
}

/* End a session for a reason that must be kept although the call fails. */
static pgc_status end_now(lum_auth *auth, pgc_db *db, const repo_auth_session *row,
                          const char *reason, bool *ended, pgc_error *err)
{
    int64_t changed = 0;
    const repo_auth_end_session_params params = {
        .now = pgc_timestamptz_from_unix_us(auth_now_us(auth)),
        .reason = pgc_text_from(reason),
        .session_id = row->session_id,
        .user_id = row->user_id,
    };
    TRY(repo_auth_end_session(db, &params, &changed, err));
    *ended = true;
    return PGC_OK;
}

/* Inside the transaction. *ended: the session was ended, which is to be committed. */
static pgc_status refresh_locked(lum_auth *auth, pgc_db *db, const refresh_token *token,
                                 const char *address, lum_tokens *tokens, bool *ended,
                                 pgc_error *err)
{
    repo_auth_session_set set = PGC_ZERO;
    refresh_verdict verdict = REFRESH_BAD;
    int64_t now_us = auth_now_us(auth);
    pgc_status status = repo_auth_lock_session(db, token->session_id, &set, err);
    if (status != PGC_OK) {
        return status == PGC_NOT_FOUND ? refresh_invalid(err) : status;
    }
    const repo_auth_session *row = &set.rows[0];
    tokens->user_id = row->user_id;
    tokens->session_id = row->session_id;
    status = judge(auth, token, row, now_us, &verdict, err);
    if (status == PGC_OK && verdict == REFRESH_BAD) {
        status = refresh_invalid(err);
    } else if (status == PGC_OK && row->ended_at.has) {
        status = session_over(err);
    } else if (status == PGC_OK && pgc_timestamptz_to_unix_us(row->expires_at) <= now_us) {
        status = end_now(auth, db, row, "expired", ended, err);
    } else if (status == PGC_OK && verdict == REFRESH_REUSED) {
        status = end_now(auth, db, row, "reuse", ended, err);
        auth->reused += *ended ? 1 : 0;
    } else if (status == PGC_OK && verdict == REFRESH_AGAIN) {
        status = repeat(auth, row, tokens, err);
    } else if (status == PGC_OK) {
        status = rotate(auth, db, row, address, tokens, err);
    }
    repo_auth_session_set_free(&set);
    return status;
}

pgc_status lum_auth_refresh(lum_auth *auth, pgc_text refresh, const lum_client *client,
                            lum_tokens *out, pgc_error *err)
{
    refresh_token token;
    bool ended = false;
    pgc_tx *tx = NULL;
    char address[AUTH_ADDRESS_SIZE];
    AUTO(lum_tokens_wipe) lum_tokens tokens = { .user_id = 0 };
    TRY(auth_network(client, address, err));
    TRY(refresh_parse(refresh, &token, err));
    TRY(pgc_tx_begin(auth->pool, NULL, &tx, err));
    pgc_status status = refresh_locked(auth, pgc_tx_db(tx), &token, address, &tokens, &ended, err);
    if (status == PGC_OK) {
        status = pgc_error_wrap(err, pgc_tx_commit(&tx, err), "refresh a session");
    } else {
        pgc_tx_rollback(tx);
    }
    explicit_bzero(&token, sizeof token);
    TRY(status);
    if (ended) {
        return session_over(err);
    }
    TRY(access_make(auth, &tokens, auth_now_us(auth), err));
    *out = tokens;
    return PGC_OK;
}

pgc_status lum_auth_validate_token(lum_auth *auth, pgc_text access_token, lum_identity *out,
                                   pgc_error *err)
{
    token_claims claims;
    repo_auth_check_session_row_set set = PGC_ZERO;
    int64_t now_us = auth_now_us(auth);
    TRY(token_verify(auth->keys, access_token, now_us, auth->options.access_us, &claims, err));
    const repo_auth_check_session_params params = {
        .session_id = claims.session_id,
        .user_id = claims.user_id,
        .now = pgc_timestamptz_from_unix_us(now_us),
    };
    pgc_status status = repo_auth_check_session(auth_db(auth), &params, &set, err);
    if (status == PGC_NOT_FOUND) {
        return session_over(err);
    }
    TRY(pgc_error_wrap(err, status, "check a session"));
    *out = (lum_identity) { .user_id = claims.user_id,
                            .session_id = claims.session_id,
                            .expires_us = claims.expires_us };
    (void) snprintf(out->username, sizeof out->username, "%" SLICE_FMT,
                    SLICE_ARG(set.rows[0].username));
    repo_auth_check_session_row_set_free(&set);
    return PGC_OK;
}

pgc_status lum_auth_list_sessions(lum_auth *auth, int32_t user_id,
                                  repo_auth_list_sessions_row_set *out, pgc_error *err)
{
    const repo_auth_list_sessions_params params = {
        .user_id = user_id, .now = pgc_timestamptz_from_unix_us(auth_now_us(auth))
    };
    return pgc_error_wrap(err, repo_auth_list_sessions(auth_db(auth), &params, out, err),
                          "list sessions");
}

pgc_status lum_auth_end_session(lum_auth *auth, int32_t user_id, pgc_uuid session_id,
                                pgc_error *err)
{
    int64_t changed = 0;
    const repo_auth_end_session_params params = {
        .now = pgc_timestamptz_from_unix_us(auth_now_us(auth)),
        .reason = SLICE("logout"),
        .session_id = session_id,
        .user_id = user_id,
    };
    TRY(pgc_error_wrap(err, repo_auth_end_session(auth_db(auth), &params, &changed, err),
                       "end session"));
    return changed > 0 ? PGC_OK
                       : pgc_error_set(err, PGC_NOT_FOUND, "end session: there is no such session");
}

pgc_status lum_auth_end_sessions(lum_auth *auth, int32_t user_id, const pgc_uuid *keep,
                                 int64_t *count, pgc_error *err)
{
    const repo_auth_end_sessions_params params = {
        .now = pgc_timestamptz_from_unix_us(auth_now_us(auth)),
        .reason = SLICE("logout"),
        .user_id = user_id,
        .keep = { keep != NULL, keep != NULL ? *keep : (pgc_uuid) { { 0 } } },
    };
    return pgc_error_wrap(err, repo_auth_end_sessions(auth_db(auth), &params, count, err),
                          "end sessions");
}
