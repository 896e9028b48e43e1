/* Connections for the tests of src/pgc against a real server. */
#ifndef TEST_LIVE_H
#define TEST_LIVE_H

#include <stdio.h>
#include <stdlib.h>

#include <pgc/conn.h>

#include "pg.h"

/* Connection string of the test server; NULL: none, the case fails. */
static inline const char *live_url(void)
{
    return test_server();
}

static inline pgc_conn_options live_options(void)
{
    return (pgc_conn_options) { .struct_size = sizeof(pgc_conn_options), .conninfo = live_url() };
}

static inline pgc_conn *live_open(void)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = live_options();
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return conn;
}

static inline void live_close(pgc_conn **conn)
{
    pgc_conn_close(*conn);
}

/* Run a script that must work. */
static inline bool live_do(pgc_conn *conn, const char *sql)
{
    pgc_error err;
    bool ok = pgc_conn_script(conn, sql, 0, NULL, &err) == PGC_OK;
    if (!ok) {
        printf("# %s: %s\n", sql, err.message);
    }
    return ok;
}

/* First cell of a script's last statement, in a caller's buffer; "(null)" for NULL or no row. */
static inline const char *live_text(pgc_conn *conn, const char *sql, char *text, size_t text_size)
{
    pgc_error err;
    pgc_result *result = NULL;
    (void) snprintf(text, text_size, "(null)");
    if (pgc_conn_script(conn, sql, 0, &result, &err) != PGC_OK) {
        printf("# %s: %s\n", sql, err.message);
        return text;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    if (pgc_result_rows(result) > 0 && pgc_result_columns(result) > 0) {
        pgc_text cell = pgc_read_opt_text(&reader, 0, 0);
        if (cell.ptr != NULL) {
            (void) snprintf(text, text_size, "%.*s", (int) cell.len, cell.ptr);
        }
    }
    pgc_result_free(result);
    return text;
}

#define LIVE(conn_name)                                 \
    REQUIRE(live_url() != NULL);                        \
    AUTO(live_close) pgc_conn *conn_name = live_open(); \
    REQUIRE(conn_name != NULL)

#endif
