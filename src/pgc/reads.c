/* Reads of many threads in one pipeline. A caller stands in the queue until another one has run its
 * query, or until it is at the head and a lane is free: then it leads, and takes along who waits
 * behind it. Invariant: a request is in the queue, or in the batch of one leader, or over; its
 * owner sleeps until it is over, so that its arguments stay alive. Requests in the queue belong to
 * the lock, those of a batch to its leader. Any thread. */
#include "base/prelude.h"

#include <pgc/pipeline.h>
#include <pgc/reads.h>

#include "base/list.h"
#include "pgc/gate.h"
#include "pgc/pool_state.h"

#define LANES_DEFAULT     4u
#define BATCH_DEFAULT     64u
#define BATCH_MAX         1000u
#define READS_OPTIONS_MIN offsetof(pgc_reads_options, batch_max)

typedef enum request_state {
    REQUEST_QUEUED,
    REQUEST_LEADS, /* at the head, with a lane: its owner must run the batch */
    REQUEST_TAKEN, /* in a leader's batch */
    REQUEST_OVER,  /* status, result and error are final */
    REQUEST_ALONE  /* its batch failed for a reason that is not its own */
} request_state;

/* One call, on the stack of its caller. */
typedef struct read_request {
    list_node link;
    const pgc_query *query;
    const pgc_args *args;
    pgc_result *result;
    pgc_error *err; /* the caller's; may be NULL */
    pgc_status status;
    request_state state;
    bool in_pipeline;
    size_t index; /* in the pipeline */
    gate turn;    /* opens when its owner has to lead, or the request is over */
} read_request;

struct pgc_reads {
    pgc_db db;
    pgc_pool *pool;
    const pgc_alloc *alloc;
    uint32_t lanes, batch_max; /* constant */
    pthread_mutex_t lock;      /* for everything below */
    list_node queue;           /* of read_request, first come first */
    uint32_t leaders;          /* lanes in use */
    pgc_reads_stats stats;
};

/* With the lock held: a free lane goes to the one who waits longest, who must be woken then. */
static const gate *appoint(pgc_reads *reads)
{
    if (reads->leaders == reads->lanes || list_empty(&reads->queue)) {
        return NULL;
    }
    read_request *first = CONTAINER_OF(reads->queue.next, read_request, link);
    assert(first->state == REQUEST_QUEUED);
    list_remove(&first->link);
    first->state = REQUEST_LEADS;
    reads->leaders++;
    gate_set(&first->turn, GATE_OPEN);
    return &first->turn;
}

/* With the lock held: the leader and who waits behind it, on a list of their own. */
static size_t gather(pgc_reads *reads, read_request *leader, list_node *batch)
{
    size_t count = 1;
    list_init(batch);
    list_append(batch, &leader->link);
    while (count < reads->batch_max && !list_empty(&reads->queue)) {
        read_request *next = CONTAINER_OF(reads->queue.next, read_request, link);
        list_remove(&next->link);
        next->state = REQUEST_TAKEN;
        list_append(batch, &next->link);
        count++;
    }
    reads->stats.batch_count++;
    return count;
}

/* The same failure for all that have no outcome of their own. */
static void fail_batch(list_node *batch, pgc_status status, const pgc_error *err)
{
    for (list_node *at = batch->next; at != batch; at = at->next) {
        read_request *request = CONTAINER_OF(at, read_request, link);
        request->status = status;
        if (request->err != NULL) {
            *request->err = *err;
        }
    }
}

/* Arguments that cannot be sent are the failure of their own query. */
static void fill(pgc_pipeline *pipeline, list_node *batch)
{
    for (list_node *at = batch->next; at != batch; at = at->next) {
        read_request *request = CONTAINER_OF(at, read_request, link);
        request->status = pgc_pipeline_add(pipeline, request->query, request->args, &request->index,
                                           request->err);
        request->in_pipeline = request->status == PGC_OK;
    }
}

/* Reads have no effect, so whoever was only swept along may run again: the server skips what stands
 * behind a failure, and a lost connection says nothing about a query. */
static bool swept_along(pgc_status status, const pgc_error *err)
{
    return status == PGC_CONNECTION || (status == PGC_CANCELLED && err->sqlstate[0] == '\0');
}

static void collect(pgc_pipeline *pipeline, list_node *batch)
{
    for (list_node *at = batch->next; at != batch; at = at->next) {
        read_request *request = CONTAINER_OF(at, read_request, link);
        if (!request->in_pipeline) {
            continue;
        }
        pgc_error err;
        pgc_error_clear(&err);
        request->status = pgc_pipeline_take(pipeline, request->index, &request->result, &err);
        if (request->status == PGC_OK) {
            continue;
        }
        if (swept_along(request->status, &err)) {
            request->state = REQUEST_ALONE;
        } else if (request->err != NULL) {
            *request->err = err;
        }
    }
}

/* Without the lock: nobody else touches the requests of a batch. */
static void run_batch(pgc_reads *reads, list_node *batch)
{
    pgc_conn *conn = NULL;
    pgc_pipeline *pipeline = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = pgc_pool_acquire(reads->pool, &conn, &err);
    if (status == PGC_OK) {
        status = pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &pipeline, &err);
    }
    if (status == PGC_OK) {
        fill(pipeline, batch);
        status = pgc_pipeline_run(pipeline, &err);
        collect(pipeline, batch); /* each has its own status, whatever that of all is */
    } else {
        fail_batch(batch, status, &err);
    }
    pgc_pipeline_close(pipeline);
    pgc_pool_release(reads->pool, conn);
}

static int64_t count_alone(list_node *batch)
{
    int64_t count = 0;
    for (list_node *at = batch->next; at != batch; at = at->next) {
        const read_request *request = CONTAINER_OF(at, read_request, link);
        count += request->state == REQUEST_ALONE ? 1 : 0;
    }
    return count;
}

/* Wakes everybody but the leader itself. A request may be gone as soon as its gate is open. */
static void dismiss(list_node *batch, const read_request *mine)
{
    while (!list_empty(batch)) {
        read_request *request = CONTAINER_OF(batch->next, read_request, link);
        list_remove(&request->link);
        if (request->state != REQUEST_ALONE) {
            request->state = REQUEST_OVER;
        }
        if (request != mine) {
            gate_set(&request->turn, GATE_OPEN);
            gate_rouse(&request->turn);
        }
    }
}

/* A batch of one needs no pipeline: the pool's own way is shorter, and has the pool's retries. The
 * next leader is woken first, so that the lane is empty for as short as can be. */
static void lead(pgc_reads *reads, read_request *mine)
{
    list_node batch;
    (void) pthread_mutex_lock(&reads->lock);
    size_t count = gather(reads, mine, &batch);
    (void) pthread_mutex_unlock(&reads->lock);
    if (count == 1) {
        mine->status =
            pgc_db_run(pgc_pool_db(reads->pool), mine->query, mine->args, &mine->result, mine->err);
    } else {
        run_batch(reads, &batch);
    }
    (void) pthread_mutex_lock(&reads->lock);
    assert(reads->leaders > 0);
    reads->leaders--;
    reads->stats.alone_count += count_alone(&batch);
    const gate *next = appoint(reads);
    (void) pthread_mutex_unlock(&reads->lock);
    gate_rouse(next);
    dismiss(&batch, mine);
}

static pgc_status run_shared(pgc_reads *reads, const pgc_query *query, const pgc_args *args,
                             pgc_result **out, pgc_error *err)
{
    read_request mine = { .query = query, .args = args, .err = err, .state = REQUEST_QUEUED };
    (void) pthread_mutex_lock(&reads->lock);
    reads->stats.read_count++;
    list_append(&reads->queue, &mine.link);
    const gate *first = appoint(reads);
    (void) pthread_mutex_unlock(&reads->lock);
    gate_rouse(first != &mine.turn ? first : NULL);
    while (gate_sleep(&mine.turn, -1) != GATE_OPEN) {
        continue;
    }
    if (mine.state == REQUEST_LEADS) {
        lead(reads, &mine);
    }
    if (mine.state == REQUEST_ALONE) {
        return pgc_db_run(pgc_pool_db(reads->pool), query, args, out, err);
    }
    if (mine.status == PGC_OK && out != NULL) {
        *out = mine.result;
    } else {
        pgc_result_free(mine.result);
    }
    return mine.status;
}

static pgc_status reads_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                               pgc_result **out, pgc_error *err)
{
    pgc_reads *reads = CONTAINER_OF(db, pgc_reads, db);
    if ((query->flags & PGC_QUERY_READ_ONLY) == 0) {
        return pgc_db_run(pgc_pool_db(reads->pool), query, args, out, err);
    }
    return run_shared(reads, query, args, out, err);
}

/* Rows read one after another keep a connection for as long as their reader likes. */
static pgc_status reads_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                     const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    const run_item item = { query, args };
    return pool_open_rows(CONTAINER_OF(db, pgc_reads, db)->pool, &item, 1, options, out, err);
}

/* Work of several messages on one connection is the pool's. */
static pgc_status reads_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    pgc_db *pool = pgc_pool_db(CONTAINER_OF(db, pgc_reads, db)->pool);
    return pool->ops->lend(pool, out, err);
}

static void reads_db_give_back(pgc_db *db, pgc_loan *loan)
{
    pgc_db *pool = pgc_pool_db(CONTAINER_OF(db, pgc_reads, db)->pool);
    pool->ops->give_back(pool, loan);
}

static const pgc_db_ops READS_DB_OPS = { .struct_size = sizeof(pgc_db_ops),
                                         .run = reads_db_run,
                                         .open_rows = reads_db_open_rows,
                                         .lend = reads_db_lend,
                                         .give_back = reads_db_give_back };

/* Members that an older caller does not know stay zero. */
static bool options_read(const pgc_reads_options *options, pgc_reads_options *out)
{
    *out = (pgc_reads_options) { .struct_size = sizeof *out };
    if (options != NULL) {
        size_t size = options->struct_size;
        if (size < READS_OPTIONS_MIN) {
            return false;
        }
        memcpy(out, options, size < sizeof *out ? size : sizeof *out);
    }
    out->lanes = out->lanes == 0 ? LANES_DEFAULT : out->lanes;
    out->batch_max = out->batch_max == 0 ? BATCH_DEFAULT : out->batch_max;
    return out->batch_max <= BATCH_MAX;
}

pgc_status pgc_reads_open(pgc_pool *pool, const pgc_reads_options *options, pgc_reads **out,
                          pgc_error *err)
{
    pgc_reads_options full;
    if (pool == NULL || out == NULL || !options_read(options, &full)) {
        return pgc_error_set(err, PGC_INVALID,
                             "reads: no pool, no place for the result, or wrong options");
    }
    const pgc_alloc *alloc = pool->options.conn.alloc;
    pgc_reads *reads = MEM_NEW(alloc, pgc_reads);
    if (reads == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "reads");
    }
    reads->db.ops = &READS_DB_OPS;
    reads->pool = pool;
    reads->alloc = alloc;
    reads->lanes = full.lanes;
    reads->batch_max = full.batch_max;
    (void) pthread_mutex_init(&reads->lock, NULL);
    list_init(&reads->queue);
    *out = reads;
    return PGC_OK;
}

void pgc_reads_close(pgc_reads *reads)
{
    if (reads == NULL) {
        return;
    }
    assert(reads->leaders == 0);
    assert(list_empty(&reads->queue));
    (void) pthread_mutex_destroy(&reads->lock);
    mem_free(reads->alloc, reads, sizeof *reads);
}

pgc_db *pgc_reads_db(pgc_reads *reads)
{
    return &reads->db;
}

void pgc_reads_get_stats(pgc_reads *reads, pgc_reads_stats *out)
{
    (void) pthread_mutex_lock(&reads->lock);
    *out = reads->stats;
    (void) pthread_mutex_unlock(&reads->lock);
}
