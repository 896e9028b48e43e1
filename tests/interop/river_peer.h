/* A real River client in a process of its own that is told what to do, line by line; see
 * tests/interop/river/serve.go for the words. And what the tests with it share. */
#ifndef TEST_RIVER_PEER_H
#define TEST_RIVER_PEER_H

#include <sys/prctl.h>
#include <sys/wait.h>

#include "peer.h"
#include "river.h"

typedef struct go_client {
    pid_t pid;
    FILE *in, *out;
    char *line; /* the last answer, without its mark */
    size_t room;
    bool failed; /* it was an error */
} go_client;

static peer river_program;

__attribute__((destructor)) static void remove_river_program(void)
{
    peer_remove(&river_program);
}

static inline bool go_open(go_client *g, const char *url, const char *id)
{
    int to[2], from[2];
    memset(g, 0, sizeof *g);
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        return false;
    }
    g->pid = fork();
    if (g->pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) dup2(to[0], 0);
        (void) dup2(from[1], 1);
        (void) execl(river_program.program, river_program.program, "serve", url, "public", id,
                     (char *) NULL);
        _exit(4);
    }
    (void) close(to[0]);
    (void) close(from[1]);
    g->in = fdopen(to[1], "w");
    g->out = fdopen(from[0], "r");
    return g->pid > 0 && g->in != NULL && g->out != NULL;
}

/* Say a line, wait for the answer. A failed one is printed unless it is wanted. */
static inline const char *go_say(go_client *g, const char *text)
{
    if (g->in == NULL || fprintf(g->in, "%s\n", text) < 0 || fflush(g->in) != 0 ||
        getline(&g->line, &g->room, g->out) < 1) {
        g->failed = true;
        printf("# %.60s: the peer is gone\n", text);
        return "";
    }
    g->line[strcspn(g->line, "\n")] = '\0';
    g->failed = g->line[0] != '+';
    if (g->failed) {
        printf("# %.60s: %s\n", text, g->line + 1);
    }
    return g->line + 1;
}

PGC_PRINTF(2, 3) static inline const char *go_do(go_client *g, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return go_say(g, text);
}

static inline void go_kill(go_client *g)
{
    if (g->pid > 0) {
        (void) kill(g->pid, SIGKILL);
        (void) waitpid(g->pid, NULL, 0);
    }
    g->pid = 0;
}

static inline void go_close(go_client *g)
{
    go_kill(g);
    if (g->in != NULL) {
        (void) fclose(g->in);
    }
    if (g->out != NULL) {
        (void) fclose(g->out);
    }
    free(g->line);
    memset(g, 0, sizeof *g);
}

/* A scene of ours with Go clients beside it. */
#define GO_MAX 2
typedef struct mixed {
    scene s;
    go_client go[GO_MAX];
    river_client *more; /* a second client of ours */
    atomic_int running;
} mixed;

static inline void mixed_done(mixed *m)
{
    for (size_t i = 0; i < GO_MAX; i++) {
        go_close(&m->go[i]);
    }
    river_client_close(m->more);
    scene_done(&m->s);
}

static inline bool mixed_begin(mixed *m, size_t go_count)
{
    memset(m, 0, sizeof *m);
    bool ok = scene_begin(&m->s);
    for (size_t i = 0; ok && i < go_count; i++) {
        ok = go_open(&m->go[i], m->s.db.url, i == 0 ? "go_one" : "go_two");
    }
    return ok;
}

#define MIXED(name, go_count) MIXED_WITH(name, "river", go_count)

/* The same with another program that is told line by line. */
#define MIXED_WITH(name, program, go_count)            \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    if (!peer_build(&river_program, program)) {        \
        TAP_SKIP(river_program.why_not);               \
    }                                                  \
    AUTO(mixed_done) mixed name;                       \
    REQUIRE(mixed_begin(&name, go_count))

/* The same handler as the Go client's: the arguments say what it does. */
static inline pgc_status mixed_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    mixed *m = (mixed *) arg;
    atomic_fetch_add(&m->s.calls, 1);
    if (strstr(job->args.ptr, "\"fail\"") != NULL) {
        return pgc_error_set(err, PGC_IO, "C says \"no\"");
    }
    if (strstr(job->args.ptr, "\"snooze\"") != NULL) {
        river_ctx_snooze(ctx, 60 * SECOND_US);
    }
    if (strstr(job->args.ptr, "\"cancel\"") != NULL) {
        river_ctx_cancel(ctx, "not wanted");
    }
    if (strstr(job->args.ptr, "\"output\"") != NULL) {
        return river_ctx_output(ctx, SLICE("{\"from\":\"C\"}"), err);
    }
    if (strstr(job->args.ptr, "\"wait\"") != NULL) {
        atomic_fetch_add(&m->running, 1);
        pgc_status status = river_ctx_wait(ctx, 60 * SECOND_US);
        atomic_fetch_sub(&m->running, 1);
        if (strstr(job->args.ptr, "succeed") != NULL) {
            return PGC_OK;
        }
        return status == PGC_OK ? PGC_OK : pgc_error_set(err, status, "told to end");
    }
    return PGC_OK;
}

/* What a client of ours is made with; the rest are defaults. */
typedef struct mixed_options {
    const char *kind;
    const char *id;
    const char *queue;    /* default "default" */
    uint32_t max_workers; /* default 4 */
    int64_t poll_us;      /* default 20 ms */
    bool lead;
    bool poll_only;
    bool heartbeats;
    const river_periodic *periodic;
} mixed_options;

static inline bool mixed_open(mixed *m, const mixed_options *from, river_client **out)
{
    river_worker worker = { .struct_size = sizeof worker,
                            .kind = from->kind == NULL ? "shared" : from->kind,
                            .work = mixed_work,
                            .arg = m };
    river_queue_options queue = { .struct_size = sizeof queue,
                                  .name = from->queue == NULL ? "default" : from->queue,
                                  .max_workers = from->max_workers == 0 ? 4 : from->max_workers };
    pgc_conn_options conn = { .struct_size = sizeof conn, .conninfo = m->s.db.url };
    river_client_options options = {
        .struct_size = sizeof options,
        .pool = m->s.pool,
        .conn = &conn,
        .id = from->id,
        .queues = &queue,
        .queue_count = 1,
        .workers = &worker,
        .worker_count = 1,
        .fetch_cooldown_us = 1000,
        .fetch_poll_us = from->poll_us == 0 ? 20000 : from->poll_us,
        .skip_unknown_kind_check = true,
        .no_lead = !from->lead,
        .poll_only = from->poll_only,
        .heartbeats = from->heartbeats,
        .periodics = from->periodic,
        .periodic_count = from->periodic == NULL ? 0 : 1,
        .no_reindex = true,
    };
    return CHECK_STATUS(river_client_open(&options, out, &m->s.err), PGC_OK, &m->s.err);
}

static inline bool mixed_start(mixed *m, const mixed_options *from, river_client **out)
{
    return mixed_open(m, from, out) &&
           CHECK_STATUS(river_client_start(*out, &m->s.err), PGC_OK, &m->s.err);
}

static inline const char *mixed_text(mixed *m, const char *sql)
{
    return scratch_text(&m->s.db, m->s.mem, sql);
}

/* Until the query says "t"; false after half a minute. */
static inline bool mixed_until(mixed *m, const char *sql)
{
    const clock_ops *clock = clock_os();
    int64_t until = clock->mono_us(clock->ctx) + 30 * SECOND_US;
    while (clock->mono_us(clock->ctx) < until) {
        if (strcmp(mixed_text(m, sql), "t") == 0) {
            return true;
        }
        clock->sleep_us(clock->ctx, 5000);
    }
    return false;
}

/* Insert one job by our client; its id. */
static inline int64_t mixed_insert(mixed *m, const river_insert *job)
{
    river_jobs *jobs = NULL;
    if (!CHECK_STATUS(river_insert_one(m->s.client, NULL, job, &jobs, &m->s.err), PGC_OK,
                      &m->s.err)) {
        return -1;
    }
    int64_t id = river_jobs_at(jobs, 0)->id;
    river_jobs_free(jobs);
    return id;
}

#endif
