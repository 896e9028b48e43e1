/* Access tokens and the keys that sign them: one algorithm, one spelling, no forgery, rotation. */
#include "base/prelude.h"

#include <lumilio/status.h>
#include <sys/stat.h>

#include "oom.h"
#include "random.h"
#include "service/auth_token.h"
#include "tap.h"
#include "tmpdir.h"

#define NOW_US  INT64_C(1800000000000000)
#define LIFE_US INT64_C(900000000)
#define SEC     INT64_C(1000000)
#define FORGED  300000 /* forged tokens with one byte changed or made up */

/* A folder with a key file and a clock that stands still. */
typedef struct desk {
    tmpdir folder;
    char path[128];
    clock_fake clock;
    env e;
    auth_keys *keys;
    pgc_error err;
} desk;

static void desk_done(desk *d)
{
    auth_keys_close(d->keys);
    tmpdir_remove(&d->folder);
}

static bool desk_make(desk *d)
{
    memset(d, 0, sizeof *d);
    d->folder = tmpdir_make();
    (void) snprintf(d->path, sizeof d->path, "%s/auth.keys", d->folder.path);
    clock_fake_init(&d->clock, NOW_US, 7);
    d->e = (env) { .alloc = pgc_alloc_libc(), .fs = vfs_os(), .clock = &d->clock.ops };
    return CHECK_STATUS(auth_keys_open(&d->e, d->path, &d->keys, &d->err), PGC_OK, &d->err);
}

#define DESK                \
    AUTO(desk_done) desk d; \
    REQUIRE(desk_make(&d))

static token_claims claims_at(int64_t now_us)
{
    return (token_claims) { .user_id = 7,
                            .session_id = { { 1, 2, 3 } },
                            .token_id = { { 9 } },
                            .issued_us = now_us,
                            .expires_us = now_us + LIFE_US };
}

static bool sign(desk *d, char out[static TOKEN_MAX])
{
    token_claims claims = claims_at(d->clock.unix_us);
    return CHECK_STATUS(token_sign(d->keys, &claims, out, &d->err), PGC_OK, &d->err);
}

static pgc_status verify(desk *d, const char *token)
{
    token_claims got;
    return token_verify(d->keys, pgc_text_from(token), d->clock.unix_us, LIFE_US, &got, &d->err);
}

static void a_token_says_what_was_signed(void)
{
    char token[TOKEN_MAX];
    token_claims got;
    DESK;
    REQUIRE(sign(&d, token));
    REQUIRE_OK(token_verify(d.keys, pgc_text_from(token), NOW_US, LIFE_US, &got, &d.err), &d.err);
    const token_claims want = claims_at(NOW_US);
    CHECK_INT(got.user_id, want.user_id);
    CHECK(memcmp(&got.session_id, &want.session_id, sizeof want.session_id) == 0);
    CHECK(memcmp(&got.token_id, &want.token_id, sizeof want.token_id) == 0);
    CHECK_INT(got.issued_us, want.issued_us);
    CHECK_INT(got.expires_us, want.expires_us);
}

static void clocks_may_differ_by_thirty_seconds(void)
{
    static const struct {
        int64_t shift_s;
        pgc_status want;
    } CASES[] = {
        { -31, LUM_TOKEN_INVALID },
        { -30, PGC_OK },
        { -29, PGC_OK },
        { 0, PGC_OK },
        { 899, PGC_OK },
        { 900, PGC_OK },
        { 929, PGC_OK },
        { 930, LUM_TOKEN_EXPIRED },
        { 931, LUM_TOKEN_EXPIRED },
    };
    char token[TOKEN_MAX];
    DESK;
    REQUIRE(sign(&d, token));
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        d.clock.unix_us = NOW_US + CASES[i].shift_s * SEC;
        CHECK_STATUS(verify(&d, token), CASES[i].want, &d.err);
    }
}

/* A token of our key with a header and body of the caller's. */
static void forge(desk *d, const char *header, const char *body, char *out)
{
    uint8_t mac[32];
    auth_secret secret;
    REQUIRE_OK(auth_keys_newest(d->keys, AUTH_FOR_ACCESS, &secret, &d->err), &d->err);
    size_t used = base64url_encode(header, strlen(header), out);
    out[used++] = '.';
    used += base64url_encode(body, strlen(body), out + used);
    CHECK(hmac_sha256(secret.key, out, used, mac));
    out[used++] = '.';
    (void) base64url_encode(mac, sizeof mac, out + used);
}

#define BODY_OF(iss, aud, sub, iat, nbf, exp)                    \
    "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":" sub              \
    ",\"sid\":\"01020300-0000-0000-0000-000000000000\",\"jti\":" \
    "\"09000000-0000-0000-0000-000000000000\",\"iat\":" iat ",\"nbf\":" nbf ",\"exp\":" exp "}"
#define GOOD_BODY \
    BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000", "1800000900")

static void headers_of_other_kinds_are_refused(void)
{
    /* %s is the id of our key: all of these are signed rightly. */
    static const char *const HEADERS[] = {
        "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"None\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"hs256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS384\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS512\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"RS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":[\"HS256\"],\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":null,\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"media\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"../../etc/pwd\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"' OR 1=1 --\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":7,\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\",\"jku\":\"https://x/\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}",
        "[\"HS256\"]",
        "\"HS256\"",
        "{}",
        "",
        "{",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    char token[2 * TOKEN_MAX];
    char header[256];
    DESK;
    auth_secret secret;
    REQUIRE_OK(auth_keys_newest(d.keys, AUTH_FOR_ACCESS, &secret, &d.err), &d.err);
    for (size_t i = 0; i < ARRAY_LEN(HEADERS); i++) {
        const char *mark = strstr(HEADERS[i], "%s");
        size_t front = mark != NULL ? (size_t) (mark - HEADERS[i]) : strlen(HEADERS[i]);
        (void) snprintf(header, sizeof header, "%.*s%s%s", (int) front, HEADERS[i],
                        mark != NULL ? secret.id : "", mark != NULL ? mark + 2 : "");
        forge(&d, header, GOOD_BODY, token);
        if (!CHECK_STATUS(verify(&d, token), LUM_TOKEN_INVALID, &d.err)) {
            (void) printf("# taken: %s\n", header);
        }
    }
    (void) snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                    secret.id);
    forge(&d, header, GOOD_BODY, token);
    CHECK_STATUS(verify(&d, token), PGC_OK, &d.err); /* the forger can do it */
}

static void claims_that_do_not_fit_are_refused(void)
{
    static const char *const BODIES[] = {
        BODY_OF("\"other\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"other\"", "\"7\"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "[\"lumilio\"]", "\"7\"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "null", "\"7\"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "7", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"0\"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"-7\"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"4294967303\"", "1800000000", "1800000000",
                "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7 \"", "1800000000", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"\xd9\xa7\"", "1800000000", "1800000000",
                "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000031", "1800000000", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000031", "1800000900"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000", "1800000901"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000", "1800000000"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000",
                "9223372036854775807"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000",
                "99999999999999999999"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000", "1800000900.5"),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000000", "1800000000",
                "\"1800000900\""),
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "-1", "1800000000", "800"),
        "{}",
        "[]",
        "",
    };
    char token[2 * TOKEN_MAX];
    char header[256];
    DESK;
    auth_secret secret;
    REQUIRE_OK(auth_keys_newest(d.keys, AUTH_FOR_ACCESS, &secret, &d.err), &d.err);
    (void) snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                    secret.id);
    for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
        forge(&d, header, BODIES[i], token);
        if (!CHECK_STATUS(verify(&d, token), LUM_TOKEN_INVALID, &d.err)) {
            (void) printf("# taken: %s\n", BODIES[i]);
        }
    }
}

static void other_spellings_of_a_token_are_refused(void)
{
    char token[TOKEN_MAX];
    char other[TOKEN_MAX + 64];
    DESK;
    REQUIRE(sign(&d, token));
    size_t length = strlen(token);
    static const char *const ENDS[] = { "=", "==", ".", "..", " ", "\n", "A", "&", "%3D" };
    for (size_t i = 0; i < ARRAY_LEN(ENDS); i++) {
        (void) snprintf(other, sizeof other, "%s%s", token, ENDS[i]);
        CHECK_STATUS(verify(&d, other), LUM_TOKEN_INVALID, &d.err);
        (void) snprintf(other, sizeof other, "%s%s", ENDS[i], token);
        CHECK_STATUS(verify(&d, other), LUM_TOKEN_INVALID, &d.err);
    }
    for (size_t i = 0; i < length; i++) { /* every cut */
        (void) snprintf(other, sizeof other, "%.*s", (int) i, token);
        CHECK_STATUS(verify(&d, other), LUM_TOKEN_INVALID, &d.err);
    }
    char *huge = malloc(1 << 20);
    REQUIRE(huge != NULL);
    memset(huge, 'A', 1 << 20);
    token_claims got;
    CHECK_STATUS(token_verify(d.keys, (slice) { huge, 1 << 20 }, NOW_US, LIFE_US, &got, &d.err),
                 LUM_TOKEN_INVALID, &d.err);
    CHECK_STATUS(token_verify(d.keys, (slice) { NULL, 0 }, NOW_US, LIFE_US, &got, &d.err),
                 LUM_TOKEN_INVALID, &d.err);
    free(huge);
}

/* Every change of one bit, then random damage. */
static void no_damaged_token_is_taken(void)
{
    char token[TOKEN_MAX];
    char other[TOKEN_MAX];
    uint64_t state = UINT64_C(0x61757468);
    unsigned taken = 0;
    DESK;
    REQUIRE(sign(&d, token));
    size_t length = strlen(token);
    token_claims got;
    for (size_t i = 0; i < length * 8; i++) {
        memcpy(other, token, length);
        other[i / 8] = (char) (other[i / 8] ^ (1 << i % 8));
        taken +=
            token_verify(d.keys, (slice) { other, length }, NOW_US, LIFE_US, &got, NULL) == PGC_OK
                ? 1
                : 0;
    }
    for (int i = 0; i < FORGED / 10; i++) {
        memcpy(other, token, length);
        size_t changes = 1 + random_below(&state, 4);
        for (size_t j = 0; j < changes; j++) {
            other[random_below(&state, length)] = (char) random_below(&state, 256);
        }
        bool same = memcmp(other, token, length) == 0;
        taken += !same && token_verify(d.keys, (slice) { other, length }, NOW_US, LIFE_US, &got,
                                       NULL) == PGC_OK
                     ? 1
                     : 0;
    }
    CHECK_INT(taken, 0);
}

static void base64url_has_one_spelling(void)
{
    uint64_t state = 11;
    uint8_t bytes[64];
    uint8_t back[64];
    char text[96];
    size_t count = 0;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t) random_below(&state, 256);
        }
        size_t chars = base64url_encode(bytes, length, text);
        CHECK_INT(chars, strlen(text));
        CHECK(base64url_decode((slice) { text, chars }, back, length, &count));
        CHECK_INT(count, length);
        CHECK(memcmp(bytes, back, length) == 0);
        CHECK(length == 0 || !base64url_decode((slice) { text, chars }, back, length - 1, &count));
    }
    CHECK(!base64url_decode(SLICE("A"), back, sizeof back, &count));
    CHECK(!base64url_decode(SLICE("AB"), back, sizeof back, &count)); /* four bits too many */
    CHECK(!base64url_decode(SLICE("AA=="), back, sizeof back, &count));
    CHECK(!base64url_decode(SLICE("A+/A"), back, sizeof back, &count));
    CHECK(base64url_decode(SLICE("-_-_"), back, sizeof back, &count));
}

static void a_new_key_signs_and_the_old_one_still_verifies(void)
{
    char before[TOKEN_MAX];
    char after[TOKEN_MAX];
    DESK;
    REQUIRE(sign(&d, before));
    clock_fake_advance(&d.clock, 60 * SEC);
    REQUIRE_OK(auth_keys_rotate(d.keys, LIFE_US * 10, &d.err), &d.err);
    CHECK_INT(auth_keys_count(d.keys), 2);
    REQUIRE(sign(&d, after));
    CHECK_STATUS(verify(&d, before), PGC_OK, &d.err);
    CHECK_STATUS(verify(&d, after), PGC_OK, &d.err);
    CHECK(strncmp(before, after, 40) != 0); /* another kid */
    /* Long after, the first key is dropped; its tokens are over anyway. */
    clock_fake_advance(&d.clock, LIFE_US * 10);
    REQUIRE_OK(auth_keys_rotate(d.keys, LIFE_US * 10, &d.err), &d.err);
    CHECK_INT(auth_keys_count(d.keys), 3);
    clock_fake_advance(&d.clock, 61 * SEC);
    REQUIRE_OK(auth_keys_rotate(d.keys, LIFE_US * 10, &d.err), &d.err);
    CHECK_INT(auth_keys_count(d.keys), 3);
}

/* Whoever steals a retired key cannot sign new tokens with it. */
static void a_retired_key_signs_nothing_new(void)
{
    char token[2 * TOKEN_MAX];
    char header[256];
    auth_secret old;
    DESK;
    REQUIRE_OK(auth_keys_newest(d.keys, AUTH_FOR_ACCESS, &old, &d.err), &d.err);
    clock_fake_advance(&d.clock, SEC);
    REQUIRE_OK(auth_keys_rotate(d.keys, LIFE_US * 10, &d.err), &d.err);
    clock_fake_advance(&d.clock, 100 * SEC);
    (void) snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                    old.id);
    const char *body =
        BODY_OF("\"lumilio\"", "\"lumilio\"", "\"7\"", "1800000101", "1800000101", "1800000900");
    uint8_t mac[32];
    size_t used = base64url_encode(header, strlen(header), token);
    token[used++] = '.';
    used += base64url_encode(body, strlen(body), token + used);
    CHECK(hmac_sha256(old.key, token, used, mac));
    token[used++] = '.';
    (void) base64url_encode(mac, sizeof mac, token + used);
    CHECK_STATUS(verify(&d, token), LUM_TOKEN_INVALID, &d.err);
}

static void another_process_sees_a_rotation(void)
{
    char token[TOKEN_MAX];
    auth_keys *other = NULL;
    DESK;
    REQUIRE_OK(auth_keys_open(&d.e, d.path, &other, &d.err), &d.err);
    clock_fake_advance(&d.clock, 2 * SEC);
    REQUIRE_OK(auth_keys_rotate(d.keys, LIFE_US, &d.err), &d.err);
    REQUIRE(sign(&d, token));
    token_claims got;
    CHECK_STATUS(token_verify(other, pgc_text_from(token), d.clock.unix_us, LIFE_US, &got, &d.err),
                 PGC_OK, &d.err);
    auth_keys_close(other);
}

static void the_file_is_ours_alone(void)
{
    struct stat info;
    auth_keys *keys = NULL;
    DESK;
    REQUIRE(stat(d.path, &info) == 0);
    CHECK_INT(info.st_mode & 07777, 0600);
    REQUIRE(chmod(d.path, 0640) == 0);
    CHECK_STATUS(auth_keys_open(&d.e, d.path, &keys, &d.err), PGC_DENIED, &d.err);
    REQUIRE(chmod(d.path, 0600) == 0);
    REQUIRE_OK(auth_keys_open(&d.e, d.path, &keys, &d.err), &d.err);
    auth_keys_close(keys);
    char link_path[160];
    (void) snprintf(link_path, sizeof link_path, "%s.link", d.path);
    REQUIRE(symlink(d.path, link_path) == 0);
    CHECK(auth_keys_open(&d.e, link_path, &keys, &d.err) != PGC_OK);
}

static void a_damaged_file_is_refused_and_left_alone(void)
{
    static const char *const TEXTS[] = {
        "",
        "\n",
        "lumilio-keys 1\n",
        "lumilio-keys 2\n",
        "lumilio-keys 1\nabc\n",
        "lumilio-keys 1\n00112233445g 1 "
        "0000000000000000000000000000000000000000000000000000000000000000\n",
        "lumilio-keys 1\n001122334455 1 00\n",
        "lumilio-keys 1\n001122334455 -1 "
        "0000000000000000000000000000000000000000000000000000000000000000\n",
        "lumilio-keys 1\n001122334455 1 "
        "0000000000000000000000000000000000000000000000000000000000000000",
    };
    DESK;
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        auth_keys *keys = NULL;
        REQUIRE_OK(file_write_atomic(env_default(), AT_FDCWD, d.path, pgc_text_from(TEXTS[i]), 0600,
                                     &d.err),
                   &d.err);
        if (!CHECK_STATUS(auth_keys_open(&d.e, d.path, &keys, &d.err), PGC_INVALID, &d.err)) {
            (void) printf("# taken: %s\n", TEXTS[i]);
        }
        CHECK(strstr(d.err.message, "auth.keys") != NULL);
    }
}

static void every_failing_call_is_reported(void)
{
    vfs_fault fault;
    bool complete = false;
    tmpdir folder = tmpdir_make();
    char path[128];
    clock_fake clock;
    clock_fake_init(&clock, NOW_US, 3);
    (void) snprintf(path, sizeof path, "%s/k", folder.path);
    for (uint64_t fail_at = 1; !complete && fail_at < 60; fail_at++) {
        pgc_error err;
        auth_keys *keys = NULL;
        vfs_fault_init(&fault);
        fault.op = VFS_OP_COUNT;
        fault.fail_at = fail_at;
        fault.err = EIO;
        const env e = { .alloc = pgc_alloc_libc(), .fs = &fault.ops, .clock = &clock.ops };
        pgc_status status = auth_keys_open(&e, path, &keys, &err);
        complete = fault.calls < fail_at;
        CHECK(status == PGC_OK || (status == PGC_IO && strstr(err.message, "/k") != NULL));
        auth_keys_close(status == PGC_OK ? keys : NULL);
        if (!complete) {
            (void) unlink(path);
        }
    }
    CHECK(complete);
    oom_plan plan = { .fail_at = 1 };
    const pgc_alloc alloc = oom_alloc(&plan);
    const env e = { .alloc = &alloc, .fs = vfs_os(), .clock = &clock.ops };
    auth_keys *keys = NULL;
    CHECK_STATUS(auth_keys_open(&e, path, &keys, NULL), PGC_NOMEM, NULL);
    CHECK_INT(plan.live, 0);
    tmpdir_remove(&folder);
}

TAP_MAIN(TAP("token: says what was signed", a_token_says_what_was_signed),
         TAP("token: clocks may differ by thirty seconds", clocks_may_differ_by_thirty_seconds),
         TAP("token: headers of other kinds are refused", headers_of_other_kinds_are_refused),
         TAP("token: claims that do not fit are refused", claims_that_do_not_fit_are_refused),
         TAP("token: other spellings are refused", other_spellings_of_a_token_are_refused),
         TAP("token: no damaged token is taken", no_damaged_token_is_taken),
         TAP("token: base64url has one spelling", base64url_has_one_spelling),
         TAP("keys: a new one signs, the old one still verifies",
             a_new_key_signs_and_the_old_one_still_verifies),
         TAP("keys: a retired one signs nothing new", a_retired_key_signs_nothing_new),
         TAP("keys: another process sees a rotation", another_process_sees_a_rotation),
         TAP("keys: the file is ours alone", the_file_is_ours_alone),
         TAP("keys: a damaged file is refused", a_damaged_file_is_refused_and_left_alone),
         TAP("keys: every failing call is reported", every_failing_call_is_reported))
