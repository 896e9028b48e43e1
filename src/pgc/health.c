/* Signs of life and the role of the server. What the server reports by itself arrives with any
 * answer and costs nothing. One thread per connection. */
#include "base/prelude.h"

#include "pgc/health.h"

#include "pgc/exchange.h"
#include "pgc/failure.h"
#include "pgc/run.h"
#include "pgc/watch.h"

const char *pgc_conn_parameter(const pgc_conn *conn, const char *name)
{
    return conn == NULL || name == NULL ? NULL : conn->pq->parameterStatus(conn->pg, name);
}

/* *on_out is left alone when the server does not report the setting. */
static bool reported(const pgc_conn *conn, const char *name, bool *on_out)
{
    const char *value = conn->pq->parameterStatus(conn->pg, name);
    if (value != NULL) {
        *on_out = strcmp(value, "on") == 0;
    }
    return value != NULL;
}

bool pgc_conn_in_recovery(const pgc_conn *conn)
{
    bool standby = conn->was_standby;
    (void) reported(conn, "in_hot_standby", &standby);
    return standby;
}

/* A session that may not write cannot become one that may without this being reported, so what was
 * asked for once is as good as the reports allow. */
bool conn_fits(const pgc_conn *conn)
{
    bool standby = conn->was_standby, read_only = conn->was_read_only;
    (void) reported(conn, "in_hot_standby", &standby);
    (void) reported(conn, "default_transaction_read_only", &read_only);
    return want_fits(conn->want, standby, read_only, true);
}

static const pgc_type_ref BOOLS[] = { { "standby", "boolean", 16 },
                                      { "read_only", "boolean", 16 } };
static const pgc_query ASK_ROLE = {
    .name = "role of the server",
    .sql = "SELECT pg_catalog.pg_is_in_recovery(),"
           " pg_catalog.current_setting('default_transaction_read_only') = 'on'",
    .flags = PGC_QUERY_UNNAMED,
    .column_count = 2,
    .columns = BOOLS,
};

pgc_status health_role(pgc_conn *conn, bool *standby_out, bool *read_only_out, pgc_error *err)
{
    bool standby = false, read_only = false;
    if (!reported(conn, "in_hot_standby", &standby) ||
        !reported(conn, "default_transaction_read_only", &read_only)) {
        pgc_result *rows = NULL;
        TRY(conn_run(conn, &ASK_ROLE, NULL, &rows, err));
        pgc_reader reader;
        pgc_reader_init(&reader, rows, &ASK_ROLE);
        standby = pgc_read_bool(&reader, 0, 0);
        read_only = pgc_read_bool(&reader, 0, 1);
        pgc_result_free(rows);
    }
    conn->was_standby = standby;
    conn->was_read_only = read_only;
    *standby_out = standby;
    *read_only_out = read_only;
    return PGC_OK;
}

/* Death shows as a readable socket; so do notices and parameter changes, which are taken in. libpq
 * reports a closed stream only at the second read: the first absorbs the server's last words. */
bool conn_socket_alive(pgc_conn *conn)
{
    for (int round = 0; round < 8; round++) {
        if (!pgc_conn_alive(conn)) {
            return false;
        }
        struct pollfd fd = { .fd = conn->pq->socket(conn->pg), .events = POLLIN };
        if (conn->pq->wait(&fd, 1, 0) <= 0) {
            return true;
        }
        if (conn->pq->consumeInput(conn->pg) == 0) {
            conn->lost = true;
        } else {
            (void) conn->pq->isBusy(conn->pg); /* parses what was read */
        }
    }
    return true;
}

/* libpq takes an error for a notice when nothing was asked of the server. A server that shuts down
 * at once warns those whose call is under way, too: what was asked of it may have been done, so
 * that these are no last words to an idle session. */
void conn_notice(void *arg, const PGresult *result)
{
    pgc_conn *conn = arg;
    bool idle = conn->pg != NULL && conn->pq->transactionStatus(conn->pg) != PQTRANS_ACTIVE;
    if (idle && failure_is_fatal(conn->pq, result)) {
        const char *text = conn->pq->resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        (void) snprintf(conn->end_sqlstate, sizeof conn->end_sqlstate, "%s",
                        failure_sqlstate(conn->pq, result));
        (void) snprintf(conn->end_message, sizeof conn->end_message, "%s",
                        text == NULL ? "" : text);
    }
    hooks_notice(arg, result);
}

void conn_last_words(const pgc_conn *conn, pgc_error *err)
{
    if (err == NULL || conn->end_sqlstate[0] == '\0' || err->sqlstate[0] != '\0' ||
        err->status != PGC_CONNECTION) {
        return;
    }
    (void) pgc_error_set(err, PGC_CONNECTION, "connection was ended by the server before: %s",
                         conn->end_message);
    (void) snprintf(err->sqlstate, sizeof err->sqlstate, "%s", conn->end_sqlstate);
    (void) failure_status(err->sqlstate, &err->retry);
    err->outcome = PGC_OUTCOME_NOT_RUN;
}

/* A primary that was demoted answers everything but writes: it is no better than dead. */
bool conn_probe(pgc_conn *conn)
{
    return conn_socket_alive(conn) && conn_fits(conn);
}

/* Errors that are as good as an answer: a failed transaction refuses even an empty query, and a
 * cancel of somebody else's hits nothing here. */
static bool shows_life(const char *sqlstate)
{
    return strcmp(sqlstate, "25P02") == 0 || strcmp(sqlstate, "57014") == 0;
}

pgc_status conn_ping(pgc_conn *conn, int64_t timeout_us, pgc_error *err)
{
    exchange ex;
    exchange_begin(&ex, conn, timeout_us, err);
    ex.call.hard = true;
    const query_params none = { .count = 0 };
    size_t at = exchange_text(&ex, "", &none);
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK && !shows_life(failure_sqlstate(conn->pq, ex.steps[at].result))) {
        status = exchange_status(&ex, at, "ping", err);
    }
    exchange_done(&ex);
    return status;
}

pgc_status pgc_conn_ping(pgc_conn *conn, int64_t timeout_us, pgc_error *err)
{
    if (conn == NULL) {
        return pgc_error_set(err, PGC_INVALID, "ping: no connection");
    }
    return conn_ping(conn, timeout_us > 0 ? timeout_us : conn->call_timeout_us, err);
}
