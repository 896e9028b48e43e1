/* Memory that runs out while a library is opened: each allocation of the calling thread fails once.
 * A failure says so, gives nothing, keeps no memory and no connection; the next attempt works. The
 * other calls of the services are in t-service-oom.c. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "heap.h"
#include "library.h"
#include "schema.h"
#include "service/auth.h"
#include "service/embedding.h"
#include "tap.h"

#define ALLOCATIONS_MAX 2000

static test_library lib;

static pgc_status open_library(pgc_error *err)
{
    const lum_library_options options = { .home = lib.home, .database_url = lib.url };
    lum_library *library = NULL;
    pgc_status status = lum_library_open(NULL, &options, &library, err);
    CHECK((status == PGC_OK) == (library != NULL));
    lum_library_close(library);
    return status;
}

static pgc_status open_database(pgc_error *err)
{
    const lum_library_options options = { .home = lib.home, .database_url = lib.url };
    lum_database *database = NULL;
    pgc_status status = lum_database_open(NULL, &options, &database, err);
    CHECK((status == PGC_OK) == (database != NULL));
    lum_database_close(database);
    return status;
}

static pgc_status open_auth(pgc_error *err)
{
    lum_library_auth auth = { .auth = NULL };
    pgc_status status = lum_library_auth_open(lib.library, &auth, err);
    CHECK((status == PGC_OK) == (auth.auth != NULL));
    if (status == PGC_OK) {
        lum_library_auth_close(&auth);
    }
    return status;
}

static pgc_status set_environment(pgc_error *err)
{
    return lum_library_set_psql_env(lib.library, err);
}

/* A new one each time that it works. */
static int models;

static pgc_status add_model(pgc_error *err)
{
    char name[16];
    bool added = false;
    (void) snprintf(name, sizeof name, "model%d", models);
    pgc_status status = lum_model_add(lib.library, name, &added, err);
    CHECK((status == PGC_OK) == added);
    models += added ? 1 : 0;
    return status;
}

static pgc_status use_model(pgc_error *err)
{
    int64_t missing = -1;
    pgc_status status = lum_model_use(lib.library, "model0", false, &missing, err);
    CHECK_INT(missing, status == PGC_OK ? 0 : -1);
    return status;
}

static pgc_status make_graph(pgc_error *err)
{
    char name[LUM_GRAPH_NAME_MAX + 1] = "?";
    pgc_conn *conn = NULL;
    pgc_status status = lum_graph_connect(lib.library, &conn, err);
    CHECK((status == PGC_OK) == (conn != NULL));
    if (status == PGC_OK) {
        status = lum_graph_make(pgc_conn_db(conn), 1, name, err);
        CHECK_STR(name, status == PGC_OK ? "" : "?"); /* there are no vectors */
    }
    pgc_conn_close(conn);
    return status;
}

/* How many sessions the database has, beside the one that asks. */
static int sessions(pgc_conn *root)
{
    char got[32];
    char state[6];
    schema_ask(root,
               "SELECT count(*) FROM pg_sleep(0.02), pg_stat_activity WHERE datname = "
               "current_database() AND backend_type = 'client backend' AND pid <> "
               "pg_backend_pid()",
               got, sizeof got, state);
    CHECK_STR(state, "");
    return (int) strtol(got, NULL, 10);
}

/* A process of the server outlives its connection by a moment. */
static void check_sessions(pgc_conn *root, int most)
{
    int count = sessions(root);
    for (int i = 0; count > most && i < 500; i++) {
        count = sessions(root);
    }
    CHECK(count <= most);
}

/* What there is of models: all that were added, and one of them in use. */
static void check_models(pgc_conn *root)
{
    char got[32];
    char state[6];
    schema_ask(root,
               "SELECT count(*) || ' ' || count(*) FILTER (WHERE is_active) FROM "
               "embedding_models WHERE name ~ '^model[0-9]'",
               got, sizeof got, state);
    CHECK_STR(state, "");
    char want[32];
    (void) snprintf(want, sizeof want, "%d %d", models, models > 0 ? 1 : 0);
    CHECK_STR(got, want);
}

/* threads: those of a pool may release what the caller made, which the count of blocks of this
 * thread does not see; the sanitizers do. */
typedef struct subject {
    const char *name;
    pgc_status (*work)(pgc_error *err);
    bool threads;
} subject;

static const subject SUBJECTS[] = {
    { "lum_database_open", open_database, false },
    { "lum_library_open", open_library, true },
    { "lum_library_auth_open", open_auth, true },
    { "lum_library_set_psql_env", set_environment, false },
    { "lum_model_add", add_model, false },
    { "lum_model_use", use_model, false },
    { "lum_graph_make", make_graph, false },
};

/* Until an attempt has less allocations than the number of the one to fail. */
static void fail_each(pgc_conn *root, int most, const subject *s)
{
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE(CHECK_STATUS(s->work(&err), PGC_OK, &err)); /* what is made once is made */
    int failed = 0;
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < ALLOCATIONS_MAX; fail_at++) {
        pgc_error_clear(&err);
        heap_start(fail_at);
        pgc_status status = s->work(&err);
        heap_plan seen = heap_stop();
        complete = seen.calls < fail_at;
        bool good = complete || status == PGC_OK
                        ? CHECK_STATUS(status, PGC_OK, &err)
                        : CHECK_STATUS(status, PGC_NOMEM, &err) && CHECK(err.message[0] != '\0');
        failed += status != PGC_OK ? 1 : 0;
        good = (s->threads || CHECK_INT(seen.live, 0)) && good;
        if (!good) {
            (void) printf("#   %s, allocation %d of %d: %s\n", s->name, fail_at, seen.calls,
                          err.message);
        }
    }
    (void) printf("# %s: %d failures\n", s->name, failed);
    CHECK(complete && failed > 0);
    check_sessions(root, most);
    check_models(root);
}

static void each_failure_is_told_and_leaves_nothing(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
    pgc_conn *root = schema_connect(lib.url);
    REQUIRE(CHECK(root != NULL));
    int most = sessions(root);
    for (size_t i = 0; i < ARRAY_LEN(SUBJECTS); i++) {
        fail_each(root, most, &SUBJECTS[i]);
    }
    pgc_conn_close(root);
    test_library_remove(&lib);
}

TAP_MAIN(TAP("library oom: each failure is told and leaves nothing",
             each_failure_is_told_and_leaves_nothing))
