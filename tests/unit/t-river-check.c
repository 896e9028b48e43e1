/* What River refuses before SQL, and how long a failed job waits. */
#include "base/prelude.h"

#include "river/check.h"
#include "river/retry.h"

#include "tap.h"

static void queue_names(void)
{
    char longest[CHECK_QUEUE_MAX + 2];
    memset(longest, 'q', sizeof(longest));
    longest[CHECK_QUEUE_MAX + 1] = '\0';
    CHECK_INT(check_queue(longest, NULL), PGC_INVALID);
    longest[CHECK_QUEUE_MAX] = '\0';
    CHECK_INT(check_queue(longest, NULL), PGC_OK);
    static const char *const good[] = { "default", "a", "a_b", "a|b-c_1", "9" };
    static const char *const bad[] = { "", "A", "a__b", "_a", "a_", "a b", "a-|b", "\xc3\xa9" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK_INT(check_queue(good[i], NULL), PGC_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_INT(check_queue(bad[i], NULL), PGC_INVALID);
    }
    CHECK_INT(check_queue(NULL, NULL), PGC_INVALID);
}

static void tags_and_kinds(void)
{
    CHECK_INT(check_tag("ab", NULL), PGC_INVALID);
    CHECK_INT(check_tag("abc", NULL), PGC_OK);
    CHECK_INT(check_tag("a-_9", NULL), PGC_OK);
    CHECK_INT(check_tag("a,b", NULL), PGC_INVALID);
    CHECK_INT(check_tag("-ab", NULL), PGC_INVALID);
    CHECK_INT(check_kind("k", NULL), PGC_INVALID);
    CHECK_INT(check_kind("process_semantic", NULL), PGC_OK);
    CHECK_INT(check_kind("a[b]<c>/d.e:f+g\xc2\xb7h", NULL), PGC_OK);
    CHECK_INT(check_kind("-a", NULL), PGC_INVALID);
    CHECK_INT(check_kind("a b", NULL), PGC_INVALID);
    CHECK_INT(check_kind("a\xc2", NULL), PGC_INVALID);
}

static void whole_jobs(void)
{
    pgc_error err;
    const char *tags[] = { "good", "x" };
    CHECK_INT(check_insert(&(river_insert) { .kind = "thumb" }, &err), PGC_OK);
    CHECK_INT(check_insert(&(river_insert) { .kind = "thumb", .priority = 5 }, &err), PGC_INVALID);
    CHECK_STR(err.message, "priority 5 of a 'thumb' job: 1 to 4");
    CHECK_INT(check_insert(&(river_insert) { .kind = "thumb", .args = SLICE("[]") }, &err),
              PGC_INVALID);
    CHECK_STR(err.message, "arguments: JSON, but no object");
    CHECK_INT(check_insert(&(river_insert) { .kind = "thumb", .tags = tags, .tag_count = 2 }, &err),
              PGC_INVALID);
    CHECK_INT(check_insert(&(river_insert) { .kind = "thumb", .max_attempts = -1 }, &err),
              PGC_INVALID);
}

static void delays_grow_with_the_fourth_power(void)
{
    clock_fake fake;
    clock_fake_init(&fake, 0, 7);
    for (size_t n = 1; n <= 25; n++) {
        double seconds = (double) (n * n * n * n);
        for (int i = 0; i < 100; i++) {
            double delay = (double) retry_delay_us(n, &fake.ops) / 1e6;
            CHECK(delay >= seconds * 0.9 - 1e-6 && delay <= seconds * 1.1);
        }
    }
    fake.random_fails = true;
    int64_t delay_us = retry_delay_us(2, &fake.ops);
    CHECK(delay_us >= 14400000 && delay_us <= 17600000);
    CHECK_INT(retry_delay_us(310, &fake.ops), INT64_C(9223372036854775));
    CHECK_INT(retry_delay_us(SIZE_MAX, &fake.ops), INT64_C(9223372036854775));
}

TAP_MAIN(TAP("river check: queue names", queue_names),
         TAP("river check: tags and kinds", tags_and_kinds),
         TAP("river check: whole jobs", whole_jobs),
         TAP("river retry: delays grow with the fourth power", delays_grow_with_the_fourth_power))
