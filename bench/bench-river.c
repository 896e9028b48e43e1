/* ./dev bench river: the job queue beside the real River on the same private server.
 *
 * Jobs that do nothing, 2000 workers, cooldown 2 ms, poll 20 ms, by River's own method: N jobs are
 * inserted, then worked; the clock runs from the return of start to the last stored completion.
 * Both sides are programs of their own, `lumilio river bench` and bench/peers/river, so that the
 * CPU of each is its own. How soon a waiting client begins a job stands beside a limit and beside
 * River; two more rows need no peer: what a limit over all clients costs, and what a million
 * waiting jobs do to a fetch. LUMILIO_BENCH_JOBS is another N than 30,000. */
#include "base/prelude.h"

#include <sys/stat.h>

#include <pgc/cluster.h>
#include <river/insert.h>

#include "base/proc.h"
#include "bench.h"
#include "river/store.h"
#include <river/migrate.h>

#define JOBS_DEFAULT     30000
#define WORKERS          2000
#define LATENCY_JOBS     300
#define LATENCY_LIMIT    10.0 /* milliseconds */
#define FETCH_JOBS       200
#define LIMITED_JOBS     20000
#define FETCH_ROUNDS     20
#define WAITING_FEW      20000
#define WAITING_MANY     1000000
#define PROGRAM_LIMIT_US INT64_C(600000000)

typedef struct site {
    char dir[PATH_MAX];
    char folder[PATH_MAX]; /* of this program, where the others lie */
    pgc_cluster *cluster;
    const char *url;
    pgc_conn *conn;
    pgc_pool *pool;
    char jobs[16];
    pgc_error err;
} site;

static double failed(const site *s, const char *doing)
{
    (void) fprintf(stderr, "bench river: %s: %s\n", doing, s->err.message);
    return BENCH_NONE;
}

static bool script(site *s, const char *sql)
{
    return pgc_conn_script(s->conn, sql, -1, NULL, &s->err) == PGC_OK;
}

static bool empty(site *s)
{
    return script(s, "TRUNCATE river_job, river_leader, river_queue") &&
           script(s, "VACUUM FULL river_job") && script(s, "CHECKPOINT");
}

/* A number of the JSON line that a program printed last. */
static double number_of(const buf *output, const char *key)
{
    const char *at = output->ptr == NULL ? NULL : strstr(output->ptr, key);
    at = at == NULL ? NULL : strchr(at, ':');
    return at == NULL ? BENCH_NONE : strtod(at + 1, NULL);
}

/* Work N jobs by a program; gives a number of its report. */
static double run_program(site *s, const char *const *argv, const char *key)
{
    AUTO(buf_auto) buf output;
    int code = 0;
    buf_init(&output, NULL, 1 << 20);
    const proc_options options = { .argv = argv,
                                   .timeout_us = PROGRAM_LIMIT_US,
                                   .output = &output };
    if (!empty(s) || proc_run(env_default(), &options, &code, &s->err) != PGC_OK) {
        return failed(s, argv[0]);
    }
    if (code != 0) {
        (void) fprintf(stderr, "bench river: %s: %s\n", argv[0], output.ptr);
        return BENCH_NONE;
    }
    return number_of(&output, key);
}

static double ours(site *s, const char *key)
{
    char program[PATH_MAX + 32];
    (void) snprintf(program, sizeof program, "%s/../lumilio", s->folder);
    const char *const argv[] = { program, "river",          "bench", "--json", "--num-total-jobs",
                                 s->jobs, "--database-url", s->url,  NULL };
    return run_program(s, argv, key);
}

static double rivers(site *s, const char *key)
{
    char program[PATH_MAX + 32], workers[16];
    (void) snprintf(program, sizeof program, "%s/peer-river", s->folder);
    (void) snprintf(workers, sizeof workers, "%d", WORKERS);
    const char *const argv[] = { program, s->url, s->jobs, workers, NULL };
    return run_program(s, argv, key);
}

static double our_rate(void *ctx)
{
    return ours((site *) ctx, "JobsPerSecond");
}

static double river_rate(void *ctx)
{
    return rivers((site *) ctx, "JobsPerSecond");
}

static double our_cpu(void *ctx)
{
    return ours((site *) ctx, "ClientCpuMicrosecondsPerJob");
}

static double river_cpu(void *ctx)
{
    return rivers((site *) ctx, "ClientCpuMicrosecondsPerJob");
}

/* When the handler of the job under way began. */
typedef struct pickup {
    pthread_mutex_t lock;
    pthread_cond_t begun;
    double at;
} pickup;

static pgc_status note_begin(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    pickup *p = (pickup *) arg;
    (void) ctx, (void) job, (void) err;
    pthread_mutex_lock(&p->lock);
    p->at = bench_now();
    pthread_cond_signal(&p->begun);
    pthread_mutex_unlock(&p->lock);
    return PGC_OK;
}

/* From before the insert to the handler's first line; the queue has been idle for longer than the
 * pause between two notifications. */
static bool measure_pickups(site *s, river_client *client, pickup *p, double *out)
{
    const river_insert job = { .struct_size = sizeof job, .kind = "pickup" };
    const clock_ops *clock = clock_os();
    for (size_t i = 0; i < LATENCY_JOBS; i++) {
        clock->sleep_us(clock->ctx, 15000);
        p->at = 0;
        double began = bench_now();
        if (river_insert_one(client, NULL, &job, NULL, &s->err) != PGC_OK) {
            return false;
        }
        pthread_mutex_lock(&p->lock);
        while (p->at <= 0) {
            (void) pthread_cond_wait(&p->begun, &p->lock);
        }
        out[i] = (p->at - began) * 1e3;
        pthread_mutex_unlock(&p->lock);
    }
    return true;
}

static double pickup_p99(void *ctx)
{
    site *s = (site *) ctx;
    pickup p = { .lock = PTHREAD_MUTEX_INITIALIZER, .begun = PTHREAD_COND_INITIALIZER };
    const pgc_conn_options conn = { .struct_size = sizeof conn, .conninfo = s->url };
    const river_worker worker = {
        .struct_size = sizeof worker, .kind = "pickup", .work = note_begin, .arg = &p
    };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = RIVER_QUEUE_DEFAULT,
                                        .max_workers = 4 };
    const river_client_options options = {
        .struct_size = sizeof options,
        .pool = s->pool,
        .conn = &conn,
        .queues = &queue,
        .queue_count = 1,
        .workers = &worker,
        .worker_count = 1,
        .fetch_cooldown_us = 2000,
    };
    double times[LATENCY_JOBS];
    river_client *client = NULL;
    bool done = empty(s) && river_client_open(&options, &client, &s->err) == PGC_OK &&
                river_client_start(client, &s->err) == PGC_OK &&
                measure_pickups(s, client, &p, times);
    river_client_close(client);
    if (!done) {
        return failed(s, "measure pick-ups");
    }
    return bench_percentile(times, LATENCY_JOBS, 99);
}

static bool fill(site *s, int64_t waiting)
{
    char sql[256];
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO river_job (args, kind) SELECT '{\"num\": 0}', 'benchmark' "
                    "FROM generate_series(1, %" PRId64 ")",
                    waiting);
    return script(s, sql) && script(s, "VACUUM ANALYZE river_job") && script(s, "CHECKPOINT");
}

static double river_pickup_p99(void *ctx)
{
    site *s = (site *) ctx;
    char program[PATH_MAX + 32], jobs[16];
    (void) snprintf(program, sizeof program, "%s/peer-river", s->folder);
    (void) snprintf(jobs, sizeof jobs, "%d", LATENCY_JOBS);
    const char *const argv[] = { program, s->url, jobs, "pickup", NULL };
    return run_program(s, argv, "PickupP99Milliseconds");
}

static pgc_status do_nothing(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) ctx, (void) job, (void) arg, (void) err;
    return PGC_OK;
}

/* Jobs per second of a client in this process; a limit that is never met costs its counting. */
static double limited_rate(site *s, uint32_t limit)
{
    const river_worker worker = { .struct_size = sizeof worker,
                                  .kind = "benchmark",
                                  .work = do_nothing };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = RIVER_QUEUE_DEFAULT,
                                        .max_workers = WORKERS,
                                        .global_limit = limit };
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = s->pool,
                                           .queues = &queue,
                                           .queue_count = 1,
                                           .workers = &worker,
                                           .worker_count = 1,
                                           .fetch_cooldown_us = 2000,
                                           .fetch_poll_us = 20000 };
    river_client *client = NULL;
    river_client_stats stats = { 0 };
    const clock_ops *clock = clock_os();
    if (!empty(s) || !fill(s, LIMITED_JOBS) ||
        river_client_open(&options, &client, &s->err) != PGC_OK) {
        return failed(s, "fill the queue");
    }
    double began = bench_now();
    bool done = river_client_start(client, &s->err) == PGC_OK;
    while (done && stats.completed < LIMITED_JOBS) {
        clock->sleep_us(clock->ctx, 1000);
        river_client_get_stats(client, &stats);
    }
    double seconds = bench_now() - began;
    river_client_close(client);
    return done ? LIMITED_JOBS / seconds : failed(s, "work under a limit");
}

static double rate_with_limit(void *ctx)
{
    return limited_rate((site *) ctx, 2 * WORKERS);
}

static double rate_without_limit(void *ctx)
{
    return limited_rate((site *) ctx, 0);
}

static double latency_limit(void *ctx)
{
    (void) ctx;
    return LATENCY_LIMIT;
}

/* Milliseconds of one fetch of FETCH_JOBS with so many waiting. */
static double fetch_ms(site *s, int64_t waiting)
{
    const river_store *store = NULL;
    pgc_db *db = pgc_conn_db(s->conn);
    double times[FETCH_ROUNDS];
    if (!empty(s) || !fill(s, waiting) || store_open(db, NULL, &store, &s->err) != PGC_OK) {
        return failed(s, "fill the queue");
    }
    for (size_t i = 0; i < FETCH_ROUNDS; i++) {
        river_jobs *jobs = NULL;
        double began = bench_now();
        if (store_fetch(store, db, RIVER_QUEUE_DEFAULT, "bench", FETCH_JOBS, &jobs, &s->err) !=
            PGC_OK) {
            return failed(s, "fetch");
        }
        times[i] = (bench_now() - began) * 1e3;
        river_jobs_free(jobs);
    }
    return bench_median(times, FETCH_ROUNDS);
}

static double fetch_many(void *ctx)
{
    return fetch_ms((site *) ctx, WAITING_MANY);
}

static double fetch_few(void *ctx)
{
    return fetch_ms((site *) ctx, WAITING_FEW);
}

static bool find_folder(site *s)
{
    ssize_t length = readlink("/proc/self/exe", s->folder, sizeof s->folder - 1);
    if (length <= 0) {
        return false;
    }
    s->folder[length] = '\0';
    *strrchr(s->folder, '/') = '\0';
    return true;
}

static bool site_open(site *s)
{
    const char *tmp = getenv("TMPDIR"), *jobs = getenv("LUMILIO_BENCH_JOBS");
    (void) snprintf(s->jobs, sizeof s->jobs, "%d",
                    jobs != NULL ? (int) strtol(jobs, NULL, 10) : JOBS_DEFAULT);
    (void) snprintf(s->dir, sizeof s->dir, "%s/bench-river.XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (!find_folder(s) || mkdtemp(s->dir) == NULL || chmod(s->dir, 0711) != 0) {
        return false;
    }
    const pgc_cluster_options cluster = {
        .struct_size = sizeof cluster, .dir = s->dir, .database = "bench", .throw_away = true
    };
    if (pgc_cluster_open(&cluster, &s->cluster, &s->err) != PGC_OK) {
        return false;
    }
    s->url = pgc_cluster_conninfo(s->cluster);
    const pgc_conn_options conn = { .struct_size = sizeof conn,
                                    .conninfo = s->url,
                                    .call_timeout_us = -1 };
    const pgc_pool_options pool = { .struct_size = sizeof pool, .conn = conn };
    const river_migrate_options migrate = { .struct_size = sizeof migrate };
    return pgc_conn_open(&conn, &s->conn, &s->err) == PGC_OK &&
           pgc_pool_open(&pool, &s->pool, &s->err) == PGC_OK &&
           river_migrate(s->conn, RIVER_UP, &migrate, NULL, &s->err) == PGC_OK;
}

static void site_close(site *s)
{
    pgc_pool_close(s->pool);
    pgc_conn_close(s->conn);
    pgc_cluster_close(s->cluster);
}

static const char *why_no_peer(const site *s)
{
    char program[PATH_MAX + 32];
    (void) snprintf(program, sizeof program, "%s/peer-river", s->folder);
    return access(program, X_OK) == 0 ? NULL : "no Go";
}

int main(int argc, char **argv)
{
    site s = { .url = NULL };
    int code = 1;
    if (site_open(&s)) {
        const char *no_peer = why_no_peer(&s);
        const bench_case cases[] = {
            { "jobs worked", "1/s", "River v0.43", our_rate, river_rate, &s, BENCH_AT_LEAST, 2, 3,
              no_peer },
            { "client CPU of a job", "us", "River v0.43", our_cpu, river_cpu, &s, BENCH_AT_MOST,
              0.3, 3, no_peer },
            { "pick-up in an idle queue, p99", "ms", "the limit", pickup_p99, latency_limit, &s,
              BENCH_AT_MOST, 1, 3, NULL },
            { "pick-up in an idle queue, p99, beside", "ms", "River v0.43", pickup_p99,
              river_pickup_p99, &s, BENCH_AT_MOST, 1, 3, no_peer },
            { "jobs worked under a limit", "1/s", "without", rate_with_limit, rate_without_limit,
              &s, BENCH_AT_LEAST, 0.7, 3, NULL },
            { "fetch of 200 of 1,000,000 waiting", "ms", "of 20,000 waiting", fetch_many, fetch_few,
              &s, BENCH_AT_MOST, 1.2, 1, NULL },
        };
        code = bench_main(argc, argv, "river", cases, ARRAY_LEN(cases));
    } else {
        (void) failed(&s, "prepare");
    }
    site_close(&s);
    return code;
}
