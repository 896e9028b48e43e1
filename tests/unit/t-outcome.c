/* What an error says about the work behind it, on a scripted libpq: not run, cancelled, unknown. */
#include "base/prelude.h"

#include <pgc/pipeline.h>
#include <pgc/tx.h>

#include "pgc/failure.h"
#include "pgc/run.h"

#include "fake_pq.h"
#include "tap.h"

/* Leaves no choice about how it is prepared. */
static const pgc_query ONCE = { .name = "Once", .sql = "DO IT", .flags = PGC_QUERY_UNNAMED };

static pgc_conn *open_on(fake_pq *fake, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options };
    const conn_seams seams = fake_pq_seams(fake);
    pgc_conn *conn = NULL;
    return conn_open_on(&options, &seams, &conn, err) == PGC_OK ? conn : NULL;
}

#define SCRIPT(...)                                       \
    static const fake_answer answers[] = { __VA_ARGS__ }; \
    fake_pq fake;                                         \
    pgc_error err;                                        \
    fake_pq_init(&fake, NULL, 0);                         \
    pgc_conn *conn = open_on(&fake, &err);                \
    REQUIRE(conn != NULL);                                \
    fake_pq_script(&fake, answers, ARRAY_LEN(answers))

static pgc_status run(pgc_conn *conn, const pgc_query *query, pgc_error *err)
{
    return pgc_db_run(pgc_conn_db(conn), query, NULL, NULL, err);
}

static void whoever_never_connected_has_run_nothing(void)
{
    pgc_error err;
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.connect_error = "connection to server failed: Connection refused";
    CHECK(open_on(&fake, &err) == NULL);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    fake_pq_init(&fake, NULL, 0);
    fake.connect_stalls = true;
    CHECK(open_on(&fake, &err) == NULL);
    CHECK_INT(err.status, PGC_TIMEOUT);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
}

static void what_could_not_be_sent_was_not_run(void)
{
    SCRIPT({ .status = PGRES_EMPTY_QUERY });
    fake.send_fails_at = fake.sends + 1;
    CHECK_STATUS(run(conn, &ONCE, &err), PGC_NOMEM, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    CHECK_STATUS(run(conn, &ONCE, &err), PGC_CONNECTION, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN); /* lost before */
    pgc_conn_close(conn);
}

static void a_loss_behind_the_send_leaves_it_open(void)
{
    {
        SCRIPT(FAKE_DIE);
        CHECK_STATUS(run(conn, &ONCE, &err), PGC_CONNECTION, &err);
        CHECK_INT(err.outcome, PGC_OUTCOME_UNKNOWN);
        pgc_conn_close(conn);
    }
    {
        SCRIPT({ .status = PGRES_EMPTY_QUERY });
        fake.send_fails_at = fake.sends + 1;
        fake.send_fails_by_loss = true;
        CHECK_STATUS(run(conn, &ONCE, &err), PGC_CONNECTION, &err);
        CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN); /* a part of a message is none */
        pgc_conn_close(conn);
    }
    {
        SCRIPT(FAKE_STALL);
        CHECK_STATUS(run(conn, &ONCE, &err), PGC_TIMEOUT, &err);
        CHECK_INT(err.outcome, PGC_OUTCOME_UNKNOWN);
        pgc_conn_close(conn);
    }
    {
        SCRIPT({ .status = PGRES_FATAL_ERROR,
                 .sqlstate = "57P01",
                 .severity = "FATAL",
                 .message = "terminating" });
        CHECK_STATUS(run(conn, &ONCE, &err), PGC_CONNECTION, &err);
        CHECK_INT(err.outcome, PGC_OUTCOME_UNKNOWN);
        pgc_conn_close(conn);
    }
}

static void an_idle_limit_struck_before_we_sent(void)
{
    SCRIPT({ .status = PGRES_FATAL_ERROR,
             .sqlstate = "57P05",
             .severity = "FATAL",
             .message = "terminating" });
    CHECK_STATUS(run(conn, &ONCE, &err), PGC_CONNECTION, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    CHECK(!pgc_conn_alive(conn));
    pgc_conn_close(conn);
}

static void a_confirmed_cancel_had_no_effect(void)
{
    SCRIPT(FAKE_UNTIL_CANCEL, FAKE_ERROR("57014"), FAKE_END, FAKE_SYNC, FAKE_SYNC,
           FAKE_ERROR("57014"), FAKE_END, FAKE_SYNC, FAKE_ERROR("23505"), FAKE_END, FAKE_SYNC);
    CHECK_STATUS(pgc_conn_script(conn, "x", 1000, NULL, &err), PGC_TIMEOUT, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_CANCELLED);
    pgc_conn_close(conn);
}

static void the_servers_judgement_leaves_nothing_open(void)
{
    SCRIPT(FAKE_ERROR("23505"), FAKE_END, FAKE_END);
    CHECK_STATUS(pgc_conn_script(conn, "x", 0, NULL, &err), PGC_CONFLICT, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NONE);
    CHECK(pgc_conn_alive(conn));
    pgc_conn_close(conn);
}

static void what_stands_behind_a_failure_was_not_run(void)
{
    SCRIPT(FAKE_ERROR("22012"), FAKE_END, FAKE_ABORTED, FAKE_END, FAKE_SYNC);
    pgc_pipeline *batch = NULL;
    REQUIRE_OK(pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &batch, &err), &err);
    REQUIRE_OK(pgc_pipeline_add(batch, &ONCE, NULL, NULL, &err), &err);
    REQUIRE_OK(pgc_pipeline_add(batch, &ONCE, NULL, NULL, &err), &err);
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_INVALID, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NONE);
    CHECK_STATUS(pgc_pipeline_take(batch, 1, NULL, &err), PGC_CANCELLED, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    pgc_pipeline_close(batch);
    pgc_conn_close(conn);
}

static void a_lost_commit_may_have_happened(void)
{
    SCRIPT({ .status = PGRES_COMMAND_OK, .tag = "BEGIN", .tx_after = 1 + PQTRANS_INTRANS },
           FAKE_END, FAKE_SYNC, FAKE_DIE);
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_IN_DOUBT, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_UNKNOWN);
    pgc_conn_close(conn);
}

static void fatal_is_told_by_code_and_severity(void)
{
    static const struct {
        const char *sqlstate, *severity;
        bool fatal;
        pgc_status status;
    } ROWS[] = {
        { "57P01", "FATAL", true, PGC_CONNECTION }, { "57P02", "ERROR", true, PGC_CONNECTION },
        { "57P03", NULL, true, PGC_CONNECTION },    { "25P04", "FATAL", true, PGC_CONNECTION },
        { "08006", "FATAL", true, PGC_CONNECTION }, { "08006", NULL, true, PGC_CONNECTION },
        { "08P01", "ERROR", false, PGC_INVALID },   { "08001", "ERROR", false, PGC_DB },
        { "XX000", "PANIC", true, PGC_CONNECTION }, { "XX000", "ERROR", false, PGC_DB },
        { "40001", "ERROR", false, PGC_CONFLICT },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const fake_answer answers[] = { { .status = PGRES_FATAL_ERROR,
                                          .sqlstate = ROWS[i].sqlstate,
                                          .severity = ROWS[i].severity,
                                          .message = "made up" },
                                        FAKE_END,
                                        FAKE_END };
        fake_pq fake;
        pgc_error err;
        fake_pq_init(&fake, NULL, 0);
        pgc_conn *conn = open_on(&fake, &err);
        REQUIRE(conn != NULL);
        fake_pq_script(&fake, answers, ARRAY_LEN(answers));
        CHECK_STATUS(pgc_conn_script(conn, "x", 0, NULL, &err), ROWS[i].status, &err);
        CHECK_INT(pgc_conn_alive(conn), !ROWS[i].fatal);
        pgc_conn_close(conn);
        CHECK_INT(fake.live_results, 0);
    }
}

static void nothing_to_cancel_is_said(void)
{
    SCRIPT(FAKE_STALL);
    CHECK_STATUS(pgc_conn_cancel(conn, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(pgc_conn_cancel(NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_conn_ping(NULL, 0, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_conn_ping(conn, 1000, &err), PGC_TIMEOUT, &err);
    CHECK_INT(atomic_load(&fake.cancel_asked), 0); /* a ping asks nobody to stop */
    CHECK(!pgc_conn_alive(conn));
    CHECK(pgc_conn_parameter(NULL, "x") == NULL);
    pgc_conn_close(conn);
}

TAP_MAIN(TAP("outcome: whoever never connected has run nothing",
             whoever_never_connected_has_run_nothing),
         TAP("outcome: what could not be sent was not run", what_could_not_be_sent_was_not_run),
         TAP("outcome: a loss behind the send leaves it open",
             a_loss_behind_the_send_leaves_it_open),
         TAP("outcome: an idle limit struck before we sent", an_idle_limit_struck_before_we_sent),
         TAP("outcome: a confirmed cancel had no effect", a_confirmed_cancel_had_no_effect),
         TAP("outcome: the server's judgement leaves nothing open",
             the_servers_judgement_leaves_nothing_open),
         TAP("outcome: what stands behind a failure was not run",
             what_stands_behind_a_failure_was_not_run),
         TAP("outcome: a lost commit may have happened", a_lost_commit_may_have_happened),
         TAP("failure: fatal is told by code and severity", fatal_is_told_by_code_and_severity),
         TAP("cancel: nothing to cancel is said", nothing_to_cancel_is_said))
