/* A database of its own for one case, on the server that TEST_DATABASE_URL names. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgc/conn.h>

#include "base/arena.h"

typedef struct scratch {
    char name[64];
    char url[512];
    pgc_conn *conn; /* to look into the database from outside */
} scratch;

static inline const char *scratch_server(void)
{
    return getenv("TEST_DATABASE_URL");
}

/* The server's URL with another database in it. */
static inline void scratch_url(const char *name, char *out, size_t size)
{
    const char *server = scratch_server();
    const char *scheme = strstr(server, "://");
    if (scheme == NULL) {
        (void) snprintf(out, size, "%s dbname=%s", server, name);
        return;
    }
    const char *path = strchr(scheme + 3, '/');
    const char *query = strchr(scheme + 3, '?');
    size_t stem = path != NULL && (query == NULL || path < query) ? (size_t) (path - server)
                  : query != NULL                                 ? (size_t) (query - server)
                                                                  : strlen(server);
    (void) snprintf(out, size, "%.*s/%s%s", (int) stem, server, name, query != NULL ? query : "");
}

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
    static unsigned number;
    char sql[128];
    (void) snprintf(db->name, sizeof db->name, "scratch_%ld_%u", (long) getpid(), ++number);
    scratch_url(db->name, db->url, sizeof db->url);
    pgc_conn *server = scratch_connect(scratch_server());
    (void) snprintf(sql, sizeof sql, "CREATE DATABASE %s", db->name);
    bool ok = scratch_run(server, sql);
    pgc_conn_close(server);
    db->conn = ok ? scratch_connect(db->url) : NULL;
    return db->conn != NULL;
}

static inline void scratch_drop(scratch *db)
{
    char sql[128];
    pgc_conn_close(db->conn);
    db->conn = NULL;
    if (db->name[0] == '\0') {
        return;
    }
    pgc_conn *server = scratch_connect(scratch_server());
    (void) snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", db->name);
    (void) scratch_run(server, sql);
    pgc_conn_close(server);
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
