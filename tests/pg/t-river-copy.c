/* Inserting by COPY: the rows are those of the other way, and all or none of them. */
#include "base/prelude.h"

#include <pgc/listen.h>

#include "river.h"

#include "base/buf.h"

#define ROWS 3000u

static bool open_inserter(scene *s)
{
    river_client_options options = { .struct_size = sizeof(options), .pool = s->pool };
    return river_client_open(&options, &s->client, &s->err) == PGC_OK;
}

static int64_t count_rows(scene *s)
{
    const char *text = scratch_text(&s->db, s->mem, "SELECT count(*)::text FROM river_job");
    return text == NULL ? -1 : strtoll(text, NULL, 10);
}

/* All but id and times, which differ. */
#define ROW_TEXT                                                                           \
    "concat_ws('|', state, attempt, max_attempts, priority, args, kind, metadata, queue, " \
    "to_jsonb(tags), encode(unique_key, 'hex'), unique_states, attempted_by IS NULL, "     \
    "errors IS NULL, finalized_at IS NULL, created_at = now_at, scheduled_at = now_at)"

static void copied_rows_equal_inserted_ones(void)
{
    SCENE(s);
    REQUIRE(open_inserter(&s));
    const char *const tags[] = { "null", "a-b_c", "TAG" };
    river_insert jobs[] = {
        { .struct_size = sizeof(jobs[0]), .kind = "plain" },
        { .struct_size = sizeof(jobs[0]),
          .kind = "full",
          .args = SLICE("{\"a\":\"tab\\tback\\\\slash\\n\xc3\xa4\",\n\t\"b\" : [1.50, null]}"),
          .queue = "other",
          .priority = 4,
          .max_attempts = 3,
          .pending = true,
          .metadata = SLICE("{\"m\":\"\\\"\"}"),
          .tags = tags,
          .tag_count = ARRAY_LEN(tags),
          .unique = { .by_args = true } },
        { .struct_size = sizeof(jobs[0]),
          .kind = "later",
          .scheduled_at = { true, { INT64_C(900000000123456) } } },
    };
    REQUIRE_OK(river_insert_many(s.client, NULL, jobs, ARRAY_LEN(jobs), NULL, &s.err), &s.err);
    REQUIRE(scratch_do(&s.db, "CREATE TABLE first AS SELECT *, created_at AS now_at "
                              "FROM river_job; DELETE FROM river_job"));
    REQUIRE_OK(river_insert_copy(s.client, NULL, jobs, ARRAY_LEN(jobs), &s.err), &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "WITH a AS (SELECT " ROW_TEXT " AS r, row_number() OVER (ORDER BY id) "
                           "AS n FROM first), b AS (SELECT " ROW_TEXT " AS r, row_number() OVER "
                           "(ORDER BY id) AS n FROM (SELECT *, max(created_at) OVER () AS now_at "
                           "FROM river_job) AS j) "
                           "SELECT concat_ws(' ', count(*), count(DISTINCT a.n)) "
                           "FROM a JOIN b ON a.n = b.n AND a.r = b.r"),
              "3 3");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(extract(epoch FROM scheduled_at)::text, '') "
                           "FROM river_job WHERE kind = 'later'"),
              "1846684800.123456");
}

/* Many rows: more than one piece of the stream. */
static bool many_jobs(scene *s, river_insert **out)
{
    river_insert *jobs = ARENA_ARRAY(s->mem, ROWS, river_insert);
    for (unsigned i = 0; jobs != NULL && i < ROWS; i++) {
        char *args = arena_printf(s->mem, "{\"n\":%u,\"pad\":\"%0100u\"}", i, i);
        if (args == NULL) {
            return false;
        }
        jobs[i] = (river_insert) { .struct_size = sizeof(jobs[i]),
                                   .kind = "many",
                                   .args = pgc_text_from(args),
                                   .unique = { .by_args = true } };
    }
    *out = jobs;
    return jobs != NULL;
}

static void a_duplicate_in_the_table_fails_all(void)
{
    SCENE(s);
    river_insert *jobs = NULL;
    REQUIRE(open_inserter(&s));
    REQUIRE(many_jobs(&s, &jobs));
    REQUIRE_OK(river_insert_one(s.client, NULL, &jobs[ROWS - 1], NULL, &s.err), &s.err);
    CHECK_STATUS(river_insert_copy(s.client, NULL, jobs, ROWS, &s.err), PGC_CONFLICT, &s.err);
    CHECK_STR(s.err.sqlstate, "23505");
    CHECK_INT(count_rows(&s), 1);
    REQUIRE_OK(river_insert_copy(s.client, NULL, jobs, ROWS - 1, &s.err), &s.err);
    CHECK_INT(count_rows(&s), ROWS);
}

static void a_duplicate_in_the_call_fails_before_sql(void)
{
    SCENE(s);
    REQUIRE(open_inserter(&s));
    river_insert job = { .struct_size = sizeof(job),
                         .kind = "twin",
                         .unique = { .by_queue = true } };
    river_insert jobs[] = { job, job };
    CHECK_STATUS(river_insert_copy(s.client, NULL, jobs, 2, &s.err), PGC_CONFLICT, &s.err);
    CHECK(strstr(s.err.message, "river_insert_many()") != NULL);
    CHECK_INT(count_rows(&s), 0);
}

static void the_callers_transaction_decides(void)
{
    SCENE(s);
    river_insert *jobs = NULL;
    pgc_tx *tx = NULL;
    REQUIRE(open_inserter(&s));
    REQUIRE(many_jobs(&s, &jobs));
    REQUIRE_OK(pgc_tx_begin(s.pool, NULL, &tx, &s.err), &s.err);
    CHECK_STATUS(river_insert_copy(s.client, tx, jobs, ROWS, &s.err), PGC_OK, &s.err);
    CHECK_INT(count_rows(&s), 0);
    pgc_tx_rollback(tx);
    CHECK_INT(count_rows(&s), 0);
    REQUIRE_OK(pgc_tx_begin(s.pool, NULL, &tx, &s.err), &s.err);
    CHECK_STATUS(river_insert_copy(s.client, tx, jobs, ROWS, &s.err), PGC_OK, &s.err);
    REQUIRE_OK(pgc_tx_commit(&tx, &s.err), &s.err);
    CHECK_INT(count_rows(&s), ROWS);
}

static void queues_are_told_once_each(void)
{
    SCENE(s);
    pgc_listener *listener = NULL;
    pgc_listener_options listen = { .struct_size = sizeof(listen),
                                    .conn = { .struct_size = sizeof(listen.conn),
                                              .conninfo = s.db.url } };
    river_insert jobs[] = {
        { .struct_size = sizeof(jobs[0]), .kind = "told" },
        { .struct_size = sizeof(jobs[0]), .kind = "told" },
        { .struct_size = sizeof(jobs[0]), .kind = "told", .queue = "waits", .pending = true },
    };
    REQUIRE(open_inserter(&s));
    REQUIRE_OK(pgc_listener_open(&listen, &listener, &s.err), &s.err);
    pgc_event event = { .kind = PGC_EVENT_GAP };
    CHECK_STATUS(pgc_listener_listen(listener, "public.river_insert", 10 * SECOND_US, &s.err),
                 PGC_OK, &s.err);
    CHECK_STATUS(river_insert_copy(s.client, NULL, jobs, ARRAY_LEN(jobs), &s.err), PGC_OK, &s.err);
    CHECK(scratch_do(&s.db, "NOTIFY \"public.river_insert\", 'end'"));
    unsigned told = 0;
    for (bool end = false;
         !end && pgc_listener_next(listener, 10 * SECOND_US, &event, &s.err) == PGC_OK;) {
        slice payload = { event.payload, event.payload_len };
        bool notified = event.kind == PGC_EVENT_NOTIFY;
        end = notified && slice_eq_str(payload, "end");
        told += notified && slice_eq_str(payload, "{\"queue\": \"default\"}") ? 1 : 0;
        CHECK(!notified || strstr(event.payload, "waits") == NULL);
    }
    CHECK_INT(told, 1);
    pgc_listener_close(listener);
}

static void a_wrong_job_is_named(void)
{
    SCENE(s);
    REQUIRE(open_inserter(&s));
    river_insert jobs[] = { { .struct_size = sizeof(jobs[0]), .kind = "good" },
                            { .struct_size = sizeof(jobs[0]), .kind = "bad kind" } };
    CHECK_STATUS(river_insert_copy(s.client, NULL, jobs, 2, &s.err), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "job 2 of 2") != NULL);
    CHECK_STATUS(river_insert_copy(s.client, NULL, NULL, 0, &s.err), PGC_INVALID, &s.err);
    CHECK_INT(count_rows(&s), 0);
}

TAP_MAIN(TAP("river copy: copied rows equal inserted ones", copied_rows_equal_inserted_ones),
         TAP("river copy: a duplicate in the table fails all", a_duplicate_in_the_table_fails_all),
         TAP("river copy: a duplicate in the call fails before any SQL",
             a_duplicate_in_the_call_fails_before_sql),
         TAP("river copy: the caller's transaction decides", the_callers_transaction_decides),
         TAP("river copy: queues with available jobs are told once each",
             queues_are_told_once_each),
         TAP("river copy: a wrong job is named", a_wrong_job_is_named))
