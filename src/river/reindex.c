/*
 * Once a day the leader rebuilds River's indexes, which grow with every state change. Indexes of a
 * rebuild that broke off are left to people, as River does; ours are dropped. Threads: one, with
 * its own connection.
 */
#include "base/prelude.h"

#include "river/lead.h"

#include "base/ident.h"
#include "river/runtime.h"
#include "river/timetext.h"

#define DAY_US  (24 * 3600 * RUNTIME_SECOND_US)
#define DROP_US (15 * RUNTIME_SECOND_US)

static const char *const INDEXES[] = {
    "river_job_args_index",
    "river_job_kind",
    "river_job_metadata_index",
    "river_job_pkey",
    "river_job_prioritized_fetching_index",
    "river_job_state_and_finalized_at_index",
    "river_job_unique_idx",
};

static const pgc_type_ref FIND_PARAMS[] = { { "schema", "text", 25 }, { "index", "text", 25 } };
static const pgc_type_ref FIND_COLUMNS[] = { { "index", "text", 25 } };

/* The index itself and what an unfinished rebuild of it left behind. */
static const pgc_query FIND = {
    .name = "RiverFindIndex",
    .sql = "SELECT c.relname::text FROM pg_catalog.pg_class AS c "
           "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
           "WHERE n.nspname = $1 AND c.relkind = 'i' "
           "AND c.relname ~ ('^' || $2 || '(_cc(new|old)[0-9]*)?$') ORDER BY c.relname",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 2,
    .params = FIND_PARAMS,
    .column_count = 1,
    .columns = FIND_COLUMNS,
};

static pgc_status find(pgc_conn *conn, const char *schema, const char *index, pgc_result **out,
                       pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(schema));
    pgc_add_text(&args, pgc_text_from(index));
    pgc_status status = pgc_db_run(pgc_conn_db(conn), &FIND, &args, out, err);
    pgc_args_done(&args);
    return status;
}

/* verb "REINDEX INDEX CONCURRENTLY" or "DROP INDEX CONCURRENTLY IF EXISTS". */
static pgc_status on_index(pgc_conn *conn, const char *verb, const char *schema, const char *index,
                           int64_t timeout_us, pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    const char *place = memory == NULL ? NULL : ident_quote(schema, memory);
    const char *name = place == NULL ? NULL : ident_quote(index, memory);
    const char *sql = name == NULL ? NULL : arena_printf(memory, "%s %s.%s", verb, place, name);
    if (sql == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "rebuild index %s: out of memory", index);
    }
    return pgc_conn_script(conn, sql, timeout_us, NULL, err);
}

/* What a rebuild of ours left when it broke off. */
static pgc_status drop_remains(pgc_conn *conn, const char *schema, const char *index,
                               pgc_error *err)
{
    pgc_result *result = NULL;
    TRY(find(conn, schema, index, &result, err));
    pgc_reader reader;
    pgc_status status = PGC_OK;
    pgc_reader_init(&reader, result, &FIND);
    for (size_t row = 0; status == PGC_OK && row < pgc_result_rows(result); row++) {
        char name[IDENT_MAX + 1];
        slice found = pgc_read_text(&reader, row, 0);
        snprintf(name, sizeof(name), "%" SLICE_FMT, SLICE_ARG(found));
        if (strcmp(name, index) != 0) {
            status =
                on_index(conn, "DROP INDEX CONCURRENTLY IF EXISTS", schema, name, DROP_US, err);
        }
    }
    pgc_result_free(result);
    return status;
}

/* NULL: nothing that a stop should break off. */
static void now_rebuilding(leadership *lead, pgc_conn *conn)
{
    pthread_mutex_lock(&lead->lock);
    lead->rebuilding = conn;
    pthread_mutex_unlock(&lead->lock);
}

static pgc_status rebuild(leadership *lead, pgc_conn *conn, const char *index, pgc_error *err)
{
    const river_client_options *options = &lead->run->client->options;
    const char *schema = options->schema;
    pgc_result *result = NULL;
    TRY(find(conn, schema, index, &result, err));
    size_t count = pgc_result_rows(result);
    pgc_result_free(result);
    if (count != 1) {
        return pgc_error_set(err, PGC_CONFLICT, "index %s is not rebuilt: %s", index,
                             count == 0 ? "there is none"
                                        : "an unfinished rebuild left indexes; drop them");
    }
    now_rebuilding(lead, conn);
    pgc_status status = on_index(conn, "REINDEX INDEX CONCURRENTLY", schema, index,
                                 options->reindex_timeout_us, err);
    now_rebuilding(lead, NULL);
    if (status != PGC_OK && pgc_conn_alive(conn)) {
        pgc_error other;
        if (drop_remains(conn, schema, index, &other) != PGC_OK) {
            (void) pgc_error_wrap(err, status, "(and %s)", other.message);
        }
    }
    return pgc_error_wrap(err, status, "rebuild index %s", index);
}

static void rebuild_all(leadership *lead, lead_link *link)
{
    for (size_t i = 0; i < ARRAY_LEN(INDEXES) && atomic_load(&lead->leads); i++) {
        pgc_error err;
        pgc_db *db = NULL;
        pgc_error_clear(&err);
        pgc_status status = link_db(link, &db, &err);
        if (status == PGC_OK) {
            status = rebuild(lead, link->conn, INDEXES[i], &err);
        }
        link_check(link, status, &err);
        if (status != PGC_OK) {
            runtime_trouble(lead->run, &err);
        }
    }
}

/* Until midnight UTC. */
static int64_t until_midnight(const leadership *lead)
{
    int64_t now = client_now(lead->run->client).us;
    return DAY_US - (now % DAY_US + DAY_US) % DAY_US;
}

void *reindex_work(void *arg)
{
    leadership *lead = (leadership *) arg;
    const river_client_options *options = &lead->run->client->options;
    lead_link link = { .client = lead->run->client };
    pthread_mutex_lock(&lead->lock);
    while (!lead->stop) {
        int64_t left = until_midnight(lead);
        int64_t until = runtime_now(lead->run) + left;
        while (!lead->stop && runtime_now(lead->run) < until) {
            (void) lead_wait(lead, until - runtime_now(lead->run));
        }
        bool due = lead->leading && !lead->stop && !options->no_reindex && options->conn != NULL;
        if (!due) {
            continue;
        }
        pthread_mutex_unlock(&lead->lock);
        rebuild_all(lead, &link);
        link_close(&link); /* idle for a day */
        pthread_mutex_lock(&lead->lock);
    }
    pthread_mutex_unlock(&lead->lock);
    return NULL;
}
