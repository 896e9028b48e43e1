/* Scratch databases. On a private cluster the database goes with the cluster. On a given server it
 * is named after the schema's hash and this process, or after the hash alone with `keep`: then a
 * complete one (marked by its comment) is used again. One thread per database. */
#include "base/prelude.h"

#include "sqlc/database.h"

#include <fcntl.h>

#include <pgc/cluster.h>

#include "base/file.h"

/* For one statement of a schema; extensions and data loads take their time. */
#define SCHEMA_TIMEOUT_US ((int64_t) 300 * 1000000)

struct database {
    const env *env;
    pgc_cluster *cluster;
    pgc_conn *conn;   /* to the scratch database */
    pgc_conn *admin;  /* to the given server; NULL for a private cluster */
    const char *name; /* of the scratch database on a given server */
    const char *dir;  /* of the private cluster */
    bool drop;        /* at close */
    bool created;     /* false: a kept database was found */
};

/* Few statements are prepared by name through the cache, so it stays small. */
static pgc_status connect(const char *conninfo, pgc_conn **out, pgc_error *err)
{
    pgc_conn_options options = { .struct_size = sizeof options,
                                 .conninfo = conninfo,
                                 .app_name = "sqlc-gen-c",
                                 .statement_cache = 16 };
    return pgc_conn_open(&options, out, err);
}

/* Folder of the private cluster: below TMPDIR, with a random name. The name must not be
 * guessable: the folder holds a server's socket. */
static pgc_status cluster_dir(const env *sys, arena *mem, const char **out, pgc_error *err)
{
    uint64_t random = 0;
    const char *tmp = getenv("TMPDIR");
    if (!sys->clock->random(sys->clock->ctx, &random, sizeof random)) {
        return pgc_error_set(err, PGC_IO, "start a private PostgreSQL: no random numbers");
    }
    *out = arena_printf(mem, "%s/sqlc-gen-c-%016" PRIx64,
                        tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", random);
    return *out == NULL ? pgc_error_set(err, PGC_NOMEM, "start a private PostgreSQL") : PGC_OK;
}

/* The cluster is ours alone, so the database that it comes with serves: making one takes longer
 * than the analysis of some hundred queries. throw_away turns off every sync: the data is gone in a
 * minute. */
static pgc_status open_private(database *db, arena *mem, pgc_error *err)
{
    TRY(cluster_dir(db->env, mem, &db->dir, err));
    pgc_cluster_options options = {
        .struct_size = sizeof options, .dir = db->dir, .database = "postgres", .throw_away = true
    };
    pgc_status status = pgc_cluster_open(&options, &db->cluster, err);
    if (status != PGC_OK) {
        pgc_error_hint(err, "or give a server with --database URL");
        return pgc_error_wrap(err, status, "start a private PostgreSQL");
    }
    return connect(pgc_cluster_conninfo(db->cluster), &db->conn, err);
}

/* The server's conninfo with another database name: a later dbname wins in both forms. Source:
 * PostgreSQL manual, "Connection Strings": parameters given twice take the last value. */
static const char *with_database(arena *mem, const char *server, const char *name)
{
    bool uri = strncmp(server, "postgresql://", 13) == 0 || strncmp(server, "postgres://", 11) == 0;
    if (!uri) {
        return arena_printf(mem, "%s dbname=%s", server, name);
    }
    return arena_printf(mem, "%s%cdbname=%s", server, strchr(server, '?') == NULL ? '?' : '&',
                        name);
}

/* fmt is a command that takes the name of the scratch database. CREATE and DROP DATABASE take no
 * parameters and no transaction block. */
static pgc_status admin_script(database *db, arena *mem, const char *fmt, pgc_error *err)
{
    /* The name is made of our prefix, hexadecimal digits and a process number. */
    char *sql = arena_printf(mem, "%s \"%s\"", fmt, db->name);
    return sql == NULL ? pgc_error_set(err, PGC_NOMEM, "make a database")
                       : pgc_conn_script(db->admin, sql, SCHEMA_TIMEOUT_US, NULL, err);
}

/* With `keep` a finished database of the same schema is used as it is. A new one is made under a
 * name with our process number, so that two runs never share a half-made one. A half-made
 * database of a crashed run with our process number is dropped first.
 *
 *     sqlc_<schema hash>_<process>    while it is made, and without keep
 *     sqlc_<schema hash>              complete, with keep */
static pgc_status open_on_server(database *db, arena *mem, const database_options *options,
                                 pgc_error *err)
{
    const char *schema_hash = options->schema_hash;
    pgc_status status = connect(options->server, &db->admin, err);
    if (status != PGC_OK) {
        pgc_error_hint(err,
                       "name another server with --database URL; without one, a private server "
                       "is started");
        return status;
    }
    db->name = options->keep ? arena_printf(mem, "sqlc_%.32s", schema_hash)
                             : arena_printf(mem, "sqlc_%.32s_%ld", schema_hash, (long) getpid());
    const char *conninfo = db->name == NULL ? NULL : with_database(mem, options->server, db->name);
    if (conninfo == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "make a database");
    }
    if (options->keep && connect(conninfo, &db->conn, NULL) == PGC_OK) {
        return PGC_OK; /* made by an earlier run: renamed only when it was complete */
    }
    db->name = arena_printf(mem, "sqlc_%.32s_%ld", schema_hash, (long) getpid());
    conninfo = db->name == NULL ? NULL : with_database(mem, options->server, db->name);
    if (conninfo == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "make a database");
    }
    TRY(admin_script(db, mem, "DROP DATABASE IF EXISTS", err));
    TRY(admin_script(db, mem, "CREATE DATABASE", err));
    db->created = true;
    db->drop = true;
    return connect(conninfo, &db->conn, err);
}

/* Hints for the errors that people meet with a new schema. The server names the extension, but
 * not the package that brings it. */
static void schema_hint(diag_list *diags, diag *d, const pgc_error *err)
{
    if (strcmp(err->sqlstate, "0A000") == 0 && strstr(err->message, "is not available") != NULL) {
        diag_hint(diags, d,
                  "install the extension's package, e.g. postgresql-NN-pgvector for \"vector\", or "
                  "give a server that has it with --database URL");
    } else if (strcmp(err->sqlstate, "42704") == 0 || strcmp(err->sqlstate, "42P01") == 0) {
        diag_hint(diags, d,
                  "it is made by no statement before this one: schema files run in the order of "
                  "their names, types of extensions need CREATE EXTENSION there");
    }
}

/* Statement by statement: some cannot run in a transaction, and errors get their exact place.
 * The first error ends it. The position of a server error counts characters of the statement; it
 * is led back to the byte of the file. */
static pgc_status apply_schema(database *db, arena *mem, const vec *statements, diag_list *diags,
                               pgc_error *err)
{
    for (size_t i = 0; i < statements->count; i++) {
        const schema_statement *st = VEC_AT(statements, schema_statement, i);
        char *sql = arena_copy(mem, slice_sub(st->file->text, st->start, st->end));
        pgc_error local = PGC_ZERO;
        if (sql == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "apply the schema");
        }
        pgc_status status = pgc_conn_script(db->conn, sql, SCHEMA_TIMEOUT_US, NULL, &local);
        if (status == PGC_CONNECTION || status == PGC_NOMEM) {
            if (err != NULL) {
                *err = local;
            }
            return pgc_error_wrap(err, status, "apply \"%s\"", st->file->path);
        }
        if (status != PGC_OK) {
            size_t at = 0;
            slice text = { sql, st->end - st->start };
            for (int32_t seen = 0; local.position > 0 && at < text.len; at++) {
                bool starts = ((unsigned char) text.ptr[at] & 0xC0) != 0x80;
                seen += starts ? 1 : 0;
                if (seen == local.position) {
                    break;
                }
            }
            schema_hint(diags, diag_server(diags, st->file, st->start + at, &local), &local);
            return diag_status(diags, err); /* later statements would only repeat it */
        }
    }
    return PGC_OK;
}

/* With `keep`: give the finished database its lasting name. A rename is atomic on the server:
 * other runs see the whole database or none. */
static pgc_status keep_database(database *db, arena *mem, const database_options *options,
                                pgc_error *err)
{
    const char *schema_hash = options->schema_hash;
    char *sql =
        arena_printf(mem, "ALTER DATABASE \"%s\" RENAME TO \"sqlc_%.32s\"", db->name, schema_hash);
    char *lasting = arena_printf(mem, "sqlc_%.32s", schema_hash);
    assert(db->admin != NULL);
    if (sql == NULL || lasting == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "keep the database");
    }
    pgc_conn_close(TAKE(db->conn));
    pgc_status status = pgc_conn_script(db->admin, sql, SCHEMA_TIMEOUT_US, NULL, NULL);
    if (status == PGC_OK) {
        db->name = lasting;
    }
    /* Another process may have been faster: then ours is dropped at close. */
    db->drop = status != PGC_OK;
    const char *conninfo = with_database(mem, options->server, db->name);
    return conninfo == NULL ? pgc_error_set(err, PGC_NOMEM, "keep the database")
                            : connect(conninfo, &db->conn, err);
}

/* A private cluster makes its database itself. */
static pgc_status open_any(database *db, arena *mem, const database_options *options,
                           pgc_error *err)
{
    if (options->server == NULL) {
        db->created = true;
        return open_private(db, mem, err);
    }
    return open_on_server(db, mem, options, err);
}

/* Generic plans make EXPLAIN EXECUTE work without values for the parameters. */
pgc_status database_open(const env *sys, arena *mem, const database_options *options,
                         diag_list *diags, database **out, pgc_error *err)
{
    AUTO(database_auto) database *db = mem_new(sys->alloc, sizeof *db);
    assert(options->schema_hash != NULL);
    assert(options->statements != NULL);
    if (db == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open the database");
    }
    db->env = sys;
    TRY(open_any(db, mem, options, err));
    if (db->created) {
        /* Nobody misses the database after a crash, so no commit waits for the disk. */
        TRY(pgc_conn_script(db->conn, "SET synchronous_commit = off", SCHEMA_TIMEOUT_US, NULL,
                            err));
        TRY(apply_schema(db, mem, options->statements, diags, err));
        if (db->admin != NULL && options->keep) {
            TRY(keep_database(db, mem, options, err));
        } else {
            /* A fresh session: the schema files may have changed settings. */
            const char *conninfo = db->admin == NULL
                                       ? pgc_cluster_conninfo(db->cluster)
                                       : with_database(mem, options->server, db->name);
            pgc_conn_close(TAKE(db->conn));
            if (conninfo == NULL) {
                return pgc_error_set(err, PGC_NOMEM, "open the database");
            }
            TRY(connect(conninfo, &db->conn, err));
        }
    }
    TRY(pgc_conn_script(db->conn, "SET plan_cache_mode = force_generic_plan", SCHEMA_TIMEOUT_US,
                        NULL, err));
    *out = TAKE(db);
    return PGC_OK;
}

pgc_conn *database_conn(database *db)
{
    assert(db->conn != NULL);
    return db->conn;
}

/* The order matters: the server refuses to drop a database with connections. */
void database_close(database *db)
{
    if (db == NULL) {
        return;
    }
    pgc_conn_close(db->conn);
    if (db->admin != NULL && db->created && db->drop) {
        char sql[160];
        (void) snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS \"%s\"", db->name);
        /* Nothing can be done about a failure here: the next run of this process id cleans up. */
        (void) !pgc_conn_script(db->admin, sql, SCHEMA_TIMEOUT_US, NULL, NULL);
    }
    pgc_conn_close(db->admin);
    pgc_cluster_close(db->cluster);
    mem_free(db->env->alloc, db, sizeof *db);
}
