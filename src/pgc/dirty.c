/* Sessions that somebody changed. Nothing is sent for a session that is not known to be changed:
 * a reset at every release would cost each query a second round trip. One thread per connection. */
#include "base/prelude.h"

#include "pgc/dirty.h"

#include <strings.h>

#include "pgc/exchange.h"
#include "pgc/failure.h"

/* Tags that say what was done. */
static const struct {
    const char *tag;
    uint32_t changes;
} TAGS[] = {
    { "SET", PGC_SESSION_SETTINGS | PGC_SESSION_ROLE },
    { "RESET", PGC_SESSION_SETTINGS | PGC_SESSION_ROLE },
    { "LISTEN", PGC_SESSION_LISTEN },
    { "PREPARE", PGC_SESSION_STATEMENTS },
    { "DECLARE CURSOR", PGC_SESSION_CURSORS },
};

/* What ends with the transaction has the tag of a SET that stays, so the text must tell. One that
 * begins with a comment is not looked into: that costs one cleaning too many. */
static bool is_local_set(const char *sql)
{
    static const char *const LOCALS[] = { "LOCAL", "TRANSACTION" };
    const char *at = sql + strspn(sql, " \t\r\n");
    if (strncasecmp(at, "SET", 3) != 0) {
        return false;
    }
    at += 3 + strspn(at + 3, " \t\r\n");
    for (size_t i = 0; i < ARRAY_LEN(LOCALS); i++) {
        size_t len = strlen(LOCALS[i]);
        if (strncasecmp(at, LOCALS[i], len) == 0 && at[len] != '\0' &&
            strchr(" \t\r\n", at[len]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Most commands are INSERT, UPDATE, DELETE: the first letter tells. */
void dirty_note(pgc_conn *conn, const pgc_query *query, const PGresult *answer)
{
    if (answer == NULL || conn->pq->resultStatus(answer) != PGRES_COMMAND_OK) {
        return;
    }
    PGresult *same;
    memcpy(&same, &answer, sizeof same); /* libpq forgot a const, it only reads */
    const char *tag = conn->pq->cmdStatus(same);
    if (tag == NULL || strchr("SRLPD", tag[0]) == NULL) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(TAGS); i++) {
        if (strcmp(tag, TAGS[i].tag) == 0 && !is_local_set(query->sql)) {
            conn->dirty |= TAGS[i].changes;
        }
    }
}

void dirty_note_error(pgc_conn *conn, const char *sqlstate)
{
    conn->write_refused = conn->write_refused || strcmp(sqlstate, "25006") == 0;
}

/* Only what SET and its kin can change; libpq answers from memory. */
static uint64_t settings_hash(const pgc_conn *conn)
{
    static const char *const NAMES[] = { "TimeZone",         "DateStyle",       "IntervalStyle",
                                         "application_name", "client_encoding", "search_path" };
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const char *value = conn->pq->parameterStatus(conn->pg, NAMES[i]);
        for (const char *at = value == NULL ? "" : value; *at != '\0'; at++) {
            hash = (hash ^ (unsigned char) *at) * UINT64_C(1099511628211);
        }
        hash = (hash ^ i) * UINT64_C(1099511628211);
    }
    return hash;
}

static bool is_on(const pgc_conn *conn, const char *name)
{
    const char *value = conn->pq->parameterStatus(conn->pg, name);
    return value != NULL && strcmp(value, "on") == 0;
}

void dirty_take_baseline(pgc_conn *conn, dirty_baseline *out)
{
    conn->dirty = 0;
    conn->write_refused = false;
    out->settings = settings_hash(conn);
    out->calls = conn->calls;
    out->standby = is_on(conn, "in_hot_standby");
    out->read_only = is_on(conn, "default_transaction_read_only");
}

/* Nothing was asked, nothing can have changed. */
uint32_t dirty_changes(const pgc_conn *conn, const dirty_baseline *baseline)
{
    uint32_t changes = conn->dirty;
    if (conn->calls != baseline->calls && settings_hash(conn) != baseline->settings) {
        changes |= PGC_SESSION_SETTINGS;
    }
    return changes;
}

/* A refused write in a transaction that was opened read only says nothing about the server. */
bool dirty_role_changed(const pgc_conn *conn, const dirty_baseline *baseline)
{
    if (is_on(conn, "in_hot_standby") != baseline->standby) {
        return true;
    }
    return conn->write_refused && (conn->dirty & PGC_SESSION_SETTINGS) == 0 &&
           is_on(conn, "default_transaction_read_only") != baseline->read_only;
}

/* In this order: leaving another role first gives back the right to undo the rest. */
static const struct {
    uint32_t change;
    const char *sql;
} UNDO[] = {
    { PGC_SESSION_ROLE, "SET SESSION AUTHORIZATION DEFAULT" },
    { PGC_SESSION_ROLE, "RESET ROLE" },
    { PGC_SESSION_CURSORS, "CLOSE ALL" },
    { PGC_SESSION_LISTEN, "UNLISTEN *" },
    { PGC_SESSION_LOCKS, "SELECT pg_catalog.pg_advisory_unlock_all()" },
    { PGC_SESSION_SETTINGS, "RESET ALL" },
    { PGC_SESSION_TEMP, "DISCARD TEMP" },
};

/* Hard deadline: a session that does not come clean in time is closed, not cancelled. */
static pgc_status undo(pgc_conn *conn, uint32_t changes, int64_t timeout_us, pgc_error *err)
{
    const query_params none = { .count = 0 };
    bool open = pgc_conn_tx_state(conn) != PGC_TX_IDLE;
    if (!open && (changes & ~PGC_SESSION_STATEMENTS) == 0) {
        return PGC_OK;
    }
    exchange ex;
    exchange_begin(&ex, conn, timeout_us, err);
    ex.call.hard = true;
    size_t rollback = 0;
    if (open) {
        rollback = exchange_text(&ex, "ROLLBACK", &none);
        (void) exchange_sync(&ex);
    }
    size_t steps[ARRAY_LEN(UNDO)];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(UNDO); i++) {
        if ((changes & UNDO[i].change) != 0) {
            steps[count++] = exchange_text(&ex, UNDO[i].sql, &none);
        }
    }
    if (count > 0) {
        (void) exchange_sync(&ex);
    }
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK && open) {
        status = exchange_status(&ex, rollback, "rollback at release", err);
    }
    for (size_t i = 0; i < count && status == PGC_OK; i++) {
        status = exchange_status(&ex, steps[i], "cleaning the session", err);
    }
    exchange_done(&ex);
    return status;
}

pgc_status dirty_clean(pgc_conn *conn, const pgc_conn_options *options, uint32_t changes,
                       int64_t timeout_us, pgc_error *err)
{
    TRY(undo(conn, changes, timeout_us, err));
    if ((changes & PGC_SESSION_STATEMENTS) != 0) {
        statement_forget_all(&conn->statements);
    }
    if ((changes & (PGC_SESSION_SETTINGS | PGC_SESSION_ROLE)) != 0) {
        TRY(conn_session_setup(conn, options, timeout_us, err));
    }
    return pgc_conn_tx_state(conn) == PGC_TX_IDLE
               ? PGC_OK
               : pgc_error_set(err, PGC_PROTOCOL, "cleaning: a transaction is still open");
}

/* Remembered until the pool cleans; of no effect outside a pool. */
void pgc_conn_mark_session(pgc_conn *conn, uint32_t changes)
{
    if (conn != NULL) {
        conn->dirty |= changes & PGC_SESSION_ALL;
    }
}
