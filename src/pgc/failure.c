/* Errors of the server and of libpq, told as pgc_error. The server's fields are copied one by one;
 * message texts are localised and never parsed. Pure functions; any thread. */
#include "base/prelude.h"

#include "pgc/failure.h"

/* Full code or two-character class; the first match wins, so codes stand before classes.
 * Source: PostgreSQL manual, appendix "PostgreSQL Error Codes". */
static const struct {
    const char *prefix;
    pgc_status status;
    bool retry;
} SQLSTATE_MAP[] = {
    { "40001", PGC_CONFLICT, true },    /* serialization failure */
    { "40P01", PGC_CONFLICT, true },    /* deadlock */
    { "23503", PGC_CONFLICT, false },   /* foreign key violation */
    { "23505", PGC_CONFLICT, false },   /* unique violation */
    { "23P01", PGC_CONFLICT, false },   /* exclusion violation */
    { "23", PGC_INVALID, false },       /* other constraints: NOT NULL, CHECK */
    { "22", PGC_INVALID, false },       /* data exception */
    { "26000", PGC_DB, true },          /* prepared statement does not exist */
    { "42501", PGC_DENIED, false },     /* insufficient privilege, also row-level security */
    { "53300", PGC_CONNECTION, true },  /* too many connections */
    { "53400", PGC_LIMIT, false },      /* configuration limit */
    { "54", PGC_LIMIT, false },         /* program limit */
    { "55P03", PGC_TIMEOUT, true },     /* lock not available */
    { "57014", PGC_CANCELLED, false },  /* query cancelled */
    { "57P04", PGC_CONNECTION, false }, /* database dropped */
    { "57P", PGC_CONNECTION, true },    /* server shutting down, crashed or starting; idle limit */
    { "25P03", PGC_CONNECTION, true },  /* idle in transaction too long */
    { "25P04", PGC_CONNECTION, true },  /* transaction too long */
    { "08", PGC_CONNECTION, true },     /* connection exception */
    { "28", PGC_CONNECTION, false },    /* authentication */
    { "3D000", PGC_CONNECTION, false }, /* no such database */
    { "P0002", PGC_NOT_FOUND, false },  /* no_data_found raised by a function */
};

/* SQLSTATEs that stand nowhere are the server's business: PGC_DB, not to be retried. */
pgc_status failure_status(const char *sqlstate, bool *retry_out)
{
    for (size_t i = 0; i < ARRAY_LEN(SQLSTATE_MAP); i++) {
        const char *prefix = SQLSTATE_MAP[i].prefix;
        if (strncmp(sqlstate, prefix, strlen(prefix)) == 0) {
            *retry_out = SQLSTATE_MAP[i].retry;
            return SQLSTATE_MAP[i].status;
        }
    }
    *retry_out = false;
    return PGC_DB;
}

/* libpq ends its messages with a line end and may add hints in further lines. */
void failure_first_line(const char *message, char *line, size_t line_size)
{
    assert(line_size > 0);
    size_t len = message == NULL ? 0 : strcspn(message, "\r\n");
    if (len >= line_size) {
        len = line_size - 1;
    }
    if (len > 0) {
        memcpy(line, message, len);
    }
    line[len] = '\0';
}

/* "" for results that libpq made itself, and for none. */
const char *failure_sqlstate(const pq_ops *pq, const PGresult *result)
{
    const char *sqlstate = result == NULL ? NULL : pq->resultErrorField(result, PG_DIAG_SQLSTATE);
    return sqlstate == NULL ? "" : sqlstate;
}

/* Behind these there is no session worth keeping, whatever severity comes with them. */
static const char *const FATAL_CODES[] = { "57P01", "57P02", "57P03", "57P05", "25P03", "25P04" };

/* The localised severity is of no use to a program. Class 08 with a severity of ERROR is about
 * something else than this connection: a malformed value (08P01), or a server that this one could
 * not reach (foreign tables). Proxies may send no such field. */
bool failure_is_fatal(const pq_ops *pq, const PGresult *result)
{
    const char *severity = pq->resultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *sqlstate = failure_sqlstate(pq, result);
    for (size_t i = 0; i < ARRAY_LEN(FATAL_CODES); i++) {
        if (strcmp(sqlstate, FATAL_CODES[i]) == 0) {
            return true;
        }
    }
    if (severity == NULL) {
        return strncmp(sqlstate, "08", 2) == 0;
    }
    return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

/* The routine tells the two reasons for 0A000 apart; message texts are localised. */
bool failure_is_stale(const pq_ops *pq, const PGresult *result)
{
    const char *sqlstate = failure_sqlstate(pq, result);
    if (strcmp(sqlstate, "26000") == 0) {
        return true;
    }
    const char *routine = pq->resultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    return strcmp(sqlstate, "0A000") == 0 && routine != NULL &&
           strcmp(routine, "RevalidateCachedQuery") == 0;
}

/* The statement position is sent as decimal text. */
static int32_t position_of(const char *text)
{
    int64_t value = 0;
    for (; text != NULL && *text >= '0' && *text <= '9' && value < INT32_MAX / 10 - 1; text++) {
        value = value * 10 + (*text - '0');
    }
    return (int32_t) value;
}

/* Fields that the server did not send become "". */
static void copy_field(const pq_ops *pq, const PGresult *result, int code, char *field,
                       size_t field_size)
{
    const char *text = pq->resultErrorField(result, code);
    (void) snprintf(field, field_size, "%s", text == NULL ? "" : text);
}

/* Texts longer than the fields are cut. */
static void fill_fields(const pq_ops *pq, const PGresult *result, pgc_error *err)
{
    copy_field(pq, result, PG_DIAG_SQLSTATE, err->sqlstate, sizeof err->sqlstate);
    copy_field(pq, result, PG_DIAG_CONSTRAINT_NAME, err->constraint, sizeof err->constraint);
    copy_field(pq, result, PG_DIAG_TABLE_NAME, err->table, sizeof err->table);
    copy_field(pq, result, PG_DIAG_COLUMN_NAME, err->column, sizeof err->column);
    copy_field(pq, result, PG_DIAG_SOURCE_FUNCTION, err->routine, sizeof err->routine);
    copy_field(pq, result, PG_DIAG_MESSAGE_DETAIL, err->detail, sizeof err->detail);
    copy_field(pq, result, PG_DIAG_MESSAGE_HINT, err->hint, sizeof err->hint);
    err->position = position_of(pq->resultErrorField(result, PG_DIAG_STATEMENT_POSITION));
}

void failure_outcome(pgc_error *err, pgc_outcome outcome)
{
    if (err != NULL) {
        err->outcome = outcome;
    }
}

/* A cancelled statement is undone. Idle limits strike while the server waits for a message, so what
 * we sent meanwhile was never read. Any other end of the session may have come before or behind the
 * commit. */
static pgc_outcome outcome_of(const char *sqlstate, bool fatal)
{
    if (!fatal) {
        return strcmp(sqlstate, "57014") == 0 ? PGC_OUTCOME_CANCELLED : PGC_OUTCOME_NONE;
    }
    bool was_idle = strcmp(sqlstate, "25P03") == 0 || strcmp(sqlstate, "57P05") == 0;
    return was_idle ? PGC_OUTCOME_NOT_RUN : PGC_OUTCOME_UNKNOWN;
}

/* A fatal error ends the session whatever its SQLSTATE says, so its status is that of a lost
 * connection. */
pgc_status failure_from_result(const pq_ops *pq, const PGresult *result, const char *what,
                               pgc_error *err)
{
    const char *sqlstate = failure_sqlstate(pq, result);
    const char *primary = pq->resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate[0] == '\0') {
        /* Made by libpq itself: lost connection or memory, never the server's judgement. */
        char line[256];
        failure_first_line(pq->resultErrorMessage(result), line, sizeof line);
        pgc_status lost = pgc_error_set(err, PGC_CONNECTION, "%s: %s", what, line);
        failure_outcome(err, PGC_OUTCOME_UNKNOWN);
        if (err != NULL) {
            err->retry = true;
        }
        return lost;
    }
    bool retry = false;
    pgc_status status = failure_status(sqlstate, &retry);
    bool fatal = failure_is_fatal(pq, result);
    if (fatal) {
        status = PGC_CONNECTION;
    } else if (strncmp(sqlstate, "08", 2) == 0) {
        status = strcmp(sqlstate, "08P01") == 0 ? PGC_INVALID : PGC_DB;
        retry = false;
    }
    (void) pgc_error_set(err, status, "%s: %s", what, primary == NULL ? "" : primary);
    if (err != NULL) {
        fill_fields(pq, result, err);
        err->retry = retry || failure_is_stale(pq, result);
        err->outcome = outcome_of(sqlstate, fatal);
    }
    return status;
}
