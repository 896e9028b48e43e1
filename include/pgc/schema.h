#ifndef PGC_SCHEMA_H
#define PGC_SCHEMA_H

#include <pgc/db.h>

PGC_BEGIN_DECLS

/** A column that a program relies on. Written by sqlc-gen-c; constant. */
typedef struct pgc_schema_column {
    const char *schema, *table, *name;
    const char *type; /**< as format_type() prints it without modifier, e.g. "character varying" */
    bool not_null;    /**< the program counts on it: no NULL may be there */
} pgc_schema_column;

/**
 * Is the database the one that a program was made for? Looks up every column in the server's
 * catalogs, by one query; for the start of a service and for its health page. Columns that the
 * program does not know are none of its business. Types of extensions and of the user are compared
 * by name.
 *
 * @param columns count of them, in any order.
 * @param err     on PGC_SCHEMA names the first differences, table and column, and how many there
 *                are.
 * @return PGC_OK; PGC_SCHEMA; as pgc_db_run().
 *
 * Blocks: as pgc_db_run(). Thread-safe: as pgc_db_run(). Since: 0.1.
 */
PGC_API pgc_status pgc_schema_check(pgc_db *db, const pgc_schema_column *columns, size_t count,
                                    pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
