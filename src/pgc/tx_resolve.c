/* Outcome of a commit whose answer was lost. Only the server that ran it, on the timeline where it
 * wrote, can tell: a standby that was promoted may have used the same number for another one. So
 * may a server after a crash, when nothing of our transaction had reached its disk: then "aborted"
 * is true either way, but "committed" may be said of the other one. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/tx_parts.h"

#define PAUSE_FIRST_US   5000
#define PAUSE_LONGEST_US 500000
#define PATIENCE_US      1000000 /* how long a transaction may still run before it is ended */

const pgc_query TX_WHERE = {
    .name = "log position",
    .sql = "SELECT " TX_POSITION_SQL ", " TX_TIMELINE_SQL,
    .hash = UINT64_C(0x5e7c0f1900000103),
};

/* Columns: same system and timeline; standby; same run; outcome committed, aborted; position and
 * timeline. A number that nobody has used yet would be an error. */
static const pgc_type_ref OUTCOME_PARAMS[] = { { "id", "text", 25 },
                                               { "system", "bigint", 20 },
                                               { "timeline", "bigint", 20 },
                                               { "run", "bigint", 20 } };
static const pgc_query OUTCOME = {
    .name = "transaction outcome",
    .sql = "SELECT same, t = 0, same_run, o = 'committed', o = 'aborted', p, t FROM (SELECT *,"
           " CASE WHEN NOT same THEN NULL WHEN NOT same_run AND $1::xid8 >="
           " pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) THEN 'aborted'"
           " ELSE pg_catalog.pg_xact_status($1::xid8) END AS o FROM (SELECT"
           " system_identifier = $2 AND t = $3 AS same, r = $4 AS same_run, t, p FROM"
           " (SELECT system_identifier, " TX_TIMELINE_SQL " AS t, " TX_POSITION_SQL " AS p, "
           "(extract(epoch FROM " TX_RUN_SQL ") * 1000000)::int8 - 946684800000000 AS r"
           " FROM pg_catalog.pg_control_system()) here) there) asked",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 4,
    .params = OUTCOME_PARAMS,
};

/* The session may run on for long after its client has gone. Both must fit: process ids are used
 * again. */
static const pgc_type_ref END_PARAMS[] = { { "pid", "integer", 23 }, { "id", "text", 25 } };
static const pgc_query END_SESSION = {
    .name = "end session",
    .sql = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
           " WHERE pid = $1 AND backend_xid = $2::xid8::xid",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 2,
    .params = END_PARAMS,
};

void tx_where_read(const group *g, size_t at, int column, pgc_token *token)
{
    uint64_t lsn = 0;
    uint64_t timeline = 0;
    if (group_u64(g, at, column, &lsn) && group_u64(g, at, column + 1, &timeline) &&
        timeline != 0) {
        *token = (pgc_token) { .lsn = lsn, .timeline = (uint32_t) timeline };
    }
}

typedef enum outcome { OUT_COMMITTED, OUT_ABORTED, OUT_RUNNING, OUT_STANDBY, OUT_UNKNOWN } outcome;

typedef struct question {
    const tx_source *source;
    const pgc_xact *xact;
    pgc_token *token; /* may be NULL */
    char id[24];
    int64_t deadline_us;
    int64_t end_at_us; /* from here on a running transaction is ended */
} question;

static outcome read_outcome(const question *q, const group *g)
{
    if (group_bool(g, 0, 1)) {
        return OUT_STANDBY;
    }
    /* No outcome at all: so long ago that the server has forgotten it. */
    if (!group_bool(g, 0, 0) || group_null(g, 0, 3)) {
        return OUT_UNKNOWN;
    }
    if (group_bool(g, 0, 4)) {
        return OUT_ABORTED;
    }
    if (!group_bool(g, 0, 2)) {
        return OUT_UNKNOWN;
    }
    if (group_bool(g, 0, 3)) {
        if (q->token != NULL) {
            tx_where_read(g, 0, 5, q->token);
        }
        return OUT_COMMITTED;
    }
    return OUT_RUNNING;
}

/* It will not end by itself when it waits for its client, who is not there any more. */
static void end_session(const question *q, pgc_conn *conn)
{
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_i32(&args, q->xact->pid);
    pgc_add_text(&args, pgc_text_from(q->id));
    /* Whether we may and whether it was there shows in the next answer. */
    (void) !conn_run(conn, &END_SESSION, &args, NULL, NULL);
    pgc_args_done(&args);
}

static pgc_status ask(const question *q, pgc_conn *conn, outcome *out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_text(&args, pgc_text_from(q->id));
    pgc_add_i64(&args, (int64_t) q->xact->system_id);
    pgc_add_i64(&args, q->xact->timeline);
    pgc_add_i64(&args, q->xact->run);
    group g;
    group_init(&g, conn);
    (void) group_add(&g, &OUTCOME, &args);
    int64_t left_us = q->deadline_us - conn->clock->mono_us(conn->clock->ctx);
    pgc_status status = group_run(&g, left_us > 1000 ? left_us : 1000, err);
    if (status == PGC_OK) {
        *out = read_outcome(q, &g);
    }
    group_done(&g);
    pgc_args_done(&args);
    return status;
}

/* One look. Failures are those of the look, not of the transaction. */
static pgc_status look(const question *q, outcome *out, pgc_error *err)
{
    pgc_conn *conn = NULL;
    pgc_pool *pool = NULL;
    TRY(q->source->acquire(q->source->ctx, q->deadline_us, &pool, &conn, err));
    pgc_status status = ask(q, conn, out, err);
    if (status == PGC_OK && *out == OUT_RUNNING &&
        conn->clock->mono_us(conn->clock->ctx) >= q->end_at_us) {
        end_session(q, conn);
    }
    pgc_pool_release(pool, conn);
    return status;
}

static pgc_status in_doubt(const pgc_xact *xact, const char *why, pgc_error *err)
{
    pgc_status status = pgc_error_set(
        err, PGC_IN_DOUBT, "outcome of transaction %" PRIu64 " is not known: %s", xact->id, why);
    if (err != NULL) {
        err->xact = *xact;
        err->outcome = PGC_OUTCOME_UNKNOWN;
    }
    return status;
}

/* PGC_OK, PGC_CONNECTION: known. PGC_IN_DOUBT: will not be known. PGC_TIMEOUT: ask again. */
static pgc_status tell(const question *q, outcome found, pgc_error *err)
{
    switch (found) {
    case OUT_COMMITTED:
        return PGC_OK;
    case OUT_ABORTED:
        (void) pgc_error_set(err, PGC_CONNECTION,
                             "connection lost: transaction %" PRIu64 " was rolled back",
                             q->xact->id);
        if (err != NULL) {
            err->retry = true;
            err->outcome = PGC_OUTCOME_NOT_RUN;
        }
        return PGC_CONNECTION;
    case OUT_UNKNOWN:
        return in_doubt(q->xact, "the server has crashed since, or another one answers now", err);
    case OUT_RUNNING:
        return pgc_error_set(err, PGC_TIMEOUT, "it still runs");
    case OUT_STANDBY:
    default:
        return pgc_error_set(err, PGC_TIMEOUT, "the server is a standby");
    }
}

/* The server may be restarting: being unable to ask is a reason to ask again. */
pgc_status tx_resolve_from(const tx_source *source, const pgc_xact *xact, int64_t timeout_us,
                           pgc_token *token, pgc_error *err)
{
    const clock_ops *clock = source->clock;
    int64_t now_us = clock->mono_us(clock->ctx);
    question q = { .source = source,
                   .xact = xact,
                   .token = token,
                   .deadline_us = now_us + timeout_us,
                   .end_at_us = now_us + PATIENCE_US };
    (void) snprintf(q.id, sizeof q.id, "%" PRIu64, xact->id);
    for (int64_t pause_us = PAUSE_FIRST_US;; pause_us *= 2) {
        pgc_error why;
        outcome found = OUT_UNKNOWN;
        pgc_status status = look(&q, &found, &why);
        if (status == PGC_OK) {
            status = tell(&q, found, &why);
            if (status == PGC_OK || status == PGC_CONNECTION || status == PGC_IN_DOUBT) {
                if (err != NULL && status != PGC_OK) {
                    *err = why;
                }
                return status;
            }
        }
        now_us = clock->mono_us(clock->ctx);
        if (now_us >= q.deadline_us || status == PGC_CLOSED) {
            return in_doubt(xact, why.message, err);
        }
        pause_us = pause_us > PAUSE_LONGEST_US ? PAUSE_LONGEST_US : pause_us;
        clock->sleep_us(clock->ctx, pause_us);
    }
}

pgc_status pgc_tx_resolve(pgc_pool *pool, const pgc_xact *xact, int64_t timeout_us, pgc_error *err)
{
    if (pool == NULL || xact == NULL || timeout_us < 0) {
        return pgc_error_set(err, PGC_INVALID, "resolve: no pool, no transaction or no time");
    }
    if (xact->id == 0 || xact->system_id == 0) {
        return in_doubt(xact, "its number is not known", err);
    }
    const tx_source source = tx_source_pool(pool);
    return tx_resolve_from(&source, xact, timeout_us == 0 ? TX_RESOLVE_DEFAULT_US : timeout_us,
                           NULL, err);
}
