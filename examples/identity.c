/* Who asks: row-level security with an identity that travels with every query in the same round
 * trip and is gone when the query is done. No connection of the pool ever remembers a user.
 *
 *     cc identity.c $(pkg-config --cflags --libs pgc) -o identity */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

/* Superusers see past policies, so the pool works as a role without that right. */
static const char SETUP[] =
    "DO $$ BEGIN CREATE ROLE pgc_example NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
    "CREATE TABLE note (owner text NOT NULL, line text NOT NULL);"
    "INSERT INTO note VALUES ('ada', 'engines'), ('ada', 'poems'), ('bob', 'boats');"
    "ALTER TABLE note ENABLE ROW LEVEL SECURITY;"
    "CREATE POLICY own_notes ON note USING (owner = current_setting('app.user', true));"
    "GRANT SELECT ON note TO pgc_example";

static const pgc_type_ref COUNT_COLUMNS[] = { { "count", "bigint", 20 } };
static const pgc_query COUNT = {
    .name = "CountNotes",
    .sql = "SELECT count(*) FROM note", /* no WHERE: the policy decides */
    .hash = 0xc0,
    .flags = PGC_QUERY_READ_ONLY,
    .column_count = 1,
    .columns = COUNT_COLUMNS,
};

static pgc_status print_count(pgc_db *db, const char *who, pgc_error *err)
{
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(db, &COUNT, NULL, &result, err);
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, &COUNT);
        long long count = pgc_read_i64(&reader, 0, 0);
        status = pgc_reader_finish(&reader, err);
        printf("%s sees %lld\n", who, count);
    }
    pgc_result_free(result);
    return status;
}

/* A scope is a pool with settings: open one per request, share it between threads. */
static pgc_status ask_as(pgc_pool *pool, const char *user, pgc_error *err)
{
    const pgc_setting identity = { "app.user", user };
    pgc_scope *scope = NULL;
    pgc_status status = pgc_scope_open(pool, &identity, 1, &scope, err);
    if (status == PGC_OK) {
        status = print_count(pgc_scope_db(scope), user, err);
    }
    pgc_scope_close(scope);
    return status;
}

static pgc_status set_up(const char *url, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    pgc_conn *conn = NULL;
    pgc_status status = pgc_conn_open(&options, &conn, err);
    if (status == PGC_OK) {
        status = pgc_conn_script(conn, SETUP, 0, NULL, err);
    }
    pgc_conn_close(conn);
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = url, .role = "pgc_example" },
        .max_conns = 1, /* the same connection for all three: nothing stays behind on it */
    };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_status status = set_up(url, &err);
    if (status == PGC_OK && (status = pgc_pool_open(&options, &pool, &err)) == PGC_OK) {
        status = ask_as(pool, "ada", &err);
    }
    if (status == PGC_OK) {
        status = ask_as(pool, "bob", &err);
    }
    if (status == PGC_OK) {
        status = print_count(pgc_pool_db(pool), "nobody", &err);
    }
    pgc_pool_close(pool);
    if (status != PGC_OK) {
        fprintf(stderr, "identity: %s\n", err.message);
        return 1;
    }
    return 0;
}
