/* One batch of reads: all queries in one exchange with one sync. Reads have no effect, so whoever
 * was only swept along by a failure of others runs again alone. One thread per batch. */
#include "base/prelude.h"

#include <pgc/pool.h>

#include "pgc/reads_batch.h"

#include "pgc/args.h"
#include "pgc/watch.h"

static read_request *request_at(list_node *at)
{
    return CONTAINER_OF(at, read_request, link);
}

/* Arguments that cannot be sent are the failure of their own query. */
static void queue_all(read_batch *batch, exchange *ex)
{
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        read_request *request = request_at(at);
        const pgc_args *args = request->args;
        request->status = args_check(args, request->query, request->err);
        request->is_queued = request->status == PGC_OK;
        if (request->is_queued) {
            run_queue(ex, request->query, args == NULL ? NULL : args->values,
                      args == NULL ? NULL : args->lengths, &request->queue);
        }
    }
}

/* A lost connection says nothing about a query, and the server skips what stands behind a failure.
 */
static bool is_swept_along(pgc_status status, const pgc_error *err)
{
    return status == PGC_CONNECTION || (status == PGC_CANCELLED && err->sqlstate[0] == '\0');
}

static void fail(read_request *request, pgc_status status, const pgc_error *err)
{
    request->status = status;
    if (request->err != NULL) {
        *request->err = *err;
    }
}

/* Without a connection the pool has said all there is to say. */
static void fail_all(read_batch *batch, pgc_status status, const pgc_error *err)
{
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        fail(request_at(at), status, err);
    }
}

/* Not all answers came: those that did may have been undone at the end. */
static void break_off(read_batch *batch, pgc_status status, const pgc_error *err)
{
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        read_request *request = request_at(at);
        if (request->is_queued) {
            request->alone = is_swept_along(status, err);
            fail(request, status, err);
        }
    }
}

/* The first use of a statement, a schema that changed: what is learned of each is learned before
 * the first is judged. */
static void settle_all(read_batch *batch, exchange *ex)
{
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        read_request *request = request_at(at);
        request->is_stale = request->is_queued && run_settle(ex, &request->queue);
    }
}

/* What failed at the end of the transaction did not count. */
static void judge_all(read_batch *batch, exchange *ex, bool committed)
{
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        read_request *request = request_at(at);
        pgc_error err;
        if (!request->is_queued) {
            continue;
        }
        pgc_status status = run_status(ex, &request->queue, &err);
        if (status == PGC_OK) {
            status = run_result(ex->call.conn, request->query, exchange_take(ex, request->queue.at),
                                &request->result, &err);
        }
        request->alone = request->is_stale || (status == PGC_OK && !committed) ||
                         (status != PGC_OK && is_swept_along(status, &err));
        if (request->alone) {
            pgc_result_free(TAKE(request->result));
        } else if (status != PGC_OK) {
            fail(request, status, &err);
        }
    }
}

/* The batch is one operation, its queries are told one by one before its end. */
static void tell(read_batch *batch, query_watch *watch, pgc_status status, const pgc_error *err)
{
    size_t index = 0;
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        const read_request *request = request_at(at);
        int64_t rows = request->result == NULL ? 0 : (int64_t) pgc_result_rows(request->result);
        watch_add(watch, rows, 0);
        watch_batch_query(watch, request->query, index++, rows, request->status, request->err);
    }
    watch_end(watch, status, err);
}

static pgc_status run_on(pgc_conn *conn, read_batch *batch, pgc_error *err)
{
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    run_queue_deallocate(&ex);
    queue_all(batch, &ex);
    size_t sync = exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, true);
    if (status == PGC_OK) {
        settle_all(batch, &ex);
        pgc_status end = exchange_status(&ex, sync, "reads", NULL);
        judge_all(batch, &ex, end == PGC_OK);
    } else {
        break_off(batch, status, err);
    }
    exchange_done(&ex);
    return status;
}

static int64_t count_alone(read_batch *batch)
{
    int64_t count = 0;
    for (list_node *at = batch->members.next; at != &batch->members; at = at->next) {
        count += request_at(at)->alone ? 1 : 0;
    }
    return count;
}

int64_t batch_run(pgc_pool *pool, read_batch *batch)
{
    pgc_conn *conn = NULL;
    pgc_error err;
    assert(batch->count > 0);
    pgc_error_clear(&err);
    pgc_status status = pgc_pool_acquire(pool, &conn, &err);
    if (status != PGC_OK) {
        fail_all(batch, status, &err);
    } else if (conn->watched) {
        query_watch watch;
        watch_begin_batch(&watch, conn, "reads", batch->count);
        status = run_on(conn, batch, &err);
        tell(batch, &watch, status, &err);
    } else {
        (void) run_on(conn, batch, &err);
    }
    pgc_pool_release(pool, conn);
    return count_alone(batch);
}
