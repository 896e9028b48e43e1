/* The database that queries are analysed in: a scratch one that gets the schema files and is thrown
 * away. A user's own database is never touched; its server only lends a place for the scratch one.
 */
#ifndef SQLC_DATABASE_H
#define SQLC_DATABASE_H

#include <pgc/conn.h>

#include "base/env.h"
#include "sqlc/source.h"

typedef struct database_options {
    const char *server;      /* conninfo or URI of a server; NULL: a private throw-away cluster */
    bool keep;               /* on a given server: keep the database and use it again */
    const char *schema_hash; /* hexadecimal; names the database */
    const vec *statements;   /* of schema_statement, in order */
} database_options;

typedef struct database database;

/* Make a database with the schema applied. Faulty schema statements go to diags (PGC_INVALID).
 * PGC_OK; PGC_INVALID; PGC_CONNECTION and others with a message that names the server. */
pgc_status database_open(const env *env, arena *arena, const database_options *options,
                         diag_list *diags, database **out, pgc_error *err) PGC_MUST_CHECK;
pgc_conn *database_conn(database *db);
/* Drop what was made. NULL is allowed. */
void database_close(database *db);

static inline void database_auto(database **local)
{
    database_close(*local);
}

#endif
