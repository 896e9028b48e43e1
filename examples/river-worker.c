/* Works what river-producer inserted. The handler's effect and the completion of its job are one
 * transaction: an order is shipped once, however often its job is begun. The first attempt at order
 * 3 fails and is tried again a second later.
 *
 *     cc river-worker.c $(pkg-config --cflags --libs river) -o river-worker */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgc/pgc.h>
#include <river/river.h>

static const pgc_type_ref ID_PARAM[] = { { "id", "bigint", 20 } };
static const pgc_query SHIP = {
    .name = "OrderShip",
    .sql = "UPDATE orders SET shipped = shipped + 1 WHERE id = $1",
    .hash = 0x5419,
    .param_count = 1,
    .params = ID_PARAM,
};

static const char CHECK[] = "DO $$ BEGIN ASSERT (SELECT bool_and(shipped = 1) FROM orders); END $$";

static pgc_status ship_in(pgc_tx *tx, river_ctx *ctx, int64_t id, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, id);
    pgc_status status = pgc_db_run(pgc_tx_db(tx), &SHIP, &args, NULL, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        return status;
    }
    /* Fails when the job is not this attempt's any more: then the order is not shipped by us. */
    return river_ctx_complete(ctx, tx, err);
}

/* Runs on a thread of the client; arg is what the worker was registered with. */
static pgc_status ship(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    pgc_pool *pool = arg;
    long long id = 0;
    if (sscanf(job->args.ptr, "{\"order_id\": %lld}", &id) != 1) {
        river_ctx_cancel(ctx, "no order_id"); /* no attempt will ever do better */
        return PGC_OK;
    }
    if (id == 3 && job->attempt == 1) {
        return pgc_error_set(err, PGC_CONNECTION, "the carrier does not answer");
    }
    pgc_tx *tx = NULL;
    pgc_status status = pgc_tx_begin(pool, NULL, &tx, err);
    if (status != PGC_OK) {
        return status;
    }
    status = ship_in(tx, ctx, id, err);
    if (status == PGC_OK) {
        return pgc_tx_commit(&tx, err);
    }
    pgc_tx_rollback(tx);
    return status;
}

/* Until so many jobs are completed; what failed comes again by itself. */
static pgc_status watch(river_subscription *events, int wanted)
{
    int completed = 0, failed = 0;
    while (completed < wanted) {
        river_event *event = NULL;
        const pgc_status status = river_subscription_next(events, 30000000, &event);
        if (status != PGC_OK) {
            return status;
        }
        completed += event->kind == RIVER_EVENT_COMPLETED;
        failed += event->kind == RIVER_EVENT_FAILED;
        river_event_free(event);
    }
    printf("%d completed, %d failed attempt\n", completed, failed);
    return PGC_OK;
}

static pgc_status run(pgc_pool *pool, const pgc_conn_options *conn, pgc_error *err)
{
    const river_worker worker = {
        .struct_size = sizeof worker, .kind = "ship_order", .work = ship, .arg = pool
    };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = "shipping",
                                        .max_workers = 4 };
    const river_client_options options = {
        .struct_size = sizeof options,
        .pool = pool,
        .conn = conn, /* with it the client hears of new jobs at once */
        .queues = &queue,
        .queue_count = 1,
        .workers = &worker,
        .worker_count = 1,
    };
    river_client *client = NULL;
    river_subscription *events = NULL;
    pgc_status status = river_client_open(&options, &client, err);
    if (status == PGC_OK) {
        status = river_subscribe(client, RIVER_EVENTS_ALL, 0, &events, err);
    }
    if (status == PGC_OK && (status = river_client_start(client, err)) == PGC_OK) {
        status = watch(events, 5);
        if (status != PGC_OK) {
            pgc_error_set(err, status, "the jobs did not end");
        }
        /* What runs may end; after ten seconds it is interrupted and will be worked by others. */
        const pgc_status stopped = river_client_stop(client, RIVER_STOP_SOFT, 10000000, NULL);
        if (status == PGC_OK && stopped != PGC_OK) {
            status = river_client_stop(client, RIVER_STOP_HARD, 10000000, err);
        }
    }
    river_unsubscribe(events);
    river_client_close(client);
    return status;
}

static pgc_status check(pgc_pool *pool, pgc_error *err)
{
    pgc_conn *conn = NULL;
    pgc_status status = pgc_pool_acquire(pool, &conn, err);
    if (status == PGC_OK) {
        status = pgc_conn_script(conn, CHECK, 0, NULL, err);
        pgc_pool_release(pool, conn);
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = url },
                                       .max_conns = 6 };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_status status = pgc_pool_open(&options, &pool, &err);
    if (status == PGC_OK && (status = run(pool, &options.conn, &err)) == PGC_OK) {
        status = check(pool, &err);
    }
    pgc_pool_close(pool);
    if (status != PGC_OK) {
        fprintf(stderr, "river-worker: %s\n", err.message);
        return 1;
    }
    printf("every order was shipped once\n");
    return 0;
}
