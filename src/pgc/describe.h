/* Parse a statement on the server without running it: what sqlc-gen-c analyses with. */
#ifndef PGC_DESCRIBE_H
#define PGC_DESCRIBE_H

#include <pgc/conn.h>

#include "base/arena.h"

typedef struct described_column {
    const char *name;
    uint32_t type_oid;
    int32_t typmod;       /* -1: none */
    uint32_t table_oid;   /* source table or view; 0 for expressions */
    int16_t table_column; /* attribute number there; 0 for expressions */
} described_column;

typedef struct described {
    size_t param_count;
    const uint32_t *param_oids;
    size_t column_count;
    const described_column *columns;
} described;

/* Prepare and describe sql with the given parameter types (oid 0: let the server decide). The
 * statement is prepared under `name` ("" for the unnamed one) and stays until the connection
 * closes. err->position is set for syntax errors. Memory of *out comes from the arena. */
pgc_status conn_describe(pgc_conn *conn, const char *name, const char *sql,
                         const uint32_t *param_oids, size_t param_count, arena *arena,
                         described *out, pgc_error *err) PGC_MUST_CHECK;

/* One of several statements that are asked about together. */
typedef struct describe_item {
    const char *name; /* as of conn_describe(); NULL: run sql instead, and forget its rows */
    const char *sql;
    const uint32_t *param_oids;
    size_t param_count;
    bool keep_text;         /* of one that is run: keep the only value of its answer */
    slice text;             /* out: that value, as text; ptr NULL: it gave none, or several */
    described shape;        /* out: unless it was run, or failed */
    pgc_status status;      /* out: its own, or that of the connection when it was lost before */
    const pgc_error *error; /* out: NULL on success; in the arena */
} describe_item;

/* The same for many, in one round trip for some hundred. Each statement stands alone: one that the
 * server refuses leaves the others as they are. PGC_OK: every item has its outcome; PGC_NOMEM.
 * timeout_us < 0: no limit for a statement. */
pgc_status conn_describe_many(pgc_conn *conn, describe_item *items, size_t count,
                              int64_t timeout_us, arena *arena, pgc_error *err) PGC_MUST_CHECK;

#endif
