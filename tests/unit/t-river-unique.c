/* Unique keys: the vectors of river.md section 3.5.6, whose digests River's own client makes. */
#include "base/prelude.h"

#include "river/unique.h"

#include "oom.h"
#include "river/timetext.h"
#include "tap.h"

#define HOUR_US INT64_C(3600000000)

/* 2026-08-07 14:32:57 UTC */
static const pgc_timestamptz NOW = { INT64_C(839428377000000) };

static void check_key(const river_insert *job, const char *text, const char *hex)
{
    AUTO(buf_auto) buf out;
    pgc_error err;
    uint8_t key[SHA256_SIZE];
    char key_hex[SHA256_HEX_SIZE];
    buf_init(&out, NULL, 1 << 20);
    REQUIRE_OK(unique_text(job, NOW, &out, &err), &err);
    CHECK_STR(out.ptr, text);
    if (hex == NULL) {
        return;
    }
    REQUIRE_OK(unique_key(job, NOW, NULL, key, &err), &err);
    sha256_hex(key, key_hex);
    CHECK_STR(key_hex, hex);
}

static void known_vectors(void)
{
    const char *paths[] = { "customer.id" };
    static const slice task = { "{ \"task_id\" : \"task_123\" }", 26 };
    river_insert job = { .kind = "simple", .unique = { .by_state = RIVER_STATES_ALL } };
    check_key(&job, "&kind=simple",
              "fff7a0f368faa755846816b8d731f6646f1de6da21953b7ea24630838c082e96");
    job = (river_insert) { .kind = "worker_6",
                           .queue = "email_queue",
                           .unique = { .by_queue = true } };
    check_key(&job, "&kind=worker_6&queue=email_queue",
              "26b1abe28abd7a0d215b0881bff7a77e408d71da6166d43272c0179ea058d3dc");
    job = (river_insert) { .kind = "worker_5", .args = task, .unique = { .by_args = true } };
    check_key(&job, "&kind=worker_5&args={\"task_id\":\"task_123\"}",
              "9c17f8d959217fc67ccce61c66acebcca61971d8c74d1d80003b9304bc4b66d6");
    job.unique.exclude_kind = true;
    check_key(&job, "&args={\"task_id\":\"task_123\"}",
              "4b48cf5f2559d1de919b01391108cc5577d10e6e56a10bda33618b98b6054252");
    job = (river_insert) {
        .kind = "email",
        .args = SLICE("{\"subject\":\"Test Email\",\"recipient\":\"user@example.com\"}"),
        .unique = { .by_args = true, .by_queue = true, .by_period_us = HOUR_US },
    };
    check_key(&job,
              "&kind=email&args={\"recipient\":\"user@example.com\",\"subject\":\"Test Email\"}"
              "&period=2026-08-07T14:00:00Z&queue=default",
              "15b16deaa3139b0f7363b790ee627220a96d08952420a06576c09aa358991417");
    job = (river_insert) { .kind = "k",
                           .args = SLICE("{\"b\":{\"z\":1,\"a\":2},\"a\":1}"),
                           .unique = { .by_args = true } };
    check_key(&job, "&kind=k&args={\"a\":1,\"b\":{\"z\":1,\"a\":2}}",
              "9360a9eb718ad54ce679620dfbafb9a4519580784e0f683b3430b5ae1884d228");
    job.args = (slice) { NULL, 0 };
    check_key(&job, "&kind=k&args={}",
              "6d1fad618d825cceb4f04d74a399bf641ad1d95421d160aacfd588aade6e7fa1");
    job.args = SLICE("{\"html\":\"<b>\"}");
    check_key(&job, "&kind=k&args={\"html\":\"\\u003cb\\u003e\"}",
              "2fef2cc1d1cd1a828cf3ace56fc1178d3a7f6f0bf753a30888ef3da25d76a59c");
    job = (river_insert) {
        .kind = "thumb",
        .args = SLICE("{\"size\":1,\"customer\":{\"name\":\"x\",\"id\":\"42\"}}"),
        .unique = { .by_args = true, .paths = paths, .path_count = 1 },
    };
    check_key(&job, "&kind=thumb&args={\"customer\":{\"id\":\"42\"}}",
              "40a482ab60ee7712e479c17ac004c1e3a9e2e48c06bc3d1ce89ce8a788100a99");
}

static void paths_pick_and_skip(void)
{
    const char *paths[] = { "b.y", "z", "a", "b.x", "b.x.deep", "none", "b.q.r" };
    river_insert job = {
        .kind = "k",
        .args = SLICE("{\"a\":null,\"b\":{\"y\":2,\"x\":{\"deep\":1}},\"c\":3}"),
        .unique = { .by_args = true, .paths = paths, .path_count = ARRAY_LEN(paths) },
    };
    check_key(&job, "&kind=k&args={\"a\":null,\"b\":{\"x\":{\"deep\":1},\"y\":2}}", NULL);
    job.args = SLICE("{\"other\":1}");
    check_key(&job, "&kind=k&args=", NULL);
}

static void weeks_begin_on_mondays_as_in_go(void)
{
    river_insert job = { .kind = "weekly", .unique = { .by_period_us = 7 * 24 * HOUR_US } };
    check_key(&job, "&kind=weekly&period=2026-08-03T00:00:00Z", NULL);
    job.scheduled_at = (pgc_opt_timestamptz) { true, { NOW.us + 7 * 24 * HOUR_US } };
    check_key(&job, "&kind=weekly&period=2026-08-03T00:00:00Z", NULL);
    job.unique.period_of_scheduled = true;
    check_key(&job, "&kind=weekly&period=2026-08-10T00:00:00Z", NULL);
}

static void keys_that_go_would_read_otherwise_are_refused(void)
{
    static const char *const bad[] = {
        "{\"a.b\":1}", "{\"*\":1}", "{\":1\":1}", "{\"\":1}", "{\"a\":1,\"\\u0061\":2}",
        "[1]",         "{\"a\":}"
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(buf_auto) buf out;
        buf_init(&out, NULL, 1 << 20);
        river_insert job = { .kind = "k",
                             .args = { bad[i], strlen(bad[i]) },
                             .unique = { .by_args = true } };
        CHECK_INT(unique_text(&job, NOW, &out, NULL), PGC_INVALID);
    }
    const char *paths[] = { "list.0" };
    river_insert job = { .kind = "k", .unique = { .paths = paths, .path_count = 1 } };
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 20);
    CHECK_INT(unique_text(&job, NOW, &out, NULL), PGC_INVALID);
}

static void options_are_checked(void)
{
    CHECK(!unique_wanted(&(river_unique) { .exclude_kind = true }));
    CHECK(unique_wanted(&(river_unique) { .by_state = RIVER_STATES_ALL }));
    CHECK_INT(unique_check(&(river_unique) { .by_period_us = 999999 }, NULL), PGC_INVALID);
    CHECK_INT(unique_check(&(river_unique) { .by_state = RIVER_STATE_BIT(RIVER_AVAILABLE) }, NULL),
              PGC_INVALID);
    CHECK_INT(unique_check(&(river_unique) { .by_state = 0xd1 }, NULL), PGC_OK);
    CHECK_INT(UNIQUE_STATES_DEFAULT, 0xf5);
}

static void every_allocation_may_fail(void)
{
    const char *paths[] = { "a.b" };
    bool complete = false;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        uint8_t key[SHA256_SIZE];
        river_insert job = { .kind = "k",
                             .args = SLICE("{\"a\":{\"b\":\"c\"}}"),
                             .unique = { .by_args = true } };
        pgc_status all = unique_key(&job, NOW, &alloc, key, NULL);
        job.unique.paths = paths;
        job.unique.path_count = 1;
        pgc_status some = unique_key(&job, NOW, &alloc, key, NULL);
        complete = all == PGC_OK && some == PGC_OK;
        CHECK(complete || all == PGC_NOMEM || some == PGC_NOMEM);
        CHECK_INT(plan.live, 0);
    }
}

TAP_MAIN(TAP("river unique: known vectors", known_vectors),
         TAP("river unique: paths pick and skip", paths_pick_and_skip),
         TAP("river unique: weeks begin on Mondays as in Go", weeks_begin_on_mondays_as_in_go),
         TAP("river unique: keys that Go would read otherwise are refused",
             keys_that_go_would_read_otherwise_are_refused),
         TAP("river unique: options are checked", options_are_checked),
         TAP("river unique: every allocation may fail", every_allocation_may_fail))
