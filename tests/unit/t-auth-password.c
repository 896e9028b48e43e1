/* Passwords: what may be one, hashes that others read, what a wrong name costs. */
#include "base/prelude.h"

#include <crypt.h>

#include "oom.h"
#include "service/auth_password.h"
#include "tap.h"

#define TEXT(literal) SLICE(literal)

static password_hasher hasher;
static bool hasher_made;

static bool ready(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    hasher_made =
        hasher_made ||
        CHECK_STATUS(password_hasher_init(&hasher, env_default(), 4, 1, &err), PGC_OK, &err);
    return hasher_made;
}

static void check_refused(slice password, const char *part)
{
    pgc_error err;
    pgc_error_clear(&err);
    CHECK_STATUS(password_check_new(password, TEXT("somebody"), &err), PGC_INVALID, &err);
    if (!CHECK(strstr(err.message, part) != NULL)) {
        (void) printf("# no \"%s\" in: %s\n", part, err.message);
    }
}

static void what_cannot_be_a_password_is_refused_with_the_reason(void)
{
    char long_text[80];
    memset(long_text, 'x', sizeof long_text);
    long_text[0] = 'y';
    check_refused((slice) { NULL, 0 }, "empty");
    check_refused(TEXT("short"), "shorter than 8");
    check_refused((slice) { long_text, 73 }, "longer than 72 bytes");
    check_refused(TEXT("nul\0inside it"), "NUL");
    check_refused(TEXT("latin1 \xe9t\xe9 "), "not UTF-8");
    check_refused(TEXT("\xed\xa0\x80 surrogate"), "not UTF-8");
    check_refused(TEXT("PASSWORD123"), "among the first that anybody");
    check_refused(TEXT("aaaaaaaaaaaa"), "among the first that anybody");
    check_refused(TEXT("SomeBody"), "among the first that anybody");
    /* Seven characters, however many bytes. */
    check_refused(TEXT("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9!"), "shorter than 8");
}

static void good_passwords_are_taken(void)
{
    pgc_error err;
    char text[72];
    memset(text, 'x', sizeof text);
    text[3] = ' ';
    CHECK_STATUS(password_check_new((slice) { text, 72 }, TEXT("ann"), &err), PGC_OK, &err);
    CHECK_STATUS(password_check_new(TEXT("correct horse"), TEXT("ann"), &err), PGC_OK, &err);
    CHECK_STATUS(password_check_new(TEXT("\xf0\x9f\x90\x8e horses"), TEXT("ann"), &err), PGC_OK,
                 &err);
}

static void a_hash_verifies_its_password_and_no_other(void)
{
    pgc_error err;
    char hash[PASSWORD_HASH_SIZE];
    char again[PASSWORD_HASH_SIZE];
    bool match = false;
    REQUIRE(ready());
    REQUIRE_OK(password_hash(&hasher, TEXT("correct horse"), hash, &err), &err);
    REQUIRE_OK(password_hash(&hasher, TEXT("correct horse"), again, &err), &err);
    CHECK(strcmp(hash, again) != 0); /* another salt */
    CHECK(strncmp(hash, "$2a$04$", 7) == 0);
    REQUIRE_OK(password_verify(&hasher, TEXT("correct horse"), pgc_text_from(hash), &match, &err),
               &err);
    CHECK(match);
    REQUIRE_OK(password_verify(&hasher, TEXT("correct horsf"), pgc_text_from(hash), &match, &err),
               &err);
    CHECK(!match);
}

/* The last byte that bcrypt looks at is the last that we take. */
static void all_72_bytes_count(void)
{
    pgc_error err;
    char hash[PASSWORD_HASH_SIZE];
    char text[73];
    bool match = true;
    memset(text, 'a', sizeof text);
    REQUIRE(ready());
    REQUIRE_OK(password_hash(&hasher, (slice) { text, 72 }, hash, &err), &err);
    text[71] = 'b';
    REQUIRE_OK(password_verify(&hasher, (slice) { text, 72 }, pgc_text_from(hash), &match, &err),
               &err);
    CHECK(!match);
    text[71] = 'a';
    CHECK_STATUS(password_verify(&hasher, (slice) { text, 73 }, pgc_text_from(hash), &match, &err),
                 PGC_INVALID, &err);
}

/* Published vectors, so that the algorithm is bcrypt and not something like it. */
static void known_answers(void)
{
    static const struct {
        const char *password, *hash;
        bool match;
    } VECTORS[] = {
        { "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
        { "U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", true },
        { "U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
        { "U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
        { "U*V", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false },
        /* The faulty implementation's mark is refused, whatever its hash. */
        { "U*U", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false },
    };
    REQUIRE(ready());
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        pgc_error err;
        bool match = !VECTORS[i].match;
        REQUIRE_OK(password_verify(&hasher, pgc_text_from(VECTORS[i].password),
                                   pgc_text_from(VECTORS[i].hash), &match, &err),
                   &err);
        if (!CHECK(match == VECTORS[i].match)) {
            (void) printf("# %s with %s\n", VECTORS[i].password, VECTORS[i].hash);
        }
    }
}

static void hashes_of_others_are_told_apart(void)
{
    static const char *const BAD[] = {
        "",
        "!",
        "!$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", /* would take days */
        "$2a$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe*",
        "$2$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWa",
        "$6$salt$hash",
        "abJnggxhB/yWI",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        CHECK_INT(password_hash_cost(pgc_text_from(BAD[i])), 0);
    }
    CHECK_INT(
        password_hash_cost(TEXT("$2y$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")),
        15);
    CHECK_INT(password_hash_cost((slice) { NULL, 0 }), 0);
}

/* What makes unknown names as slow as known ones: counted, not timed. */
static void no_hash_costs_the_same_computation(void)
{
    pgc_error err;
    bool match = true;
    REQUIRE(ready());
    uint64_t before = hasher.runs;
    REQUIRE_OK(password_verify(&hasher, TEXT("whatever1"), (slice) { NULL, 0 }, &match, &err),
               &err);
    CHECK(!match);
    CHECK_INT(hasher.runs - before, 1);
    match = true;
    REQUIRE_OK(password_verify(&hasher, TEXT("whatever1"), TEXT("!"), &match, &err), &err);
    CHECK(!match);
    CHECK_INT(hasher.runs - before, 2);
}

static void costs_out_of_range_are_refused(void)
{
    pgc_error err;
    password_hasher h;
    CHECK_STATUS(password_hasher_init(&h, env_default(), 3, 1, &err), PGC_INVALID, &err);
    CHECK_STATUS(password_hasher_init(&h, env_default(), 16, 1, &err), PGC_INVALID, &err);
    REQUIRE_OK(password_hasher_init(&h, env_default(), 0, 0, &err), &err);
    CHECK_INT(h.cost, 12);
    CHECK(h.slots >= 1);
    password_hasher_done(&h);
}

static void failures_are_reported(void)
{
    pgc_error err;
    oom_plan plan = { .fail_at = 1 };
    const pgc_alloc alloc = oom_alloc(&plan);
    clock_fake clock;
    clock_fake_init(&clock, 0, 1);
    const env e = { .alloc = &alloc, .fs = vfs_os(), .clock = &clock.ops };
    char hash[PASSWORD_HASH_SIZE] = "";
    password_hasher h;
    REQUIRE_OK(password_hasher_init(&h, &e, 4, 1, &err), &err);
    CHECK_STATUS(password_hash(&h, TEXT("correct horse"), hash, &err), PGC_NOMEM, &err);
    CHECK_STR(hash, "");
    clock.random_fails = true;
    CHECK_STATUS(password_hash(&h, TEXT("correct horse"), hash, &err), PGC_IO, &err);
    h.slots = 0;
    h.waiting_max = 0;
    bool match = false;
    CHECK_STATUS(password_verify(&h, TEXT("correct horse"), TEXT("!"), &match, &err), PGC_LIMIT,
                 &err);
    CHECK_INT(plan.live, 0);
    CHECK_INT(plan.bad_sizes, 0);
    password_hasher_done(&h);
}

static void *hash_once(void *arg)
{
    pgc_error err;
    char hash[PASSWORD_HASH_SIZE];
    *(pgc_status *) arg = password_hash(&hasher, TEXT("correct horse"), hash, &err);
    return NULL;
}

static void many_threads_share_the_slots(void)
{
    pthread_t threads[16];
    pgc_status status[16];
    REQUIRE(ready());
    uint64_t before = hasher.runs;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        REQUIRE(CHECK(pthread_create(&threads[i], NULL, hash_once, &status[i]) == 0));
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        (void) pthread_join(threads[i], NULL);
        CHECK_INT(status[i], PGC_OK);
    }
    CHECK_INT(hasher.runs - before, 16);
    CHECK_INT(hasher.slots, 1);
    CHECK_INT(hasher.waiting, 0);
}

TAP_MAIN(TAP("password: what cannot be one is refused with the reason",
             what_cannot_be_a_password_is_refused_with_the_reason),
         TAP("password: good ones are taken", good_passwords_are_taken),
         TAP("password: a hash verifies its password and no other",
             a_hash_verifies_its_password_and_no_other),
         TAP("password: all 72 bytes count", all_72_bytes_count),
         TAP("password: known answers of bcrypt", known_answers),
         TAP("password: hashes of other schemes and costs are told apart",
             hashes_of_others_are_told_apart),
         TAP("password: no hash costs the same computation", no_hash_costs_the_same_computation),
         TAP("password: costs out of range are refused", costs_out_of_range_are_refused),
         TAP("password: failures are reported and leak nothing", failures_are_reported),
         TAP("password: threads share the slots", many_threads_share_the_slots))
