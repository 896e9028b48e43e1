/* Reads in flight: a ring of slots over one exchange that goes on while answers are taken. What was
 * sent since the last sync is a group; it ends when half of the room is sent, or when its answers
 * are waited for. Invariant: slots are over from the oldest on; those behind stand in the exchange,
 * and only the newest `open` ones without a sync. One thread per window. */
#include "base/prelude.h"

#include <pgc/window.h>

#include "base/options.h"
#include "pgc/args.h"
#include "pgc/failure.h"
#include "pgc/loan.h"
#include "pgc/run.h"
#include "pgc/watch.h"

#define DEPTH_DEFAULT 32u
#define DEPTH_MAX     1000u
#define GROUP_MAX     64u  /* reads of one transaction */
#define STEPS_KEPT    128u /* answered ones, before their room is used again */

typedef struct window_slot {
    const pgc_query *query;
    void *tag;
    void *values; /* copies, as one block: pointers, lengths, bytes */
    size_t values_size;
    queued lead, queue; /* in the exchange; lead: the loan's first query, when led */
    size_t sync;        /* its group's; known once that has ended */
    bool led;
    bool stale; /* its statement was outdated */
    bool alone; /* is to run again by itself */
    bool over;  /* what follows is final */
    pgc_status status;
    pgc_result *result;
    pgc_error error;
} window_slot;

struct pgc_window {
    pgc_db *db;
    const pgc_alloc *alloc;
    pgc_loan loan; /* conn NULL: none at the moment */
    bool flying;   /* the exchange goes on */
    exchange ex;
    pgc_error failure; /* where the exchange tells of it */
    query_watch watch; /* of one exchange, when somebody listens */
    size_t told;       /* queries of it */
    uint32_t depth;
    uint32_t first, count; /* of the ring */
    uint32_t open;         /* the newest ones, whose group has not ended */
    window_slot slots[];
};

static size_t window_size(uint32_t depth)
{
    return sizeof(pgc_window) + depth * sizeof(window_slot);
}

static pgc_status options_read(const pgc_window_options *options, pgc_window_options *out,
                               pgc_error *err)
{
    TRY(options_take_any("window options", options, out, sizeof *out, err));
    out->depth = out->depth == 0 ? DEPTH_DEFAULT : out->depth;
    if (out->depth > DEPTH_MAX) {
        return pgc_error_set(err, PGC_INVALID, "window options: depth %" PRIu32 " is above %u",
                             out->depth, DEPTH_MAX);
    }
    return PGC_OK;
}

pgc_status pgc_window_open(pgc_db *db, const pgc_window_options *options, pgc_window **out,
                           pgc_error *err)
{
    pgc_window_options full;
    if (db == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "window: no handle, or no place for the result");
    }
    TRY(options_read(options, &full, err));
    const pgc_alloc *alloc = alloc_or_libc(full.alloc);
    pgc_window *window = mem_new(alloc, window_size(full.depth));
    if (window == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "window of %" PRIu32 " reads", full.depth);
    }
    window->db = db;
    window->alloc = alloc;
    window->depth = full.depth;
    *out = window;
    return PGC_OK;
}

/* The n-th oldest read in flight. */
static window_slot *slot_at(pgc_window *window, uint32_t n)
{
    assert(n < window->count);
    return &window->slots[(window->first + n) % window->depth];
}

/* A read may have to run again when its arguments are long gone. */
static bool keep_values(pgc_window *window, window_slot *slot, const pgc_args *args)
{
    size_t count = args == NULL ? 0 : args->count;
    size_t size = count * (sizeof(char *) + sizeof(int32_t));
    if (count == 0) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        size += args->values[i] == NULL ? 0 : (size_t) args->lengths[i];
    }
    if (size > slot->values_size) {
        void *room = mem_resize(window->alloc, slot->values, slot->values_size, size);
        if (room == NULL) {
            return false;
        }
        slot->values = room;
        slot->values_size = size;
    }
    const char **values = slot->values;
    int32_t *lengths = (int32_t *) (values + count);
    char *bytes = (char *) (lengths + count);
    for (size_t i = 0; i < count; i++) {
        lengths[i] = args->lengths[i];
        values[i] = args->values[i] == NULL ? NULL : bytes;
        if (values[i] != NULL) {
            memcpy(bytes, args->values[i], (size_t) lengths[i]);
            bytes += lengths[i];
        }
    }
    return true;
}

static const int32_t *slot_lengths(const window_slot *slot)
{
    return slot->query->param_count == 0
               ? NULL
               : (const int32_t *) ((const char *const *) slot->values + slot->query->param_count);
}

/* Hooks are told in the order of the answers. */
static void tell(pgc_window *window, const window_slot *slot)
{
    if (window->flying && window->loan.conn->watched) {
        int64_t rows = slot->result == NULL ? 0 : (int64_t) pgc_result_rows(slot->result);
        watch_add(&window->watch, rows, 0);
        watch_batch_query(&window->watch, slot->query, window->told++, rows, slot->status,
                          slot->status == PGC_OK ? NULL : &slot->error);
    }
}

static void slot_over(pgc_window *window, window_slot *slot, pgc_status status)
{
    assert(!slot->over);
    slot->status = status;
    slot->over = true;
    if (status != PGC_OK && slot->error.query[0] == '\0') {
        (void) snprintf(slot->error.query, sizeof slot->error.query, "%s", slot->query->name);
    }
    tell(window, slot);
}

/* ---- the exchange ---- */

static void take_off(pgc_window *window)
{
    pgc_conn *conn = window->loan.conn;
    assert(!window->flying && window->open == 0);
    pgc_error_clear(&window->failure);
    if (conn->watched) {
        watch_begin_batch(&window->watch, conn, "window", 0);
        window->told = 0;
    }
    exchange_begin(&window->ex, conn, conn->call_timeout_us, &window->failure);
    window->flying = true;
    run_queue_deallocate(&window->ex);
}

/* All is answered, or the connection is lost. */
static pgc_status land(pgc_window *window)
{
    assert(window->flying && window->open == 0);
    pgc_conn *conn = window->loan.conn;
    pgc_status status = exchange_finish(&window->ex, true);
    if (conn->watched) {
        watch_end(&window->watch, status, &window->failure);
    }
    exchange_done(&window->ex);
    window->flying = false;
    if (conn->lost) {
        loan_end(window->db, &window->loan);
    }
    return status;
}

static void end_group(pgc_window *window)
{
    size_t sync = window->open == 0 ? 0 : exchange_sync(&window->ex);
    for (; window->open > 0; window->open--) {
        slot_at(window, window->count - window->open)->sync = sync;
    }
}

/* What the next reads wait for no more: answered steps at the front of the exchange. */
static void forget_answered(pgc_window *window)
{
    size_t gone = window->ex.answered < STEPS_KEPT ? 0 : exchange_forget(&window->ex);
    for (uint32_t i = 0; gone > 0 && i < window->count; i++) {
        window_slot *slot = slot_at(window, i);
        if (!slot->over) {
            slot->queue.at -= gone;
            slot->queue.prepare -= slot->queue.prepared ? gone : 0;
            slot->queue.describe -= slot->queue.described ? gone : 0;
            slot->lead.at -= slot->led ? gone : 0;
            slot->lead.prepare -= slot->led && slot->lead.prepared ? gone : 0;
            slot->lead.describe -= slot->led && slot->lead.described ? gone : 0;
            slot->sync -= slot->sync >= gone ? gone : 0; /* unknown yet: set later */
        }
    }
}

/* ---- answers ---- */

/* Nobody was answered from here on. */
static void fail_rest(pgc_window *window)
{
    pgc_status status = window->ex.status;
    assert(status != PGC_OK);
    for (uint32_t i = 0; i < window->count; i++) {
        window_slot *slot = slot_at(window, i);
        if (!slot->over) {
            slot->error = window->failure;
            slot->error.query[0] = '\0';
            slot_over(window, slot, status);
        }
    }
    window->open = 0;
    (void) land(window);
}

/* The server skips what stands behind a failure, and at the end of the transaction all may fail. */
static bool is_swept_along(const window_slot *slot, pgc_status status, bool committed)
{
    return status == PGC_OK ? !committed
                            : status == PGC_CANCELLED && slot->error.sqlstate[0] == '\0';
}

/* Its columns are looked at only when they were compared already: else questions would have to go
 * to the server, and the connection is busy. */
static bool judge(pgc_window *window, window_slot *slot)
{
    exchange *ex = &window->ex;
    pgc_conn *conn = window->loan.conn;
    pgc_status status = PGC_OK;
    bool known = run_ready(conn, slot->query);
    bool committed = exchange_status(ex, slot->sync, "reads", NULL) == PGC_OK;
    pgc_error_clear(&slot->error);
    if (!slot->stale && known) {
        status = slot->led ? run_status(ex, &slot->lead, &slot->error) : PGC_OK;
        status = status == PGC_OK ? run_status(ex, &slot->queue, &slot->error) : status;
    }
    slot->alone = slot->stale || !known || is_swept_along(slot, status, committed);
    if (slot->alone) {
        return false;
    }
    if (status == PGC_OK) {
        status = run_result(conn, slot->query, exchange_take(ex, slot->queue.at), &slot->result,
                            &slot->error);
    }
    slot_over(window, slot, status);
    return true;
}

/* What is learned of each is learned before the first is judged. False: some must run alone. */
static bool judge_answered(pgc_window *window)
{
    bool all = true;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < window->count - window->open; i++) {
            window_slot *slot = slot_at(window, i);
            if (slot->over || slot->alone || slot->sync >= window->ex.answered) {
                continue;
            }
            if (pass == 0) {
                slot->stale = slot->led && run_settle(&window->ex, &slot->lead);
                slot->stale = run_settle(&window->ex, &slot->queue) || slot->stale;
            } else {
                all = judge(window, slot) && all;
            }
        }
    }
    return all;
}

/* With the connection at rest, as any other query. */
static void run_alone(pgc_window *window, window_slot *slot)
{
    pgc_args args;
    PGresult *answer = NULL;
    const pgc_loan *loan = &window->loan;
    size_t count = slot->query->param_count;
    pgc_args_init(&args, window->alloc);
    args.count = (uint16_t) count;
    for (size_t i = 0; i < count; i++) {
        args.values[i] = ((const char *const *) slot->values)[i];
        args.lengths[i] = slot_lengths(slot)[i];
    }
    const run_item items[] = { { loan->first, loan->first_args }, { slot->query, &args } };
    bool led = loan->first != NULL;
    pgc_error_clear(&slot->error);
    pgc_status status =
        conn_run_group(loan->conn, led ? items : items + 1, led ? 2 : 1, &answer, &slot->error);
    if (status == PGC_OK) {
        status = run_result(loan->conn, slot->query, answer, &slot->result, &slot->error);
    }
    pgc_args_done(&args);
    slot->alone = false;
    slot_over(window, slot, status);
}

/* Everything in flight comes to its end; the connection is at rest, or lost. */
static void drain(pgc_window *window)
{
    if (!window->flying) {
        return;
    }
    end_group(window);
    if (exchange_await(&window->ex, window->ex.count - 1) != PGC_OK) {
        fail_rest(window);
        return;
    }
    (void) judge_answered(window);
    (void) land(window);
    for (uint32_t i = 0; i < window->count; i++) {
        window_slot *slot = slot_at(window, i);
        if (slot->alone && window->loan.conn == NULL) {
            slot->alone = false;
            slot->error = window->failure;
            slot_over(window, slot, window->failure.status);
        } else if (slot->alone) {
            run_alone(window, slot);
        }
    }
}

/* By a deadline that passed or from another thread: such a request must not hit those that are sent
 * later, which the end of the exchange sees to. */
static bool was_asked_to_stop(const pgc_window *window)
{
    return window->ex.call.cancelled ||
           atomic_load_explicit(&window->loan.conn->phase, memory_order_relaxed) == CALL_STOPPING;
}

/* The oldest one gets its answer, and others with it. */
static void settle_oldest(pgc_window *window)
{
    if (window->open == window->count) {
        end_group(window);
    }
    if (exchange_await(&window->ex, slot_at(window, 0)->sync) != PGC_OK) {
        fail_rest(window);
    } else if (!judge_answered(window) || was_asked_to_stop(window)) {
        drain(window);
    } else if (window->ex.answered == window->ex.count) {
        (void) land(window);
    } else {
        forget_answered(window);
    }
}

/* ---- sending ---- */

/* At its first use on a connection a query is prepared and its columns are compared, which needs
 * the connection for itself. What fails there is the query's own failure. */
static pgc_status prepare(pgc_window *window, const pgc_query *query, pgc_error *failed)
{
    const pgc_loan *loan = &window->loan;
    const run_item first = { loan->first, loan->first_args };
    if (run_ready(loan->conn, query)) {
        return PGC_OK;
    }
    drain(window);
    return loan->conn == NULL
               ? PGC_OK
               : run_prepare(loan->conn, &first, loan->first == NULL ? 0 : 1, query, failed);
}

/* The loan's first query goes ahead of each transaction. */
static void queue_slot(pgc_window *window, window_slot *slot)
{
    const pgc_loan *loan = &window->loan;
    slot->led = window->open == 0 && loan->first != NULL;
    slot->sync = 0;
    if (slot->led) {
        run_queue(&window->ex, loan->first, loan->first_args->values, loan->first_args->lengths,
                  &slot->lead);
    }
    run_queue(&window->ex, slot->query, slot->values, slot_lengths(slot), &slot->queue);
    window->open++;
    window->watch.event.batch_size++; /* grows while the operation lasts */
    uint32_t group = window->depth / 2 < GROUP_MAX ? window->depth / 2 : GROUP_MAX;
    if (window->open >= group) {
        end_group(window);
    }
}

static pgc_status check_send(const pgc_window *window, const pgc_query *query, const pgc_args *args,
                             pgc_error *err)
{
    if (window == NULL || query == NULL) {
        return pgc_error_set(err, PGC_INVALID, "window: no query");
    }
    if (window->count == window->depth) {
        return pgc_error_set(err, PGC_INVALID,
                             "window: %" PRIu32 " reads are in flight, take one first",
                             window->count);
    }
    if ((query->flags & PGC_QUERY_READ_ONLY) == 0) {
        return pgc_error_set(err, PGC_INVALID,
                             "window: query %s is no read (PGC_QUERY_READ_ONLY): use a pipeline",
                             query->name);
    }
    return args_check(args, query, err);
}

pgc_status pgc_window_send(pgc_window *window, const pgc_query *query, const pgc_args *args,
                           void *tag, pgc_error *err)
{
    TRY(check_send(window, query, args, err));
    window_slot *slot = &window->slots[(window->first + window->count) % window->depth];
    if (!keep_values(window, slot, args)) {
        return pgc_error_set(err, PGC_NOMEM, "window: send query %s", query->name);
    }
    slot->query = query;
    slot->tag = tag;
    slot->over = slot->alone = false;
    slot->error.query[0] = '\0';
    if (window->loan.conn == NULL) {
        TRY(loan_take(window->db, "window", &window->loan, err));
    }
    pgc_error failed;
    pgc_error_clear(&failed);
    pgc_status status = prepare(window, query, &failed);
    if (window->loan.conn == NULL) { /* lost by those before */
        TRY(loan_take(window->db, "window", &window->loan, err));
        status = prepare(window, query, &failed);
    }
    window->count++;
    if (status != PGC_OK) {
        slot->error = failed;
        slot_over(window, slot, status);
        return PGC_OK;
    }
    if (!window->flying) {
        take_off(window);
    }
    queue_slot(window, slot);
    return PGC_OK;
}

/* What has become of a read is final once it is asked for. */
pgc_status pgc_window_take(pgc_window *window, void **tag_out, pgc_result **out, pgc_error *err)
{
    if (window == NULL || window->count == 0) {
        return pgc_error_set(err, PGC_NOT_FOUND, "window: nothing is in flight");
    }
    window_slot *slot = slot_at(window, 0);
    if (!slot->over) {
        settle_oldest(window);
    }
    assert(slot->over);
    window->first = (window->first + 1) % window->depth;
    window->count--;
    if (tag_out != NULL) {
        *tag_out = slot->tag;
    }
    pgc_result *result = TAKE(slot->result);
    if (slot->status != PGC_OK && err != NULL) {
        *err = slot->error;
    } else if (slot->status == PGC_OK && out != NULL) {
        *out = TAKE(result);
    }
    pgc_result_free(result);
    return slot->status;
}

uint32_t pgc_window_count(const pgc_window *window)
{
    return window == NULL ? 0 : window->count;
}

void pgc_window_close(pgc_window *window)
{
    if (window == NULL) {
        return;
    }
    drain(window);
    loan_end(window->db, &window->loan);
    for (uint32_t i = 0; i < window->depth; i++) {
        window_slot *slot = &window->slots[i];
        pgc_result_free(slot->result);
        mem_free(window->alloc, slot->values, slot->values_size);
    }
    mem_free(window->alloc, window, window_size(window->depth));
}
