/* A library as a whole. Opening goes bottom up (folder, server, extensions, schema, queue, pool)
 * and stops at the first thing that is wrong; closing goes top down. One thread opens and closes.
 */
#include "base/prelude.h"

#include "service/library.h"

#include <fcntl.h>
#include <lumilio/status.h>
#include <river/ext.h>
#include <river/migrate.h>

#include "base/file.h"
#include "migrate/migrate.h"
#include "pgc/conninfo.h"
#include "repo/models.h"

#define REVISIONS_SCHEMA "public"
#define APP_ROLE         "lumilio_app"
#define FIRST_PGVECTOR   "0.8.0" /* iterative index scans */

struct lum_library {
    const env *env;
    lum_database *database;
    pgc_pool *pool;
    pgc_conn_options conn; /* of the pool's connections */
    char home[PATH_MAX];
};

/* Extensions that 000_extensions.sql creates; the first is not in the server's own package. */
static const char *const EXTENSIONS[] = { "vector", "pg_trgm", "pgcrypto" };

/* What the server has of one extension; its fixed text is built from no input. */
static const pgc_type_ref NAME_PARAM[] = { { "name", "text", 25 } };
static const pgc_type_ref VERSION_COLUMN[] = { { "version", "text", 25 },
                                               { "old", "boolean", 16 } };
static const pgc_query EXTENSION_QUERY = {
    .name = "ExtensionVersion",
    .sql = "SELECT coalesce(installed_version, default_version)::text, "
           "string_to_array(coalesce(installed_version, default_version), '.')::int[] "
           "< string_to_array('" FIRST_PGVECTOR "', '.')::int[] "
           "FROM pg_available_extensions WHERE name = $1",
    .hash = 0x6c756d2d65787431,
    .param_count = 1,
    .column_count = 2,
    .params = NAME_PARAM,
    .columns = VERSION_COLUMN,
};

/* Installed in the database counts, else what the server could install. */
static pgc_status extension_check(pgc_conn *conn, size_t index, pgc_error *err)
{
    char package[64];
    pgc_args args;
    pgc_result *result = NULL;
    const char *name = EXTENSIONS[index];
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(name));
    pgc_status status = pgc_db_run(pgc_conn_db(conn), &EXTENSION_QUERY, &args, &result, err);
    pgc_args_done(&args);
    TRY(status);
    pgc_reader reader;
    pgc_reader_init(&reader, result, &EXTENSION_QUERY);
    bool missing = pgc_result_rows(result) == 0;
    bool old = index == 0 && !missing && pgc_read_bool(&reader, 0, 1);
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    (void) snprintf(package, sizeof package,
                    index == 0 ? "postgresql-%d-pgvector" : "postgresql-%d",
                    pgc_conn_server_version(conn) / 10000);
    if (status == PGC_OK && (missing || old)) {
        status = pgc_error_set(err, PGC_UNSUPPORTED,
                               old ? "the server's extension %s is older than " FIRST_PGVECTOR
                                   : "the server lacks the extension %s",
                               name);
        pgc_error_hint(err, "install the package %s (./dev setup does), then run this again",
                       package);
    }
    return status;
}

/* A connection of the owner's login: what checks and migrations run on. */
static pgc_status owner_connect(const lum_library *library, pgc_conn **out, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = lum_database_url(library->database),
                                       .app_name = "lumilio",
                                       .alloc = library->env->alloc };
    return pgc_conn_open(&options, out, err);
}

/* Before any migration: a half-migrated database that waits for a package would be worse. */
static pgc_status extensions_check(pgc_conn *conn, pgc_error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(EXTENSIONS); i++) {
        TRY(extension_check(conn, i, err));
    }
    return PGC_OK;
}

/* The queue's tables belong to its migrator, so their rights are given here, once: programs of
 * users insert and look, workers do everything but change tables. */
static const char QUEUE_GRANTS[] =
    "DO $$ BEGIN"
    " IF NOT has_table_privilege('lumilio_worker', 'river_leader', 'DELETE')"
    "  OR NOT has_table_privilege('lumilio_worker', 'river_ext_client', 'DELETE') THEN"
    "  PERFORM pg_advisory_xact_lock(7813577108);"
    "  GRANT SELECT, INSERT, UPDATE ON river_job TO lumilio_app;"
    "  GRANT SELECT ON river_queue, river_migration TO lumilio_app;"
    "  GRANT SELECT, INSERT, UPDATE, DELETE ON river_job, river_queue, river_leader,"
    "   river_notification, river_ext_client, river_ext_queue, river_ext_periodic"
    "   TO lumilio_worker;"
    "  GRANT SELECT ON river_migration TO lumilio_worker;"
    "  GRANT USAGE ON SEQUENCE river_job_id_seq TO lumilio_app, lumilio_worker;"
    "  GRANT USAGE ON SEQUENCE river_notification_id_seq TO lumilio_worker;"
    " END IF; END $$";

/* All migrations, ours first: the clean check must not meet the queue's tables. */
static pgc_status schema_apply(const lum_library *library, pgc_conn *conn, pgc_error *err)
{
    const migrate_options options = { .env = library->env,
                                      .source = migrate_builtin(),
                                      .url = lum_database_url(library->database),
                                      .revisions_schema = REVISIONS_SCHEMA,
                                      .check_first = true };
    migrate_apply_report report;
    pgc_status status = migrate_apply(&options, &report, err);
    migrate_apply_report_done(&report);
    if (status == PGC_OK) {
        const river_migrate_options queue = { .struct_size = sizeof queue };
        status = river_migrate(conn, RIVER_UP, &queue, NULL, err);
        if (status == PGC_OK) {
            status = river_ext_migrate(conn, NULL, err);
        }
        if (status == PGC_OK) {
            status = pgc_conn_script(conn, QUEUE_GRANTS, 0, NULL, err);
        }
    }
    if (status != PGC_OK && status != PGC_CONNECTION && status != PGC_NOMEM) {
        if (err != NULL) {
            err->status = LUM_NO_SCHEMA;
        }
        status = LUM_NO_SCHEMA;
    }
    return pgc_error_wrap(err, status, "bring the database up to date");
}

/* Every migration is there and still a table may have been changed by hand, or by a program newer
 * than this one: said here once and clearly, not by the first query that fails. */
static pgc_status schema_compare(pgc_conn *conn, pgc_error *err)
{
    pgc_status status = repo_schema_check(pgc_conn_db(conn), err);
    if (status == PGC_SCHEMA) {
        if (err != NULL) {
            err->status = LUM_NO_SCHEMA;
        }
        status = LUM_NO_SCHEMA;
    }
    return status;
}

/* As the owner, on a connection of its own that is gone before the pool opens: no pooled
 * connection can ever change tables. */
static pgc_status database_prepare(const lum_library *library, pgc_error *err)
{
    pgc_conn *conn = NULL;
    TRY(owner_connect(library, &conn, err));
    pgc_status status = extensions_check(conn, err);
    if (status == PGC_OK) {
        status = schema_apply(library, conn, err);
    }
    if (status == PGC_OK) {
        status = schema_compare(conn, err);
    }
    pgc_conn_close(conn);
    return status;
}

/* On our own server we log in as the restricted role. On a given one we may not have that login,
 * so the role is set after it. */
static pgc_status pool_open(lum_library *library, const lum_library_options *options,
                            pgc_error *err)
{
    const char *role = options->role != NULL ? options->role : APP_ROLE;
    bool is_private = lum_database_is_private(library->database);
    library->conn = (pgc_conn_options) { .struct_size = sizeof library->conn,
                                         .conninfo = lum_database_url(library->database),
                                         .user = is_private ? role : NULL,
                                         .role = is_private ? NULL : role,
                                         .app_name = "lumilio",
                                         .alloc = library->env->alloc };
    const pgc_pool_options pool = {
        .struct_size = sizeof pool,
        .conn = library->conn,
        .max_conns = options->max_conns,
        .min_conns = 1, /* a program of one person: more would only cost time at its start */
    };
    return pgc_pool_open(&pool, &library->pool, err);
}

/* The order is the one of the file's head. */
static pgc_status open_all(lum_library *library, const lum_library_options *options, pgc_error *err)
{
    TRY(lum_home_resolve(options->home, library->home, sizeof library->home, err));
    /* As root the server runs as another user, who has to pass through to its own folder. */
    mode_t mode = geteuid() == 0 ? 0711 : 0700;
    TRY(pgc_error_wrap(err, file_mkdirs(library->env, AT_FDCWD, library->home, mode, true, err),
                       "make the library's folder"));
    TRY(lum_database_open(library->env, options, &library->database, err));
    TRY(database_prepare(library, err));
    return pool_open(library, options, err);
}

/* Everything or nothing: lum_library_close() copes with every half-opened state. */
pgc_status lum_library_open(const env *e, const lum_library_options *options, lum_library **out,
                            pgc_error *err)
{
    e = e != NULL ? e : env_default();
    lum_library *library = MEM_NEW(e->alloc, lum_library);
    if (library == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open library");
    }
    library->env = e;
    pgc_status status = open_all(library, options, err);
    if (status != PGC_OK) {
        lum_library_close(library);
        return status;
    }
    *out = library;
    return PGC_OK;
}

/* The pool first: its connections are users of the server that is stopped next. */
void lum_library_close(lum_library *library)
{
    if (library == NULL) {
        return;
    }
    if (library->pool != NULL) {
        pgc_pool_close(library->pool);
    }
    lum_database_close(library->database);
    mem_free(library->env->alloc, library, sizeof *library);
}

const char *lum_library_home(const lum_library *library)
{
    return library->home;
}

const char *lum_library_url(const lum_library *library)
{
    return lum_database_url(library->database);
}

static void env_set(void *arg, const char *name, const char *value)
{
    (void) arg;
    (void) setenv(name, value, 1);
}

pgc_status lum_library_set_psql_env(const lum_library *library, pgc_error *err)
{
    return conninfo_each_env(lum_database_url(library->database), env_set, NULL, err);
}

pgc_pool *lum_library_pool(lum_library *library)
{
    return library->pool;
}

pgc_conn_options lum_library_conn(const lum_library *library)
{
    return library->conn;
}

const env *lum_library_env(const lum_library *library)
{
    return library->env;
}
