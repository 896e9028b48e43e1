/* A database with the product's schema, two users with rows in every table, and the checks of
 * tests/pg/security_checks.sql. */
#ifndef TEST_SECURITY_H
#define TEST_SECURITY_H

#include <fcntl.h>

#include "base/file.h"
#include "schema.h"
#include "tap.h"

#define SECURITY_SQL_MAX 131072

static inline bool security_script(pgc_conn *conn, const char *name)
{
    pgc_error err;
    char path[512];
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, SECURITY_SQL_MAX);
    pgc_error_clear(&err);
    (void) snprintf(path, sizeof path, TEST_SOURCE_ROOT "/tests/pg/%s", name);
    bool good = file_read(env_default(), AT_FDCWD, path, &text, &err) == PGC_OK &&
                pgc_conn_script(conn, buf_view(&text).ptr, 0, NULL, &err) == PGC_OK;
    if (!good) {
        (void) printf("# %s: %s\n", name, err.message);
    }
    return good;
}

/* Superuser's connection to a new database; NULL after a diagnostic line. */
static inline pgc_conn *security_open(const char **url)
{
    *url = test_db_create();
    if (*url == NULL || !schema_apply(*url, NULL)) {
        return NULL;
    }
    pgc_conn *conn = schema_connect(*url);
    if (conn != NULL && security_script(conn, "security_checks.sql") &&
        security_script(conn, "security_rows.sql")) {
        return conn;
    }
    pgc_conn_close(conn);
    return NULL;
}

/* Rows of a question of texts, each given to `each` with its first `columns` cells. */
typedef void (*security_row_fn)(char **cells, void *arg);

static inline size_t security_each(pgc_conn *conn, const char *sql, size_t columns,
                                   security_row_fn each, void *arg)
{
    pgc_error err;
    pgc_result *result = NULL;
    pgc_reader reader;
    char text[4][1024];
    char *cells[4] = { text[0], text[1], text[2], text[3] };
    pgc_error_clear(&err);
    if (!CHECK_STATUS(pgc_conn_script(conn, sql, 0, &result, &err), PGC_OK, &err)) {
        return 0;
    }
    pgc_reader_init(&reader, result, NULL);
    size_t rows = pgc_result_rows(result);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns && j < 4; j++) {
            pgc_text cell = pgc_read_opt_text(&reader, i, j);
            (void) snprintf(text[j], sizeof text[j], "%.*s", (int) cell.len,
                            cell.ptr != NULL ? cell.ptr : "");
        }
        each(cells, arg);
    }
    pgc_result_free(result);
    return rows;
}

#endif
