/* Reads of many threads in one pipeline. Who finds no lane free stands in a batch that waits; when
 * a lane becomes free, the first of the batch leads: it runs all of them and wakes the others in
 * one go. Invariant: a batch is free, or on the list of those that wait, or its leader's; its
 * members sleep until it is over, so that their arguments stay alive. Batches that wait belong to
 * the lock, one that runs to its leader. Any thread. */
#include "base/prelude.h"

#include <pgc/reads.h>

#include "base/options.h"
#include "pgc/pool_state.h"
#include "pgc/reads_batch.h"

#define LANES_LEAST   2u
#define LANES_MOST    8u
#define BATCH_DEFAULT 64u
#define BATCH_MAX     1000u
#define BATCHES       64u
#define PATIENCE_US   1000

struct pgc_reads {
    pgc_db db;
    pgc_pool *pool;
    const pgc_alloc *alloc;
    uint32_t lanes, lanes_most, batch_max; /* constant */
    pthread_mutex_t lock;                  /* for everything below */
    list_node waiting;                     /* of read_batch, oldest first */
    list_node spare;                       /* of read_batch, longest unused first */
    uint32_t leaders;                      /* lanes in use */
    pgc_reads_stats stats;
    read_batch batches[BATCHES];
};

/* With the lock held: a free lane goes to the batch that waits longest. Whom to wake; NULL: nobody.
 */
static const gate *appoint(pgc_reads *reads, uint32_t lanes)
{
    if (reads->leaders >= lanes) {
        return NULL;
    }
    list_node *at = reads->waiting.next;
    while (at != &reads->waiting && CONTAINER_OF(at, read_batch, link)->appointed) {
        at = at->next;
    }
    if (at == &reads->waiting) {
        return NULL;
    }
    read_batch *first = CONTAINER_OF(at, read_batch, link);
    assert(first->count > 0);
    first->appointed = true;
    reads->leaders++;
    gate_set(first->turn, GATE_OPEN);
    return first->turn;
}

/* With the lock held: the batch that still takes one more, with the request in it. NULL: there are
 * so many callers that one more does not matter. */
static read_batch *join(pgc_reads *reads, read_request *mine, gate *turn)
{
    read_batch *last = CONTAINER_OF(reads->waiting.prev, read_batch, link);
    if (list_empty(&reads->waiting) || last->count >= reads->batch_max) {
        if (list_empty(&reads->spare)) {
            return NULL;
        }
        last = CONTAINER_OF(reads->spare.next, read_batch, link);
        list_remove(&last->link);
        list_append(&reads->waiting, &last->link);
        assert(last->count == 0 && list_empty(&last->members));
        last->turn = turn;
    }
    list_append(&last->members, &mine->link);
    last->count++;
    return last;
}

/* A batch of one needs no pipeline: the pool's own way is shorter, and has the pool's retries. The
 * next leader is woken first, so that the lane is empty for as short as can be. Members may be gone
 * as soon as the bell is struck. */
static void lead(pgc_reads *reads, read_batch *batch, read_request *mine)
{
    int64_t alone_count = 0;
    (void) pthread_mutex_lock(&reads->lock);
    size_t count = batch->count;
    list_remove(&batch->link);
    reads->stats.batch_count++;
    (void) pthread_mutex_unlock(&reads->lock);
    if (count == 1) {
        mine->status =
            pgc_db_run(pgc_pool_db(reads->pool), mine->query, mine->args, &mine->result, mine->err);
    } else {
        alone_count = batch_run(reads->pool, batch);
    }
    list_init(&batch->members);
    (void) pthread_mutex_lock(&reads->lock);
    assert(reads->leaders > 0);
    reads->leaders--;
    reads->stats.alone_count += alone_count;
    const gate *next = appoint(reads, reads->lanes);
    batch->count = 0;
    batch->appointed = false;
    bell_strike(&batch->over);
    list_append(&reads->spare, &batch->link);
    (void) pthread_mutex_unlock(&reads->lock);
    gate_rouse(next);
    if (count > 1) {
        bell_rouse(&batch->over);
    }
}

/* The first member of a batch that waits. Slow queries may hold all lanes: then it makes itself
 * one more, as far as that is allowed. */
static void wait_turn(pgc_reads *reads, gate *turn)
{
    bool patient = reads->lanes == reads->lanes_most;
    while (gate_sleep(turn, patient ? -1 : PATIENCE_US) != GATE_OPEN) {
        (void) pthread_mutex_lock(&reads->lock);
        const gate *first = appoint(reads, reads->lanes_most);
        (void) pthread_mutex_unlock(&reads->lock);
        gate_rouse(first != turn ? first : NULL);
    }
}

static pgc_status run_shared(pgc_reads *reads, const pgc_query *query, const pgc_args *args,
                             pgc_result **out, pgc_error *err)
{
    gate turn = { GATE_CLOSED };
    read_request mine = { .query = query, .args = args, .err = err };
    (void) pthread_mutex_lock(&reads->lock);
    reads->stats.read_count++;
    read_batch *batch = join(reads, &mine, &turn);
    uint32_t strokes = batch == NULL ? 0 : bell_strokes(&batch->over);
    bool leads = batch != NULL && batch->turn == &turn;
    const gate *first = appoint(reads, reads->lanes);
    (void) pthread_mutex_unlock(&reads->lock);
    gate_rouse(first != &turn ? first : NULL);
    if (batch == NULL) {
        return pgc_db_run(pgc_pool_db(reads->pool), query, args, out, err);
    }
    if (leads) {
        wait_turn(reads, &turn);
        lead(reads, batch, &mine);
    } else {
        bell_sleep(&batch->over, strokes);
    }
    if (mine.alone) {
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

/* As many lanes as can be busy at once, as far as this machine tells; servers elsewhere get more
 * when a batch has waited. */
static uint32_t lanes_usual(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return cpus < (long) LANES_LEAST  ? LANES_LEAST
           : cpus > (long) LANES_MOST ? LANES_MOST
                                      : (uint32_t) cpus;
}

pgc_status pgc_reads_open(pgc_pool *pool, const pgc_reads_options *options, pgc_reads **out,
                          pgc_error *err)
{
    pgc_reads_options full;
    if (pool == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "reads: no pool, or no place for the result");
    }
    TRY(options_take_any("reads options", options, &full, sizeof full, err));
    full.batch_max = full.batch_max == 0 ? BATCH_DEFAULT : full.batch_max;
    if (full.batch_max > BATCH_MAX) {
        return pgc_error_set(err, PGC_INVALID, "reads options: batch_max %" PRIu32 " is above %u",
                             full.batch_max, BATCH_MAX);
    }
    const pgc_alloc *alloc = pool->options.conn.alloc;
    pgc_reads *reads = MEM_NEW(alloc, pgc_reads);
    if (reads == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "reads");
    }
    reads->db.ops = &READS_DB_OPS;
    reads->pool = pool;
    reads->alloc = alloc;
    reads->lanes = full.lanes != 0 ? full.lanes : lanes_usual();
    reads->lanes_most = full.lanes != 0 ? full.lanes : LANES_MOST;
    reads->batch_max = full.batch_max;
    (void) pthread_mutex_init(&reads->lock, NULL);
    list_init(&reads->waiting);
    list_init(&reads->spare);
    for (size_t i = 0; i < BATCHES; i++) {
        list_init(&reads->batches[i].members);
        list_append(&reads->spare, &reads->batches[i].link);
    }
    *out = reads;
    return PGC_OK;
}

void pgc_reads_close(pgc_reads *reads)
{
    if (reads == NULL) {
        return;
    }
    assert(reads->leaders == 0);
    assert(list_empty(&reads->waiting));
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
