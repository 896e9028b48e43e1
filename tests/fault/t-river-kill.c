/* Workers of the job queue that die: killed at random moments and at every named crash point, and
 * zombies, which are stopped until others have taken their jobs and then go on. No job is lost and
 * no effect happens twice. The program runs itself as the worker: `t-fault-river-kill worker URL
 * [lead]`. LUM_TEST_RIVER_KILLS sets the number of kills (default 200). */
#include "base/prelude.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <pgc/tx.h>

#include "base/crash.h"
#include "pgc/auto.h"
#include "river/lead.h"
#include "river/runtime.h"

#include "random.h"
#include "river.h"

#define WORKERS       3
#define RESCUE_US     (SECOND_US / 2)
#define RETRY_US      10000
#define DRAIN_US      (60 * SECOND_US)
#define KILLS_DEFAULT 200

/* ---- what the jobs do ---- */

static const pgc_type_ref EFFECT_PARAMS[] = { { "job", "bigint", 20 } };
static const pgc_query EFFECT = { .name = "KillEffect",
                                  .sql = "INSERT INTO effect (job) VALUES ($1)",
                                  .param_count = 1,
                                  .params = EFFECT_PARAMS };

/* No key: a second effect of one job would be there to see. */
static const char TABLES[] = "CREATE TABLE effect (job bigint NOT NULL)";

typedef struct hand {
    pgc_pool *pool;
    uint64_t random;
} hand;

static pgc_status run_with_job(pgc_db *db, const pgc_query *query, int64_t job, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, job);
    pgc_status status = pgc_db_run(db, query, &args, &result, err);
    pgc_args_done(&args);
    pgc_result_free(result);
    return status;
}

/* Effect and completion in one transaction: both or none. */
static pgc_status effect(river_ctx *ctx, const river_job *job, hand *h, pgc_error *err)
{
    AUTO(tx_auto) pgc_tx *tx = NULL;
    TRY(pgc_tx_begin(h->pool, NULL, &tx, err));
    TRY(run_with_job(pgc_tx_db(tx), &EFFECT, job->id, err));
    TRY(river_ctx_wait(ctx, (int64_t) (job->id * 7919 % 8) * 1000));
    TRY(river_ctx_complete(ctx, tx, err));
    return pgc_tx_commit(&tx, err);
}

static pgc_status work_plain(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) arg, (void) err;
    return river_ctx_wait(ctx, job->id % 5 * 1000);
}

static pgc_status work_effect(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    TRY(river_ctx_wait(ctx, job->id % 7 * 1000));
    return effect(ctx, job, (hand *) arg, err);
}

static pgc_status work_snooze(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    if (strstr(job->metadata.ptr, "snoozes") != NULL) {
        return effect(ctx, job, (hand *) arg, err);
    }
    river_ctx_snooze(ctx, RETRY_US);
    return PGC_OK;
}

static pgc_status work_fail(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    if (job->error_count == 0) {
        return pgc_error_set(err, PGC_IO, "fails once");
    }
    return effect(ctx, job, (hand *) arg, err);
}

static pgc_status work_output(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, job->id);
    river_ctx_log(ctx, "attempt %d", job->attempt);
    TRY(river_ctx_output(ctx, (pgc_text) { text, (size_t) len }, err));
    return effect(ctx, job, (hand *) arg, err);
}

static pgc_status step_with_cursor(river_ctx *ctx, pgc_text cursor, void *arg, pgc_error *err)
{
    (void) arg;
    int64_t at = 0;
    if (cursor.ptr != NULL && !slice_to_i64(cursor, &at)) {
        return pgc_error_set(err, PGC_PROTOCOL, "cursor is no number");
    }
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, at + 1);
    TRY(river_ctx_cursor(ctx, (pgc_text) { text, (size_t) len }, err));
    if (at < 2) {
        return pgc_error_set(err, PGC_IO, "goes on at %s", text);
    }
    return PGC_OK;
}

static pgc_status work_steps(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    TRY(river_ctx_step(ctx, "first", step_with_cursor, NULL, err));
    TRY(river_ctx_step(ctx, "second", step_with_cursor, NULL, err));
    return effect(ctx, job, (hand *) arg, err);
}

static int64_t soon(const river_job *job, void *arg)
{
    (void) job, (void) arg;
    return RETRY_US;
}

static const struct {
    const char *kind;
    river_work_fn work;
} KINDS[] = { { "plain", work_plain }, { "effect", work_effect }, { "snooze", work_snooze },
              { "fail", work_fail },   { "output", work_output }, { "steps", work_steps } };

#define KIND_COUNT ARRAY_LEN(KINDS)

/* A client that works "default", or only leads. */
static pgc_status open_client(hand *h, const char *queue, bool lead, river_client **out,
                              pgc_error *err)
{
    river_worker workers[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        workers[i] = (river_worker) { .struct_size = sizeof workers[0],
                                      .kind = KINDS[i].kind,
                                      .work = KINDS[i].work,
                                      .arg = h,
                                      .next_retry = soon };
    }
    river_queue_options queues = { .struct_size = sizeof queues, .name = queue, .max_workers = 8 };
    char id[80];
    (void) snprintf(id, sizeof id, "kill_%d_%" PRId64, (int) getpid(), clock_os()->mono_us(NULL));
    river_client_options options = { .struct_size = sizeof options,
                                     .pool = h->pool,
                                     .id = id,
                                     .queues = &queues,
                                     .queue_count = 1,
                                     .workers = workers,
                                     .worker_count = KIND_COUNT,
                                     .fetch_cooldown_us = 1000,
                                     .fetch_poll_us = 10000,
                                     .job_timeout_us = RESCUE_US / 2,
                                     .rescue_after_us = RESCUE_US,
                                     .max_attempts = 10000,
                                     .no_lead = !lead,
                                     .no_reindex = true };
    TRY(river_client_open(&options, out, err));
    return river_client_start(*out, err);
}

static pgc_status open_pool(const char *url, pgc_pool **out, pgc_error *err)
{
    pgc_pool_options options = { .struct_size = sizeof options,
                                 .max_conns = 6,
                                 .conn = { .struct_size = sizeof options.conn, .conninfo = url } };
    return pgc_pool_open(&options, out, err);
}

/* The worker process: works until it is killed. */
static int work_for_ever(const char *url, bool lead)
{
    static hand h;
    pgc_error err;
    river_client *client = NULL;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || open_pool(url, &h.pool, &err) != PGC_OK ||
        open_client(&h, "default", lead, &client, &err) != PGC_OK) {
        return 3;
    }
    for (;;) {
        (void) pause();
    }
}

/* ---- the field where they die ---- */

typedef struct field {
    scene s;
    hand h;
    river_client *leader; /* in this process, lives on; NULL: the workers lead */
    uint64_t random;
    int64_t led_us; /* when the leader last began a term */
    unsigned inserted;
    unsigned kills;
} field;

static void field_done(field *f)
{
    river_client_close(f->leader);
    pgc_pool_close(f->h.pool);
    scene_done(&f->s);
}

static bool field_begin(field *f, bool leads)
{
    memset(f, 0, sizeof *f);
    f->random = (uint64_t) clock_os()->mono_us(NULL);
    printf("# seed %" PRIu64 "\n", f->random);
    river_client_options options = { .struct_size = sizeof options, .max_attempts = 10000 };
    if (!scene_begin(&f->s) || !scratch_do(&f->s.db, TABLES) ||
        open_pool(f->s.db.url, &f->h.pool, &f->s.err) != PGC_OK) {
        return false;
    }
    options.pool = f->s.pool;
    if (river_client_open(&options, &f->s.client, &f->s.err) != PGC_OK) {
        return false;
    }
    return !leads || open_client(&f->h, "nothing", true, &f->leader, &f->s.err) == PGC_OK;
}

#define FIELD(name, leads)                             \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    AUTO(field_done) field name;                       \
    REQUIRE(field_begin(&name, leads))

static int64_t number_of(field *f, const char *sql)
{
    return strtoll(scratch_text(&f->s.db, f->s.mem, sql), NULL, 10);
}

/* Keep some of every kind waiting. */
static void feed(field *f)
{
    enum { SOME = 20 };
    if (number_of(f, "SELECT count(*)::text FROM river_job WHERE finalized_at IS NULL") > 100) {
        return;
    }
    river_insert jobs[SOME * KIND_COUNT];
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] =
            (river_insert) { .struct_size = sizeof jobs[0], .kind = KINDS[i % KIND_COUNT].kind };
    }
    if (CHECK_STATUS(river_insert_many(f->s.client, NULL, jobs, ARRAY_LEN(jobs), NULL, &f->s.err),
                     PGC_OK, &f->s.err)) {
        f->inserted += (unsigned) ARRAY_LEN(jobs);
    }
}

/* A new term begins with all services at once; no need to wait for their intervals. */
static void lead_again(field *f)
{
    int64_t now = clock_os()->mono_us(NULL);
    if (f->leader == NULL) {
        (void) scratch_do(&f->s.db, "DELETE FROM river_leader"); /* as if its time were over */
    } else if (now - f->led_us > SECOND_US / 5) {
        lead_notified(f->leader->runtime,
                      SLICE("{\"action\":\"request_resign\",\"leader_id\":\"\"}"));
        f->led_us = now;
    }
}

static pid_t start_worker(const field *f, const char *point, bool lead)
{
    pid_t pid = fork();
    if (pid == 0) {
        char self[] = "/proc/self/exe", word[] = "worker", leads[] = "lead";
        char url[512];
        (void) snprintf(url, sizeof url, "%s", f->s.db.url);
        char *argv[] = { self, word, url, lead ? leads : NULL, NULL };
        if (point != NULL) {
            (void) setenv("LUMILIO_CRASH_AT", point, 1);
        }
        (void) execv(self, argv);
        _exit(4);
    }
    return pid;
}

static bool kill_worker(pid_t pid)
{
    int status = 0;
    (void) kill(pid, SIGKILL);
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void nap(int64_t us)
{
    clock_os()->sleep_us(NULL, us);
}

/* Nobody dies any more: everything comes to its end, once. */
static void drain(field *f)
{
    static const char OPEN[] = "SELECT count(*)::text FROM river_job WHERE finalized_at IS NULL";
    int64_t until = clock_os()->mono_us(NULL) + DRAIN_US;
    pid_t worker = start_worker(f, NULL, f->leader == NULL);
    while (number_of(f, OPEN) > 0 && clock_os()->mono_us(NULL) < until) {
        lead_again(f);
        nap(20000);
    }
    CHECK(kill_worker(worker));
    CHECK_INT(number_of(f, OPEN), 0);
    CHECK_INT(number_of(f, "SELECT count(*)::text FROM river_job"), f->inserted);
    CHECK_INT(number_of(f, "SELECT count(*)::text FROM river_job WHERE state = 'completed'"),
              f->inserted);
    CHECK_INT(number_of(f, "SELECT (count(*) - count(DISTINCT job))::text FROM effect"), 0);
    CHECK_INT(number_of(f, "SELECT count(*)::text FROM river_job AS j FULL JOIN effect AS e "
                           "ON e.job = j.id WHERE (j.kind <> 'plain') IS DISTINCT FROM "
                           "(e.job IS NOT NULL)"),
              0);
    CHECK_INT(number_of(f, "SELECT count(*)::text FROM river_job WHERE kind = 'output' "
                           "AND metadata->'output' IS DISTINCT FROM to_jsonb(id)"),
              0);
    printf("# %u jobs, %u kills, %s\n", f->inserted, f->kills,
           scratch_text(&f->s.db, f->s.mem,
                        "SELECT concat(count(*) FILTER (WHERE metadata ? 'river:rescue_count'), "
                        "' rescued, at most ', max(attempt), ' attempts') FROM river_job"));
}

static unsigned kills_wanted(void)
{
    const char *text = getenv("LUM_TEST_RIVER_KILLS");
    long wanted = text == NULL ? 0 : strtol(text, NULL, 10);
    return wanted > 0 ? (unsigned) wanted : KILLS_DEFAULT;
}

static void killed_at_random_moments(void)
{
    FIELD(f, true);
    pid_t workers[WORKERS];
    feed(&f);
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i] = start_worker(&f, NULL, false);
    }
    while (f.kills < kills_wanted()) {
        size_t i = random_below(&f.random, WORKERS);
        nap((int64_t) random_below(&f.random, 120000));
        if (!CHECK(kill_worker(workers[i]))) {
            break;
        }
        f.kills++;
        workers[i] = start_worker(&f, NULL, false);
        lead_again(&f);
        feed(&f);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        CHECK(kill_worker(workers[i]));
    }
    drain(&f);
    CHECK(number_of(&f, "SELECT count(*)::text FROM river_job "
                        "WHERE metadata ? 'river:rescue_count'") > 0);
}

/* Dies by itself at the point; false when it did not come there. */
static bool dies_at(field *f, const char *point)
{
    int64_t until = clock_os()->mono_us(NULL) + 10 * SECOND_US;
    lead_again(f);
    pid_t pid = start_worker(f, point, true);
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && clock_os()->mono_us(NULL) < until) {
        ended = waitpid(pid, &status, WNOHANG);
        nap(ended == 0 ? 2000 : 0);
    }
    if (ended == pid) {
        f->kills++;
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    (void) kill_worker(pid);
    return false;
}

static void killed_at_every_crash_point(void)
{
    FIELD(f, false);
    unsigned points = 0;
    for (size_t i = 0; i < crash_point_count(); i++) {
        const char *name = crash_point_name(i);
        if (strncmp(name, "river.", 6) != 0) {
            continue;
        }
        points++;
        for (unsigned passage = 1; passage <= 3; passage++) {
            char point[80];
            feed(&f);
            /* Something that runs no more, and failures that wait for the scheduler. */
            (void) scratch_do(&f.s.db,
                              "INSERT INTO river_job (state, args, kind, attempt, max_attempts, "
                              "attempted_at) VALUES ('running', '{}', 'effect', 1, 10000, "
                              "now() - interval '1 min'), "
                              "('retryable', '{}', 'effect', 1, 10000, now())");
            f.inserted += 2;
            /* What happens once per term happens once in a process. */
            bool once = strcmp(name, "river.rescue") == 0 || strcmp(name, "river.elected") == 0 ||
                        strcmp(name, "river.scheduled") == 0;
            (void) snprintf(point, sizeof point, "%s:%u", name, once ? 1 : passage);
            if (!CHECK(dies_at(&f, point))) {
                printf("# %s was not passed\n", point);
            }
        }
    }
    CHECK(points >= 8);
    drain(&f);
}

static bool is_running_somewhere(field *f)
{
    return number_of(f, "SELECT count(*)::text FROM river_job WHERE state = 'running'") > 0;
}

/* Stopped with jobs in hand, until others did them; then they go on and must do no harm. */
static void zombies_do_no_harm(void)
{
    enum { HORDE = 6 };
    FIELD(f, true);
    unsigned wanted = kills_wanted() / 10, zombies = 0;
    pid_t sound = start_worker(&f, NULL, false);
    while (zombies < wanted) {
        pid_t horde[HORDE];
        for (size_t i = 0; i < HORDE; i++) {
            horde[i] = start_worker(&f, NULL, false);
        }
        feed(&f);
        for (size_t i = 0; i < HORDE; i++) {
            nap((int64_t) random_below(&f.random, 60000));
            for (int wait = 0; wait < 100 && !is_running_somewhere(&f); wait++) {
                feed(&f);
            }
            (void) kill(horde[i], SIGSTOP);
            zombies++;
        }
        int64_t until = clock_os()->mono_us(NULL) + 2 * RESCUE_US;
        while (clock_os()->mono_us(NULL) < until) {
            lead_again(&f);
            nap(20000);
        }
        for (size_t i = 0; i < HORDE; i++) {
            (void) kill(horde[i], SIGCONT);
        }
        nap((int64_t) random_below(&f.random, 200000));
        for (size_t i = 0; i < HORDE; i++) {
            CHECK(kill_worker(horde[i]));
            f.kills++;
        }
    }
    CHECK(kill_worker(sound));
    drain(&f);
    printf("# %u zombies\n", zombies);
}

static const tap_case CASES[] = {
    TAP("river kill: killed at random moments, no job is lost and no effect happens twice",
        killed_at_random_moments),
    TAP("river kill: killed at every crash point, no job is lost and no effect happens twice",
        killed_at_every_crash_point),
    TAP("river kill: zombies lose nothing and do nothing twice", zombies_do_no_harm),
};

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "worker") == 0) {
        return work_for_ever(argv[2], argc > 3);
    }
    return tap_run(CASES, ARRAY_LEN(CASES));
}
