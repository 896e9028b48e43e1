/*
 * The side tables: made and dropped as a whole, under the lock of the migrations. They hold nothing
 * that cannot be made again, and no foreign key leads to River's tables or back. Threads: one per
 * connection.
 */
#include "base/prelude.h"

#include <river/ext.h>
#include <river/migrate.h>

#include "base/arena.h"
#include "base/ident.h"
#include "river/migrations.h"
#include "river/side.h"
#include "river/store_ext.h"

#define P RIVER_PLACE

/* One script is one transaction. Statements that find their table do nothing; the notices of IF NOT
 * EXISTS are not for anybody. */
#define LOCK                                 \
    "SET LOCAL client_min_messages = error;" \
    "SELECT pg_catalog.pg_advisory_xact_lock(7238247501);"

static const char UP[] =
    "BEGIN;" LOCK
    /* Beats are worth nothing after a crash of the server: every client beats again. */
    "CREATE UNLOGGED TABLE IF NOT EXISTS " P "river_ext_client ("
    "id text PRIMARY KEY, "
    "started_at timestamptz NOT NULL DEFAULT now(), "
    "beat_at timestamptz NOT NULL DEFAULT now(), "
    "lost_after_us bigint NOT NULL CHECK (lost_after_us > 0)) WITH (fillfactor = 50);"
    "CREATE TABLE IF NOT EXISTS " P "river_ext_queue ("
    "name text PRIMARY KEY, "
    "window_began timestamptz NOT NULL DEFAULT '-infinity', "
    "window_starts bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);"
    "CREATE TABLE IF NOT EXISTS " P "river_ext_periodic ("
    "id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 127), "
    "next_run_at timestamptz NOT NULL);"
    "COMMIT";

static const char DOWN[] = "BEGIN;" LOCK "DROP TABLE IF EXISTS " P "river_ext_client, " P
                           "river_ext_queue, " P "river_ext_periodic;"
                           "COMMIT";

static pgc_status run(pgc_conn *conn, const char *schema, const char *script, pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    const char *place = memory == NULL ? NULL : "";
    if (memory != NULL && schema != NULL && schema[0] != '\0') {
        if (strlen(schema) > RIVER_SCHEMA_MAX) {
            return pgc_error_set(err, PGC_INVALID, "schema of the job queue: at most %d bytes",
                                 RIVER_SCHEMA_MAX);
        }
        const char *quoted = ident_quote(schema, memory);
        place = quoted == NULL ? NULL : arena_printf(memory, "%s.", quoted);
    }
    const char *sql = place == NULL ? NULL : ident_fill(script, P, place, memory);
    if (sql == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "side tables of the job queue: out of memory");
    }
    pgc_status status = pgc_conn_script(conn, sql, 0, NULL, err);
    if (status != PGC_OK && pgc_conn_alive(conn)) {
        pgc_error other; /* a failed ROLLBACK means a lost connection: the server does it then */
        pgc_status undone = pgc_conn_script(conn, "ROLLBACK", 0, NULL, &other);
        assert(undone == PGC_OK || other.status != PGC_OK);
        (void) undone;
    }
    return pgc_error_wrap(err, status, "side tables of the job queue");
}

pgc_status river_ext_migrate(pgc_conn *conn, const char *schema, pgc_error *err)
{
    return run(conn, schema, UP, err);
}

pgc_status river_ext_remove(pgc_conn *conn, const char *schema, pgc_error *err)
{
    return run(conn, schema, DOWN, err);
}

static bool tables_wanted(const river_client_options *options)
{
    bool wanted = options->heartbeats;
    for (size_t i = 0; i < options->queue_count; i++) {
        wanted = wanted || limit_wanted(&options->queues[i]);
    }
    for (size_t i = 0; i < options->periodic_count; i++) {
        wanted = wanted || options->periodics[i].durable;
    }
    return wanted;
}

/* Where they are, nothing is asked of a role that may not create any. */
pgc_status side_require(river_client *client, pgc_error *err)
{
    pgc_conn *conn = NULL;
    bool ready = false;
    TRY(store_ext_ready(client->store, pgc_pool_db(client->pool), &ready, err));
    if (ready) {
        return PGC_OK;
    }
    TRY(pgc_pool_acquire(client->pool, &conn, err));
    pgc_status status = river_ext_migrate(conn, store_schema(client->store), err);
    pgc_pool_release(client->pool, conn);
    if (status == PGC_DENIED) {
        pgc_error_hint(err, "as the owner of the tables run: lumilio river ext-migrate-up");
    }
    return status;
}

pgc_status side_prepare(river_client *client, const river_client_options *options, pgc_error *err)
{
    return tables_wanted(options) ? side_require(client, err) : PGC_OK;
}
