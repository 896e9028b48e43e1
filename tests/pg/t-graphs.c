/* Graphs of single owners: who gets one, that searches take it and answer by nobody else's vectors,
 * that it goes with its owner, and the job that sees to all that. The cases build on one another.
 */
#include "base/prelude.h"

#include <pthread.h>

#include "person.h"
#include "schema.h"
#include "service/embedding.h"
#include "tap.h"
#include "worker.h"

#define LEAST 200 /* vectors, in place of LUM_GRAPH_LEAST */
#define DAY_SQL                                                                         \
    "INSERT INTO river_ext_periodic VALUES ('tend_graphs', now() - interval '1 hour') " \
    "ON CONFLICT (id) DO UPDATE SET next_run_at = EXCLUDED.next_run_at"

static test_library lib;
static person few, large, most;
static char graph[64]; /* of large */

static void ask(const char *sql, const char *want)
{
    char got[4096] = "";
    worker_ask(&lib, sql, got, sizeof got);
    CHECK_STR(got, want);
}

static void change(const char *sql)
{
    char text[2048];
    (void) snprintf(text, sizeof text, "%s; SELECT 'x'", sql);
    ask(text, "x");
}

/* Pictures with vectors of no direction in particular, the same in every run. */
static void add_vectors(const person *owner, int count)
{
    char sql[1024];
    (void) snprintf(
        sql, sizeof sql,
        "SELECT setseed(0.%d); WITH added AS (INSERT INTO assets (original_filename, file_path, "
        "file_size, file_hash, asset_type, owner_id, uploaded_at) SELECT i || '.jpg', 'p%d/' || i, "
        "1, '%d-%d-' || i, 'photo', %d, now() FROM generate_series(1, %d) i RETURNING asset_id, "
        "owner_id) INSERT INTO embeddings (asset_id, owner_id, model_version, embedding) SELECT "
        "asset_id, owner_id, 'clip-vit-base', ARRAY(SELECT random() - 0.5 + 0 * "
        "ascii(asset_id::text) FROM generate_series(1, 512))::vector(512)::halfvec(512) FROM added",
        count, count, owner->id, count, owner->id, count);
    change(sql);
}

static void begins(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
    REQUIRE(person_make(&lib, &few, "few") && person_make(&lib, &large, "large") &&
            person_make(&lib, &most, "most"));
    add_vectors(&few, 100);
    add_vectors(&large, 300);
    add_vectors(&most, 700);
    change("ANALYZE embeddings");
    (void) snprintf(graph, sizeof graph, "idx_embeddings_vector_1_%d", large.id);
}

static void ends(void)
{
    person_done(&few);
    person_done(&large);
    person_done(&most);
    test_library_remove(&lib);
    CHECK(lib.library == NULL);
}

#define GRAPHS_SQL                                                                        \
    "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class WHERE " \
    "relname ~ '^idx_embeddings_vector_[0-9]+_'"

static void make(const char *want)
{
    pgc_error err;
    pgc_error_clear(&err);
    char name[LUM_GRAPH_NAME_MAX + 1] = "?";
    pgc_conn *conn = NULL;
    REQUIRE_OK(lum_graph_connect(lib.library, &conn, &err), &err);
    CHECK_STATUS(lum_graph_make(pgc_conn_db(conn), -1, name, &err), PGC_INVALID, &err);
    CHECK_STR(name, "?");
    CHECK_STATUS(lum_graph_make(pgc_conn_db(conn), LEAST, name, &err), PGC_OK, &err);
    CHECK_STR(name, want);
    pgc_conn_close(conn);
}

/* By that person, of few exact_most; `what` of the hits h and the walks of both graphs, w. */
static void search(const person *by, const char *what, char *got, size_t size)
{
    char sql[1536];
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; SET LOCAL app.user_id = '%d'; CREATE TEMP TABLE h ON COMMIT DROP AS "
                    "SELECT * FROM search_hits(NULL, ('[' || repeat('0.25,', 511) || "
                    "'1]')::halfvec(512), NULL, NULL, 4, 10, 10, NULL, NULL, NULL, 150); "
                    "SELECT %s",
                    by->id, what);
    worker_ask(&lib, sql, got, size);
}

static void check_search(const person *by, const char *what, const char *want)
{
    char got[2048] = "";
    search(by, what, got, sizeof got);
    CHECK_STR(got, want);
}

static void who_has_many_but_not_most_gets_a_graph(void)
{
    make(graph);
    make("");
    ask(GRAPHS_SQL, graph);
    ask("SELECT bool_and(indisvalid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE "
        "relname ~ '^idx_embeddings_vector_'",
        "t");
}

static void nobody_but_the_tables_owner_makes_graphs(void)
{
    static const char *const ROLES[] = { "lumilio_app", "lumilio_worker", "lumilio_auth",
                                         "lumilio_backup" };
    char sql[128];
    char got[64] = "";
    char state[6];
    for (size_t i = 0; i < ARRAY_LEN(ROLES); i++) {
        pgc_conn *conn = schema_connect(lib.url);
        REQUIRE(CHECK(conn != NULL));
        (void) snprintf(sql, sizeof sql, "SET ROLE %s; SELECT embedding_graph_make(1)", ROLES[i]);
        schema_ask(conn, sql, got, sizeof got, state);
        CHECK_STR(state, "42501");
        pgc_conn_close(conn);
    }
    ask(GRAPHS_SQL, graph);
}

/* Walks of the model's graph and of the owner's own. */
#define WALKS_SQL                                                                          \
    "max(h.route) || ' ' || count(*) || ' ' || (SELECT string_agg(coalesce("               \
    "pg_stat_get_xact_numscans(c.oid), 0)::text, ' ' ORDER BY c.relname) FROM pg_class c " \
    "WHERE c.relname ~ '^idx_embeddings_vector_') FROM h"

static void searches_take_the_graph_of_their_owner(void)
{
    check_search(&large, WALKS_SQL, "index 10 0 1");
    check_search(&most, WALKS_SQL, "index 10 1 0");
    check_search(&few, WALKS_SQL, "exact 10 0 0");
}

/* All of them are looked at (600 together), so what comes back is what there is. */
static void what_it_finds_is_what_there_is(void)
{
    char sql[1024];
    (void) snprintf(sql, sizeof sql,
                    "count(*) FROM h JOIN (SELECT asset_id FROM embeddings WHERE owner_id = %d "
                    "ORDER BY (embedding <=> ('[' || repeat('0.25,', 511) || '1]')::halfvec(512)) "
                    "+ 0 LIMIT 10) x USING (asset_id)",
                    large.id);
    check_search(&large, sql, "10");
}

/* Others' vectors lie nearer to what is asked for than all own ones. */
static void nobody_elses_vectors_change_the_answer(void)
{
    static char before[2048];
    static const char HITS[] = "string_agg(h.asset_id || ' ' || h.distance, ',' ORDER BY place) "
                               "FROM h";
    search(&large, HITS, before, sizeof before);
    CHECK(strlen(before) > 300);
    change("UPDATE embeddings SET embedding = ('[' || repeat('0.25,', 510) || "
           "(ascii(right(asset_id::text, 1)) / 1000.0) || ',1]')::halfvec(512) WHERE owner_id = "
           "(SELECT user_id FROM users WHERE username = 'most')");
    check_search(&large, HITS, before);
    check_search(&large, WALKS_SQL, "index 10 0 1");
}

static void a_graph_goes_with_its_vectors(void)
{
    char sql[160];
    (void) snprintf(sql, sizeof sql,
                    "DELETE FROM assets WHERE asset_id IN (SELECT asset_id FROM assets WHERE "
                    "owner_id = %d LIMIT 120)",
                    large.id);
    change(sql);
    make(""); /* more than half of LEAST: kept, so that it does not come and go */
    change(sql);
    make(graph);
    make("");
    ask(GRAPHS_SQL, "");
    check_search(&large, WALKS_SQL, "exact 10 0");
}

/* What a run of the worker is to end at. */
static struct {
    int stop, order, ended;
    river_event_kind until;
    unsigned seen;
} watched;

static void on_event(void *arg, const river_event *event)
{
    (void) arg;
    const river_job *job = event->jobs != NULL ? river_jobs_at(event->jobs, 0) : NULL;
    if (job != NULL && slice_eq_str(job->kind, "tend_graphs") && event->kind == watched.until) {
        watched.seen++;
        __atomic_store_n(&watched.stop, watched.order, __ATOMIC_RELAXED);
    }
}

static pgc_status work(pgc_error *err)
{
    const lum_library_options options = { .home = lib.home,
                                          .database_url = lib.url,
                                          .role = JOBS_WORKER_ROLE };
    const jobs_options job = { .helper_path = TEST_MEDIA_HELPER,
                               .at_once = 2,
                               .on_event = on_event,
                               .stop = &watched.stop,
                               .graph_least = LEAST };
    lum_library *library = NULL;
    jobs_counts counts;
    watched.seen = 0;
    TRY(lum_library_open(NULL, &options, &library, err));
    pgc_status status = jobs_work(library, &job, &counts, err);
    lum_library_close(library);
    return status;
}

static void the_worker_makes_them_once_a_day(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    add_vectors(&few, 250);
    (void) snprintf(graph, sizeof graph, "idx_embeddings_vector_1_%d", few.id);
    change("DELETE FROM river_job; " DAY_SQL);
    watched.until = RIVER_EVENT_COMPLETED;
    watched.order = 1;
    watched.stop = 0;
    CHECK_STATUS(work(&err), PGC_OK, &err);
    CHECK_INT(watched.seen, 1);
    ask(GRAPHS_SQL, graph);
    ask("SELECT next_run_at BETWEEN now() + interval '22 h' AND now() + interval '24 h' FROM "
        "river_ext_periodic WHERE id = 'tend_graphs'",
        "t");
}

/* Somebody writes vectors and does not end: the job waits for the table until it is told to stop.
 */
static void *stop_it_once_it_waits(void *arg)
{
    char got[16] = "";
    while (strcmp(got, "t") != 0 && __atomic_load_n(&watched.ended, __ATOMIC_ACQUIRE) == 0) {
        worker_ask(arg,
                   "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = "
                   "'embeddings'::regclass)",
                   got, sizeof got);
    }
    __atomic_store_n(&watched.stop, 2, __ATOMIC_RELAXED);
    return NULL;
}

static void a_stop_interrupts_it(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    char sql[128];
    char got[64] = "";
    char state[6];
    pthread_t stopper;
    pgc_conn *writer = schema_connect(lib.url);
    REQUIRE(CHECK(writer != NULL));
    change("DELETE FROM river_job; " DAY_SQL);
    (void) snprintf(sql, sizeof sql, "DROP INDEX %s", graph);
    change(sql);
    schema_ask(writer, "BEGIN; UPDATE embeddings SET model_version = model_version; SELECT 'x'",
               got, sizeof got, state);
    CHECK_STR(got, "x");
    watched.until = RIVER_EVENT_COMPLETED;
    watched.stop = 0;
    REQUIRE(CHECK(pthread_create(&stopper, NULL, stop_it_once_it_waits, &lib) == 0));
    CHECK_STATUS(work(&err), PGC_OK, &err);
    __atomic_store_n(&watched.ended, 1, __ATOMIC_RELEASE);
    CHECK(pthread_join(stopper, NULL) == 0);
    CHECK_INT(watched.seen, 0);
    pgc_conn_close(writer);
    ask(GRAPHS_SQL, "");
    ask("SELECT count(*) FROM river_job WHERE kind = 'tend_graphs' AND state IN ('available', "
        "'retryable', 'scheduled') AND coalesce(errors[1]->>'error', '') NOT LIKE '%lock timeout%'",
        "1");
}

TAP_MAIN(TAP("graphs: a library of three is made", begins),
         TAP("graphs: who has many but not most gets one", who_has_many_but_not_most_gets_a_graph),
         TAP("graphs: only the tables' owner makes them", nobody_but_the_tables_owner_makes_graphs),
         TAP("graphs: a search takes its owner's", searches_take_the_graph_of_their_owner),
         TAP("graphs: what it finds is what there is", what_it_finds_is_what_there_is),
         TAP("graphs: nobody else's vectors change the answer",
             nobody_elses_vectors_change_the_answer),
         TAP("graphs: one goes with its vectors", a_graph_goes_with_its_vectors),
         TAP("graphs: the worker makes them once a day", the_worker_makes_them_once_a_day),
         TAP("graphs: a stop interrupts the job", a_stop_interrupts_it),
         TAP("graphs: the library is removed", ends))
