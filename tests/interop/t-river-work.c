/* Jobs that one side inserts and the other works, and both sides at once on one queue. */
#include "base/prelude.h"

#include "river_peer.h"

#define START_GO "start {\"kinds\":[\"shared\"],\"queues\":{\"default\":8},\"poll_ms\":100}"

static void a_unique_insert_meets_the_others_row(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    const char *args[] = { "{\"b\":2,\"a\":\"<x>\"}", "{\"a\":\"y\",\"b\":[1,2]}" };
    for (size_t i = 0; i < ARRAY_LEN(args); i++) {
        river_insert job = { .struct_size = sizeof job,
                             .kind = "shared",
                             .args = pgc_text_from(args[i]),
                             .unique = { .by_args = true, .by_queue = true } };
        char theirs[200];
        (void) snprintf(
            theirs, sizeof theirs,
            "insert {\"kind\":\"shared\",\"args\":%s,\"by_args\":true,\"by_queue\":true}", args[i]);
        river_jobs *jobs = NULL;
        if (i == 0) {
            CHECK_STR(go_say(&m.go[0], theirs), "1 1");
        }
        REQUIRE_OK(river_insert_one(m.s.client, NULL, &job, &jobs, &m.s.err), &m.s.err);
        CHECK(river_jobs_duplicate(jobs, 0) == (i == 0));
        if (i == 0) {
            CHECK_INT(river_jobs_at(jobs, 0)->id, 1);
        }
        /* Whose row it is: the other's comes back with its own id, and nothing is new. */
        const char *answer = go_say(&m.go[0], theirs);
        CHECK_INT(strtoll(answer, NULL, 10), river_jobs_at(jobs, 0)->id);
        CHECK_STR(strchr(answer, ' '), " 0");
        river_jobs_free(jobs);
    }
    CHECK_STR(mixed_text(&m, "SELECT count(*)::text FROM river_job"), "2");
}

static void jobs_of_go_are_worked_by_us(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_start(&m, &(mixed_options) { .id = "ours", .poll_us = 3600 * SECOND_US },
                        &m.s.client));
    CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\",\"args\":{\"do\":\"nothing\"}}"),
              "1 1");
    /* Go's notification brought it: we do not poll. */
    CHECK(mixed_until(&m, "SELECT state = 'completed' FROM river_job WHERE id = 1"));
    CHECK_STR(mixed_text(&m, "SELECT concat_ws(' ', finalized_at IS NOT NULL, errors IS NULL, "
                             "attempt, attempted_by[1]) FROM river_job"),
              "t t 1 ours");
    CHECK_STR(go_say(&m.go[0], "get 1"), "completed 1");
}

static void our_jobs_are_worked_by_go(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK_STR(go_say(&m.go[0], "start {\"kinds\":[\"shared\"],\"queues\":{\"default\":8}}"), "ok");
    static const char *const whats[] = { "{}",
                                         "{\"do\":\"fail\"}",
                                         "{\"do\":\"panic\"}",
                                         "{\"do\":\"snooze\"}",
                                         "{\"do\":\"cancel\"}",
                                         "{\"do\":\"output\"}" };
    for (size_t i = 0; i < ARRAY_LEN(whats); i++) {
        river_insert job = { .struct_size = sizeof job,
                             .kind = "shared",
                             .max_attempts = 1,
                             .args = pgc_text_from(whats[i]) };
        CHECK(mixed_insert(&m, &job) > 0);
    }
    CHECK(mixed_until(&m, "SELECT count(*) = 6 FROM river_job WHERE state IN "
                          "('completed', 'discarded', 'cancelled', 'scheduled')"));
    /* And we read what Go wrote. */
    REQUIRE_OK(river_job_list(m.s.client, NULL, NULL, &m.s.jobs, &m.s.err), &m.s.err);
    REQUIRE(river_jobs_count(m.s.jobs) == ARRAY_LEN(whats));
    static const river_state states[] = { RIVER_COMPLETED, RIVER_DISCARDED, RIVER_DISCARDED,
                                          RIVER_SCHEDULED, RIVER_CANCELLED, RIVER_COMPLETED };
    static const char *const texts[] = {
        NULL, "Go says \"no\"", "Go panics", NULL, "JobCancelError: not wanted", NULL
    };
    for (size_t i = 0; i < ARRAY_LEN(whats); i++) {
        const river_job *job = river_jobs_at(m.s.jobs, i);
        CHECK_INT(job->state, states[i]);
        CHECK_INT(job->error_count, texts[i] == NULL ? 0 : 1);
        if (job->error_count == 1 && texts[i] != NULL) {
            CHECK(slice_eq_str(job->errors[0].error, texts[i]));
            CHECK_INT(job->errors[0].attempt, 1);
            CHECK((job->errors[0].trace.len > 0) == (i == 2));
            CHECK(job->errors[0].at.us > job->created_at.us - 60 * SECOND_US);
        }
    }
    CHECK(strstr(river_jobs_at(m.s.jobs, 3)->metadata.ptr, "\"snoozes\"") != NULL);
    CHECK(strstr(river_jobs_at(m.s.jobs, 5)->metadata.ptr, "\"from\"") != NULL);
}

static void two_and_two_clients_work_ten_thousand_jobs_once(void)
{
    enum { JOBS = 10000 };
    MIXED(m, 2);
    river_client_stats stats[2];
    REQUIRE(mixed_open(&m, &(mixed_options) { .id = "c_one", .max_workers = 20 }, &m.s.client));
    REQUIRE(mixed_open(&m, &(mixed_options) { .id = "c_two", .max_workers = 20 }, &m.more));
    CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\",\"count\":5000}"), "1 5000");
    river_insert *jobs = arena_array(m.s.mem, JOBS / 2, sizeof *jobs);
    REQUIRE(jobs != NULL);
    for (size_t i = 0; i < JOBS / 2; i++) {
        jobs[i] = (river_insert) { .struct_size = sizeof *jobs, .kind = "shared" };
    }
    REQUIRE_OK(river_insert_many(m.s.client, NULL, jobs, JOBS / 2, NULL, &m.s.err), &m.s.err);
    REQUIRE_OK(river_client_start(m.s.client, &m.s.err), &m.s.err);
    REQUIRE_OK(river_client_start(m.more, &m.s.err), &m.s.err);
    CHECK_STR(go_say(&m.go[0], START_GO), "ok");
    CHECK_STR(go_say(&m.go[1], START_GO), "ok");
    do {
        river_client_get_stats(m.s.client, &stats[0]);
        river_client_get_stats(m.more, &stats[1]);
        CHECK(stats[0].running <= 20 && stats[1].running <= 20);
    } while (strcmp(mixed_text(&m, "SELECT count(*)::text FROM river_job "
                                   "WHERE state IN ('available', 'running')"),
                    "0") != 0);
    CHECK_STR(mixed_text(&m, "SELECT concat_ws(' ', count(*), min(attempt), max(attempt), "
                             "min(cardinality(attempted_by)), max(cardinality(attempted_by)), "
                             "count(errors)) FROM river_job WHERE state = 'completed'"),
              "10000 1 1 1 1 0");
    int64_t worked = stats[0].completed + stats[1].completed;
    for (size_t i = 0; i < 2; i++) {
        CHECK_STR(go_say(&m.go[i], "stop"), "ok");
    }
    CHECK_STR(mixed_text(&m, "SELECT count(*)::text FROM river_job WHERE attempted_by[1] IN "
                             "('c_one', 'c_two')"),
              arena_printf(m.s.mem, "%d", atomic_load(&m.s.calls)));
    CHECK(worked <= atomic_load(&m.s.calls) && worked > 0);
    printf("# %s\n", mixed_text(&m, "SELECT string_agg(concat(who, ' ', n), ', ') FROM (SELECT "
                                    "attempted_by[1] AS who, count(*) AS n FROM river_job "
                                    "GROUP BY 1 ORDER BY 1) AS t"));
}

static void output_is_read_by_the_other_side(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_start(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\",\"args\":{\"do\":\"output\"}}"), "1 1");
    CHECK(mixed_until(&m, "SELECT state = 'completed' FROM river_job WHERE id = 1"));
    CHECK_STR(go_say(&m.go[0], "output 1"), "{\"from\": \"C\"}");
    REQUIRE_OK(river_job_update(m.s.client, NULL, 1, SLICE("[1]"), NULL, &m.s.err), &m.s.err);
    CHECK_STR(go_say(&m.go[0], "output 1"), "[1]");
}

static void deletes_and_retries_across(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_start(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\",\"args\":{\"do\":\"cancel\"}}"), "1 1");
    CHECK(mixed_until(&m, "SELECT state = 'cancelled' FROM river_job WHERE id = 1"));
    CHECK_STR(go_say(&m.go[0], "get 1"), "cancelled 1 JobCancelError: not wanted");
    CHECK(strncmp(go_say(&m.go[0], "retry 1"), "available 1", 11) == 0);
    CHECK(mixed_until(&m, "SELECT state = 'cancelled' AND attempt = 2 FROM river_job"));
    CHECK(strncmp(go_say(&m.go[0], "delete 1"), "cancelled 2", 11) == 0);
    CHECK_INT(river_job_get(m.s.client, NULL, 1, &m.s.jobs, &m.s.err), PGC_NOT_FOUND);
}

TAP_MAIN(TAP("river 14: a unique insert meets the other side's row",
             a_unique_insert_meets_the_others_row),
         TAP("river 24: jobs of Go are worked by us", jobs_of_go_are_worked_by_us),
         TAP("river 25: our jobs are worked by Go, and we read what it wrote",
             our_jobs_are_worked_by_go),
         TAP("river 22: two and two clients work ten thousand jobs once",
             two_and_two_clients_work_ten_thousand_jobs_once),
         TAP("river 35: output is read by the other side", output_is_read_by_the_other_side),
         TAP("river 31: retries and deletes across", deletes_and_retries_across))
