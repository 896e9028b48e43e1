/* The auth service: accounts and logging in. Hashes are computed while no connection is held; a
 * name that nobody has takes the same queries and the same computation as one with a wrong
 * password. Thread-safe: counters are atomic, everything else is constant or has its own lock. */
#include "base/prelude.h"

#include <lumilio/status.h>

#include "base/slice.h"
#include "service/auth_internal.h"
#include "service/check.h"
#include "service/user.h"

#define LOGIN_MAX    255 /* bytes of a user name or address */
#define EMAIL_MAX    254
#define NAME_MAX_    255 /* bytes of a full name */
#define AGENT_MAX    200
#define PAGE_MAX     1000
#define PURGE_ONE_IN 64 /* logins that also clear out old rows */
#define POOL_CONNS   8
#define MINUTE_US    INT64_C(60000000)
#define DAY_US       (1440 * MINUTE_US)

int64_t auth_now_us(const lum_auth *auth)
{
    return auth->env->clock->unix_us(auth->env->clock->ctx);
}

pgc_db *auth_db(lum_auth *auth)
{
    return pgc_pool_db(auth->pool);
}

static int64_t or_default(int64_t value, int64_t standard)
{
    return value != 0 ? value : standard;
}

static pgc_status options_fill(lum_auth *auth, const lum_auth_options *options, pgc_error *err)
{
    lum_auth_options *o = &auth->options;
    *o = *options;
    o->access_us = or_default(o->access_us, 15 * MINUTE_US);
    o->idle_us = or_default(o->idle_us, 30 * DAY_US);
    o->session_us = or_default(o->session_us, 90 * DAY_US);
    o->by_account.burst = (uint32_t) or_default(o->by_account.burst, 8);
    o->by_account.interval_us = or_default(o->by_account.interval_us, MINUTE_US);
    o->by_address.burst = (uint32_t) or_default(o->by_address.burst, 60);
    o->by_address.interval_us = or_default(o->by_address.interval_us, MINUTE_US / 60);
    if (o->access_us < 0 || o->idle_us < 0 || o->session_us < 0 || o->by_account.interval_us < 0 ||
        o->by_address.interval_us < 0 || o->pool == NULL || o->key_file == NULL) {
        return pgc_error_set(err, PGC_INVALID, "a time is negative, or pool or key file missing");
    }
    return PGC_OK;
}

pgc_status lum_auth_open(const lum_auth_options *options, lum_auth **out, pgc_error *err)
{
    const env *e = options->env != NULL ? options->env : env_default();
    lum_auth *auth = MEM_NEW(e->alloc, lum_auth);
    if (auth == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open the auth service");
    }
    auth->env = e;
    auth->pool = options->pool;
    pgc_status status = options_fill(auth, options, err);
    if (status == PGC_OK) {
        status = auth_keys_open(e, options->key_file, &auth->keys, err);
    }
    if (status == PGC_OK) {
        status = password_hasher_init(&auth->hasher, e, options->cost, options->hash_slots, err);
    }
    if (status != PGC_OK) {
        auth_keys_close(auth->keys);
        mem_free(e->alloc, auth, sizeof *auth);
        return pgc_error_wrap(err, status, "open the auth service");
    }
    *out = auth;
    return PGC_OK;
}

void lum_auth_close(lum_auth *auth)
{
    if (auth != NULL) {
        const pgc_alloc *alloc = auth->env->alloc;
        password_hasher_done(&auth->hasher);
        auth_keys_close(auth->keys);
        mem_free(alloc, auth, sizeof *auth);
    }
}

pgc_status lum_library_auth_open(lum_library *library, lum_library_auth *out, pgc_error *err)
{
    lum_library_auth made = { .auth = NULL };
    pgc_pool_options pool = { .struct_size = sizeof pool,
                              .conn = lum_library_conn(library),
                              .max_conns = POOL_CONNS,
                              .min_conns = 1,
                              .name = "auth" };
    *(pool.conn.user != NULL ? &pool.conn.user : &pool.conn.role) = "lumilio_auth";
    int length =
        snprintf(out->key_file, sizeof out->key_file, "%s/auth.keys", lum_library_home(library));
    if (length < 0 || (size_t) length >= sizeof out->key_file) {
        return pgc_error_set(err, PGC_INVALID, "library folder: path is too long");
    }
    TRY(pgc_pool_open(&pool, &made.pool, err));
    const lum_auth_options options = { .env = lum_library_env(library),
                                       .pool = made.pool,
                                       .key_file = out->key_file };
    pgc_status status = lum_auth_open(&options, &made.auth, err);
    if (status != PGC_OK) {
        pgc_pool_close(made.pool);
        return status;
    }
    out->auth = made.auth;
    out->pool = made.pool;
    return PGC_OK;
}

void lum_library_auth_close(lum_library_auth *auth)
{
    lum_auth_close(TAKE(auth->auth));
    if (auth->pool != NULL) {
        pgc_pool_close(TAKE(auth->pool));
    }
}

/* Not a proof that mail arrives: one @ with something on both sides and nothing that cannot be. */
static pgc_status email_check(slice email, pgc_error *err)
{
    size_t at = slice_find(email, '@', 0);
    bool good = email.ptr != NULL && email.len <= EMAIL_MAX && at != SIZE_MAX && at > 0 &&
                at + 1 < email.len && slice_find(email, '@', at + 1) == SIZE_MAX &&
                slice_is_utf8(email);
    for (size_t i = 0; good && i < email.len; i++) {
        unsigned char c = (unsigned char) email.ptr[i];
        good = c > ' ' && c != 0x7f;
    }
    return good ? PGC_OK
                : pgc_error_set(err, PGC_INVALID, "e-mail address: must look like name@host");
}

/* A slice as a name: lum_user_check_name() wants a string and looks at it byte by byte. */
static pgc_status username_check(slice username, pgc_error *err)
{
    char text[LOGIN_MAX + 1];
    if (username.ptr == NULL || username.len > LOGIN_MAX ||
        memchr(username.ptr, '\0', username.len) != NULL || !slice_is_utf8(username)) {
        return pgc_error_set(err, PGC_INVALID, "user name: too long, or holds what no name does");
    }
    memcpy(text, username.ptr, username.len);
    text[username.len] = '\0';
    return lum_user_check_name(text, err);
}

static pgc_status full_name_check(slice name, pgc_error *err)
{
    if (name.ptr != NULL && (name.len > NAME_MAX_ || !slice_is_utf8(name) ||
                             memchr(name.ptr, '\0', name.len) != NULL)) {
        return pgc_error_set(err, PGC_INVALID, "full name: up to %d bytes of UTF-8 text",
                             NAME_MAX_);
    }
    return PGC_OK;
}

/* The server names the constraint; its own words would quote what was entered. */
static pgc_status taken(pgc_error *err, pgc_status status)
{
    pgc_error local;
    err = err != NULL ? err : &local;
    if (status != PGC_CONFLICT) {
        return pgc_error_wrap(err, status, "register");
    }
    bool name = strcmp(err->constraint, "users_username_key") == 0;
    if (!name && strcmp(err->constraint, "users_email_key") != 0) {
        return pgc_error_wrap(err, status, "register");
    }
    char constraint[sizeof err->constraint];
    memcpy(constraint, err->constraint, sizeof constraint);
    status = pgc_error_set(err, PGC_CONFLICT,
                           name ? "register: this user name is taken"
                                : "register: this e-mail address has an account");
    memcpy(err->constraint, constraint, sizeof constraint);
    return status;
}

pgc_status lum_auth_register(lum_auth *auth, const lum_registration *r, const lum_client *client,
                             int32_t *user_id, pgc_error *err)
{
    pgc_error local;
    char hash[PASSWORD_HASH_SIZE];
    char address[AUTH_ADDRESS_SIZE];
    err = err != NULL ? err : &local;
    pgc_error_clear(err);
    TRY(pgc_error_wrap(err, username_check(r->username, err), "register"));
    TRY(pgc_error_wrap(err, email_check(r->email, err), "register"));
    TRY(pgc_error_wrap(err, full_name_check(r->full_name, err), "register"));
    TRY(pgc_error_wrap(err, password_check_new(r->password, r->username, err), "register"));
    TRY(auth_network(client, address, err));
    if (address[0] != '\0') {
        TRY(auth_limit_take(auth, AUTH_BY_ADDRESS, (slice) { NULL, 0 }, pgc_text_from(address),
                            NULL, err));
    }
    TRY(password_hash(&auth->hasher, r->password, hash, err));
    const repo_auth_register_user_params params = { .username = r->username,
                                                    .email = r->email,
                                                    .full_name = r->full_name,
                                                    .password_hash = pgc_text_from(hash) };
    pgc_status status = repo_auth_register_user(auth_db(auth), &params, user_id, err);
    explicit_bzero(hash, sizeof hash);
    return status == PGC_OK ? status : taken(err, status);
}

/* What a login knows on its way. */
typedef struct login_call {
    slice login, password;
    char address[AUTH_ADDRESS_SIZE];
    slice user_agent;
    auth_limit_kind limit; /* that the account's attempts are counted by */
    int32_t user_id;       /* 0: there is no such account */
    char hash[PASSWORD_HASH_SIZE];
} login_call;

static void login_call_wipe(login_call *call)
{
    explicit_bzero(call, sizeof *call);
}

/* Cut where a character ends; what is no text is left out. */
static slice agent_of(const lum_client *client)
{
    slice agent = client != NULL ? client->user_agent : (slice) { NULL, 0 };
    size_t used = 0;
    size_t step = 1;
    if (agent.ptr == NULL || !slice_is_utf8(agent)) {
        return (slice) { NULL, 0 };
    }
    while (used < agent.len && step > 0) {
        step = slice_char_length(slice_sub(agent, used, agent.len));
        if (used + step > AGENT_MAX) {
            break;
        }
        used += step;
    }
    return slice_sub(agent, 0, used);
}

/* The account of a name, or none; either way one query. */
static pgc_status account_find(lum_auth *auth, login_call *call, pgc_error *err)
{
    repo_auth_find_user_row_set set = PGC_ZERO;
    const repo_auth_find_user_params params = {
        .address = call->address[0] != '\0' ? pgc_text_from(call->address) : (pgc_text) { NULL, 0 },
        .login = call->login,
    };
    pgc_status status = repo_auth_find_user(auth_db(auth), &params, &set, err);
    call->limit = AUTH_BY_ACCOUNT;
    if (status == PGC_NOT_FOUND) {
        return PGC_OK;
    }
    TRY(pgc_error_wrap(err, status, "log in"));
    const repo_auth_find_user_row *row = &set.rows[0];
    call->user_id = row->user_id;
    call->limit = row->known_address ? AUTH_BY_ACCOUNT_AT : AUTH_BY_ACCOUNT;
    if (password_hash_cost(row->password_hash) != 0) {
        memcpy(call->hash, row->password_hash.ptr, PASSWORD_HASH_SIZE - 1);
    }
    repo_auth_find_user_row_set_free(&set);
    return PGC_OK;
}

/* A cheaper hash than ours is replaced while the password is at hand; who loses a race loses
 * nothing. */
static void rehash(lum_auth *auth, const login_call *call)
{
    char fresh[PASSWORD_HASH_SIZE];
    int64_t changed = 0;
    if (password_hash_cost(pgc_text_from(call->hash)) >= auth->hasher.cost ||
        password_hash(&auth->hasher, call->password, fresh, NULL) != PGC_OK) {
        return;
    }
    const repo_auth_replace_password_params params = { .new_hash = pgc_text_from(fresh),
                                                       .user_id = call->user_id,
                                                       .old_hash = pgc_text_from(call->hash) };
    pgc_status ignored = repo_auth_replace_password(auth_db(auth), &params, &changed, NULL);
    (void) ignored;
    explicit_bzero(fresh, sizeof fresh);
}

/* What is nice to have after a login; none of it can make it fail. */
static void after_login(lum_auth *auth, const login_call *call)
{
    uint8_t die = 1;
    pgc_status ignored =
        auth_limit_forget(auth, call->limit, call->login, pgc_text_from(call->address), NULL);
    rehash(auth, call);
    if (auth->env->clock->random(auth->env->clock->ctx, &die, 1) && die % PURGE_ONE_IN == 0) {
        ignored =
            repo_auth_purge(auth_db(auth), pgc_timestamptz_from_unix_us(auth_now_us(auth)), NULL);
    }
    (void) ignored;
}

static pgc_status wrong(lum_auth *auth, const login_call *call, pgc_error *err)
{
    auth->refused++;
    TRY(pgc_error_wrap(err, auth_event(auth_db(auth), "login refused", call->user_id, err),
                       "log in"));
    return pgc_error_set(err, LUM_BAD_CREDENTIALS, "user name or password is wrong");
}

/* Limits before work: the address before the database is asked for a name, the name before a hash
 * is computed. */
static pgc_status login_run(lum_auth *auth, login_call *call, lum_tokens *out,
                            int64_t *retry_after_us, pgc_error *err)
{
    bool match = false;
    slice network = pgc_text_from(call->address);
    if (network.len > 0) {
        TRY(auth_limit_take(auth, AUTH_BY_ADDRESS, call->login, network, retry_after_us, err));
    }
    TRY(account_find(auth, call, err));
    TRY(auth_limit_take(auth, call->limit, call->login, network, retry_after_us, err));
    TRY(password_verify(&auth->hasher, call->password, pgc_text_from(call->hash), &match, err));
    if (!match) {
        return wrong(auth, call, err);
    }
    TRY(auth_session_open(auth, call->user_id, pgc_text_from(call->hash), network, call->user_agent,
                          out, err));
    auth->logins++;
    after_login(auth, call);
    return PGC_OK;
}

pgc_status lum_auth_login(lum_auth *auth, pgc_text login, pgc_text password,
                          const lum_client *client, lum_tokens *out, int64_t *retry_after_us,
                          pgc_error *err)
{
    AUTO(login_call_wipe)
    login_call call = { .login = login, .password = password, .user_agent = agent_of(client) };
    if (login.ptr == NULL || login.len == 0 || login.len > LOGIN_MAX || !slice_is_utf8(login) ||
        memchr(login.ptr, '\0', login.len) != NULL) {
        return pgc_error_set(err, PGC_INVALID,
                             "log in: user name or address of 1 to %d bytes of UTF-8 text",
                             LOGIN_MAX);
    }
    TRY(pgc_error_wrap(err, password_check(password, err), "log in"));
    TRY(auth_network(client, call.address, err));
    return login_run(auth, &call, out, retry_after_us, err);
}

pgc_status lum_auth_get_user(lum_auth *auth, int32_t user_id, repo_public_user_set *out,
                             pgc_error *err)
{
    pgc_status status = repo_auth_get_user(auth_db(auth), user_id, out, err);
    if (status == PGC_NOT_FOUND) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such user");
    }
    return pgc_error_wrap(err, status, "get user %" PRId32, user_id);
}

pgc_status lum_auth_list_users(lum_auth *auth, pgc_text after, int32_t limit,
                               repo_auth_list_users_row_set *out, pgc_error *err)
{
    if (limit < 1 || limit > PAGE_MAX || after.ptr == NULL) {
        return pgc_error_set(err, PGC_INVALID, "list users: a page has 1 to %d rows", PAGE_MAX);
    }
    TRY(check_text("list users: user name", after, LOGIN_MAX, err));
    const repo_auth_list_users_params params = { .after = after, .row_limit = limit };
    return pgc_error_wrap(err, repo_auth_list_users(auth_db(auth), &params, out, err),
                          "list users");
}

/* Compare the current password, unless an operator sets a new one. */
static pgc_status current_check(lum_auth *auth, int32_t user_id,
                                const repo_auth_get_password_row *row, slice current,
                                pgc_error *err)
{
    bool match = false;
    if (current.ptr == NULL) {
        return PGC_OK;
    }
    TRY(password_check(current, err));
    TRY(auth_limit_take(auth, AUTH_BY_ACCOUNT, row->username, (slice) { NULL, 0 }, NULL, err));
    TRY(password_verify(&auth->hasher, current, row->password_hash, &match, err));
    if (!match) {
        const login_call call = { .user_id = user_id };
        return wrong(auth, &call, err);
    }
    return auth_limit_forget(auth, AUTH_BY_ACCOUNT, row->username, (slice) { NULL, 0 }, err);
}

/* New hash and end of the other sessions together. */
static pgc_status password_store(lum_auth *auth, int32_t user_id, slice old_hash,
                                 const char *new_hash, const pgc_uuid *keep, pgc_error *err)
{
    pgc_tx *tx = NULL;
    int64_t changed = 0;
    int64_t ended = 0;
    const repo_auth_replace_password_params params = { .new_hash = pgc_text_from(new_hash),
                                                       .user_id = user_id,
                                                       .old_hash = old_hash };
    const repo_auth_end_sessions_params others = {
        .now = pgc_timestamptz_from_unix_us(auth_now_us(auth)),
        .reason = SLICE("password"),
        .user_id = user_id,
        .keep = { keep != NULL, keep != NULL ? *keep : (pgc_uuid) { { 0 } } },
    };
    TRY(pgc_tx_begin(auth->pool, NULL, &tx, err));
    pgc_status status = repo_auth_replace_password(pgc_tx_db(tx), &params, &changed, err);
    if (status == PGC_OK && changed == 0) {
        status = pgc_error_set(err, PGC_CONFLICT, "somebody else changed it at the same time");
    }
    if (status == PGC_OK) {
        status = repo_auth_end_sessions(pgc_tx_db(tx), &others, &ended, err);
    }
    if (status == PGC_OK) {
        return pgc_tx_commit(&tx, err);
    }
    pgc_tx_rollback(tx);
    return status;
}

pgc_status lum_auth_set_password(lum_auth *auth, int32_t user_id, pgc_text current,
                                 pgc_text replacement, const pgc_uuid *keep, pgc_error *err)
{
    repo_auth_get_password_row_set set = PGC_ZERO;
    char hash[PASSWORD_HASH_SIZE];
    pgc_status status = repo_auth_get_password(auth_db(auth), user_id, &set, err);
    if (status == PGC_NOT_FOUND) {
        return pgc_error_set(err, PGC_NOT_FOUND, "set password: there is no such user");
    }
    TRY(pgc_error_wrap(err, status, "set password"));
    status = password_check_new(replacement, set.rows[0].username, err);
    if (status == PGC_OK) {
        status = current_check(auth, user_id, &set.rows[0], current, err);
    }
    if (status == PGC_OK) {
        status = password_hash(&auth->hasher, replacement, hash, err);
    }
    if (status == PGC_OK) {
        status = password_store(auth, user_id, set.rows[0].password_hash, hash, keep, err);
    }
    explicit_bzero(hash, sizeof hash);
    repo_auth_get_password_row_set_free(&set);
    return pgc_error_wrap(err, status, "set password");
}

/* Old keys are kept while a refresh token that they made may still come. */
pgc_status lum_auth_rotate_key(lum_auth *auth, pgc_error *err)
{
    return auth_keys_rotate(auth->keys, auth->options.session_us + DAY_US, err);
}

lum_auth_stats lum_auth_stats_read(lum_auth *auth)
{
    return (lum_auth_stats) { .hashes = auth->hasher.runs,
                              .logins = auth->logins,
                              .refused = auth->refused,
                              .limited = auth->limited,
                              .reused = auth->reused };
}
