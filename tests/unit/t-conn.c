/* Connections, exchanges and statements on a scripted libpq: what a real server rarely does. */
#include "base/prelude.h"

#include <pgc/pipeline.h>
#include <pgc/tx.h>

#include "pgc/failure.h"
#include "pgc/run.h"

#include "fake_pq.h"
#include "oom.h"
#include "tap.h"

static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };
static const pgc_type_ref C_MOOD[] = { { "m", "mood", 0 } };
static const pgc_query QUERY = {
    .name = "GetX", .sql = "SELECT x FROM t", .hash = 0xabc, .column_count = 1, .columns = C_INT4
};
static const pgc_query MOOD = {
    .name = "GetMood", .sql = "SELECT m FROM t", .hash = 0xdef, .column_count = 1, .columns = C_MOOD
};

#define ROW_INT4                                                             \
    {                                                                        \
        .status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .types = { 23 }, \
        .cells = { "\0\0\0\7" }, .lengths = {                                \
            4                                                                \
        }                                                                    \
    }

static pgc_conn *open_on(fake_pq *fake, const pgc_conn_options *more, pgc_error *err)
{
    pgc_conn_options options = { .struct_size = sizeof options };
    if (more != NULL) {
        options = *more;
    }
    const conn_seams seams = fake_pq_seams(fake);
    pgc_conn *conn = NULL;
    return conn_open_on(&options, &seams, &conn, err) == PGC_OK ? conn : NULL;
}

/* A connection on a script; closed and checked for leaks by FINISH. */
#define SCRIPT(...)                                       \
    static const fake_answer answers[] = { __VA_ARGS__ }; \
    fake_pq fake;                                         \
    pgc_error err;                                        \
    fake_pq_init(&fake, NULL, 0);                         \
    pgc_conn *conn = open_on(&fake, NULL, &err);          \
    REQUIRE(conn != NULL);                                \
    fake_pq_script(&fake, answers, ARRAY_LEN(answers))

#define FINISH()                     \
    pgc_conn_close(conn);            \
    CHECK_INT(fake.live_results, 0); \
    CHECK_INT(fake.finished, 1)

static pgc_status run(pgc_conn *conn, const pgc_query *query, pgc_error *err)
{
    return pgc_db_run(pgc_conn_db(conn), query, NULL, NULL, err);
}

static void connect_failures_are_told_apart(void)
{
    pgc_error err;
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.connect_error = "connection to server failed: FATAL:  28P01: password authentication"
                         " failed\nLOCATION: x";
    CHECK(open_on(&fake, NULL, &err) == NULL);
    CHECK_INT(err.status, PGC_CONNECTION);
    CHECK_STR(err.sqlstate, "28P01");
    CHECK(strstr(err.message, "LOCATION") == NULL);
    CHECK_INT(fake.finished, 1);
    fake_pq_init(&fake, NULL, 0);
    fake.connect_error = "connection to server failed: Connection refused";
    CHECK(open_on(&fake, NULL, &err) == NULL);
    CHECK_STR(err.sqlstate, "");
    CHECK(err.retry);
    fake_pq_init(&fake, NULL, 0);
    fake.connect_stalls = true;
    CHECK(open_on(&fake, NULL, &err) == NULL);
    CHECK_INT(err.status, PGC_TIMEOUT);
    CHECK_INT(fake.clock.mono_us >= 10000000, 1);
    fake_pq_init(&fake, NULL, 0);
    fake.connect_no_memory = true;
    CHECK(open_on(&fake, NULL, &err) == NULL);
    CHECK_INT(err.status, PGC_NOMEM);
    fake_pq_init(&fake, NULL, 0);
    const pgc_conn_options bad = { .struct_size = sizeof bad, .conninfo = "bad" };
    CHECK(open_on(&fake, &bad, &err) == NULL);
    CHECK_INT(err.status, PGC_INVALID);
}

static void old_servers_are_refused(void)
{
    pgc_error err;
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.version = 140009;
    CHECK(open_on(&fake, NULL, &err) == NULL);
    CHECK_INT(err.status, PGC_UNSUPPORTED);
    CHECK(strstr(err.message, "14.9") != NULL);
    CHECK(err.hint[0] != '\0');
    fake_pq_init(&fake, NULL, 0);
    fake.version = 90624;
    CHECK(open_on(&fake, NULL, &err) == NULL);
    CHECK(strstr(err.message, "9.6") != NULL);
}

static void connecting_asks_for_what_we_rely_on(void)
{
    pgc_error err;
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .user = "me",
                                       .app_name = "tester" };
    pgc_conn *conn = open_on(&fake, &options, &err);
    REQUIRE(conn != NULL);
    CHECK(strstr(fake.log, "user me\n") != NULL);
    CHECK(strstr(fake.log, "application_name tester\n") != NULL);
    CHECK(strstr(fake.log, "client_encoding UTF8\n") != NULL);
    FINISH();
}

static void the_first_use_is_one_round_trip(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END, FAKE_SYNC, ROW_INT4, FAKE_END);
    fake.flush_blocks = 2;
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    CHECK_STR(fake.log, "prepare pgc_0000000000000abc\nrun pgc_0000000000000abc\nsync\n");
    fake.log_len = 0;
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    /* Alone and known to the server, it needs no pipeline. */
    CHECK_STR(fake.log, "run pgc_0000000000000abc\n");
    FINISH();
}

static void a_connection_lost_after_the_send_is_told(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, FAKE_DIE);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_CONNECTION, &err);
    CHECK(err.retry);
    CHECK(strstr(err.message, "closed the connection unexpectedly") != NULL);
    CHECK(strstr(err.message, "second line") == NULL);
    CHECK(!pgc_conn_alive(conn));
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_CONNECTION, &err);
    FINISH();
}

static void a_failed_send_is_memory_or_loss(void)
{
    for (int fail_at = 1; fail_at <= 3; fail_at++) {
        for (int loss = 0; loss < 2; loss++) {
            SCRIPT(FAKE_DONE("PREPARE"));
            fake.send_fails_at = fail_at;
            fake.send_fails_by_loss = loss == 1;
            CHECK_STATUS(run(conn, &QUERY, &err), loss == 1 ? PGC_CONNECTION : PGC_NOMEM, &err);
            CHECK(!pgc_conn_alive(conn));
            FINISH();
        }
    }
}

static void libpq_out_of_memory_ends_the_connection(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END,
           { .status = PGRES_FATAL_ERROR, .message = "out of memory\n" });
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_CONNECTION, &err);
    CHECK(strstr(err.message, "out of memory") != NULL);
    CHECK(!pgc_conn_alive(conn));
    FINISH();
}

static void the_servers_last_words_are_kept(void)
{
    SCRIPT({ .status = PGRES_FATAL_ERROR,
             .sqlstate = "57P01",
             .severity = "FATAL",
             .message = "terminating" });
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "57P01");
    CHECK(!pgc_conn_alive(conn));
    FINISH();
}

/* Answers that do not fit end the connection, whatever they are. */
static void surprise(const fake_answer *answers, size_t count, const char *word)
{
    fake_pq fake;
    pgc_error err;
    fake_pq_init(&fake, NULL, 0);
    pgc_conn *conn = open_on(&fake, NULL, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, count);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_PROTOCOL, &err);
    if (!CHECK(strstr(err.message, word) != NULL)) {
        printf("# %s\n", err.message);
    }
    CHECK(!pgc_conn_alive(conn));
    FINISH();
}

static void surprises_end_the_connection(void)
{
    const fake_answer missing[] = { FAKE_DONE("PREPARE"), FAKE_END, FAKE_END, FAKE_END };
    surprise(missing, ARRAY_LEN(missing), "missing");
    const fake_answer early[] = { FAKE_DONE("PREPARE"), FAKE_END, FAKE_SYNC };
    surprise(early, ARRAY_LEN(early), "early sync");
    const fake_answer extra[] = { FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END, ROW_INT4 };
    surprise(extra, ARRAY_LEN(extra), "instead of a sync");
    const fake_answer abort_late[] = { FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END,
                                       FAKE_ABORTED };
    surprise(abort_late, ARRAY_LEN(abort_late), "abort");
    const fake_answer copy[] = { FAKE_DONE("PREPARE"), FAKE_END, { .status = PGRES_COPY_OUT } };
    surprise(copy, ARRAY_LEN(copy), "COPY");
}

static void a_failure_at_the_sync_fails_the_query(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END, FAKE_ERROR("23503"), FAKE_END,
           FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "23503");
    CHECK(pgc_conn_alive(conn));
    FINISH();
}

static void a_parse_error_names_the_query(void)
{
    SCRIPT(FAKE_ERROR("42P01"), FAKE_END, FAKE_ABORTED, FAKE_END, FAKE_SYNC, FAKE_ERROR("42P01"),
           FAKE_END, FAKE_ABORTED, FAKE_END, FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_DB, &err);
    CHECK_STR(err.query, "GetX");
    CHECK_STR(err.message, "query GetX: made up");
    fake.log_len = 0;
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_DB, &err);
    CHECK(strncmp(fake.log, "prepare", 7) == 0);
    CHECK(pgc_conn_alive(conn));
    FINISH();
}

static void an_unexpected_type_is_a_schema_error(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END,
           { .status = PGRES_TUPLES_OK, .rows = 0, .columns = 1, .types = { 20 } }, FAKE_END,
           FAKE_SYNC,
           { .status = PGRES_TUPLES_OK,
             .rows = 1,
             .columns = 2,
             .types = { 26, 25 },
             .cells = { "\0\0\0\24", "bigint" },
             .lengths = { 4, 6 } },
           FAKE_END, FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_SCHEMA, &err);
    CHECK_STR(err.message, "query GetX: column 1 (x) is bigint in this database, expected integer");
    CHECK(err.hint[0] != '\0');
    CHECK(pgc_conn_alive(conn));
    FINISH();
}

static void type_names_are_asked_for_once(void)
{
#define ROW_MOOD                                                               \
    {                                                                          \
        .status = PGRES_TUPLES_OK, .rows = 0, .columns = 1, .types = { 16385 } \
    }
#define NAME_MOOD                                                                \
    {                                                                            \
        .status = PGRES_TUPLES_OK, .rows = 1, .columns = 2, .types = { 26, 25 }, \
        .cells = { "\0\0\100\1", "public.mood" }, .lengths = {                   \
            4,                                                                   \
            11                                                                   \
        }                                                                        \
    }
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, ROW_MOOD, FAKE_END, FAKE_SYNC, NAME_MOOD, FAKE_END,
           FAKE_SYNC, ROW_MOOD, FAKE_END);
    CHECK_STATUS(run(conn, &MOOD, &err), PGC_OK, &err);
    CHECK_STATUS(run(conn, &MOOD, &err), PGC_OK, &err);
    CHECK_INT(fake.at, fake.count);
    FINISH();
}

static void a_deadline_cancels_and_keeps_the_connection(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, FAKE_UNTIL_CANCEL, FAKE_ERROR("57014"), FAKE_END,
           FAKE_SYNC, { .status = PGRES_EMPTY_QUERY }, FAKE_END, FAKE_SYNC, ROW_INT4, FAKE_END,
           FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_TIMEOUT, &err);
    CHECK_STR(err.sqlstate, "57014");
    CHECK(pgc_conn_alive(conn));
    CHECK_INT(atomic_load(&fake.cancelled), 1);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    FINISH();
}

#define ROW_IN_PARTS(count)                                                  \
    {                                                                        \
        .status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .types = { 23 }, \
        .cells = { "\0\0\0\7" }, .lengths = { 4 }, .parts = (count)          \
    }

/* Time passes on the fake clock by pauses only: nothing here waits in vain. */
static int64_t pause_of_run(fake_pq *fake, pgc_conn *conn)
{
    pgc_error err;
    int64_t before = fake->clock.mono_us;
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    return fake->clock.mono_us - before;
}

static void only_a_long_answer_is_left_to_gather(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, ROW_IN_PARTS(7), FAKE_END, FAKE_SYNC, ROW_IN_PARTS(7),
           FAKE_END, FAKE_SYNC, ROW_IN_PARTS(9), FAKE_END, FAKE_SYNC, ROW_IN_PARTS(18), FAKE_END,
           FAKE_SYNC, ROW_IN_PARTS(18), FAKE_END, FAKE_SYNC, ROW_IN_PARTS(7), FAKE_END, FAKE_SYNC);
    fake.parts_lag = true;
    CHECK_INT(pause_of_run(&fake, conn), 0);
    CHECK_INT(pause_of_run(&fake, conn), 0); /* what was read before does not count */
    int64_t two = pause_of_run(&fake, conn);
    CHECK(two > 0);
    CHECK(two <= 1000); /* nobody notices */
    CHECK_INT(pause_of_run(&fake, conn), two / 2 * 11);
    fake.parts_lag = false; /* the next part is there already: read on */
    CHECK_INT(pause_of_run(&fake, conn), 0);
    fake.parts_lag = true;
    fake.flush_blocks = 2; /* what is still to be sent does not wait either */
    CHECK_INT(pause_of_run(&fake, conn), 0);
    FINISH();
}

static void an_answer_without_end_meets_the_deadline(void)
{
    static const fake_answer answers[] = { FAKE_DONE("PREPARE"), FAKE_END, ROW_IN_PARTS(INT_MAX) };
    const pgc_conn_options options = { .struct_size = sizeof options, .call_timeout_us = 50000 };
    pgc_error err;
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    pgc_conn *conn = open_on(&fake, &options, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    fake.parts_lag = true;
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_TIMEOUT, &err);
    CHECK(!pgc_conn_alive(conn));
    FINISH();
}

static void a_late_cancel_is_swallowed(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, FAKE_UNTIL_CANCEL, ROW_INT4, FAKE_END, FAKE_SYNC,
           FAKE_ERROR("57014"), FAKE_END, FAKE_SYNC);
    /* The answer came after all: then it counts. */
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    CHECK(pgc_conn_alive(conn));
    FINISH();
}

static void no_answer_to_the_cancel_gives_the_connection_up(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, FAKE_STALL);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_TIMEOUT, &err);
    CHECK(strstr(err.message, "outcome unknown") != NULL);
    CHECK(!pgc_conn_alive(conn));
    CHECK(fake.clock.mono_us >= 30000000 + CALL_CANCEL_GRACE_US);
    FINISH();
}

static void a_cancel_that_is_not_ours_is_told_as_such(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, FAKE_ERROR("57014"), FAKE_END, FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_CANCELLED, &err);
    FINISH();
}

static void outdated_statements_are_prepared_again_once(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END, FAKE_SYNC,
           { .status = PGRES_FATAL_ERROR,
             .sqlstate = "0A000",
             .severity = "ERROR",
             .routine = "RevalidateCachedQuery" },
           FAKE_END, FAKE_DONE("DEALLOCATE ALL"), FAKE_END, FAKE_SYNC, FAKE_DONE("PREPARE"),
           FAKE_END, ROW_INT4, FAKE_END, FAKE_SYNC, FAKE_ERROR("26000"), FAKE_END,
           FAKE_DONE("DEALLOCATE ALL"), FAKE_END, FAKE_SYNC, FAKE_DONE("PREPARE"), FAKE_END,
           FAKE_ERROR("26000"), FAKE_END, FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    fake.log_len = 0;
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    CHECK_STR(fake.log, "run pgc_0000000000000abc\n"
                        "text DEALLOCATE ALL\nsync\n"
                        "prepare pgc_0000000000000abc\nrun pgc_0000000000000abc\nsync\n");
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "26000");
    CHECK_INT(fake.at, fake.count);
    FINISH();
}

static void other_0a000_errors_are_not_retried(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END,
           { .status = PGRES_FATAL_ERROR,
             .sqlstate = "0A000",
             .severity = "ERROR",
             .routine = "transformSetOperation" },
           FAKE_END, FAKE_SYNC);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_DB, &err);
    CHECK(!err.retry);
    CHECK_INT(fake.at, fake.count);
    FINISH();
}

static void a_lost_commit_has_an_unknown_outcome(void)
{
    SCRIPT({ .status = PGRES_COMMAND_OK, .tag = "BEGIN", .tx_after = 1 + PQTRANS_INTRANS },
           FAKE_END, FAKE_SYNC, FAKE_DIE);
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_IN_DOUBT, &err);
    CHECK(strstr(err.message, "outcome unknown") != NULL);
    CHECK(!err.retry);
    CHECK(tx == NULL);
    FINISH();
}

static void a_failed_rollback_takes_the_connection(void)
{
    SCRIPT({ .status = PGRES_COMMAND_OK, .tag = "BEGIN", .tx_after = 1 + PQTRANS_INTRANS },
           FAKE_END, FAKE_SYNC, FAKE_ERROR("XX000"), FAKE_END);
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    pgc_tx_rollback(tx);
    CHECK(!pgc_conn_alive(conn));
    FINISH();
}

static void scripts_survive_odd_answers(void)
{
    {
        SCRIPT(FAKE_DONE("CREATE"), { .status = PGRES_COPY_IN }, FAKE_ERROR("57014"), FAKE_END);
        CHECK_STATUS(pgc_conn_script(conn, "x", 0, NULL, &err), PGC_UNSUPPORTED, &err);
        CHECK(strstr(fake.log, "copy end") != NULL);
        CHECK(pgc_conn_alive(conn));
        FINISH();
    }
    {
        SCRIPT(FAKE_DONE("CREATE"), FAKE_DIE);
        CHECK_STATUS(pgc_conn_script(conn, "x", 0, NULL, &err), PGC_CONNECTION, &err);
        FINISH();
    }
    {
        SCRIPT(FAKE_UNTIL_CANCEL, FAKE_ERROR("57014"), FAKE_END, { .status = PGRES_EMPTY_QUERY },
               FAKE_END, FAKE_SYNC);
        CHECK_STATUS(pgc_conn_script(conn, "x", 1000, NULL, &err), PGC_TIMEOUT, &err);
        CHECK(pgc_conn_alive(conn));
        FINISH();
    }
    {
        SCRIPT({ .status = PGRES_FATAL_ERROR, .message = "out of memory" });
        CHECK_STATUS(pgc_conn_script(conn, "x", 0, NULL, &err), PGC_CONNECTION, &err);
        CHECK(!pgc_conn_alive(conn));
        FINISH();
    }
}

static void a_lost_pipeline_keeps_what_was_answered(void)
{
    SCRIPT(FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END, FAKE_SYNC, ROW_INT4, FAKE_END,
           FAKE_DIE);
    pgc_pipeline *batch = NULL;
    REQUIRE_OK(pgc_pipeline_open(conn, PGC_PIPELINE_ISOLATED, &batch, &err), &err);
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(pgc_pipeline_add(batch, &QUERY, NULL, NULL, &err), &err);
    }
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_CONNECTION, &err);
    CHECK_STATUS(pgc_pipeline_take(batch, 0, NULL, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_pipeline_take(batch, 1, NULL, &err), PGC_CONNECTION, &err);
    CHECK_STATUS(pgc_pipeline_take(batch, 2, NULL, &err), PGC_CONNECTION, &err);
    pgc_pipeline_close(batch);
    FINISH();
}

static void sqlstates_map_to_statuses(void)
{
    static const struct {
        const char *sqlstate;
        pgc_status status;
        bool retry;
    } rows[] = {
        { "40001", PGC_CONFLICT, true },
        { "40P01", PGC_CONFLICT, true },
        { "23505", PGC_CONFLICT, false },
        { "23502", PGC_INVALID, false },
        { "22P02", PGC_INVALID, false },
        { "42501", PGC_DENIED, false },
        { "55P03", PGC_TIMEOUT, true },
        { "57014", PGC_CANCELLED, false },
        { "57P01", PGC_CONNECTION, true },
        { "57P04", PGC_CONNECTION, false },
        { "08006", PGC_CONNECTION, true },
        { "53300", PGC_CONNECTION, true },
        { "42P01", PGC_DB, false },
        { "54000", PGC_LIMIT, false },
        { "", PGC_DB, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool retry = !rows[i].retry;
        CHECK_INT(failure_status(rows[i].sqlstate, &retry), rows[i].status);
        CHECK_INT(retry, rows[i].retry);
    }
}

/* Everything that allocates, once, on one script. */
static pgc_status live_through(const pgc_alloc *alloc, fake_pq *fake)
{
#define PREPARED_ROW FAKE_DONE("PREPARE"), FAKE_END, ROW_INT4, FAKE_END
    static const fake_answer answers[] = {
        PREPARED_ROW,
        FAKE_SYNC, /* one query */
        { .status = PGRES_COMMAND_OK, .tag = "BEGIN", .tx_after = 1 + PQTRANS_INTRANS },
        FAKE_END,
        FAKE_DONE("PREPARE"),
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        FAKE_SYNC, /* begin */
        { .status = PGRES_COMMAND_OK, .tag = "ROLLBACK", .tx_after = 1 + PQTRANS_IDLE },
        FAKE_END, /* roll back */
        FAKE_DONE("PREPARE"),
        FAKE_END,
        ROW_MOOD,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        ROW_INT4,
        FAKE_END,
        FAKE_SYNC,
        NAME_MOOD,
        FAKE_END,
        FAKE_SYNC, /* pipeline, type names */
    };
    fake_pq_init(fake, answers, ARRAY_LEN(answers));
    const pgc_conn_options options = { .struct_size = sizeof options, .alloc = alloc };
    pgc_error err;
    pgc_conn *conn = NULL;
    const conn_seams seams = fake_pq_seams(fake);
    TRY(conn_open_on(&options, &seams, &conn, &err));
    pgc_tx *tx = NULL;
    pgc_pipeline *batch = NULL;
    pgc_result *result = NULL;
    const pgc_setting setting = { "app.user_id", "1" };
    const pgc_tx_options tx_options = { .struct_size = sizeof tx_options,
                                        .settings = &setting,
                                        .setting_count = 1 };
    pgc_status status = pgc_db_run(pgc_conn_db(conn), &QUERY, NULL, &result, &err);
    if (status == PGC_OK) {
        status = pgc_tx_begin_conn(conn, &tx_options, &tx, &err);
        pgc_tx_rollback(tx);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &batch, &err);
    }
    for (int i = 0; i < 16 && status == PGC_OK; i++) {
        status = pgc_pipeline_add(batch, i == 0 ? &MOOD : &QUERY, NULL, NULL, &err);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_run(batch, &err);
    }
    pgc_result_free(result);
    pgc_pipeline_close(batch);
    pgc_conn_close(conn);
    return status;
}

static void every_allocation_may_fail(void)
{
    bool complete = false;
    int fail_at = 1;
    for (; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        fake_pq fake;
        pgc_status status = live_through(&alloc, &fake);
        complete = status == PGC_OK && plan.calls < fail_at;
        /* A statement that cannot be remembered runs without a name, which may end this script. */
        CHECK(status == PGC_OK || status == PGC_NOMEM || status == PGC_PROTOCOL ||
              status == PGC_TIMEOUT || status == PGC_SCHEMA);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
        CHECK_INT(fake.live_results, 0);
    }
    CHECK(complete);
    CHECK(fail_at > 10);
}

TAP_MAIN(
    TAP("conn: failures to connect are told apart", connect_failures_are_told_apart),
    TAP("conn: old servers are refused", old_servers_are_refused),
    TAP("conn: connecting asks for what we rely on", connecting_asks_for_what_we_rely_on),
    TAP("run: the first use is one round trip", the_first_use_is_one_round_trip),
    TAP("run: a connection lost after the send is told", a_connection_lost_after_the_send_is_told),
    TAP("run: a failed send is memory or loss", a_failed_send_is_memory_or_loss),
    TAP("run: libpq out of memory ends the connection", libpq_out_of_memory_ends_the_connection),
    TAP("run: the server's last words are kept", the_servers_last_words_are_kept),
    TAP("run: surprises end the connection", surprises_end_the_connection),
    TAP("run: a failure at the sync fails the query", a_failure_at_the_sync_fails_the_query),
    TAP("run: a parse error names the query", a_parse_error_names_the_query),
    TAP("run: an unexpected type is a schema error", an_unexpected_type_is_a_schema_error),
    TAP("run: type names are asked for once", type_names_are_asked_for_once),
    TAP("run: a deadline cancels and keeps the connection",
        a_deadline_cancels_and_keeps_the_connection),
    TAP("run: only a long answer is left to gather", only_a_long_answer_is_left_to_gather),
    TAP("run: an answer without end meets the deadline", an_answer_without_end_meets_the_deadline),
    TAP("run: a late cancel is swallowed", a_late_cancel_is_swallowed),
    TAP("run: no answer to the cancel gives the connection up",
        no_answer_to_the_cancel_gives_the_connection_up),
    TAP("run: a cancel that is not ours is told as such",
        a_cancel_that_is_not_ours_is_told_as_such),
    TAP("run: outdated statements are prepared again, once",
        outdated_statements_are_prepared_again_once),
    TAP("run: other 0A000 errors are not retried", other_0a000_errors_are_not_retried),
    TAP("tx: a lost commit has an unknown outcome", a_lost_commit_has_an_unknown_outcome),
    TAP("tx: a failed rollback takes the connection", a_failed_rollback_takes_the_connection),
    TAP("script: survives odd answers", scripts_survive_odd_answers),
    TAP("pipeline: lost, it keeps what was answered", a_lost_pipeline_keeps_what_was_answered),
    TAP("failure: SQLSTATEs map to statuses", sqlstates_map_to_statuses),
    TAP("conn: every allocation may fail", every_allocation_may_fail))
