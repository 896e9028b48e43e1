/* Run a query in a transaction that is rolled back, and see which of its columns show NULL. */
#ifndef TEST_PROVE_OBSERVE_H
#define TEST_PROVE_OBSERVE_H

#include <pgc/conn.h>

#include "base/slice.h"

#define OBSERVE_COLUMNS 128

static inline bool observe_word_null(slice text, size_t at)
{
    bool starts = at > 0 && (text.ptr[at - 1] == '{' || text.ptr[at - 1] == ',');
    bool ends = at + 4 < text.len && (text.ptr[at + 4] == '}' || text.ptr[at + 4] == ',');
    return starts && ends && memcmp(text.ptr + at, "NULL", 4) == 0;
}

static inline bool observe_null_element(slice text)
{
    for (size_t at = 0; at + 4 < text.len; at++) {
        if (observe_word_null(text, at)) {
            return true;
        }
    }
    return false;
}

/* Marks of the columns of a result: '-' NULL, 'n' an array with a NULL element; worse marks stay.
 */
static inline void observe_rows(pgc_result *result, char *seen)
{
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    for (size_t c = 0; c < pgc_result_columns(result); c++) {
        for (size_t r = 0; r < pgc_result_rows(result) && seen[c] != '-'; r++) {
            bool element = !pgc_read_is_null(&reader, r, c) &&
                           observe_null_element(pgc_read_opt_text(&reader, r, c));
            seen[c] = pgc_read_is_null(&reader, r, c) ? '-' : element ? 'n' : seen[c];
        }
    }
}

/* Add what the query shows after the script `world` ran, which only the transaction sees. */
static inline pgc_status observe_in(pgc_conn *conn, const char *world, const char *sql,
                                    size_t columns, char *seen, pgc_error *err)
{
    pgc_result *result = NULL;
    pgc_status status = pgc_conn_script(conn, "BEGIN", 0, NULL, err);
    if (status == PGC_OK && world[0] != '\0') {
        status = pgc_conn_script(conn, world, 0, NULL, err);
        if (status != PGC_OK) {
            printf("# a world is not as it should be: %.60s\n", world);
        }
    }
    status = status == PGC_OK ? pgc_conn_script(conn, sql, 0, &result, err) : status;
    if (status == PGC_OK && (pgc_result_columns(result) != columns || columns > OBSERVE_COLUMNS)) {
        status = pgc_error_set(err, PGC_PROTOCOL, "%zu columns came, want %zu",
                               pgc_result_columns(result), columns);
    }
    if (status == PGC_OK) {
        observe_rows(result, seen);
    }
    pgc_result_free(result);
    pgc_status ended = pgc_conn_script(conn, "ROLLBACK", 0, NULL, NULL);
    return status == PGC_OK ? ended : status;
}

/* One letter per column: '-' NULL came, 'n' an array with a NULL element came, '+' neither.
 * The status of the query; seen is "" unless PGC_OK. */
static inline pgc_status observe(pgc_conn *conn, const char *sql, size_t columns,
                                 char seen[static OBSERVE_COLUMNS + 1], pgc_error *err)
{
    size_t marks = columns <= OBSERVE_COLUMNS ? columns : 0;
    memset(seen, '+', marks);
    seen[marks] = '\0';
    pgc_status status = observe_in(conn, "", sql, columns, seen, err);
    seen[0] = status == PGC_OK ? seen[0] : '\0';
    return status;
}

#endif
