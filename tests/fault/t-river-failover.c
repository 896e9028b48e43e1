/* The job queue while its primary dies and the standby takes over, there and back again: clients
 * insert and work all the time through one URL that names both servers. What was acknowledged is on
 * both, because commits wait for the standby; so each acknowledged job is there afterwards and has
 * had its effect once. How soon work goes on is printed. */
#include "base/prelude.h"

#include <pgc/tx.h>

#include "pgc/auto.h"

#include "pair.h"
#include "river.h"

#define INSERTERS   3
#define INSERTS_MAX 20000
#define CLIENTS     2
#define RETRY_US    10000
#define PATIENCE_US (30 * SECOND_US)

/* No key: a second effect of one job would be there to see. */
static const char TABLES[] = "CREATE TABLE effect (job bigint NOT NULL)";
static const pgc_type_ref EFFECT_PARAMS[] = { { "job", "bigint", 20 } };
static const pgc_query EFFECT = { .name = "FailoverEffect",
                                  .sql = "INSERT INTO effect (job) VALUES ($1)",
                                  .param_count = 1,
                                  .params = EFFECT_PARAMS };

struct field;

typedef struct inserter {
    struct field *field;
    pthread_t thread;
    bool started;
    int64_t first; /* of its numbers; the next ones follow */
    atomic_int good;
    int count, refused, doubtful, wrong;
    pgc_status told[INSERTS_MAX]; /* of first, first + 1, … */
} inserter;

typedef struct worker {
    pgc_pool *pool;
    river_client *client;
} worker;

typedef struct field {
    pair servers;
    char url[400]; /* of both */
    worker workers[CLIENTS];
    pgc_pool *pool; /* of the inserters */
    river_client *client;
    inserter *inserters;
    atomic_bool stop;
    pgc_error err;
} field;

/* ---- what the jobs do ---- */

/* Effect and completion in one transaction: both or none. */
static pgc_status work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    AUTO(tx_auto) pgc_tx *tx = NULL;
    TRY(pgc_tx_begin(((worker *) arg)->pool, NULL, &tx, err));
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, job->id);
    pgc_status status = pgc_db_run(pgc_tx_db(tx), &EFFECT, &args, NULL, err);
    pgc_args_done(&args);
    if (status == PGC_OK) {
        status = river_ctx_wait(ctx, job->id * 7919 % 4 * 1000);
    }
    if (status == PGC_OK) {
        status = river_ctx_complete(ctx, tx, err);
    }
    return status == PGC_OK ? pgc_tx_commit(&tx, err) : status;
}

static int64_t soon(const river_job *job, void *arg)
{
    (void) job, (void) arg;
    return RETRY_US;
}

static bool open_pool(field *f, pgc_pool **out)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .max_conns = 6,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = f->url } };
    return CHECK_STATUS(pgc_pool_open(&options, out, &f->err), PGC_OK, &f->err);
}

static bool start_worker(field *f, size_t number)
{
    worker *w = &f->workers[number];
    const pgc_conn_options conn = { .struct_size = sizeof conn, .conninfo = f->url };
    const river_worker kind = {
        .struct_size = sizeof kind, .kind = "test", .work = work, .arg = w, .next_retry = soon
    };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = "default",
                                        .max_workers = 4 };
    char id[16];
    (void) snprintf(id, sizeof id, "worker_%zu", number);
    river_client_options options = { .struct_size = sizeof options,
                                     .id = id,
                                     .conn = &conn,
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .workers = &kind,
                                     .worker_count = 1,
                                     .max_attempts = 10000,
                                     .fetch_cooldown_us = 1000,
                                     .fetch_poll_us = 20000,
                                     .no_reindex = true };
    if (!open_pool(f, &w->pool)) {
        return false;
    }
    options.pool = w->pool;
    return CHECK_STATUS(river_client_open(&options, &w->client, &f->err), PGC_OK, &f->err) &&
           CHECK_STATUS(river_client_start(w->client, &f->err), PGC_OK, &f->err);
}

/* ---- who inserts ---- */

/* One job after the other, each with a number of its own; what failed is not tried again. */
static void *insert_on(void *arg)
{
    inserter *in = arg;
    for (; !atomic_load(&in->field->stop) && in->count < INSERTS_MAX; in->count++) {
        pgc_error err;
        char args[40];
        (void) snprintf(args, sizeof args, "{\"n\":%" PRId64 "}", in->first + in->count);
        const river_insert job = { .struct_size = sizeof job,
                                   .kind = "test",
                                   .args = pgc_text_from(args) };
        pgc_status status = river_insert_one(in->field->client, NULL, &job, NULL, &err);
        if (status != PGC_OK && err.outcome == PGC_OUTCOME_UNKNOWN) {
            status = PGC_IN_DOUBT;
        }
        in->told[in->count] = status;
        if (status == PGC_OK) {
            (void) atomic_fetch_add(&in->good, 1);
            clock_os()->sleep_us(NULL, 4000); /* or the workers would still be at it for long */
        } else if (status == PGC_IN_DOUBT) {
            in->doubtful++;
        } else if (status == PGC_CONNECTION || status == PGC_TIMEOUT) {
            in->refused++;
            clock_os()->sleep_us(NULL, 1000);
        } else if (in->wrong++ == 0) {
            printf("# status %d: %s\n", (int) status, err.message);
        }
    }
    return NULL;
}

static bool start_inserters(field *f)
{
    bool ok = true;
    for (size_t i = 0; ok && i < INSERTERS; i++) {
        inserter *in = &f->inserters[i];
        in->field = f;
        in->first = (int64_t) (i + 1) * 1000000;
        in->started = CHECK_INT(pthread_create(&in->thread, NULL, insert_on, in), 0);
        ok = in->started;
    }
    return ok;
}

static void stop_inserters(field *f)
{
    atomic_store(&f->stop, true);
    for (size_t i = 0; i < INSERTERS; i++) {
        if (f->inserters[i].started) {
            (void) pthread_join(f->inserters[i].thread, NULL);
            f->inserters[i].started = false;
        }
    }
}

/* ---- the servers ---- */

static pgc_conn *connect_outside(field *f, const char *url)
{
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    CHECK_STATUS(pgc_conn_open(&options, &conn, &f->err), PGC_OK, &f->err);
    return conn;
}

/* From its next start on the server acknowledges nothing that the other one has not. Started again,
 * not told to look, because then no session is late in knowing it. */
static bool make_synchronous(field *f, int which)
{
    pgc_conn *conn = connect_outside(f, pair_conninfo(&f->servers, which));
    bool ok = conn != NULL && scratch_run(conn, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    pgc_conn_close(conn);
    return ok && pair_stop(&f->servers, which, false) && pair_start(&f->servers, which);
}

static bool begin(field *f)
{
    f->inserters = calloc(INSERTERS, sizeof *f->inserters);
    if (f->inserters == NULL || !CHECK(pair_open(&f->servers)) ||
        !CHECK(make_synchronous(f, PAIR_A))) {
        return false;
    }
    (void) snprintf(f->url, sizeof f->url,
                    "host=%s/socket-a,%s/socket-b dbname=postgres user=postgres "
                    "target_session_attrs=read-write",
                    f->servers.dir.path, f->servers.dir.path);
    pgc_conn *conn = connect_outside(f, f->url);
    bool ok = conn != NULL && scratch_run(conn, TABLES) && river_tables(conn, &f->err);
    pgc_conn_close(conn);
    river_client_options options = { .struct_size = sizeof options, .max_attempts = 10000 };
    ok = ok && open_pool(f, &f->pool);
    options.pool = f->pool;
    ok = ok && CHECK_STATUS(river_client_open(&options, &f->client, &f->err), PGC_OK, &f->err);
    for (size_t i = 0; ok && i < CLIENTS; i++) {
        ok = start_worker(f, i);
    }
    return ok && start_inserters(f);
}

static void end(field *f)
{
    if (f->inserters != NULL) {
        stop_inserters(f);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        river_client_close(f->workers[i].client);
        pgc_pool_close(f->workers[i].pool);
    }
    river_client_close(f->client);
    pgc_pool_close(f->pool);
    if (f->servers.dir.path[0] != '\0') {
        pair_close(&f->servers);
    }
    free(f->inserters);
}

/* ---- what must be seen ---- */

/* What moves: the jobs that each inserter got acknowledged, those that each client completed. */
typedef struct progress {
    int64_t of[INSERTERS + CLIENTS];
} progress;

static progress look(field *f)
{
    progress now;
    for (size_t i = 0; i < INSERTERS; i++) {
        now.of[i] = atomic_load(&f->inserters[i].good);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        river_client_stats stats;
        river_client_get_stats(f->workers[i].client, &stats);
        now.of[INSERTERS + i] = stats.completed;
    }
    return now;
}

/* Until every part of it has moved by so much; microseconds, -1: never. */
static int64_t until_all_move(field *f, int64_t by)
{
    int64_t began = clock_os()->mono_us(NULL);
    const progress before = look(f);
    for (;;) {
        const progress now = look(f);
        int64_t took = clock_os()->mono_us(NULL) - began;
        size_t moved = 0;
        for (size_t i = 0; i < ARRAY_LEN(now.of); i++) {
            moved += now.of[i] >= before.of[i] + by ? 1 : 0;
        }
        if (moved == ARRAY_LEN(now.of)) {
            return took;
        }
        if (took > PATIENCE_US) {
            for (size_t i = 0; i < ARRAY_LEN(now.of); i++) {
                printf("# part %zu: %" PRId64 " to %" PRId64 "\n", i, before.of[i], now.of[i]);
            }
            return -1;
        }
        clock_os()->sleep_us(NULL, 1000);
    }
}

/* The primary dies as with its machine, and the standby takes over. */
static bool fail_over(field *f, int from, int to)
{
    if (!CHECK(until_all_move(f, 30) >= 0) || !CHECK(pair_kill(&f->servers, from)) ||
        !CHECK(pair_promote(&f->servers, to))) {
        return false;
    }
    int64_t us = until_all_move(f, 1);
    printf("# all insert and work again %" PRId64 " ms after the promotion\n", us / 1000);
    return CHECK(us >= 0) && CHECK(until_all_move(f, 30) >= 0);
}

/* The dead one comes back behind its successor, so that it can succeed in its turn. */
static bool come_back(field *f, int which)
{
    return CHECK(pair_follow(&f->servers, which)) && CHECK(make_synchronous(f, 1 - which)) &&
           CHECK(until_all_move(f, 1) >= 0);
}

static int64_t number_of(scratch *db, const char *sql)
{
    arena *mem = arena_new(NULL, 0, 0);
    int64_t number = strtoll(scratch_text(db, mem, sql), NULL, 10);
    arena_free(mem);
    return number;
}

/* What was told as done is there once, what was told as undone is not. */
static void judge_inserter(const inserter *in, scratch *db)
{
    int64_t missing = 0, unexpected = 0;
    for (int i = 0; i < in->count; i++) {
        char sql[100];
        (void) snprintf(sql, sizeof sql,
                        "SELECT count(*)::text FROM river_job WHERE args = '{\"n\":%" PRId64 "}'",
                        in->first + i);
        int64_t rows = number_of(db, sql);
        missing += in->told[i] == PGC_OK && rows != 1 ? 1 : 0;
        bool undone = in->told[i] != PGC_OK && in->told[i] != PGC_IN_DOUBT;
        unexpected += (undone && rows != 0) || rows > 1 ? 1 : 0;
    }
    CHECK_INT(missing, 0);
    CHECK_INT(unexpected, 0);
    CHECK_INT(in->wrong, 0);
    printf("# %d inserted, %d refused, %d in doubt\n", in->good, in->refused, in->doubtful);
}

/* Everything that is there comes to its end, with one effect. */
static void judge(field *f)
{
    static const char OPEN[] = "SELECT count(*)::text FROM river_job WHERE finalized_at IS NULL";
    scratch db = { .conn = connect_outside(f, f->url) };
    REQUIRE(db.conn != NULL);
    int64_t until = clock_os()->mono_us(NULL) + PATIENCE_US;
    while (number_of(&db, OPEN) > 0 && clock_os()->mono_us(NULL) < until) {
        clock_os()->sleep_us(NULL, 20000);
    }
    CHECK_INT(number_of(&db, OPEN), 0);
    CHECK_INT(number_of(&db, "SELECT count(*)::text FROM river_job WHERE state <> 'completed'"), 0);
    CHECK_INT(number_of(&db, "SELECT (count(*) - count(DISTINCT job))::text FROM effect"), 0);
    CHECK_INT(number_of(&db, "SELECT count(*)::text FROM river_job AS j FULL JOIN effect AS e "
                             "ON e.job = j.id WHERE e.job IS NULL OR j.id IS NULL"),
              0);
    (void) scratch_do(&db, "CREATE INDEX ON river_job (args)");
    for (size_t i = 0; i < INSERTERS; i++) {
        judge_inserter(&f->inserters[i], &db);
    }
    pgc_conn_close(db.conn);
}

static void failovers_lose_nothing(void)
{
    AUTO(end) field f = { 0 };
    REQUIRE(begin(&f));
    if (fail_over(&f, PAIR_A, PAIR_B) && come_back(&f, PAIR_A) && fail_over(&f, PAIR_B, PAIR_A)) {
        /* Nobody is left to wait for: the last standby is dead. */
        stop_inserters(&f);
        judge(&f);
    }
}

TAP_MAIN(TAP("river 49: failovers there and back under load lose nothing, nothing happens twice",
             failovers_lose_nothing))
