/* A database of its own for one case, with a connection to look into it from outside. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <stdio.h>

#include <pgc/conn.h>

#include "base/arena.h"

#include "pg.h"

typedef struct scratch {
    const char *url; /* of the harness */
    pgc_conn *conn;
} scratch;

static inline pgc_conn *scratch_connect(const char *url)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return conn;
}

static inline bool scratch_run(pgc_conn *conn, const char *sql)
{
    pgc_error err;
    bool ok = conn != NULL && pgc_conn_script(conn, sql, 0, NULL, &err) == PGC_OK;
    if (!ok) {
        printf("# %s: %s\n", sql, conn != NULL ? err.message : "no connection");
    }
    return ok;
}

static inline bool scratch_make(scratch *db)
{
    db->url = test_db_create();
    db->conn = db->url != NULL ? scratch_connect(db->url) : NULL;
    return db->conn != NULL;
}

static inline void scratch_drop(scratch *db)
{
    pgc_conn_close(db->conn);
    db->conn = NULL;
    if (db->url != NULL) {
        test_db_drop(db->url);
        db->url = NULL;
    }
}

static inline bool scratch_do(scratch *db, const char *sql)
{
    return scratch_run(db->conn, sql);
}

/* First cell of the last statement's answer; "(null)" for NULL, no row or an error. */
static inline const char *scratch_text(scratch *db, arena *mem, const char *sql)
{
    pgc_error err;
    pgc_result *result = NULL;
    const char *out = "(null)";
    if (pgc_conn_script(db->conn, sql, 0, &result, &err) != PGC_OK) {
        printf("# %s: %s\n", sql, err.message);
        return out;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    if (pgc_result_rows(result) > 0) {
        pgc_text cell = pgc_read_opt_text(&reader, 0, 0);
        out = cell.ptr != NULL ? arena_copy(mem, cell) : out;
    }
    pgc_result_free(result);
    return out;
}

#endif
