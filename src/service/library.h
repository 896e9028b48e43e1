/* A library as a whole: its folder, its database (private server or DATABASE_URL), its schema.
 *
 * Opening makes everything ready: the server runs, all migrations of ours and of River are
 * applied, the pool is open under the role lumilio_app or the one of the options. If any of that
 * fails nothing is served. */
#ifndef SERVICE_LIBRARY_H
#define SERVICE_LIBRARY_H

#include <pgc/pool.h>

#include "base/env.h"

typedef struct lum_library lum_library;

typedef struct lum_library_options {
    const char *home; /* NULL: $LUMILIO_HOME, $XDG_DATA_HOME/lumilio, ~/.local/share/lumilio */
    const char *database_url; /* NULL: $DATABASE_URL, else the private server below home */
    uint32_t max_conns;       /* of the pool; 0: 20 */
    bool keep_running;        /* leave the private server up at close */
    const char *role;         /* that the pool works as; NULL: lumilio_app */
} lum_library_options;

/* env NULL: production. PGC_OK; LUM_NO_SCHEMA (migration failed: the message says which and why);
 * what pgc_cluster_open() and pgc_pool_open() return. Blocks for start and migration. */
pgc_status lum_library_open(const env *env, const lum_library_options *options, lum_library **out,
                            pgc_error *err) PGC_MUST_CHECK;
void lum_library_close(lum_library *library);

/* The folder as in the options, resolved; valid until close. */
const char *lum_library_home(const lum_library *library);
/* libpq connection string of the owner's login, e.g. for psql; it holds no password for the private
 * server and may hold one for a given URL: never print it unasked. */
const char *lum_library_url(const lum_library *library);
/* Set PGHOST and its like for a psql that the calling process is about to become. */
pgc_status lum_library_set_psql_env(const lum_library *library, pgc_error *err) PGC_MUST_CHECK;
pgc_pool *lum_library_pool(lum_library *library);
/* How the pool connects, for a connection beside it; valid until close. */
pgc_conn_options lum_library_conn(const lum_library *library);
const env *lum_library_env(const lum_library *library);

/* $LUMILIO_HOME and its defaults, made absolute, into out. PGC_INVALID when there is no home. */
pgc_status lum_home_resolve(const char *home, char *out, size_t out_size, pgc_error *err)
    PGC_MUST_CHECK;

/* The database of a library and nothing above it: no check, no migration, no pool. */
typedef struct lum_database lum_database;

/* The URL of the options, else of $DATABASE_URL, else the library's private server, which is made
 * and started. env NULL: production. Returns what pgc_cluster_open() and lum_home_resolve() do. */
pgc_status lum_database_open(const env *env, const lum_library_options *options, lum_database **out,
                             pgc_error *err) PGC_MUST_CHECK;
void lum_database_close(lum_database *database);
/* Connection string of the owner's login; valid until close. */
const char *lum_database_url(const lum_database *database);
/* True for the library's own server, false for a given URL. */
bool lum_database_is_private(const lum_database *database);

/* Folder of the private server of a library. */
pgc_status lum_cluster_dir(const char *home, char *out, size_t out_size, pgc_error *err)
    PGC_MUST_CHECK;

#endif
