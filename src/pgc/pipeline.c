/* Batches: queued queries with copied values, sent and answered together. Outcome per query is kept
 * as libpq's answer and told as an error only when somebody asks. One thread per pipeline. */
#include "base/prelude.h"

#include <strings.h>

#include <pgc/pipeline.h>

#include "base/arena.h"
#include "pgc/args.h"
#include "pgc/failure.h"
#include "pgc/loan.h"
#include "pgc/result.h"
#include "pgc/run.h"
#include "pgc/watch.h"

/* Queries between two waits for answers: bounds what libpq and the server hold for us. */
#define ROUND_MAX 1000u

/* One query of the batch. Values are in the pipeline's arena. */
typedef struct batch_item {
    const pgc_query *query;
    const char **values;
    int32_t *lengths;
    pgc_result *result; /* rows of a query that succeeded, until taken */
    pgc_error *error;   /* of one that did not; in the arena, NULL when there was no memory */
    pgc_status status;
    bool over; /* status is final */
    bool led;  /* the loan's first query stands in front of it, at `lead` */
    queued lead, queue;
    size_t sync; /* step that ends its group */
} batch_item;

struct pgc_pipeline {
    pgc_db *db;
    const pgc_alloc *alloc;
    pgc_loan loan;  /* during the run */
    pgc_conn *conn; /* of the loan */
    pgc_pipeline_mode mode;
    arena *memory;
    batch_item *items;
    size_t count, cap;
    size_t begin, end; /* of the round */
    bool own_tx;       /* more than one round in one transaction: BEGIN and COMMIT are ours */
    bool ran;
    pgc_pipeline_fn each; /* NULL: results are kept */
    void *each_arg;
};

/* Nothing is sent before the run: a pipeline that is closed early has done nothing. */
pgc_status pgc_pipeline_open_db(pgc_db *db, pgc_pipeline_mode mode, const pgc_alloc *alloc,
                                pgc_pipeline **out, pgc_error *err)
{
    if (db == NULL || out == NULL || (unsigned) mode > PGC_PIPELINE_ISOLATED) {
        return pgc_error_set(err, PGC_INVALID, "pipeline: no handle, or an unknown mode");
    }
    alloc = alloc_or_libc(alloc);
    pgc_pipeline *pipeline = MEM_NEW(alloc, pgc_pipeline);
    arena *memory = pipeline == NULL ? NULL : arena_new(alloc, 0, 0);
    if (memory == NULL) {
        mem_free(alloc, pipeline, sizeof *pipeline);
        return pgc_error_set(err, PGC_NOMEM, "pipeline");
    }
    pipeline->db = db;
    pipeline->alloc = alloc;
    pipeline->mode = mode;
    pipeline->memory = memory;
    *out = pipeline;
    return PGC_OK;
}

/* Whether the connection is in a transaction is known at the run; here it is told early. */
static pgc_status check_mode(const pgc_conn *conn, pgc_pipeline_mode mode, pgc_error *err)
{
    if (mode == PGC_PIPELINE_ISOLATED && pgc_conn_tx_state(conn) != PGC_TX_IDLE) {
        return pgc_error_set(err, PGC_INVALID,
                             "pipeline: queries cannot commit alone inside a transaction");
    }
    return PGC_OK;
}

pgc_status pgc_pipeline_open(pgc_conn *conn, pgc_pipeline_mode mode, pgc_pipeline **out,
                             pgc_error *err)
{
    if (conn == NULL) {
        return pgc_error_set(err, PGC_INVALID, "pipeline: no connection");
    }
    TRY(conn_check_usable(conn, err));
    TRY(check_mode(conn, mode, err));
    return pgc_pipeline_open_db(pgc_conn_db(conn), mode, conn->alloc, out, err);
}

/* Values of any length; libpq wants them alive until they are sent. */
static bool copy_values(arena *memory, const pgc_args *args, batch_item *item)
{
    size_t count = args == NULL ? 0 : args->count;
    item->values = ARENA_ARRAY(memory, count + 1, const char *);
    item->lengths = ARENA_ARRAY(memory, count + 1, int32_t);
    if (item->values == NULL || item->lengths == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        item->lengths[i] = args->lengths[i];
        if (args->values[i] != NULL) {
            item->values[i] =
                arena_copy(memory, (slice) { args->values[i], (size_t) args->lengths[i] });
            if (item->values[i] == NULL) {
                return false;
            }
        }
    }
    return true;
}

/* Pointers to items do not survive this. */
static bool items_room(pgc_pipeline *pipeline)
{
    if (pipeline->count < pipeline->cap) {
        return true;
    }
    size_t cap = pipeline->cap == 0 ? 16 : pipeline->cap * 2, size;
    if (!size_mul(cap, sizeof(batch_item), &size)) {
        return false;
    }
    batch_item *items =
        mem_resize(pipeline->alloc, pipeline->items, pipeline->cap * sizeof(batch_item), size);
    if (items == NULL) {
        return false;
    }
    pipeline->items = items;
    pipeline->cap = cap;
    return true;
}

/* COPY in a pipeline cannot be ended: libpq has no way out but to close the connection. */
static bool is_copy(const char *sql)
{
    sql += strspn(sql, " \t\r\n(");
    return strncasecmp(sql, "copy", 4) == 0 && (isspace((unsigned char) sql[4]) || sql[4] == '(');
}

/* Values are copied: the caller's may be gone when the batch runs. A failed add leaves the batch
 * as it was. */
pgc_status pgc_pipeline_add(pgc_pipeline *pipeline, const pgc_query *query, const pgc_args *args,
                            size_t *index_out, pgc_error *err)
{
    if (pipeline == NULL || query == NULL || pipeline->ran) {
        return pgc_error_set(err, PGC_INVALID,
                             "pipeline: no query, or the pipeline has run already");
    }
    TRY(args_check(args, query, err));
    if (is_copy(query->sql)) {
        return pgc_error_set(err, PGC_INVALID,
                             "pipeline: query %s is COPY: use pgc_copy_in_open() or its peer",
                             query->name);
    }
    batch_item item = { .query = query };
    if (!items_room(pipeline) || !copy_values(pipeline->memory, args, &item)) {
        return pgc_error_set(err, PGC_NOMEM, "pipeline: add query %s", query->name);
    }
    if (index_out != NULL) {
        *index_out = pipeline->count;
    }
    pipeline->items[pipeline->count++] = item;
    return PGC_OK;
}

/* The answer of a query that succeeded becomes its result. */
static pgc_status keep_result(pgc_pipeline *pipeline, exchange *ex, batch_item *item,
                              pgc_error *err)
{
    return result_new(pipeline->conn->pq, exchange_take(ex, item->queue.at), pipeline->alloc,
                      item->query, &item->result, err);
}

/* Each failure is kept whole, because the server's answer is gone when somebody asks. */
static void item_over(pgc_pipeline *pipeline, batch_item *item, pgc_status status,
                      const pgc_error *err)
{
    assert(!item->over);
    item->status = status;
    item->over = true;
    if (status != PGC_OK && item->error == NULL) {
        item->error = ARENA_NEW(pipeline->memory, pgc_error);
    }
    if (status != PGC_OK && item->error != NULL) {
        *item->error = *err;
    }
}

/* In a transaction that had failed the server refuses each query by itself: not run, like those
 * behind a failure in the same group. */
static bool refused_in_failed_tx(pgc_status status, const pgc_error *err)
{
    return status == PGC_DB && strcmp(err->sqlstate, "25P02") == 0;
}

/* All that is open between two items ends in the same way. */
static void all_over(pgc_pipeline *pipeline, size_t from, size_t to, pgc_status status,
                     const pgc_error *err)
{
    for (size_t i = from; i < to; i++) {
        if (!pipeline->items[i].over) {
            item_over(pipeline, &pipeline->items[i], status, err);
        }
    }
}

/* The final word about one query. */
static void finish_item(pgc_pipeline *pipeline, exchange *ex, batch_item *item, bool failed_before)
{
    assert(item->result == NULL);
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = item->led ? run_status(ex, &item->lead, &err) : PGC_OK;
    if (status == PGC_OK) {
        status = run_status(ex, &item->queue, &err);
    }
    if (status == PGC_OK && pipeline->mode == PGC_PIPELINE_ISOLATED) {
        /* What only failed when its own transaction was committed. */
        status = exchange_status(ex, item->sync, item->query->name, &err);
    }
    if (status == PGC_OK) {
        status = keep_result(pipeline, ex, item, &err);
    } else if (failed_before && refused_in_failed_tx(status, &err)) {
        status = pgc_error_set(&err, PGC_CANCELLED, "query %s: the transaction had failed",
                               item->query->name);
    }
    item_over(pipeline, item, status, &err);
}

/* Run all queries of a transaction again: its group was rolled back as a whole. */
static void reopen_all(pgc_pipeline *pipeline)
{
    for (size_t i = pipeline->begin; i < pipeline->end; i++) {
        batch_item *item = &pipeline->items[i];
        pgc_result_free(TAKE(item->result));
        item->over = false;
        item->status = PGC_OK;
    }
}

/* Settle the items that were answered. Those whose statement was outdated stay open when they may
 * run again; in one transaction that is all or none. True: something stays open. */
static bool collect(pgc_pipeline *pipeline, exchange *ex, bool may_repeat)
{
    bool stale_any = false;
    bool failed_before = false;
    for (size_t i = pipeline->begin; i < pipeline->end; i++) {
        batch_item *item = &pipeline->items[i];
        if (item->over || item->sync >= ex->answered) {
            continue;
        }
        bool stale = item->led && run_settle(ex, &item->lead);
        stale = (run_settle(ex, &item->queue) || stale) && may_repeat;
        stale_any = stale_any || stale;
        if (!stale) {
            finish_item(pipeline, ex, item, failed_before);
            failed_before = failed_before || item->status != PGC_OK;
        }
    }
    if (stale_any && pipeline->mode == PGC_PIPELINE_ATOMIC) {
        reopen_all(pipeline);
    }
    return stale_any;
}

/* The loan's first query goes ahead of each transaction. */
static void queue_item(pgc_pipeline *pipeline, exchange *ex, batch_item *item, bool leads)
{
    const pgc_loan *loan = &pipeline->loan;
    item->led = leads && loan->first != NULL;
    if (item->led) {
        run_queue(ex, loan->first, loan->first_args->values, loan->first_args->lengths,
                  &item->lead);
    }
    run_queue(ex, item->query, item->values, item->lengths, &item->queue);
}

/* Send what is open and read the answers. *again_out: outdated statements were met. */
static pgc_status run_round(pgc_pipeline *pipeline, bool may_repeat, bool *again_out,
                            pgc_error *err)
{
    pgc_conn *conn = pipeline->conn;
    bool isolated = pipeline->mode == PGC_PIPELINE_ISOLATED;
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    run_queue_deallocate(&ex);
    bool leads = !pipeline->own_tx;
    for (size_t i = pipeline->begin; i < pipeline->end; i++) {
        batch_item *item = &pipeline->items[i];
        if (!item->over) {
            queue_item(pipeline, &ex, item, leads);
            item->sync = isolated ? exchange_sync(&ex) : 0;
            leads = isolated;
        }
    }
    size_t sync = isolated ? 0 : exchange_sync(&ex);
    for (size_t i = pipeline->begin; i < pipeline->end && !isolated; i++) {
        pipeline->items[i].sync = sync;
    }
    pgc_status status = exchange_finish(&ex, true);
    *again_out = collect(pipeline, &ex, may_repeat && status == PGC_OK);
    if (status != PGC_OK) {
        all_over(pipeline, pipeline->begin, pipeline->end, status, err);
    } else if (!isolated && !*again_out) {
        status = exchange_status(&ex, sync, "commit of the pipeline", err);
    }
    exchange_done(&ex);
    return status;
}

/* Those behind it in a transaction were not run: the first one is the reason. */
static pgc_status first_failure(const pgc_pipeline *pipeline, pgc_error *err)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        const batch_item *item = &pipeline->items[i];
        if (item->status != PGC_OK) {
            if (err != NULL && item->error != NULL) {
                *err = *item->error;
            }
            return item->status;
        }
    }
    return PGC_OK;
}

/* One round, and once more what was outdated in it. */
static pgc_status run_window(pgc_pipeline *pipeline, uint32_t *attempts, pgc_error *err)
{
    bool repeat = pgc_conn_tx_state(pipeline->conn) == PGC_TX_IDLE;
    bool again = false;
    pgc_status status = run_round(pipeline, repeat, &again, err);
    if (status == PGC_OK && again) {
        hooks_retry(&pipeline->conn->hooks,
                    (pgc_retry_event) { .kind = PGC_RETRY_STALE,
                                        .name = "pipeline",
                                        .attempt = (*attempts)++,
                                        .status = PGC_DB },
                    NULL);
        status = run_round(pipeline, false, &again, err);
    }
    return status;
}

/* The results of the round go to the caller's function, if there is one. */
static void give_each(pgc_pipeline *pipeline)
{
    for (size_t i = pipeline->begin; i < pipeline->end && pipeline->each != NULL; i++) {
        batch_item *item = &pipeline->items[i];
        const pgc_pipeline_item given = {
            .index = i,
            .query = item->query,
            .status = item->status,
            .result = item->result,
            .error = item->error,
        };
        pipeline->each(pipeline->each_arg, &given);
        pgc_result_free(TAKE(item->result));
    }
}

/* A failure in one transaction ends it: what was not sent yet is not run. */
static bool must_stop(const pgc_pipeline *pipeline, pgc_status status)
{
    bool failed = status != PGC_OK;
    for (size_t i = pipeline->begin;
         i < pipeline->end && pipeline->mode == PGC_PIPELINE_ATOMIC && !failed; i++) {
        failed = pipeline->items[i].status != PGC_OK;
    }
    return failed;
}

static pgc_status run_windows(pgc_pipeline *pipeline, uint32_t *attempts, pgc_error *err)
{
    pgc_status status = PGC_OK;
    bool stopped = false;
    for (pipeline->begin = 0; pipeline->begin < pipeline->count; pipeline->begin = pipeline->end) {
        size_t left = pipeline->count - pipeline->begin;
        pipeline->end = pipeline->begin + (left < ROUND_MAX ? left : ROUND_MAX);
        if (stopped) {
            pgc_error why;
            pgc_status not_run = pgc_error_set(&why, PGC_CANCELLED,
                                               "pipeline: not run because an earlier query failed");
            all_over(pipeline, pipeline->begin, pipeline->end, not_run, &why);
        } else {
            status = run_window(pipeline, attempts, err);
            stopped = must_stop(pipeline, status);
        }
        give_each(pipeline);
    }
    return status;
}

/* A statement around the rounds of one transaction. */
static pgc_status do_sql(pgc_pipeline *pipeline, const char *sql, bool with_first, pgc_error *err)
{
    const pgc_query query = { .name = "pipeline", .sql = sql, .flags = PGC_QUERY_UNNAMED };
    const run_item items[] = { { &query, NULL },
                               { pipeline->loan.first, pipeline->loan.first_args } };
    bool two = with_first && pipeline->loan.first != NULL;
    return conn_run_group(pipeline->conn, items, two ? 2 : 1, NULL, err);
}

/* Several rounds are one transaction by BEGIN and COMMIT of our own. */
static pgc_status run_rounds(pgc_pipeline *pipeline, uint32_t *attempts, pgc_error *err)
{
    pgc_conn *conn = pipeline->conn;
    pgc_error ours;
    pgc_error_clear(&ours);
    pipeline->own_tx = pipeline->mode == PGC_PIPELINE_ATOMIC && pipeline->count > ROUND_MAX &&
                       pgc_conn_tx_state(conn) == PGC_TX_IDLE;
    pgc_status status = pipeline->own_tx ? do_sql(pipeline, "BEGIN", true, &ours) : PGC_OK;
    if (status == PGC_OK) {
        status = run_windows(pipeline, attempts, &ours);
    } else {
        all_over(pipeline, 0, pipeline->count, status, &ours);
    }
    pgc_status first = first_failure(pipeline, err);
    if (pipeline->own_tx && first == PGC_OK && status == PGC_OK) {
        status = do_sql(pipeline, "COMMIT", false, &ours);
    }
    if (pipeline->own_tx && !conn->lost && pgc_conn_tx_state(conn) != PGC_TX_IDLE &&
        do_sql(pipeline, "ROLLBACK", false, NULL) != PGC_OK) {
        conn->lost = true;
    }
    if (first == PGC_OK && status != PGC_OK && err != NULL) {
        *err = ours;
    }
    return first != PGC_OK ? first : status;
}

/* The batch is the operation; its queries are told one by one before its end. */
static pgc_status run_watched(pgc_pipeline *pipeline, pgc_error *err)
{
    pgc_error ours;
    query_watch watch;
    err = err != NULL ? err : &ours;
    watch_begin_batch(&watch, pipeline->conn, "pipeline", pipeline->count);
    pgc_status status = run_rounds(pipeline, &watch.event.attempt, err);
    for (size_t i = 0; i < pipeline->count; i++) {
        const batch_item *item = &pipeline->items[i];
        int64_t rows = item->result == NULL ? 0 : (int64_t) pgc_result_rows(item->result);
        watch_add(&watch, rows, 0);
        watch_batch_query(&watch, item->query, i, rows, item->status, item->error);
    }
    watch_end(&watch, status, err);
    return status;
}

static pgc_status run_on_loan(pgc_pipeline *pipeline, pgc_error *err)
{
    uint32_t attempts = 1;
    TRY(check_mode(pipeline->conn, pipeline->mode, err));
    return pipeline->conn->watched ? run_watched(pipeline, err)
                                   : run_rounds(pipeline, &attempts, err);
}

/* The connection is borrowed for the run only; a batch that is being filled holds none. */
pgc_status pgc_pipeline_run_each(pgc_pipeline *pipeline, pgc_pipeline_fn each, void *arg,
                                 pgc_error *err)
{
    if (pipeline == NULL || pipeline->ran) {
        return pgc_error_set(err, PGC_INVALID, "pipeline: has run already");
    }
    pipeline->ran = true;
    if (pipeline->count == 0) {
        return PGC_OK;
    }
    pgc_error ours;
    err = err != NULL ? err : &ours;
    pipeline->each = each;
    pipeline->each_arg = arg;
    pgc_status status = loan_take(pipeline->db, "pipeline", &pipeline->loan, err);
    if (status == PGC_OK) {
        pipeline->conn = pipeline->loan.conn;
        status = run_on_loan(pipeline, err);
        pipeline->conn = NULL;
        loan_end(pipeline->db, &pipeline->loan);
    }
    all_over(pipeline, 0, pipeline->count, status, err);
    return status;
}

/* Once: the answers of a second run would have no place. */
pgc_status pgc_pipeline_run(pgc_pipeline *pipeline, pgc_error *err)
{
    return pgc_pipeline_run_each(pipeline, NULL, NULL, err);
}

/* A result is given away once; later calls give NULL. */
pgc_status pgc_pipeline_take(pgc_pipeline *pipeline, size_t index, pgc_result **out, pgc_error *err)
{
    if (pipeline == NULL || !pipeline->ran || index >= pipeline->count) {
        return pgc_error_set(err, PGC_INVALID, "pipeline: no query %zu, or it has not run", index);
    }
    batch_item *item = &pipeline->items[index];
    if (item->status != PGC_OK && item->error != NULL && err != NULL) {
        *err = *item->error;
    } else if (item->status != PGC_OK) {
        return pgc_error_set(err, item->status, "query %s: failed", item->query->name);
    }
    if (out != NULL) {
        *out = TAKE(item->result);
    }
    return item->status;
}

/* Nothing is on its way at this point: a run always reads to its last sync, or the connection is
 * lost. */
void pgc_pipeline_close(pgc_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return;
    }
    const pgc_alloc *alloc = pipeline->alloc;
    for (size_t i = 0; i < pipeline->count; i++) {
        pgc_result_free(pipeline->items[i].result);
    }
    mem_free(alloc, pipeline->items, pipeline->cap * sizeof(batch_item));
    arena_free(pipeline->memory);
    mem_free(alloc, pipeline, sizeof *pipeline);
}
