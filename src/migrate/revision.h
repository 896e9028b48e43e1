/* The revision table: one row per migration, in the shape that Atlas gives it. */
#ifndef MIGRATE_REVISION_H
#define MIGRATE_REVISION_H

#include <pgc/conn.h>

#include "base/arena.h"

/* Bits of a row's type. */
#define MIGRATE_TYPE_BASELINE 1
#define MIGRATE_TYPE_EXECUTED 2
#define MIGRATE_TYPE_RESOLVED 4 /* set by hand */

typedef struct migrate_revision {
    const char *version;
    const char *description;
    int64_t type;
    int64_t applied, total;    /* statements */
    int64_t executed_us;       /* microseconds since 1970 of the first write */
    int64_t execution_time_ns; /* nanoseconds */
    const char *error;         /* "" when there is none */
    const char *error_stmt;
    const char *hash;     /* entry of atlas.sum at that time */
    const char **partial; /* hash per statement done; only while the row is partial */
    size_t partial_count;
    const char *operator_version;
} migrate_revision;

/* The table of one database, reached over one connection. Opaque. */
typedef struct migrate_store migrate_store;

/* schema: any name; it is quoted. conn is borrowed. mem must outlive the connection: prepared
 * statements are known by the address of their text. */
pgc_status migrate_store_new(pgc_conn *conn, const char *schema, arena *mem, migrate_store **out,
                             pgc_error *err) PGC_MUST_CHECK;
const char *migrate_store_schema(const migrate_store *store);

/* True when the table exists. */
pgc_status migrate_store_exists(migrate_store *store, bool *out, pgc_error *err) PGC_MUST_CHECK;
/* Make schema and table unless they exist. */
pgc_status migrate_store_create(migrate_store *store, pgc_error *err) PGC_MUST_CHECK;
/* All rows but those whose version begins with a dot, by version in byte order; none when the table
 * does not exist. */
pgc_status migrate_store_read(migrate_store *store, arena *mem, migrate_revision **out,
                              size_t *out_count, pgc_error *err) PGC_MUST_CHECK;
/* Insert the row, or update it by version; description and time of execution stay as they were. */
pgc_status migrate_store_write(migrate_store *store, const migrate_revision *row, pgc_error *err)
    PGC_MUST_CHECK;
pgc_status migrate_store_delete(migrate_store *store, const char *version, pgc_error *err)
    PGC_MUST_CHECK;

/* Row of that version, or NULL. */
migrate_revision *migrate_revision_find(migrate_revision *rows, size_t count, const char *version);
/* applied and total differ: the file is to be continued. */
bool migrate_revision_partial(const migrate_revision *row);
/* "baseline", "applied", "manually set", "applied + manually set" or "unknown (bbbb)". */
const char *migrate_revision_type_text(const migrate_revision *row, char text[static 32]);

#endif
