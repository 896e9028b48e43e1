/* Databases with the product's schema, and one-line questions to them. */
#ifndef TEST_SCHEMA_H
#define TEST_SCHEMA_H

#include <stdio.h>
#include <string.h>

#include <pgc/conn.h>

#include "migrate/migrate.h"
#include "pg.h"

/* Migrate a database up to `version` (NULL: all). False after a diagnostic line. */
static inline bool schema_apply(const char *url, const char *version)
{
    pgc_error err;
    migrate_apply_report report;
    const migrate_options options = { .env = env_default(),
                                      .source = migrate_builtin(),
                                      .url = url,
                                      .revisions_schema = "public",
                                      .to_version = version };
    pgc_error_clear(&err);
    pgc_status status = migrate_apply(&options, &report, &err);
    migrate_apply_report_done(&report);
    if (status != PGC_OK) {
        (void) printf("# migrate: %s\n", err.message);
    }
    return status == PGC_OK;
}

static inline pgc_conn *schema_connect(const char *url)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    pgc_error_clear(&err);
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        (void) printf("# connect: %s\n", err.message);
    }
    return conn;
}

/* Run SQL and give the first cell of the last statement as text ("" for NULL or no row), cut to
 * `size`; the error's SQLSTATE in sqlstate ("" when it went well). */
static inline void schema_ask(pgc_conn *conn, const char *sql, char *out, size_t size,
                              char sqlstate[6])
{
    pgc_error err;
    pgc_result *result = NULL;
    pgc_error_clear(&err);
    out[0] = '\0';
    sqlstate[0] = '\0';
    if (pgc_conn_script(conn, sql, 0, &result, &err) != PGC_OK) {
        (void) snprintf(sqlstate, 6, "%s", err.sqlstate[0] != '\0' ? err.sqlstate : "?????");
        return;
    }
    if (result != NULL && pgc_result_rows(result) > 0 && pgc_result_columns(result) > 0) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, NULL);
        pgc_text text = pgc_read_opt_text(&reader, 0, 0);
        (void) snprintf(out, size, "%.*s", (int) text.len, text.ptr != NULL ? text.ptr : "");
    }
    pgc_result_free(result);
}

/* The same, for questions that must go well and have one value. */
#define CHECK_SQL(conn, sql, want)                            \
    do {                                                      \
        char got_[4096];                                      \
        char state_[6];                                       \
        schema_ask((conn), (sql), got_, sizeof got_, state_); \
        CHECK_STR(state_, "");                                \
        CHECK_STR(got_, (want));                              \
    } while (0)

/* SQL that must fail with a SQLSTATE; the open transaction, if any, is rolled back. */
#define CHECK_SQL_FAILS(conn, sql, want_state)                     \
    do {                                                           \
        char got_[64];                                             \
        char state_[6];                                            \
        schema_ask((conn), (sql), got_, sizeof got_, state_);      \
        CHECK_STR(state_, (want_state));                           \
        schema_ask((conn), "ROLLBACK", got_, sizeof got_, state_); \
    } while (0)

#endif
