/* Sets of servers, as far as one server shows them: its primary does all the work. Replicas and
 * promotions are in tests/fault/t-replica.c. Each allocation of a set's life fails once. */
#include "base/prelude.h"

#include <sched.h>

#include <pgc/rows.h>
#include <pgc/set.h>

#include "pgc/auto.h"
#include "pgc/stream.h"

#include "live.h"
#include "oom.h"
#include "pool.h"
#include "tap.h"

static const pgc_type_ref INT4[] = { { "x", "integer", 23 } };
static const pgc_query WRITE = {
    .name = "Write", .sql = "SELECT 7 AS x", .hash = 0x5e71, .column_count = 1, .columns = INT4
};
static const pgc_query READ = { .name = "Read",
                                .sql = "SELECT $1 + 1 AS x",
                                .hash = 0x5e72,
                                .flags = PGC_QUERY_READ_ONLY,
                                .param_count = 1,
                                .column_count = 1,
                                .params = INT4,
                                .columns = INT4 };

/* The set's threads allocate as well. */
typedef struct shared_plan {
    oom_plan plan;
    pthread_mutex_t lock;
} shared_plan;

static void *plan_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    shared_plan *shared = ctx;
    (void) pthread_mutex_lock(&shared->lock);
    void *got = oom_resize(&shared->plan, ptr, old_size, new_size);
    (void) pthread_mutex_unlock(&shared->lock);
    return got;
}

static void plan_release(void *ctx, void *ptr, size_t size)
{
    shared_plan *shared = ctx;
    (void) pthread_mutex_lock(&shared->lock);
    oom_release(&shared->plan, ptr, size);
    (void) pthread_mutex_unlock(&shared->lock);
}

static pgc_set_options set_options(const pgc_alloc *alloc, const char *const *nodes)
{
    pgc_set_options options = { .struct_size = sizeof options,
                                .nodes = nodes,
                                .node_count = 1,
                                .pool = { .max_conns = 1, .min_conns = 1 },
                                .check_us = 20000 };
    options.pool.conn.alloc = alloc;
    return options;
}

static pgc_status read_one(pgc_db *db, int32_t n, int32_t *out, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_status status = pgc_db_run(db, &READ, &args, &result, err);
    pgc_args_done(&args);
    if (status == PGC_OK) {
        pgc_reader_init(&reader, result, &READ);
        *out = pgc_read_i32(&reader, 0, 0);
        status = pgc_reader_finish(&reader, err);
    }
    pgc_result_free(result);
    return status;
}

static pgc_status read_rows(pgc_db *db, pgc_error *err)
{
    AUTO(rows_close_auto) pgc_rows *rows = NULL;
    bool more = true;
    TRY(pgc_rows_open(db, &WRITE, NULL, NULL, &rows, err));
    while (more) {
        TRY(pgc_rows_next(rows, &more, err));
    }
    return pgc_rows_count(rows) == 1 ? PGC_OK : pgc_error_set(err, PGC_PROTOCOL, "other rows");
}

static pgc_status in_tx(pgc_tx *tx, void *arg, pgc_error *err)
{
    (void) arg;
    int32_t got = 0;
    TRY(read_one(pgc_tx_db(tx), 20, &got, err));
    return got == 21 ? PGC_OK : pgc_error_set(err, PGC_PROTOCOL, "a wrong answer");
}

/* What a user's request does with a set: through a view with an identity, then a transaction. */
static pgc_status use_view(pgc_set *set, pgc_error *err)
{
    const pgc_setting who = { "app.user", "7" };
    const pgc_view_options options = { .struct_size = sizeof options,
                                       .settings = &who,
                                       .setting_count = 1 };
    pgc_view *view = NULL;
    int32_t got = 0;
    TRY(pgc_view_open(set, &options, &view, err));
    pgc_status status = pgc_db_run(pgc_view_db(view), &WRITE, NULL, NULL, err);
    if (status == PGC_OK) {
        status = read_one(pgc_view_db(view), 40, &got, err);
    }
    if (status == PGC_OK && (got != 41 || pgc_view_token(view).lsn == 0)) {
        status = pgc_error_set(err, PGC_PROTOCOL, "a wrong answer, or no token");
    }
    pgc_view_close(view);
    return status;
}

static pgc_status use_set(pgc_set *set, pgc_error *err)
{
    const pgc_tx_options read_only = { .struct_size = sizeof read_only, .read_only = true };
    pgc_token token = { 0, 0, 0 };
    TRY(pgc_set_await(set, 0, 10000000, err));
    TRY(use_view(set, err));
    TRY(read_rows(pgc_set_reader(set), err));
    TRY(pgc_set_tx_run(set, NULL, 3, in_tx, NULL, &token, err));
    return pgc_set_tx_run(set, &read_only, 3, in_tx, NULL, &token, err);
}

/* *calls_out: allocations of the whole life. */
static pgc_status live_with(int fail_at, bool sticky, int *calls_out, pgc_error *err)
{
    shared_plan shared = { .plan = { .fail_at = fail_at, .sticky = sticky },
                           .lock = PTHREAD_MUTEX_INITIALIZER };
    const pgc_alloc alloc = { &shared, plan_resize, plan_release };
    const char *const node = live_url();
    const pgc_set_options options = set_options(&alloc, &node);
    pgc_set *set = NULL;
    pgc_error_clear(err);
    pgc_status status = pgc_set_open(&options, &set, err);
    if (status == PGC_OK) {
        status = use_set(set, err);
    } else {
        CHECK(set == NULL);
    }
    pgc_set_close(set);
    CHECK_INT(shared.plan.live, 0);
    CHECK_INT(shared.plan.bad_sizes, 0);
    *calls_out = shared.plan.calls;
    return status;
}

/* Each call ends with its work done or with a reason, never with a wrong answer; a set whose
 * threads met the failure goes on. */
static void every_allocation_may_fail(void)
{
    NEED_SERVER();
    int calls = 0, done = 0, told = 0;
    pgc_error err;
    CHECK_STATUS(live_with(0, false, &calls, &err), PGC_OK, &err);
    CHECK(calls > 20);
    int most = calls;
    for (int fail_at = 1; fail_at <= most; fail_at++) {
        pgc_status status = live_with(fail_at, false, &calls, &err);
        bool good = status == PGC_OK || status == PGC_NOMEM ||
                    (status == PGC_CONNECTION && strstr(err.message, "memory") != NULL);
        if (!CHECK(good)) {
            printf("# allocation %d: %d: %s\n", fail_at, (int) status, err.message);
        }
        done += status == PGC_OK ? 1 : 0;
        told += status == PGC_NOMEM ? 1 : 0;
    }
    CHECK(done > 0);
    CHECK(told > 0);
    CHECK_STATUS(live_with(0, false, &calls, &err), PGC_OK, &err);
}

static const pgc_type_ref C_BOOL[] = { { "generic", "boolean", 16 } };
static const pgc_query GENERIC = {
    .name = "Generic",
    .sql = "SELECT current_setting('plan_cache_mode') = 'force_generic_plan' AS generic",
    .flags = PGC_QUERY_READ_ONLY | PGC_QUERY_GENERIC,
    .column_count = 1,
    .columns = C_BOOL,
};

static bool is_generic(pgc_db *db)
{
    pgc_error err;
    pgc_reader reader;
    pgc_result *result = NULL;
    if (!CHECK_STATUS(pgc_db_run(db, &GENERIC, NULL, &result, &err), PGC_OK, &err)) {
        return false;
    }
    pgc_reader_init(&reader, result, &GENERIC);
    bool generic = pgc_read_bool(&reader, 0, 0);
    pgc_result_free(result);
    return generic;
}

static void one_server_is_a_set(void)
{
    NEED_SERVER();
    const char *const node = live_url();
    const pgc_set_options options = set_options(NULL, &node);
    pgc_set *set = NULL;
    pgc_set_stats stats;
    pgc_node_stats nodes[2];
    pgc_error err;
    REQUIRE_OK(pgc_set_open(&options, &set, &err), &err);
    CHECK_STATUS(use_set(set, &err), PGC_OK, &err);
    CHECK(is_generic(pgc_set_writer(set)));
    CHECK(is_generic(pgc_set_reader(set)));
    pgc_set_get_stats(set, &stats, nodes, ARRAY_LEN(nodes));
    CHECK_INT(stats.primary, 0);
    CHECK_INT(nodes[0].role, PGC_NODE_PRIMARY);
    CHECK(!nodes[0].serves_reads); /* as a replica */
    CHECK(stats.fallback_count > 0);
    CHECK(pgc_set_pool(set, 0) != NULL);
    CHECK(pgc_set_pool(set, 1) == NULL);
    CHECK_INT(pgc_set_await(set, 1, 1000, &err), PGC_TIMEOUT);
    CHECK(strstr(err.message, "0 of 1 replicas") != NULL);
    pgc_set_close(set);
}

/* Until a deadline that passed nobody is waited for, whatever the pool would do. */
static void a_wait_for_the_primary_has_an_end(void)
{
    NEED_SERVER();
    const char *const nowhere = "host=/nonexistent-lumilio dbname=x user=x";
    pgc_set_options options = set_options(NULL, &nowhere);
    pgc_set *set = NULL;
    pgc_error err;
    options.primary_wait_us = 50000;
    REQUIRE_OK(pgc_set_open(&options, &set, &err), &err);
    CHECK_INT(pgc_db_run(pgc_set_writer(set), &WRITE, NULL, NULL, &err), PGC_CONNECTION);
    CHECK(err.retry);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    CHECK(strstr(err.message, "no primary") != NULL);
    pgc_set_close(set);
}

/* The only connection is lent: what waits for the primary waits no longer than it may. */
static void a_busy_primary_is_waited_for_as_long_as_allowed(void)
{
    NEED_SERVER();
    const char *const node = live_url();
    pgc_set_options options = set_options(NULL, &node);
    pgc_set *set = NULL;
    pgc_conn *lent = NULL;
    pgc_error err;
    options.pool.acquire_timeout_us = 300000;
    REQUIRE_OK(pgc_set_open(&options, &set, &err), &err);
    CHECK_STATUS(pgc_set_await(set, 0, 10000000, &err), PGC_OK, &err);
    REQUIRE_OK(pgc_pool_acquire(pgc_set_pool(set, 0), &lent, &err), &err);
    CHECK_INT(pgc_db_run(pgc_set_writer(set), &WRITE, NULL, NULL, &err), PGC_TIMEOUT);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    pgc_pool_release(pgc_set_pool(set, 0), lent);
    CHECK_STATUS(pgc_db_run(pgc_set_writer(set), &WRITE, NULL, NULL, &err), PGC_OK, &err);
    pgc_set_close(set);
}

/* One write, from another thread. */
typedef struct writer {
    pgc_set *set;
    pgc_status status;
    pgc_error err;
} writer;

static void *write_once(void *arg)
{
    writer *me = arg;
    me->status = pgc_db_run(pgc_set_writer(me->set), &WRITE, NULL, NULL, &me->err);
    return NULL;
}

/* The look that fails stands for a server that is lost: its session is ended from outside. */
static void who_waits_at_a_lost_primary_moves_on(void)
{
    NEED_SERVER();
    const char *const node = live_url();
    pgc_set_options options = set_options(NULL, &node);
    pgc_set *set = NULL;
    pgc_conn *lent = NULL;
    pgc_error err;
    pthread_t thread;
    AUTO(live_close) pgc_conn *admin = live_open();
    options.pool.conn.app_name = "set under test";
    options.pool.acquire_timeout_us = 60000000;
    REQUIRE(admin != NULL);
    REQUIRE_OK(pgc_set_open(&options, &set, &err), &err);
    CHECK_STATUS(pgc_set_await(set, 0, 10000000, &err), PGC_OK, &err);
    pgc_pool *pool = pgc_set_pool(set, 0);
    REQUIRE_OK(pgc_pool_acquire(pool, &lent, &err), &err);
    writer waiting = { .set = set, .status = PGC_INVALID };
    REQUIRE(CHECK_INT(pthread_create(&thread, NULL, write_once, &waiting), 0));
    while (stats_of(pool).waiters < 1) {
        (void) sched_yield();
    }
    while (stats_of(pool).acquire_cancel_count < 1) {
        CHECK(live_do(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                             " WHERE application_name = 'set under test'"
                             " AND query LIKE '%pg_control_system%'"));
    }
    pgc_pool_release(pool, lent);
    (void) pthread_join(thread, NULL);
    CHECK_STATUS(waiting.status, PGC_OK, &waiting.err);
    pgc_set_stats stats;
    pgc_set_get_stats(set, &stats, NULL, 0);
    CHECK(stats.primary_wait_count > 0);
    pgc_set_close(set);
}

static void options_are_checked(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_set *set = NULL;
    const char *const wrong = "no_such_keyword=1";
    const char *const node = live_url();
    pgc_set_options options = set_options(NULL, &node);
    CHECK_INT(pgc_set_open(NULL, &set, &err), PGC_INVALID);
    CHECK_INT(pgc_set_open(&options, NULL, &err), PGC_INVALID);
    options.node_count = 0;
    CHECK_INT(pgc_set_open(&options, &set, &err), PGC_INVALID);
    options.node_count = PGC_SET_NODES_MAX + 1;
    CHECK_INT(pgc_set_open(&options, &set, &err), PGC_INVALID);
    options = set_options(NULL, &wrong);
    CHECK_INT(pgc_set_open(&options, &set, &err), PGC_INVALID);
    CHECK(strstr(err.message, "node 1") != NULL);
    CHECK(set == NULL);
    pgc_set_close(NULL);
    pgc_view_close(NULL);
}

TAP_MAIN(TAP("set: every allocation may fail", every_allocation_may_fail),
         TAP("set: one server is a set", one_server_is_a_set),
         TAP("set: a wait for the primary has an end", a_wait_for_the_primary_has_an_end),
         TAP("set: a busy primary is waited for as long as allowed",
             a_busy_primary_is_waited_for_as_long_as_allowed),
         TAP("set: who waits at a lost primary moves on", who_waits_at_a_lost_primary_moves_on),
         TAP("set: options are checked", options_are_checked))
