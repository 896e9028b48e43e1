/* Work whose outcome can be judged from outside: queries that answer with the number they were
 * asked, and rows in a table of numbers. Shared by the tests that break connections. */
#ifndef TEST_LEDGER_H
#define TEST_LEDGER_H

#include <stdio.h>

#include <pgc/pool.h>

#include "live.h"

static const pgc_type_ref LEDGER_P[] = { { "n", "integer", 23 } };
static const pgc_type_ref LEDGER_C[] = { { "x", "integer", 23 } };

#define LEDGER_QUERY(query_name, text, bits)                                                       \
    {                                                                                              \
        .name = (query_name), .sql = (text), .flags = (bits), .param_count = 1, .column_count = 1, \
        .params = LEDGER_P, .columns = LEDGER_C                                                    \
    }

/* The number comes back; a read, which the pool may repeat. */
static const pgc_query LEDGER_READ =
    LEDGER_QUERY("LedgerRead", "SELECT $1 AS x", PGC_QUERY_READ_ONLY);
/* The same, but never repeated. */
static const pgc_query LEDGER_ECHO = LEDGER_QUERY("LedgerEcho", "SELECT $1 + 0 AS x", 0);
/* Many rows, so that an answer may break in the middle. */
static const pgc_query LEDGER_ROWS =
    LEDGER_QUERY("LedgerRows", "SELECT $1 + g AS x FROM generate_series(0, 99) g", 0);
static const pgc_query LEDGER_INSERT =
    LEDGER_QUERY("LedgerInsert",
                 "INSERT INTO ledger (n, who) VALUES ($1, coalesce(nullif("
                 "current_setting('app.user_id', true), ''), '-1')::int4) RETURNING n AS x",
                 0);

static const char LEDGER_TABLE[] = "CREATE TABLE ledger (n int4 PRIMARY KEY, who int4 NOT NULL)";

/* Run one of the above; on PGC_OK *good_out says whether the rows are those of n. */
static inline pgc_status ledger_run(pgc_db *db, const pgc_query *query, int32_t n, bool *good_out,
                                    pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(db, query, &args, &result, err);
    pgc_args_done(&args);
    if (status == PGC_OK) {
        size_t want = query == &LEDGER_ROWS ? 100 : 1;
        pgc_reader reader;
        pgc_reader_init(&reader, result, query);
        *good_out = pgc_result_rows(result) == want;
        for (size_t i = 0; *good_out && i < want; i++) {
            *good_out = pgc_read_i32(&reader, i, 0) == n + (int32_t) i;
        }
    }
    pgc_result_free(result);
    return status;
}

/* Rows with numbers from first to last, seen from outside; -1 when that cannot be said. */
static inline int64_t ledger_count(pgc_conn *outside, int32_t first, int32_t last)
{
    char sql[96], text[24];
    (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM ledger WHERE n BETWEEN %d AND %d", first,
                    last);
    live_text(outside, sql, text, sizeof text);
    return text[0] == '(' ? -1 : strtoll(text, NULL, 10);
}

/* A lost connection must be told as such, in words, and with what is known about the work. */
static inline bool ledger_failure_is_clear(pgc_status status, const pgc_error *err)
{
    static const char *const WORDS[] = { "connection", "server",  "deadline", "connect", "terminat",
                                         "network",    "acquire", "SSL",      "message" };
    bool told = false;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        told = told || strstr(err->message, WORDS[i]) != NULL;
    }
    bool ok = (status == PGC_CONNECTION || status == PGC_TIMEOUT) && err->status == status &&
              told && err->outcome != PGC_OUTCOME_NONE;
    if (!ok) {
        printf("# status %d, in the error %d, outcome %d: %s [%s]\n", (int) status,
               (int) err->status, (int) err->outcome, err->message, err->sqlstate);
    }
    return ok;
}

#endif
