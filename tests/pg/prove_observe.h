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

/* One letter per column: '-' NULL came, 'n' an array with a NULL element came, '+' neither.
 * The status of the query; seen is "" unless PGC_OK. */
static inline pgc_status observe(pgc_conn *conn, const char *sql, size_t columns,
                                 char seen[static OBSERVE_COLUMNS + 1], pgc_error *err)
{
    pgc_result *result = NULL;
    pgc_status status = pgc_conn_script(conn, "BEGIN", 0, NULL, err);
    status = status == PGC_OK ? pgc_conn_script(conn, sql, 0, &result, err) : status;
    seen[0] = '\0';
    if (status == PGC_OK && (pgc_result_columns(result) != columns || columns > OBSERVE_COLUMNS)) {
        status = pgc_error_set(err, PGC_PROTOCOL, "%zu columns came, want %zu",
                               pgc_result_columns(result), columns);
    }
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, NULL);
        for (size_t c = 0; c < columns; c++) {
            seen[c] = '+';
            seen[c + 1] = '\0';
            for (size_t r = 0; r < pgc_result_rows(result) && seen[c] != '-'; r++) {
                bool element = !pgc_read_is_null(&reader, r, c) &&
                               observe_null_element(pgc_read_opt_text(&reader, r, c));
                seen[c] = pgc_read_is_null(&reader, r, c) ? '-' : element ? 'n' : seen[c];
            }
        }
    }
    pgc_result_free(result);
    pgc_status ended = pgc_conn_script(conn, "ROLLBACK", 0, NULL, NULL);
    return status == PGC_OK ? ended : status;
}

#endif
