/* Telling the caller's hooks. Nothing here is reached, and no clock is read, while nobody listens:
 * callers ask conn->watched or the table's member first. */
#ifndef PGC_WATCH_H
#define PGC_WATCH_H

#include <pgc/hooks.h>

#include "pgc/connection.h"

/* One operation under watch, from watch_begin() to watch_end(). */
typedef struct query_watch {
    const pgc_conn *conn;
    void *span;
    int64_t since_us;
    pgc_session_facts session;
    pgc_query_event event;
} query_watch;

/* The table of a connection: sets conn->hooks and conn->watched. */
void hooks_attach(pgc_conn *conn, const pgc_hooks *hooks);
/* What is known of a session now; borrows from libpq. */
void hooks_session(const pgc_conn *conn, pgc_session_facts *out);

/* Only when conn->watched. A batch has a name, size and no query. */
void watch_begin(query_watch *watch, const pgc_conn *conn, const pgc_query *query);
void watch_begin_batch(query_watch *watch, const pgc_conn *conn, const char *name, size_t size);
/* An operation that is no typed query: script, COPY. */
void watch_begin_text(query_watch *watch, const pgc_conn *conn, const char *name, const char *sql);
/* Count rows and bytes of an answer; NULL is allowed. */
void watch_answer(query_watch *watch, const PGresult *answer);
/* The same as numbers, e.g. for COPY. */
void watch_add(query_watch *watch, int64_t rows, int64_t bytes);
/* One query of a batch, its number from 0. err may be NULL. */
void watch_batch_query(query_watch *watch, const pgc_query *query, size_t index, int64_t rows,
                       pgc_status status, const pgc_error *err);
/* End of the operation. err may be NULL. */
void watch_end(query_watch *watch, pgc_status status, const pgc_error *err);

/* Tell of a try that failed and is repeated; nothing when nobody listens. err may be NULL. */
void hooks_retry(const pgc_hooks *hooks, pgc_retry_event event, const pgc_error *err);
/* Tell of a connect that succeeded or failed; conn may be half made. */
void hooks_connect(const pgc_conn *conn, pgc_status status, const pgc_error *err,
                   int64_t duration_us);
/* Tell of the end of a session that had been made. */
void hooks_disconnect(const pgc_conn *conn);
/* libpq's notice receiver; arg is the connection. Without a listener the notice is dropped. */
void hooks_notice(void *arg, const PGresult *result);

#endif
