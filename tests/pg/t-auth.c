/* The auth service on a real server: accounts, logging in, tokens, sessions, limits and what is
 * recorded. One database for all cases; each has accounts of its own. */
#include "base/prelude.h"

#include <lumilio/status.h>

#include "library.h"
#include "schema.h"
#include "service/auth.h"
#include "service/auth_password.h"
#include "tap.h"

#define START_US INT64_C(1800000000000000)
#define SEC      INT64_C(1000000)
#define DAY      (86400 * SEC)
#define THREADS  64
#define PASSWORD SLICE("correct horse")

static const char *db_url;
static pgc_conn *owner; /* superuser, to look behind the policies */
static pgc_pool *pool;  /* as lumilio_auth */
static tmpdir folder;
static char key_file[128];

/* A service with a clock of its own. */
typedef struct desk {
    clock_fake clock;
    env e;
    lum_auth *auth;
    pgc_error err;
} desk;

static bool set_up_once(void)
{
    if (pool != NULL) {
        return true;
    }
    pgc_error err;
    pgc_error_clear(&err);
    folder = tmpdir_make();
    (void) snprintf(key_file, sizeof key_file, "%s/auth.keys", folder.path);
    db_url = test_db_create();
    if (db_url == NULL || !schema_apply(db_url, NULL)) {
        return false;
    }
    owner = schema_connect(db_url);
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = db_url, .role = "lumilio_auth" },
        .max_conns = 8,
    };
    return owner != NULL && CHECK_STATUS(pgc_pool_open(&options, &pool, &err), PGC_OK, &err);
}

static bool desk_make_with(desk *d, const lum_auth_options *extra)
{
    memset(d, 0, sizeof *d);
    if (!CHECK(set_up_once())) {
        return false;
    }
    clock_fake_init(&d->clock, START_US, 0);
    d->e = (env) { .alloc = pgc_alloc_libc(), .fs = vfs_os(), .clock = &d->clock.ops };
    /* Time is scripted, ids are not: cases share a database. */
    d->clock.ops.random = clock_os()->random;
    lum_auth_options options = *extra;
    options.env = &d->e;
    options.pool = pool;
    options.key_file = key_file;
    options.cost = options.cost != 0 ? options.cost : 4;
    return CHECK_STATUS(lum_auth_open(&options, &d->auth, &d->err), PGC_OK, &d->err);
}

static void desk_done(desk *d)
{
    lum_auth_close(d->auth);
}

#define DESK_WITH(...)      \
    AUTO(desk_done) desk d; \
    REQUIRE(desk_make_with(&d, &(const lum_auth_options) { __VA_ARGS__ }))
#define DESK DESK_WITH(.cost = 4)

/* An account named after its case. */
static int32_t account(desk *d, const char *name)
{
    char email[128];
    int32_t user_id = 0;
    (void) snprintf(email, sizeof email, "%s@example.org", name);
    const lum_registration r = { .username = pgc_text_from(name),
                                 .email = pgc_text_from(email),
                                 .password = PASSWORD };
    CHECK_STATUS(lum_auth_register(d->auth, &r, NULL, &user_id, &d->err), PGC_OK, &d->err);
    return user_id;
}

static pgc_status login(desk *d, const char *name, slice password, lum_tokens *out)
{
    return lum_auth_login(d->auth, pgc_text_from(name), password, NULL, out, NULL, &d->err);
}

#define SESSION(name_text)                      \
    lum_tokens tokens;                          \
    int32_t user_id = account(&d, (name_text)); \
    REQUIRE(CHECK_STATUS(login(&d, (name_text), PASSWORD, &tokens), PGC_OK, &d.err))

static pgc_status refresh(desk *d, const char *token, lum_tokens *out)
{
    return lum_auth_refresh(d->auth, pgc_text_from(token), NULL, out, &d->err);
}

static pgc_status validate(desk *d, const char *token)
{
    lum_identity identity;
    return lum_auth_validate_token(d->auth, pgc_text_from(token), &identity, &d->err);
}

static void the_whole_way(void)
{
    DESK;
    SESSION("whole");
    lum_identity identity;
    REQUIRE_OK(lum_auth_validate_token(d.auth, pgc_text_from(tokens.access), &identity, &d.err),
               &d.err);
    CHECK_INT(identity.user_id, user_id);
    CHECK_STR(identity.username, "whole");
    CHECK_INT(tokens.access_expires_us, START_US + 900 * SEC);
    clock_fake_advance(&d.clock, 931 * SEC);
    CHECK_STATUS(validate(&d, tokens.access), LUM_TOKEN_EXPIRED, &d.err);
    lum_tokens next;
    REQUIRE_OK(refresh(&d, tokens.refresh, &next), &d.err);
    CHECK_STATUS(validate(&d, next.access), PGC_OK, &d.err);
    CHECK(strcmp(next.refresh, tokens.refresh) != 0);
    repo_public_user_set set = PGC_ZERO;
    REQUIRE_OK(lum_auth_get_user(d.auth, user_id, &set, &d.err), &d.err);
    CHECK(slice_eq_str(set.rows[0].username, "whole"));
    CHECK(set.rows[0].last_login.has);
    CHECK_INT(pgc_timestamptz_to_unix_us(set.rows[0].last_login.v), START_US);
    repo_public_user_set_free(&set);
    CHECK_STATUS(lum_auth_get_user(d.auth, 999999, &set, &d.err), PGC_NOT_FOUND, &d.err);
    CHECK_STATUS(
        lum_auth_login(d.auth, SLICE("whole@example.org"), PASSWORD, NULL, &next, NULL, &d.err),
        PGC_OK, &d.err);
    lum_tokens_wipe(&next);
    CHECK_INT(next.refresh[0], 0);
}

static void bad_registrations_say_what_is_wrong(void)
{
    char long_mail[300];
    memset(long_mail, 'a', sizeof long_mail);
    long_mail[3] = '@';
    const struct {
        slice name, email, password;
        const char *part;
    } CASES[] = {
        { SLICE(""), SLICE("a@x"), PASSWORD, "user name" },
        { SLICE("../up"), SLICE("a@x"), PASSWORD, "user name" },
        { SLICE("nul\0name"), SLICE("a@x"), PASSWORD, "user name" },
        { SLICE("bad\xff"), SLICE("a@x"), PASSWORD, "user name" },
        { SLICE("ok-1"), SLICE("nobody"), PASSWORD, "e-mail" },
        { SLICE("ok-1"), SLICE("@x"), PASSWORD, "e-mail" },
        { SLICE("ok-1"), SLICE("a@"), PASSWORD, "e-mail" },
        { SLICE("ok-1"), SLICE("a@b@c"), PASSWORD, "e-mail" },
        { SLICE("ok-1"), SLICE("a b@c"), PASSWORD, "e-mail" },
        { SLICE("ok-1"), { long_mail, sizeof long_mail }, PASSWORD, "e-mail" },
        { SLICE("ok-1"), SLICE("a@x"), SLICE("short"), "password" },
        { SLICE("ok-1"), SLICE("a@x"), { NULL, 0 }, "password" },
        { SLICE("ok-1-name"), SLICE("a@x"), SLICE("OK-1-name"), "password" },
    };
    DESK;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        int32_t user_id = -1;
        const lum_registration r = { .username = CASES[i].name,
                                     .email = CASES[i].email,
                                     .password = CASES[i].password };
        CHECK_STATUS(lum_auth_register(d.auth, &r, NULL, &user_id, &d.err), PGC_INVALID, &d.err);
        CHECK(strstr(d.err.message, CASES[i].part) != NULL);
        CHECK_INT(user_id, -1);
    }
    CHECK_SQL(owner, "SELECT count(*) FROM users WHERE username LIKE 'ok-1%'", "0");
}

static void a_taken_name_or_address_is_told_apart(void)
{
    int32_t user_id = -1;
    DESK;
    (void) account(&d, "taken");
    lum_registration r = { .username = SLICE("taken"),
                           .email = SLICE("new@x"),
                           .password = PASSWORD };
    CHECK_STATUS(lum_auth_register(d.auth, &r, NULL, &user_id, &d.err), PGC_CONFLICT, &d.err);
    CHECK(strstr(d.err.message, "name is taken") != NULL);
    r.username = SLICE("taken2");
    r.email = SLICE("taken@example.org");
    CHECK_STATUS(lum_auth_register(d.auth, &r, NULL, &user_id, &d.err), PGC_CONFLICT, &d.err);
    CHECK(strstr(d.err.message, "address has an account") != NULL);
    CHECK(strstr(d.err.detail, "taken") == NULL);
    CHECK_INT(user_id, -1);
}

/* Same queries, same computations, same answer. */
static void unknown_names_cost_what_wrong_passwords_cost(void)
{
    static const char *const NAMES[] = { "equal", "nobody-has-this", "locked" };
    lum_tokens tokens;
    char message[512] = "";
    DESK;
    (void) account(&d, "equal");
    CHECK_SQL(owner,
              "INSERT INTO users (username, email, password_hash) "
              "VALUES ('locked', 'l@x', '!')",
              "");
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        lum_auth_stats before = lum_auth_stats_read(d.auth);
        pgc_pool_stats pool_before = { .total = 0 };
        pgc_pool_stats pool_after = { .total = 0 };
        pgc_pool_get_stats(pool, &pool_before);
        CHECK_STATUS(login(&d, NAMES[i], SLICE("wrong horse"), &tokens), LUM_BAD_CREDENTIALS,
                     &d.err);
        pgc_pool_get_stats(pool, &pool_after);
        lum_auth_stats after = lum_auth_stats_read(d.auth);
        CHECK_INT(after.hashes - before.hashes, 1);
        CHECK_INT(after.refused - before.refused, 1);
        CHECK_INT(pool_after.acquire_count - pool_before.acquire_count, 3);
        if (i > 0) {
            CHECK_STR(d.err.message, message);
        }
        memcpy(message, d.err.message, sizeof message);
    }
}

static void login_refuses_what_cannot_be_typed(void)
{
    lum_tokens tokens;
    char long_text[300];
    memset(long_text, 'x', sizeof long_text);
    DESK;
    uint64_t hashes = lum_auth_stats_read(d.auth).hashes;
    const struct {
        slice name, password;
    } CASES[] = {
        { SLICE("ann"), { long_text, 73 } },
        { SLICE("ann"), SLICE("nul\0nul\0nul") },
        { SLICE("ann"), SLICE("\xff\xfe tells") },
        { SLICE("ann"), { NULL, 0 } },
        { { long_text, 256 }, PASSWORD },
        { SLICE("\xc0\xafname"), PASSWORD },
        { SLICE("a\0b"), PASSWORD },
        { { NULL, 0 }, PASSWORD },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        CHECK_STATUS(
            lum_auth_login(d.auth, CASES[i].name, CASES[i].password, NULL, &tokens, NULL, &d.err),
            PGC_INVALID, &d.err);
        CHECK(strstr(d.err.message, "log in: ") == d.err.message);
    }
    CHECK_INT(lum_auth_stats_read(d.auth).hashes, hashes);
}

/* Hashes are interchangeable with pgcrypto's in both directions, over random UTF-8 passwords. */
static void pgcrypto_and_we_read_each_other(void)
{
    lum_tokens tokens;
    DESK_WITH(.by_account = { .burst = 1000, .interval_us = 1 });
    CHECK_SQL(owner,
              "INSERT INTO users (username, email, password_hash) "
              "VALUES ('theirs', 't@x', crypt('gr\xc3\xbc\xc3\x9f dich', gen_salt('bf', 6)))",
              "");
    CHECK_STATUS(login(&d, "theirs", SLICE("gr\xc3\xbc\xc3\x9f dich"), &tokens), PGC_OK, &d.err);
    CHECK_STATUS(login(&d, "theirs", SLICE("gruess dich"), &tokens), LUM_BAD_CREDENTIALS, &d.err);
    (void) account(&d, "ours");
    CHECK_SQL(owner,
              "SELECT crypt('correct horse', password_hash) = password_hash, username FROM users "
              "WHERE username = 'ours'",
              "t");
    CHECK_SQL(owner,
              "SELECT crypt('correct horsf', password_hash) = password_hash FROM users "
              "WHERE username = 'ours'",
              "f");
}

static void many_random_passwords_cross_over(void)
{
    enum { COUNT = 200 };
    uint64_t state = UINT64_C(20261123);
    password_hasher hasher;
    char sql[1024];
    DESK;
    REQUIRE_OK(password_hasher_init(&hasher, env_default(), 4, 1, &d.err), &d.err);
    for (int i = 0; i < COUNT; i++) {
        char hex[2 * PASSWORD_MAX_BYTES + 1];
        char text[PASSWORD_MAX_BYTES];
        char theirs[128];
        char sqlstate[6];
        char ours[PASSWORD_HASH_SIZE];
        bool match = false;
        size_t used = 0;
        while (used + 4 <= sizeof text && (used < 8 || (state >> 60) != 0)) {
            uint64_t next = state =
                state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint32_t c = 1 + (uint32_t) (next >> 33) % 0xd7ff; /* below the surrogates */
            if (c < 0x80) {
                text[used++] = (char) c;
            } else if (c < 0x800) {
                text[used++] = (char) (0xc0 | c >> 6);
                text[used++] = (char) (0x80 | (c & 63));
            } else {
                text[used++] = (char) (0xe0 | c >> 12);
                text[used++] = (char) (0x80 | (c >> 6 & 63));
                text[used++] = (char) (0x80 | (c & 63));
            }
        }
        for (size_t j = 0; j < used; j++) {
            (void) snprintf(hex + 2 * j, 3, "%02x", (unsigned) (unsigned char) text[j]);
        }
        (void) snprintf(sql, sizeof sql,
                        "SELECT crypt(convert_from('\\x%s', 'UTF8'), gen_salt('bf', 4))", hex);
        schema_ask(owner, sql, theirs, sizeof theirs, sqlstate);
        REQUIRE_OK(
            password_verify(&hasher, (slice) { text, used }, pgc_text_from(theirs), &match, &d.err),
            &d.err);
        CHECK(match);
        REQUIRE_OK(password_hash(&hasher, (slice) { text, used }, ours, &d.err), &d.err);
        (void) snprintf(sql, sizeof sql, "SELECT crypt(convert_from('\\x%s', 'UTF8'), '%s') = '%s'",
                        hex, ours, ours);
        CHECK_SQL(owner, sql, "t");
    }
    password_hasher_done(&hasher);
}

static void a_cheap_hash_is_replaced_at_login(void)
{
    lum_tokens tokens;
    DESK;
    (void) account(&d, "cheap");
    lum_auth_close(TAKE(d.auth));
    const lum_auth_options dearer = { .env = &d.e, .pool = pool, .key_file = key_file, .cost = 5 };
    REQUIRE_OK(lum_auth_open(&dearer, &d.auth, &d.err), &d.err);
    CHECK_STATUS(login(&d, "cheap", SLICE("wrong horse"), &tokens), LUM_BAD_CREDENTIALS, &d.err);
    CHECK_SQL(owner, "SELECT left(password_hash, 7) FROM users WHERE username = 'cheap'",
              "$2a$04$");
    REQUIRE_OK(login(&d, "cheap", PASSWORD, &tokens), &d.err);
    CHECK_SQL(owner, "SELECT left(password_hash, 7) FROM users WHERE username = 'cheap'",
              "$2a$05$");
    REQUIRE_OK(login(&d, "cheap", PASSWORD, &tokens), &d.err);
    CHECK_STATUS(validate(&d, tokens.access), PGC_OK, &d.err);
}

static void the_table_takes_only_hashes_that_we_verify(void)
{
    DESK;
    CHECK_SQL_FAILS(owner,
                    "INSERT INTO users (username, email, password_hash) "
                    "VALUES ('des', 'd@x', crypt('pw', '$2b$12$abcdefghijklmnopqrstuu'))",
                    "23514");
    CHECK_SQL_FAILS(owner,
                    "INSERT INTO users (username, email, password_hash) VALUES ('plain', 'p@x', "
                    "'secret')",
                    "23514");
}

/* The token before the last is good for a lost answer, any older one means that it was stolen. */
static void an_old_refresh_token_ends_the_session(void)
{
    lum_tokens second, again, third;
    DESK;
    SESSION("reuse");
    REQUIRE_OK(refresh(&d, tokens.refresh, &second), &d.err);
    REQUIRE_OK(refresh(&d, tokens.refresh, &again), &d.err);
    CHECK_STR(again.refresh, second.refresh);
    REQUIRE_OK(refresh(&d, second.refresh, &third), &d.err);
    CHECK_STATUS(validate(&d, third.access), PGC_OK, &d.err);
    CHECK_STATUS(refresh(&d, tokens.refresh, &again), LUM_SESSION_ENDED, &d.err);
    CHECK_INT(lum_auth_stats_read(d.auth).reused, 1);
    CHECK_STATUS(refresh(&d, third.refresh, &again), LUM_SESSION_ENDED, &d.err);
    CHECK_STATUS(validate(&d, third.access), LUM_SESSION_ENDED, &d.err);
    char sql[256];
    (void) snprintf(sql, sizeof sql,
                    "SELECT string_agg(end_reason, ',') FROM auth_sessions WHERE user_id = %d",
                    (int) user_id);
    CHECK_SQL(owner, sql, "reuse");
}

static void the_last_token_but_one_is_good_for_ten_seconds(void)
{
    lum_tokens second, again;
    DESK;
    SESSION("grace");
    CHECK(user_id > 0);
    REQUIRE_OK(refresh(&d, tokens.refresh, &second), &d.err);
    clock_fake_advance(&d.clock, 10 * SEC);
    CHECK_STATUS(refresh(&d, tokens.refresh, &again), PGC_OK, &d.err);
    clock_fake_advance(&d.clock, 1);
    CHECK_STATUS(refresh(&d, tokens.refresh, &again), LUM_SESSION_ENDED, &d.err);
}

static void forged_refresh_tokens_do_nothing(void)
{
    lum_tokens next;
    char other[LUM_REFRESH_TOKEN_SIZE];
    DESK;
    SESSION("forged");
    CHECK(user_id > 0);
    size_t length = strlen(tokens.refresh);
    unsigned good = 0;
    for (size_t i = 0; i < length; i++) {
        memcpy(other, tokens.refresh, length + 1);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        pgc_status status = refresh(&d, other, &next);
        good += status == PGC_OK ? 1 : 0;
        CHECK(status == LUM_TOKEN_INVALID);
    }
    CHECK_INT(good, 0);
    CHECK_STATUS(refresh(&d, "", &next), LUM_TOKEN_INVALID, &d.err);
    CHECK_STATUS(refresh(&d, tokens.access, &next), LUM_TOKEN_INVALID, &d.err);
    CHECK_STATUS(validate(&d, tokens.refresh), LUM_TOKEN_INVALID, &d.err);
    CHECK_STATUS(refresh(&d, tokens.refresh, &next), PGC_OK, &d.err); /* still alive */
}

static void sessions_end_by_themselves(void)
{
    lum_tokens next = { .user_id = 0 };
    DESK;
    SESSION("idle");
    CHECK(user_id > 0);
    clock_fake_advance(&d.clock, 30 * DAY);
    CHECK_STATUS(refresh(&d, tokens.refresh, &next), LUM_SESSION_ENDED, &d.err);
    REQUIRE_OK(login(&d, "idle", PASSWORD, &tokens), &d.err);
    next = tokens;
    for (int i = 0; i < 4; i++) { /* used every 20 days, it lives for 90 */
        clock_fake_advance(&d.clock, 20 * DAY);
        REQUIRE_OK(refresh(&d, next.refresh, &next), &d.err);
    }
    clock_fake_advance(&d.clock, 10 * DAY);
    CHECK_STATUS(refresh(&d, next.refresh, &next), LUM_SESSION_ENDED, &d.err);
}

static void sessions_are_listed_and_ended(void)
{
    lum_tokens second;
    DESK;
    SESSION("lists");
    const lum_client client = { .address = SLICE("2001:db8::1234:5678"),
                                .user_agent = SLICE("browser \xc3\xa9") };
    clock_fake_advance(&d.clock, SEC);
    REQUIRE_OK(lum_auth_login(d.auth, SLICE("lists"), PASSWORD, &client, &second, NULL, &d.err),
               &d.err);
    repo_auth_list_sessions_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_auth_list_sessions(d.auth, user_id, &set, &d.err), &d.err);
    REQUIRE(CHECK(set.count == 2));
    CHECK(slice_eq_str(set.rows[0].address, "2001:db8::"));
    CHECK(slice_eq_str(set.rows[0].user_agent, "browser \xc3\xa9"));
    CHECK(set.rows[1].address.ptr == NULL);
    repo_auth_list_sessions_row_set_free(&set);
    int32_t stranger = account(&d, "stranger");
    CHECK_STATUS(lum_auth_end_session(d.auth, stranger, second.session_id, &d.err), PGC_NOT_FOUND,
                 &d.err);
    REQUIRE_OK(lum_auth_end_session(d.auth, user_id, second.session_id, &d.err), &d.err);
    CHECK_STATUS(lum_auth_end_session(d.auth, user_id, second.session_id, &d.err), PGC_NOT_FOUND,
                 &d.err);
    CHECK_STATUS(validate(&d, second.access), LUM_SESSION_ENDED, &d.err);
    CHECK_STATUS(validate(&d, tokens.access), PGC_OK, &d.err);
    int64_t count = 0;
    REQUIRE_OK(lum_auth_end_sessions(d.auth, user_id, &tokens.session_id, &count, &d.err), &d.err);
    CHECK_INT(count, 0);
    REQUIRE_OK(lum_auth_end_sessions(d.auth, user_id, NULL, &count, &d.err), &d.err);
    CHECK_INT(count, 1);
}

static void a_new_password_ends_the_other_sessions(void)
{
    lum_tokens second;
    DESK;
    SESSION("passwd");
    REQUIRE_OK(login(&d, "passwd", PASSWORD, &second), &d.err);
    CHECK_STATUS(lum_auth_set_password(d.auth, user_id, SLICE("wrong horse"), SLICE("battery st"),
                                       NULL, &d.err),
                 LUM_BAD_CREDENTIALS, &d.err);
    CHECK_STATUS(lum_auth_set_password(d.auth, user_id, PASSWORD, SLICE("short"), NULL, &d.err),
                 PGC_INVALID, &d.err);
    CHECK_STATUS(validate(&d, second.access), PGC_OK, &d.err);
    REQUIRE_OK(lum_auth_set_password(d.auth, user_id, PASSWORD, SLICE("battery staple"),
                                     &second.session_id, &d.err),
               &d.err);
    CHECK_STATUS(validate(&d, tokens.access), LUM_SESSION_ENDED, &d.err);
    CHECK_STATUS(validate(&d, second.access), PGC_OK, &d.err);
    CHECK_STATUS(login(&d, "passwd", PASSWORD, &tokens), LUM_BAD_CREDENTIALS, &d.err);
    CHECK_STATUS(login(&d, "passwd", SLICE("battery staple"), &tokens), PGC_OK, &d.err);
    REQUIRE_OK(lum_auth_set_password(d.auth, user_id, (pgc_text) { NULL, 0 },
                                     SLICE("set by operator"), NULL, &d.err),
               &d.err);
    CHECK_STATUS(login(&d, "passwd", SLICE("set by operator"), &tokens), PGC_OK, &d.err);
    CHECK_STATUS(lum_auth_set_password(d.auth, 999999, (pgc_text) { NULL, 0 },
                                       SLICE("set by operator"), NULL, &d.err),
                 PGC_NOT_FOUND, &d.err);
}

static void guessing_is_slowed_down(void)
{
    lum_tokens tokens;
    int64_t wait_us = 0;
    DESK;
    (void) account(&d, "guessed");
    for (int i = 0; i < 8; i++) {
        CHECK_STATUS(login(&d, "guessed", SLICE("wrong horse"), &tokens), LUM_BAD_CREDENTIALS,
                     &d.err);
    }
    uint64_t hashes = lum_auth_stats_read(d.auth).hashes;
    CHECK_STATUS(
        lum_auth_login(d.auth, SLICE("GUESSED"), PASSWORD, NULL, &tokens, &wait_us, &d.err),
        LUM_TOO_MANY_ATTEMPTS, &d.err);
    CHECK_INT(wait_us, 60 * SEC);
    CHECK(strstr(d.err.message, "60 s") != NULL);
    CHECK_INT(lum_auth_stats_read(d.auth).hashes, hashes); /* refused before the work */
    clock_fake_advance(&d.clock, 60 * SEC - 1);
    CHECK_STATUS(login(&d, "guessed", PASSWORD, &tokens), LUM_TOO_MANY_ATTEMPTS, &d.err);
    clock_fake_advance(&d.clock, 1);
    CHECK_STATUS(login(&d, "guessed", PASSWORD, &tokens), PGC_OK, &d.err);
    for (int i = 0; i < 8; i++) { /* the success paid everything off */
        CHECK_STATUS(login(&d, "guessed", SLICE("wrong horse"), &tokens), LUM_BAD_CREDENTIALS,
                     &d.err);
    }
    CHECK_SQL(owner, "SELECT count(*) FROM auth_limits WHERE encode(key, 'escape') ~* 'guess'",
              "0");
}

/* The count is in the database: another service (another process, or after a restart) goes on. */
static void limits_survive_a_restart(void)
{
    lum_tokens tokens;
    DESK;
    (void) account(&d, "restart");
    for (int i = 0; i < 8; i++) {
        CHECK_STATUS(login(&d, "restart", SLICE("wrong horse"), &tokens), LUM_BAD_CREDENTIALS,
                     &d.err);
    }
    lum_auth_close(TAKE(d.auth));
    const lum_auth_options options = { .env = &d.e, .pool = pool, .key_file = key_file, .cost = 4 };
    REQUIRE_OK(lum_auth_open(&options, &d.auth, &d.err), &d.err);
    CHECK_STATUS(login(&d, "restart", PASSWORD, &tokens), LUM_TOO_MANY_ATTEMPTS, &d.err);
}

static void an_address_is_limited_over_all_names(void)
{
    lum_tokens tokens;
    const lum_client home = { .address = SLICE("::ffff:192.0.2.7") };
    const lum_client same = { .address = SLICE("192.0.2.7") };
    const lum_client other = { .address = SLICE("192.0.2.8") };
    const lum_client nonsense = { .address = SLICE("192.0.2.7; x") };
    DESK_WITH(.by_address = { .burst = 3, .interval_us = SEC });
    for (int i = 0; i < 3; i++) {
        char name[32];
        (void) snprintf(name, sizeof name, "anybody-%d", i);
        CHECK_STATUS(
            lum_auth_login(d.auth, pgc_text_from(name), PASSWORD, &home, &tokens, NULL, &d.err),
            LUM_BAD_CREDENTIALS, &d.err);
    }
    CHECK_STATUS(lum_auth_login(d.auth, SLICE("x"), PASSWORD, &same, &tokens, NULL, &d.err),
                 LUM_TOO_MANY_ATTEMPTS, &d.err);
    CHECK_STATUS(lum_auth_login(d.auth, SLICE("x"), PASSWORD, &other, &tokens, NULL, &d.err),
                 LUM_BAD_CREDENTIALS, &d.err);
    CHECK_STATUS(lum_auth_login(d.auth, SLICE("x"), PASSWORD, &nonsense, &tokens, NULL, &d.err),
                 PGC_INVALID, &d.err);
}

/* A stranger cannot keep somebody out where that somebody has logged in before. */
static void a_known_address_has_a_count_of_its_own(void)
{
    lum_tokens tokens;
    const lum_client home = { .address = SLICE("198.51.100.1") };
    const lum_client stranger = { .address = SLICE("198.51.100.2") };
    DESK;
    (void) account(&d, "victim");
    REQUIRE_OK(lum_auth_login(d.auth, SLICE("victim"), PASSWORD, &home, &tokens, NULL, &d.err),
               &d.err);
    for (int i = 0; i < 12; i++) {
        CHECK(lum_auth_login(d.auth, SLICE("victim"), SLICE("wrong horse"), &stranger, &tokens,
                             NULL, &d.err) != PGC_OK);
    }
    CHECK_STATUS(
        lum_auth_login(d.auth, SLICE("victim"), PASSWORD, &stranger, &tokens, NULL, &d.err),
        LUM_TOO_MANY_ATTEMPTS, &d.err);
    CHECK_STATUS(lum_auth_login(d.auth, SLICE("victim"), PASSWORD, &home, &tokens, NULL, &d.err),
                 PGC_OK, &d.err);
}

static void keys_rotate_without_logging_anybody_out(void)
{
    lum_tokens next;
    DESK;
    SESSION("rotates");
    CHECK(user_id > 0);
    REQUIRE_OK(lum_auth_rotate_key(d.auth, &d.err), &d.err);
    CHECK_STATUS(validate(&d, tokens.access), PGC_OK, &d.err);
    REQUIRE_OK(refresh(&d, tokens.refresh, &next), &d.err);
    CHECK_STATUS(validate(&d, next.access), PGC_OK, &d.err);
    lum_tokens again;
    REQUIRE_OK(refresh(&d, tokens.refresh, &again), &d.err); /* made by the older key */
    CHECK_STR(again.refresh, next.refresh);
    REQUIRE_OK(lum_auth_rotate_key(d.auth, &d.err), &d.err);
    REQUIRE_OK(refresh(&d, tokens.refresh, &again), &d.err);
    CHECK_STR(again.refresh, next.refresh);
}

typedef struct contestant {
    desk *d;
    int number;
    const char *token;
    pgc_status status;
    int32_t user_id;
    lum_tokens tokens;
    pgc_error err;
} contestant;

static contestant contestants[THREADS];

static void contest(desk *d, const char *token, void *(*run)(void *) )
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        contestants[i] = (contestant) { .d = d, .number = i, .token = token };
        if (!CHECK(pthread_create(&threads[i], NULL, run, &contestants[i]) == 0)) {
            _exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void) pthread_join(threads[i], NULL);
    }
}

/* Half of them want the same name, half the same address. */
static void *register_same(void *arg)
{
    contestant *c = arg;
    char text[64];
    (void) snprintf(text, sizeof text, c->number % 2 == 0 ? "race" : "race-%d", c->number);
    char email[64];
    (void) snprintf(email, sizeof email, c->number % 2 == 0 ? "race-%d@x" : "race@x", c->number);
    const lum_registration r = { .username = pgc_text_from(text),
                                 .email = pgc_text_from(email),
                                 .password = PASSWORD };
    c->status = lum_auth_register(c->d->auth, &r, NULL, &c->user_id, &c->err);
    return NULL;
}

static void sixty_four_want_the_same_name_and_address(void)
{
    int won[2] = { 0, 0 };
    DESK;
    contest(&d, NULL, register_same);
    for (int i = 0; i < THREADS; i++) {
        contestant *c = &contestants[i];
        bool by_name = i % 2 == 0;
        if (c->status == PGC_OK) {
            won[by_name ? 0 : 1]++;
            CHECK(c->user_id > 0);
        } else {
            CHECK_STATUS(c->status, PGC_CONFLICT, &c->err);
            CHECK_STR(c->err.message, by_name ? "register: this user name is taken"
                                              : "register: this e-mail address has an account");
        }
    }
    CHECK_INT(won[0], 1);
    CHECK_INT(won[1], 1);
    CHECK_SQL(owner, "SELECT count(*) FROM users WHERE username = 'race'", "1");
    CHECK_SQL(owner, "SELECT count(*) FROM users WHERE email = 'race@x'", "1");
}

static void *refresh_same(void *arg)
{
    contestant *c = arg;
    c->status = lum_auth_refresh(c->d->auth, pgc_text_from(c->token), NULL, &c->tokens, &c->err);
    return NULL;
}

static void sixty_four_refresh_with_one_token(void)
{
    DESK;
    SESSION("parallel");
    contest(&d, tokens.refresh, refresh_same);
    for (int i = 0; i < THREADS; i++) {
        CHECK_STATUS(contestants[i].status, PGC_OK, &contestants[i].err);
        CHECK_STR(contestants[i].tokens.refresh, contestants[0].tokens.refresh);
    }
    char sql[128];
    (void) snprintf(sql, sizeof sql, "SELECT generation FROM auth_sessions WHERE user_id = %d",
                    (int) user_id);
    CHECK_SQL(owner, sql, "1");
}

static void *guess_same(void *arg)
{
    contestant *c = arg;
    c->status = lum_auth_login(c->d->auth, SLICE("storm"), SLICE("wrong horse"), NULL, &c->tokens,
                               NULL, &c->err);
    return NULL;
}

static void no_guess_is_lost_in_a_storm(void)
{
    int refused = 0;
    int limited = 0;
    DESK;
    (void) account(&d, "storm");
    contest(&d, NULL, guess_same);
    for (int i = 0; i < THREADS; i++) {
        refused += contestants[i].status == LUM_BAD_CREDENTIALS ? 1 : 0;
        limited += contestants[i].status == LUM_TOO_MANY_ATTEMPTS ? 1 : 0;
    }
    CHECK_INT(refused, 8);
    CHECK_INT(limited, THREADS - 8);
}

static void what_was_done_is_recorded(void)
{
    char sql[512];
    lum_tokens next;
    DESK;
    SESSION("audited");
    CHECK_STATUS(login(&d, "audited", SLICE("wrong horse"), &next), LUM_BAD_CREDENTIALS, &d.err);
    REQUIRE_OK(
        lum_auth_set_password(d.auth, user_id, PASSWORD, SLICE("battery staple"), NULL, &d.err),
        &d.err);
    (void) snprintf(sql, sizeof sql,
                    "SELECT string_agg(concat_ws(' ', event, table_name, changed), '; ' "
                    "ORDER BY audit_id) FROM audit_log WHERE subject_id = %d",
                    (int) user_id);
    CHECK_SQL(owner, sql,
              "insert users {\"email\": [null, \"audited@example.org\"], "
              "\"username\": [null, \"audited\"]}; insert auth_sessions; login refused; "
              "update users {\"password_hash\": \"changed\"}; "
              "update auth_sessions {\"end_reason\": [null, \"password\"]}");
    CHECK_SQL_FAILS(owner, "DELETE FROM audit_log", "42501");
    CHECK_SQL_FAILS(owner, "UPDATE audit_log SET event = 'x'", "42501");
    CHECK_SQL_FAILS(owner, "TRUNCATE audit_log", "42501");
}

/* Whatever the database holds or the server was told: no password, token or key is in it. */
static void secrets_are_nowhere_in_the_database(void)
{
    static const char *const TABLES[] = { "users", "auth_sessions", "auth_limits", "audit_log" };
    char sql[512];
    lum_tokens next;
    DESK;
    SESSION("secret");
    REQUIRE_OK(refresh(&d, tokens.refresh, &next), &d.err);
    (void) user_id;
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        (void) snprintf(sql, sizeof sql,
                        "SELECT count(*) FROM %s t WHERE t::text LIKE '%%%s%%' OR t::text LIKE "
                        "'%%%.60s%%' OR t::text LIKE '%%correct horse%%'",
                        TABLES[i], next.refresh, strrchr(next.access, '.') + 1);
        CHECK_SQL(owner, sql, "0");
    }
    CHECK_STATUS(login(&d, "secret", SLICE("sesame in the error"), &next), LUM_BAD_CREDENTIALS,
                 &d.err);
    CHECK(strstr(d.err.message, "sesame") == NULL && strstr(d.err.detail, "sesame") == NULL);
}

static void failures_of_the_service_let_nobody_in(void)
{
    lum_tokens tokens;
    DESK;
    (void) account(&d, "closed");
    CHECK_SQL(owner, "ALTER TABLE auth_limits RENAME TO auth_limits_away", "");
    pgc_status status = login(&d, "closed", PASSWORD, &tokens);
    CHECK(status != PGC_OK && status != LUM_BAD_CREDENTIALS);
    CHECK_SQL(owner, "ALTER TABLE auth_limits_away RENAME TO auth_limits", "");
    CHECK_STATUS(login(&d, "closed", PASSWORD, &tokens), PGC_OK, &d.err);
}

static void tear_down(void)
{
    pgc_pool_close(pool);
    pgc_conn_close(owner);
    test_db_drop(db_url);
    tmpdir_remove(&folder);
    CHECK(true);
}

TAP_MAIN(
    TAP("auth: register, log in, validate, refresh, get user", the_whole_way),
    TAP("auth: bad registrations say what is wrong", bad_registrations_say_what_is_wrong),
    TAP("auth: a taken name or address is told apart", a_taken_name_or_address_is_told_apart),
    TAP("auth: unknown and locked names cost what a wrong password costs",
        unknown_names_cost_what_wrong_passwords_cost),
    TAP("auth: a login refuses what cannot be typed", login_refuses_what_cannot_be_typed),
    TAP("auth: pgcrypto and we read each other's hashes", pgcrypto_and_we_read_each_other),
    TAP("auth: 200 random passwords cross over to pgcrypto and back",
        many_random_passwords_cross_over),
    TAP("auth: a cheap hash is replaced at login", a_cheap_hash_is_replaced_at_login),
    TAP("auth: the table takes only hashes that we verify",
        the_table_takes_only_hashes_that_we_verify),
    TAP("auth: an old refresh token ends the session", an_old_refresh_token_ends_the_session),
    TAP("auth: the last token but one is good for ten seconds",
        the_last_token_but_one_is_good_for_ten_seconds),
    TAP("auth: forged refresh tokens do nothing", forged_refresh_tokens_do_nothing),
    TAP("auth: sessions end by themselves", sessions_end_by_themselves),
    TAP("auth: sessions are listed and ended", sessions_are_listed_and_ended),
    TAP("auth: a new password ends the other sessions", a_new_password_ends_the_other_sessions),
    TAP("auth: guessing is slowed down", guessing_is_slowed_down),
    TAP("auth: limits survive a restart", limits_survive_a_restart),
    TAP("auth: an address is limited over all names", an_address_is_limited_over_all_names),
    TAP("auth: a known address has a count of its own", a_known_address_has_a_count_of_its_own),
    TAP("auth: keys rotate without logging anybody out", keys_rotate_without_logging_anybody_out),
    TAP("auth: 64 threads want the same name and address",
        sixty_four_want_the_same_name_and_address),
    TAP("auth: 64 threads refresh with one token", sixty_four_refresh_with_one_token),
    TAP("auth: no guess is lost in a storm", no_guess_is_lost_in_a_storm),
    TAP("auth: what was done is recorded, for good", what_was_done_is_recorded),
    TAP("auth: secrets are nowhere in the database", secrets_are_nowhere_in_the_database),
    TAP("auth: failures of the service let nobody in", failures_of_the_service_let_nobody_in),
    TAP("auth: tear down", tear_down))
