/* Graphs for owners of many vectors, by a job that comes once a day: those that are missing are
 * made, those of owners who have gone are dropped, one per transaction, so an attempt that dies
 * loses one at most. Runs on a thread of the queue; a second one watches for an order to stop,
 * because making a graph is one statement of minutes. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include <pthread.h>

#include "service/embedding.h"

#define WATCH_US (200 * INT64_C(1000))

typedef struct graphs_run {
    const clock_ops *clock;
    river_ctx *ctx;
    pgc_conn *conn;
    int done; /* atomic */
} graphs_run;

/* Asks again and again: the order may come between two statements, when there is none to stop. */
static void *watch(void *arg)
{
    graphs_run *run = arg;
    while (__atomic_load_n(&run->done, __ATOMIC_ACQUIRE) == 0) {
        if (river_ctx_wait(run->ctx, WATCH_US) != PGC_OK &&
            pgc_conn_cancel(run->conn, NULL) != PGC_NOMEM) {
            run->clock->sleep_us(run->clock->ctx, WATCH_US);
        }
    }
    return NULL;
}

static pgc_status graphs_make(const graphs_run *run, const jobs_shared *shared, pgc_error *err)
{
    char name[LUM_GRAPH_NAME_MAX + 1] = "";
    do {
        if (river_ctx_cancelled(run->ctx)) {
            return pgc_error_set(err, PGC_CANCELLED, "told to stop");
        }
        TRY(lum_graph_make(pgc_conn_db(run->conn), shared->graph_least, name, err));
        if (name[0] != '\0') {
            log_line(shared->env->log, LOG_INFO, "graphs", "made or dropped %s", name);
        }
    } while (name[0] != '\0');
    return PGC_OK;
}

pgc_status jobs_graphs_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    const jobs_shared *shared = arg;
    graphs_run run = { .clock = shared->env->clock, .ctx = ctx };
    pthread_t watcher;
    (void) job;
    TRY(lum_graph_connect(shared->library, &run.conn, err));
    if (pthread_create(&watcher, NULL, watch, &run) != 0) {
        pgc_conn_close(run.conn);
        return pgc_error_set(err, PGC_NOMEM, "tend the graphs: no thread to watch for a stop");
    }
    pgc_status status = graphs_make(&run, shared, err);
    __atomic_store_n(&run.done, 1, __ATOMIC_RELEASE);
    (void) pthread_join(watcher, NULL);
    pgc_conn_close(run.conn);
    return status;
}
