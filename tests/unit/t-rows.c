/* Rows one after another on a scripted libpq: lost connections, odd answers, memory, and what only
 * libpq 17 can do. */
#include "base/prelude.h"

#include <pgc/rows.h>

#include "pgc/connection.h"

#include "fake_pq.h"
#include "oom.h"
#include "tap.h"

static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };

#define INT_QUERY(query_name, text, number)                                                   \
    {                                                                                         \
        .name = query_name, .sql = text, .hash = number, .column_count = 1, .columns = C_INT4 \
    }
static const pgc_query QUERY = INT_QUERY("GetX", "SELECT x FROM t", 0xabc);
static const pgc_query SECOND = INT_QUERY("GetY", "SELECT y FROM t", 0xdef);
static const pgc_query THIRD = INT_QUERY("GetZ", "SELECT z FROM t", 0x123);

#define PIECE(kind, count)                                                                         \
    {                                                                                              \
        .status = (kind), .rows = (count), .columns = 1, .types = { 23 }, .cells = { "\0\0\0\7" }, \
        .lengths = {                                                                               \
            4                                                                                      \
        }                                                                                          \
    }
#define ROW    PIECE(PGRES_SINGLE_TUPLE, 1)
#define NO_ROW PIECE(PGRES_TUPLES_OK, 0)
#define DESCRIBED                                                 \
    {                                                             \
        .status = PGRES_COMMAND_OK, .columns = 1, .types = { 23 } \
    }
#define FIRST_USE FAKE_DONE("PREPARE"), FAKE_END, DESCRIBED, FAKE_END, FAKE_SYNC

/* A connection on the script; closed and checked for leaks by FINISH. */
#define SCRIPT_ON(table, cache_size, ...)                                 \
    static const fake_answer answers[] = { __VA_ARGS__ };                 \
    fake_pq fake;                                                         \
    pgc_error err;                                                        \
    fake_pq_init(&fake, NULL, 0);                                         \
    conn_seams seams = fake_pq_seams(&fake);                              \
    seams.pq = (table);                                                   \
    const pgc_conn_options options = { .struct_size = sizeof options,     \
                                       .statement_cache = (cache_size) }; \
    pgc_conn *conn = NULL;                                                \
    REQUIRE_OK(conn_open_on(&options, &seams, &conn, &err), &err);        \
    fake_pq_script(&fake, answers, ARRAY_LEN(answers))
#define SCRIPT(...) SCRIPT_ON(fake_pq_ops(), 8, __VA_ARGS__)

#define FINISH()                     \
    pgc_conn_close(conn);            \
    CHECK_INT(fake.live_results, 0); \
    CHECK_INT(fake.finished, 1)

static pgc_status open_rows(pgc_conn *conn, pgc_rows **out, pgc_error *err)
{
    return pgc_rows_open(pgc_conn_db(conn), &QUERY, NULL, NULL, out, err);
}

/* Rows that come until the end or a failure. */
static int count_rows(pgc_rows *rows, pgc_status *status, pgc_error *err)
{
    int count = 0;
    for (bool more = true; (*status = pgc_rows_next(rows, &more, err)) == PGC_OK && more;) {
        CHECK_INT(pgc_read_i32(pgc_rows_reader(rows), pgc_rows_index(rows), 0), 7);
        count++;
    }
    return count;
}

static void the_first_use_takes_two_round_trips(void)
{
    SCRIPT(FIRST_USE, ROW, ROW, NO_ROW, FAKE_END, FAKE_SYNC, ROW, NO_ROW, FAKE_END, FAKE_SYNC);
    pgc_rows *rows = NULL;
    pgc_status status;
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK_INT(count_rows(rows, &status, &err), 2);
    CHECK_INT(status, PGC_OK);
    pgc_rows_close(rows);
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK_INT(count_rows(rows, &status, &err), 1);
    pgc_rows_close(rows);
    CHECK_STR(fake.log, "prepare pgc_0000000000000abc\ndescribe pgc_0000000000000abc\nsync\n"
                        "run pgc_0000000000000abc\nsync\nsingle row\n"
                        "run pgc_0000000000000abc\nsync\nsingle row\n");
    CHECK_INT(fake.at, fake.count);
    FINISH();
}

#define ROW_IN_PARTS(count)                                                     \
    {                                                                           \
        .status = PGRES_SINGLE_TUPLE, .rows = 1, .columns = 1, .types = { 23 }, \
        .cells = { "\0\0\0\7" }, .lengths = { 4 }, .parts = (count)             \
    }

static void the_pieces_of_one_answer_are_left_to_gather(void)
{
    SCRIPT(FIRST_USE, ROW_IN_PARTS(3), ROW_IN_PARTS(3), ROW_IN_PARTS(3), NO_ROW, FAKE_END,
           FAKE_SYNC, ROW_IN_PARTS(3), NO_ROW, FAKE_END, FAKE_SYNC);
    pgc_rows *rows = NULL;
    pgc_status status;
    fake.parts_lag = true;
    int64_t start = fake.clock.mono_us;
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK_INT(count_rows(rows, &status, &err), 3);
    pgc_rows_close(rows);
    CHECK(fake.clock.mono_us > start);
    start = fake.clock.mono_us;
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK_INT(count_rows(rows, &status, &err), 1);
    pgc_rows_close(rows);
    CHECK_INT(fake.clock.mono_us - start, 0);
    FINISH();
}

static void a_connection_lost_between_rows_is_told_every_time(void)
{
    SCRIPT(FIRST_USE, ROW, ROW, FAKE_DIE);
    pgc_rows *rows = NULL;
    pgc_status status;
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK_INT(count_rows(rows, &status, &err), 2);
    CHECK_INT(status, PGC_CONNECTION);
    CHECK_INT(count_rows(rows, &status, &err), 0);
    CHECK_INT(status, PGC_CONNECTION);
    CHECK(!pgc_conn_alive(conn));
    pgc_rows_close(rows);
    FINISH();
}

static void odd_answers_end_the_connection(void)
{
    SCRIPT(FIRST_USE, ROW, FAKE_SYNC);
    pgc_rows *rows = NULL;
    pgc_status status;
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK_INT(count_rows(rows, &status, &err), 1);
    CHECK_INT(status, PGC_PROTOCOL);
    pgc_rows_close(rows);
    CHECK(!pgc_conn_alive(conn));
    FINISH();
}

static void a_prepare_that_fails_names_the_query(void)
{
    SCRIPT(FAKE_ERROR("42P01"), FAKE_END, FAKE_ABORTED, FAKE_END, FAKE_SYNC);
    pgc_rows *rows = NULL;
    CHECK_STATUS(open_rows(conn, &rows, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "42P01");
    CHECK_STR(err.query, "GetX");
    CHECK(rows == NULL);
    FINISH();
}

static void a_send_that_fails_leaves_no_rows(void)
{
    for (int fail_at = 1; fail_at <= 5; fail_at++) {
        SCRIPT(FIRST_USE, ROW, NO_ROW, FAKE_END, FAKE_SYNC);
        fake.sends = 0;
        fake.send_fails_at = fail_at;
        pgc_rows *rows = NULL;
        CHECK_STATUS(open_rows(conn, &rows, &err), PGC_NOMEM, &err);
        CHECK(rows == NULL);
        CHECK(!pgc_conn_alive(conn));
        FINISH();
    }
}

static void a_copy_without_memory_is_told(void)
{
    SCRIPT(FIRST_USE, ROW, NO_ROW, FAKE_END, FAKE_SYNC);
    /* This libpq cannot copy: copyResult() gives NULL. */
    const pgc_run_options bounds = { .struct_size = sizeof bounds, .row_limit = 5 };
    pgc_result *result = NULL;
    CHECK_STATUS(pgc_db_run_with(pgc_conn_db(conn), &QUERY, NULL, &bounds, &result, &err),
                 PGC_NOMEM, &err);
    CHECK(result == NULL);
    CHECK(pgc_conn_alive(conn));
    CHECK_INT(fake.at, fake.count);
    FINISH();
}

static fake_pq *newest;

static int chunked(PGconn *conn, int rows)
{
    (void) conn;
    newest->log_len +=
        (size_t) snprintf(newest->log + newest->log_len, sizeof newest->log - newest->log_len,
                          "chunks of %d\n", rows);
    return 1;
}

static int close_prepared(PGconn *conn, const char *name)
{
    (void) conn;
    newest->log_len += (size_t) snprintf(newest->log + newest->log_len,
                                         sizeof newest->log - newest->log_len, "close %s\n", name);
    return 1;
}

static const pq_ops *newest_ops(void)
{
    static pq_ops table;
    table = *fake_pq_ops();
    table.setChunkedRowsMode = chunked;
    table.sendClosePrepared = close_prepared;
    return &table;
}

static void libpq_17_gives_many_rows_at_a_time(void)
{
    SCRIPT_ON(newest_ops(), 8, FIRST_USE, PIECE(PQ_TUPLES_CHUNK, 256), PIECE(PQ_TUPLES_CHUNK, 3),
              NO_ROW, FAKE_END, FAKE_SYNC);
    newest = &fake;
    pgc_rows *rows = NULL;
    pgc_status status;
    REQUIRE_OK(open_rows(conn, &rows, &err), &err);
    CHECK(strstr(fake.log, "chunks of 256\n") != NULL);
    CHECK(strstr(fake.log, "single") == NULL);
    CHECK_INT(count_rows(rows, &status, &err), 259);
    CHECK_INT(status, PGC_OK);
    pgc_rows_close(rows);
    FINISH();
}

/* One more message in the next round trip, and none that could fail: a transaction is no matter. */
static void close_what_was_evicted(PGTransactionStatusType tx)
{
#define EVICTING FAKE_DONE("CLOSE"), FAKE_END, FAKE_DONE("PREPARE"), FAKE_END
    SCRIPT_ON(newest_ops(), 1, FAKE_DONE("PREPARE"), FAKE_END, PIECE(PGRES_TUPLES_OK, 1), FAKE_END,
              FAKE_SYNC, EVICTING, PIECE(PGRES_TUPLES_OK, 1), FAKE_END, FAKE_SYNC, EVICTING,
              PIECE(PGRES_TUPLES_OK, 1), FAKE_END, FAKE_SYNC);
    newest = &fake;
    const pgc_query *const queries[] = { &QUERY, &SECOND, &THIRD };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        fake.log_len = 0;
        fake.tx = tx;
        CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), queries[i], NULL, NULL, &err), PGC_OK, &err);
    }
    CHECK_STR(fake.log, "close pgc_0000000000000def\nprepare pgc_0000000000000123\n"
                        "run pgc_0000000000000123\nsync\n");
    CHECK_INT(fake.at, fake.count);
    FINISH();
}

static void libpq_17_closes_what_was_evicted(void)
{
    close_what_was_evicted(PQTRANS_IDLE);
    close_what_was_evicted(PQTRANS_INTRANS);
}

static pgc_status live_through(const pgc_alloc *alloc, fake_pq *fake)
{
    static const fake_answer answers[] = { FIRST_USE, ROW, ROW, NO_ROW, FAKE_END, FAKE_SYNC };
    fake_pq_init(fake, answers, ARRAY_LEN(answers));
    const pgc_conn_options options = { .struct_size = sizeof options, .alloc = alloc };
    const conn_seams seams = fake_pq_seams(fake);
    pgc_error err;
    pgc_conn *conn = NULL;
    TRY(conn_open_on(&options, &seams, &conn, &err));
    pgc_rows *rows = NULL;
    pgc_status status = open_rows(conn, &rows, &err);
    for (bool more = true; more && status == PGC_OK;) {
        status = pgc_rows_next(rows, &more, &err);
        if (more && pgc_result_alloc(pgc_rows_result(rows), 100) == NULL) {
            status = PGC_NOMEM;
        }
    }
    pgc_rows_close(rows);
    pgc_conn_close(conn);
    return status;
}

static void every_allocation_may_fail(void)
{
    bool complete = false;
    int fail_at = 1;
    for (; !complete && fail_at < 50; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        fake_pq fake;
        pgc_status status = live_through(&alloc, &fake);
        complete = status == PGC_OK && plan.calls < fail_at;
        /* A statement that cannot be remembered runs without a name, which may end the script. */
        CHECK(status == PGC_OK || status == PGC_NOMEM || status == PGC_PROTOCOL ||
              status == PGC_TIMEOUT);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
        CHECK_INT(fake.live_results, 0);
    }
    CHECK(complete);
    CHECK(fail_at > 4);
}

TAP_MAIN(TAP("rows: the first use takes two round trips, later ones take one",
             the_first_use_takes_two_round_trips),
         TAP("rows: the pieces of one answer are left to gather",
             the_pieces_of_one_answer_are_left_to_gather),
         TAP("rows: a connection lost between rows is told every time",
             a_connection_lost_between_rows_is_told_every_time),
         TAP("rows: odd answers end the connection", odd_answers_end_the_connection),
         TAP("rows: a prepare that fails names the query", a_prepare_that_fails_names_the_query),
         TAP("rows: a send that fails leaves no rows", a_send_that_fails_leaves_no_rows),
         TAP("rows: a copy without memory is told", a_copy_without_memory_is_told),
         TAP("rows: libpq 17 gives many rows at a time", libpq_17_gives_many_rows_at_a_time),
         TAP("rows: libpq 17 closes what was evicted", libpq_17_closes_what_was_evicted),
         TAP("rows: every allocation may fail", every_allocation_may_fail))
