/* River's migration algorithm: which versions are applied, which are to be run, and the rows they
 * leave. Two processes that start together take turns by a lock inside each transaction. One thread
 * per connection. */
#include "base/prelude.h"

#include <river/migrate.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/ident.h"
#include "base/options.h"
#include "pgc/auto.h"
#include "river/migrations.h"

#define LINE_SINCE 5 /* the version whose table tells lines apart */

/* Waits inside the server: no migration here builds an index concurrently. */
#define LOCK_SQL "SELECT pg_catalog.pg_advisory_xact_lock(7238247501)"

static_assert(RIVER_SCHEMA_VERSION < 32, "versions are kept as bits of a uint32_t");

enum { OID_BOOL = 16, OID_INT8 = 20, OID_TEXT = 25 };

static const pgc_type_ref TABLE_PARAM[] = { { "table", "text", OID_TEXT } };
static const pgc_type_ref VERSION_PARAM[] = { { "version", "bigint", OID_INT8 } };
static const pgc_type_ref STATE_COLUMNS[] = {
    { "exists", "boolean", OID_BOOL },
    { "has_line", "boolean", OID_BOOL },
};

static const pgc_query TABLE_STATE = {
    .name = "RiverMigrationTable",
    .sql = "SELECT to_regclass($1) IS NOT NULL, EXISTS (SELECT FROM pg_catalog.pg_attribute "
           "WHERE attrelid = to_regclass($1) AND attname = 'line' AND NOT attisdropped)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 2,
    .params = TABLE_PARAM,
    .columns = STATE_COLUMNS,
};

#define READ_ALL   "SELECT version FROM " RIVER_PLACE "river_migration"
#define READ_LINE  READ_ALL " WHERE line = '" RIVER_LINE "'"
#define INSERT_OLD "INSERT INTO " RIVER_PLACE "river_migration (version) VALUES ($1)"
#define INSERT_LINE \
    "INSERT INTO " RIVER_PLACE "river_migration (line, version) VALUES ('" RIVER_LINE "', $1)"
#define DELETE_OLD  "DELETE FROM " RIVER_PLACE "river_migration WHERE version = $1"
#define DELETE_LINE DELETE_OLD " AND line = '" RIVER_LINE "'"

/* One call: the connection and the schema that goes in front of names. */
typedef struct migrator {
    pgc_conn *conn;
    const char *prefix; /* "" or the quoted schema and a dot */
    arena *mem;
    pgc_error *err;
} migrator;

static pgc_status out_of_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "migrate the job queue");
}

/* River's own rule for names; it also makes them safe inside the quoted text of a DO block. */
static bool schema_ok(const char *schema)
{
    size_t len = strlen(schema);
    bool ok = len <= RIVER_SCHEMA_MAX && !isdigit((unsigned char) schema[0]);
    for (size_t i = 0; ok && i < len; i++) {
        ok = isalnum((unsigned char) schema[i]) || schema[i] == '_';
    }
    return ok;
}

/* The quoted schema and a dot, or nothing: then the tables go where search_path leads. */
static pgc_status migrator_init(migrator *m, pgc_conn *conn, const char *schema, pgc_error *err)
{
    *m = (migrator) { .conn = conn, .prefix = "", .err = err };
    if (schema != NULL && !schema_ok(schema)) {
        return pgc_error_set(err, PGC_INVALID,
                             "schema \"%s\" of the job queue: use letters, digits and \"_\", at "
                             "most %d",
                             schema, RIVER_SCHEMA_MAX);
    }
    m->mem = arena_new(NULL, 0, 0);
    if (m->mem == NULL) {
        return out_of_memory(err);
    }
    if (schema != NULL && schema[0] != '\0') {
        const char *quoted = ident_quote(schema, m->mem);
        m->prefix = quoted == NULL ? NULL : arena_printf(m->mem, "%s.", quoted);
    }
    if (m->prefix == NULL) {
        arena_free(m->mem);
        return out_of_memory(err);
    }
    return PGC_OK;
}

/* The texts die with it: nothing of a call outlives the call. */
static void migrator_done(migrator *m)
{
    arena_free(m->mem);
    m->mem = NULL;
}

/* The table may be missing, in its first form without lines, or in the form of version 5 on. */
static pgc_status table_state(migrator *m, bool *exists, bool *has_line)
{
    AUTO(params_auto) pgc_args args;
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    const char *table = arena_printf(m->mem, "%sriver_migration", m->prefix);
    if (table == NULL) {
        return out_of_memory(m->err);
    }
    pgc_add_text(&args, pgc_text_from(table));
    TRY(pgc_db_run(pgc_conn_db(m->conn), &TABLE_STATE, &args, &result, m->err));
    pgc_reader_init(&reader, result, &TABLE_STATE);
    bool table_exists = pgc_read_bool(&reader, 0, 0);
    bool line_exists = pgc_read_bool(&reader, 0, 1);
    TRY(pgc_reader_finish(&reader, m->err));
    *exists = table_exists;
    *has_line = line_exists;
    return PGC_OK;
}

/* Run a statement on the migration table; column_count 1 reads versions. */
static pgc_status run_query(migrator *m, const char *name, const char *sql, const int32_t *version,
                            pgc_result **out)
{
    AUTO(params_auto) pgc_args args;
    const pgc_query query = {
        .name = name,
        .sql = ident_fill(sql, RIVER_PLACE, m->prefix, m->mem),
        .flags = PGC_QUERY_UNNAMED,
        .param_count = version != NULL ? 1 : 0,
        .params = VERSION_PARAM,
    };
    pgc_args_init(&args, NULL);
    if (query.sql == NULL) {
        return out_of_memory(m->err);
    }
    if (version != NULL) {
        pgc_add_i64(&args, *version);
    }
    return pgc_db_run(pgc_conn_db(m->conn), &query, &args, out, m->err);
}

/* Versions as bits. Rows of other lines than main belong to other programs and are not looked at.
 */
static pgc_status read_applied(migrator *m, uint32_t *out)
{
    AUTO(rows_auto) pgc_result *result = NULL;
    bool exists = false;
    bool has_line = false;
    pgc_reader reader;
    uint32_t applied = 0;
    TRY(table_state(m, &exists, &has_line));
    if (exists) {
        TRY(run_query(m, "RiverMigrationRead", has_line ? READ_LINE : READ_ALL, NULL, &result));
        pgc_reader_init(&reader, result, NULL);
    }
    for (size_t row = 0; exists && row < pgc_result_rows(result); row++) {
        int64_t version = pgc_read_i64(&reader, row, 0);
        if (version < 1 || version > RIVER_SCHEMA_VERSION) {
            return pgc_error_set(m->err, PGC_SCHEMA,
                                 "migration %" PRId64 " not found in migrator bundle: the job "
                                 "queue's tables are newer than this program, which knows %d",
                                 version, RIVER_SCHEMA_VERSION);
        }
        applied |= UINT32_C(1) << version;
    }
    if (exists) {
        TRY(pgc_reader_finish(&reader, m->err));
    }
    *out = applied;
    return PGC_OK;
}

/* Whether a version is among the applied ones. */
static bool has(uint32_t applied, int32_t version)
{
    return (applied & (UINT32_C(1) << version)) != 0;
}

/* Versions to run, in order. */
static pgc_status choose(const river_migrate_options *options, river_direction direction,
                         uint32_t applied, river_migrate_result *plan, pgc_error *err)
{
    assert(plan->count == 0);
    bool up = direction == RIVER_UP;
    int32_t target = options->target_version;
    size_t limit = options->max_steps > 0 ? (size_t) options->max_steps : RIVER_SCHEMA_VERSION;
    if (target > RIVER_SCHEMA_VERSION || target < -1) {
        return pgc_error_set(err, PGC_INVALID,
                             "version %" PRId32 " is no River migration: use 1 to %d", target,
                             RIVER_SCHEMA_VERSION);
    }
    if (!up && target > 0 && !has(applied, target)) {
        return pgc_error_set(err, PGC_INVALID,
                             "version %" PRId32 " is not applied, so it cannot be gone back to",
                             target);
    }
    if (options->max_steps == 0 && !up && target == 0) {
        limit = 1;
    }
    if (options->max_steps < 0) {
        limit = 0;
    }
    size_t available = 0; /* all that could be done, however many steps are wanted */
    for (int32_t i = 1; i <= RIVER_SCHEMA_VERSION; i++) {
        int32_t version = up ? i : RIVER_SCHEMA_VERSION + 1 - i;
        bool wanted = up ? !has(applied, version) && (target <= 0 || version <= target)
                         : has(applied, version) && (target <= 0 || version > target);
        if (wanted && available++ < limit) {
            plan->versions[plan->count++] = version;
        }
    }
    plan->exhausted = options->max_steps > 0 && available < limit;
    return PGC_OK;
}

/* Migration text goes by the simple protocol: several statements, no parameters. */
static pgc_status script(migrator *m, const char *sql)
{
    return pgc_conn_script(m->conn, sql, 0, NULL, m->err);
}

/* The row of a version that has just run. */
static pgc_status change_row(migrator *m, river_direction direction, int32_t version)
{
    assert(version >= 1);
    assert(version <= RIVER_SCHEMA_VERSION);
    if (direction == RIVER_UP) {
        return run_query(m, "RiverMigrationInsert", version < LINE_SINCE ? INSERT_OLD : INSERT_LINE,
                         &version, NULL);
    }
    if (version == 1) {
        return PGC_OK; /* the table itself is gone */
    }
    return run_query(m, "RiverMigrationDelete", version <= LINE_SINCE ? DELETE_OLD : DELETE_LINE,
                     &version, NULL);
}

/* Inside the transaction. *needed is false when another process was faster. */
static pgc_status run_locked(migrator *m, river_direction direction, int32_t version,
                             const char *sql, bool *needed)
{
    uint32_t applied = 0;
    TRY(script(m, LOCK_SQL));
    TRY(read_applied(m, &applied));
    /* Up needs the version to be missing, down needs it to be there. */
    *needed = has(applied, version) == (direction == RIVER_DOWN);
    if (!*needed) {
        return PGC_OK;
    }
    TRY(script(m, sql));
    return change_row(m, direction, version);
}

/* Not all migrations in one transaction: version 4 adds an enum label that version 6 uses, and a
 * new label cannot be used before it is committed. */
static pgc_status run_one(migrator *m, river_direction direction, int32_t version, const char *sql,
                          bool *needed)
{
    TRY(script(m, "BEGIN"));
    pgc_status status = run_locked(m, direction, version, sql, needed);
    if (status == PGC_OK) {
        status = script(m, "COMMIT");
    }
    if (status != PGC_OK) {
        (void) pgc_error_wrap(m->err, status, "applying River version %03" PRId32 " [%s]", version,
                              direction == RIVER_UP ? "up" : "down");
        pgc_error ignored; /* a failed ROLLBACK means a lost connection: the server does it then */
        if (pgc_conn_alive(m->conn) &&
            pgc_conn_script(m->conn, "ROLLBACK", 0, NULL, &ignored) != PGC_OK) {
            return status; /* the first failure is the one to report */
        }
    }
    return status;
}

/* Report each migration as soon as it is committed. */
static pgc_status run_plan(migrator *m, river_direction direction,
                           const river_migrate_options *options, const river_migrate_result *plan,
                           river_migrate_result *out)
{
    const clock_ops *now = env_default()->clock;
    out->exhausted = plan->exhausted;
    for (size_t i = 0; i < plan->count; i++) {
        int32_t version = plan->versions[i];
        const river_migration *migration = &RIVER_MIGRATIONS[version - 1];
        assert(migration->version == version);
        const char *sql = ident_fill(direction == RIVER_UP ? migration->up : migration->down,
                                     RIVER_PLACE, m->prefix, m->mem);
        if (sql == NULL) {
            return out_of_memory(m->err);
        }
        int64_t start_us = now->mono_us(now->ctx);
        bool needed = true;
        if (!options->dry_run) {
            TRY(run_one(m, direction, version, sql, &needed));
        }
        if (!needed) {
            continue;
        }
        out->versions[out->count++] = version;
        if (options->done != NULL) {
            const river_migration_step step = {
                .direction = direction,
                .version = version,
                .name = migration->name,
                .sql = sql,
                .duration_us = options->dry_run ? 0 : now->mono_us(now->ctx) - start_us,
            };
            options->done(options->arg, &step);
        }
    }
    return PGC_OK;
}

/* The plan is made before anything runs; under the lock each step is looked at again. */
pgc_status river_migrate(pgc_conn *conn, river_direction direction,
                         const river_migrate_options *options, river_migrate_result *out,
                         pgc_error *err)
{
    pgc_error local;
    migrator m;
    uint32_t applied = 0;
    river_migrate_result plan = { .count = 0 };
    river_migrate_result unwanted;
    river_migrate_options taken;
    TRY(options_take("migrate the job queue", options, &taken, sizeof taken, err));
    options = &taken;
    out = out != NULL ? out : &unwanted;
    *out = (river_migrate_result) { .count = 0 };
    TRY(migrator_init(&m, conn, options->schema, err != NULL ? err : &local));
    pgc_status status = read_applied(&m, &applied);
    if (status == PGC_OK) {
        status = choose(options, direction, applied, &plan, m.err);
    }
    if (status == PGC_OK) {
        status = run_plan(&m, direction, options, &plan, out);
    }
    migrator_done(&m);
    return status;
}

/* Reads only; needs no more rights than to look at the table. */
pgc_status river_migrate_applied(pgc_conn *conn, const char *schema, uint32_t *out, pgc_error *err)
{
    pgc_error local;
    migrator m;
    TRY(migrator_init(&m, conn, schema, err != NULL ? err : &local));
    pgc_status status = read_applied(&m, out);
    migrator_done(&m);
    return status;
}

/* The message is River's, so that scripts that look for it keep working. */
pgc_status river_migrate_validate(pgc_conn *conn, const char *schema, pgc_error *err)
{
    uint32_t applied = 0;
    char list[64] = "";
    size_t used = 0;
    TRY(river_migrate_applied(conn, schema, &applied, err));
    for (int32_t version = 1; version <= RIVER_SCHEMA_VERSION; version++) {
        if (!has(applied, version) && used < sizeof list) {
            used += (size_t) snprintf(list + used, sizeof list - used, "%s%" PRId32,
                                      used > 0 ? " " : "", version);
        }
    }
    if (used == 0) {
        return PGC_OK;
    }
    (void) pgc_error_set(err, PGC_SCHEMA, "Unapplied migrations: [%s]", list);
    pgc_error_hint(err, "run: lumilio river migrate-up");
    return PGC_SCHEMA;
}
