/* lumilio river bench: jobs per second by the method of River's own benchmark, so that figures can
 * be laid side by side: jobs that do nothing, 2000 workers, counted once their completion is
 * stored. */
#include "cli/prelude.h"

#include "cli/cli.h"
#include "cli/commands.h"

#include <jansson.h>
#include <sys/resource.h>

#include <river/insert.h>
#include <river/manage.h>

#include "base/env.h"

#define COMMAND    "river bench"
#define BATCH      5000
#define BACKLOG    75000 /* kept waiting when no number of jobs is given */
#define SECOND_US  INT64_C(1000000)
#define REPORT_US  (2 * SECOND_US)
#define LOOK_US    (SECOND_US / 100)
#define WORKERS    2000
#define DURATION_S 10

static struct bench_flags {
    const char *schema;
    uint32_t total, duration, workers;
    bool force;
} flags;

static const cli_option OPTIONS[] = {
    { "schema", "NAME", "schema of the tables", &flags.schema, CLI_TEXT },
    { "num-total-jobs", "N", "insert N jobs first, end when all are worked", &flags.total,
      CLI_COUNT },
    { "duration", "SECONDS", "otherwise: work so long, default 10", &flags.duration, CLI_COUNT },
    { "workers", "N", "jobs at once, default 2000", &flags.workers, CLI_COUNT },
    { "force", NULL, "delete the jobs that are in the queue", &flags.force, CLI_FLAG },
};

typedef struct bench {
    lum_database *database;
    pgc_pool *pool;
    pgc_conn *conn;
    pgc_conn_options conn_options;
    river_client *client;
    river_insert *batch; /* BATCH times the same job */
    int64_t inserted, worked;
    int64_t started_us, last_us;
    double cpu_started;
} bench;

static void bench_close(bench *b)
{
    river_client_close(b->client);
    pgc_pool_close(b->pool);
    pgc_conn_close(b->conn);
    lum_database_close(b->database);
    mem_free(NULL, b->batch, BATCH * sizeof(*b->batch));
}

static int64_t now_us(void)
{
    const clock_ops *clock = env_default()->clock;
    return clock->mono_us(clock->ctx);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    (void) getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static pgc_status nothing(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) ctx, (void) job, (void) arg, (void) err;
    return PGC_OK;
}

static void trouble(const pgc_error *err, void *arg)
{
    (void) arg;
    (void) fprintf(stderr, "lumilio: %s\n", err->message);
}

static pgc_status open_client(bench *b, pgc_error *err)
{
    static const river_hooks hooks = { .struct_size = sizeof(hooks), .on_trouble = trouble };
    const river_worker worker = { .struct_size = sizeof(worker),
                                  .kind = "benchmark",
                                  .work = nothing };
    const river_queue_options queue = { .struct_size = sizeof(queue),
                                        .name = RIVER_QUEUE_DEFAULT,
                                        .max_workers = flags.workers };
    const river_client_options options = {
        .struct_size = sizeof(options),
        .pool = b->pool,
        .conn = &b->conn_options,
        .schema = flags.schema,
        .queues = &queue,
        .queue_count = 1,
        .workers = &worker,
        .worker_count = 1,
        .fetch_cooldown_us = 2000,
        .fetch_poll_us = 20000,
        .hooks = &hooks,
    };
    return river_client_open(&options, &b->client, err);
}

static pgc_status open_all(bench *b, pgc_error *err)
{
    TRY(cli_database_open(NULL, &b->database, err));
    b->conn_options = (pgc_conn_options) { .struct_size = sizeof(b->conn_options),
                                           .conninfo = lum_database_url(b->database),
                                           .app_name = "lumilio river bench" };
    const pgc_pool_options pool = { .struct_size = sizeof(pool), .conn = b->conn_options };
    TRY(pgc_pool_open(&pool, &b->pool, err));
    TRY(pgc_conn_open(&b->conn_options, &b->conn, err));
    TRY(open_client(b, err));
    b->batch = mem_new(NULL, BATCH * sizeof(*b->batch));
    if (b->batch == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "river bench: out of memory");
    }
    for (size_t i = 0; i < BATCH; i++) {
        b->batch[i] = (river_insert) { .struct_size = sizeof(river_insert),
                                       .kind = "benchmark",
                                       .args = { "{\"num\":0}", 9 } };
    }
    return PGC_OK;
}

/* An empty queue, as after its creation. Jobs of others are not deleted without being asked to. */
static pgc_status empty_queue(const bench *b, pgc_error *err)
{
    int64_t counts[RIVER_STATE_COUNT], all = 0;
    TRY(river_job_count(b->client, NULL, counts, err));
    for (size_t i = 0; i < RIVER_STATE_COUNT; i++) {
        all += counts[i];
    }
    if (all > 0 && !flags.force) {
        (void) pgc_error_set(err, PGC_CONFLICT, "the queue holds %" PRId64 " jobs", all);
        pgc_error_hint(err, "the benchmark deletes them: use another database, or --force");
        return PGC_CONFLICT;
    }
    for (int64_t deleted = 1; deleted > 0;) {
        river_filter filter = { .struct_size = sizeof(filter), .all = true, .limit = 10000 };
        river_jobs *jobs = NULL;
        TRY(river_job_delete_many(b->client, NULL, &filter, &jobs, err));
        deleted = (int64_t) river_jobs_count(jobs);
        river_jobs_free(jobs);
    }
    return PGC_OK;
}

static pgc_status insert_jobs(bench *b, int64_t count, pgc_error *err)
{
    while (count > 0) {
        size_t now = count < BATCH ? (size_t) count : BATCH;
        TRY(river_insert_many(b->client, NULL, b->batch, now, NULL, err));
        b->inserted += (int64_t) now;
        count -= (int64_t) now;
    }
    return PGC_OK;
}

static void report(bench *b, int64_t worked, int64_t since_us, int64_t us)
{
    double rate = us > 0 ? (double) (worked - since_us) * 1e6 / (double) us : 0;
    (void) printf("bench: jobs worked [ %10" PRId64 " ], inserted [ %10" PRId64
                  " ], job/sec [ %10.1f ] [%" PRId64 "s]\n",
                  worked, b->inserted, rate, us / SECOND_US);
    (void) fflush(stdout);
}

/* Count until the end; top the backlog up when there is no total. */
static pgc_status run(bench *b, pgc_error *err)
{
    int64_t end = flags.total > 0 ? INT64_MAX : b->started_us + flags.duration * SECOND_US;
    int64_t reported_us = b->started_us, reported = 0;
    for (;;) {
        river_client_stats stats;
        river_client_get_stats(b->client, &stats);
        int64_t now = now_us();
        int64_t worked = stats.completed + stats.cancelled + stats.failed;
        if (worked != b->worked) {
            b->last_us = now;
        }
        b->worked = worked;
        if (now - reported_us >= REPORT_US && !cli_common_options.json) {
            report(b, worked, reported, now - reported_us);
            reported = worked;
            reported_us = now;
        }
        if ((flags.total > 0 && worked >= flags.total) || now >= end) {
            return PGC_OK;
        }
        if (flags.total == 0 && b->inserted - worked < BACKLOG) {
            TRY(insert_jobs(b, BACKLOG - (b->inserted - worked), err));
        }
        env_default()->clock->sleep_us(env_default()->clock->ctx, LOOK_US);
    }
}

static void print_total(const bench *b)
{
    double seconds = (double) (b->last_us - b->started_us) / 1e6;
    double rate = seconds > 0 ? (double) b->worked / seconds : 0;
    double cpu_us = b->worked > 0 ? (cpu_seconds() - b->cpu_started) * 1e6 / (double) b->worked : 0;
    if (cli_common_options.json) {
        json_t *document =
            json_pack("{s:I, s:I, s:f, s:f, s:f}", "JobsWorked", (json_int_t) b->worked,
                      "JobsInserted", (json_int_t) b->inserted, "Seconds", seconds, "JobsPerSecond",
                      rate, "ClientCpuMicrosecondsPerJob", cpu_us);
        (void) json_dumpf(document, stdout, JSON_COMPACT);
        (void) printf("\n");
        json_decref(document);
        return;
    }
    (void) printf("bench: total jobs worked [ %10" PRId64 " ], total jobs inserted [ %10" PRId64
                  " ], overall job/sec [ %10.1f ], running %.1f s, client CPU %.1f us per job\n",
                  b->worked, b->inserted, rate, seconds, cpu_us);
}

static pgc_status measure(bench *b, pgc_error *err)
{
    TRY(open_all(b, err));
    TRY(empty_queue(b, err));
    if (flags.total > 0) {
        TRY(insert_jobs(b, flags.total, err));
    }
    TRY(river_client_start(b->client, err));
    b->cpu_started = cpu_seconds();
    b->started_us = b->last_us = now_us();
    TRY(run(b, err));
    print_total(b);
    return river_client_stop(b->client, RIVER_STOP_SOFT, -1, err);
}

int cmd_river_bench(int argc, char **argv)
{
    AUTO(bench_close) bench b = { .inserted = 0 };
    pgc_error err;
    bool done = false;
    memset(&flags, 0, sizeof flags);
    int code = cli_parse(COMMAND, OPTIONS, ARRAY_LEN(OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 0) {
        return cli_usage(COMMAND, "takes no operands");
    }
    flags.workers = flags.workers == 0 ? WORKERS : flags.workers;
    flags.duration = flags.duration == 0 ? DURATION_S : flags.duration;
    pgc_error_clear(&err);
    return measure(&b, &err) == PGC_OK ? CLI_OK : cli_fail(&err);
}
