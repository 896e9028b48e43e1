/* What statements take and give, asked from the server without running them. One round trip for one
 * or for many; of many, each has a transaction of its own. One thread per connection. */
#include "base/prelude.h"

#include "pgc/describe.h"

#include "pgc/exchange.h"

/* The arrays have one element more than needed, so that zero of them is no special case. */
static bool copy_params(const pq_ops *pq, const PGresult *answer, arena *memory, described *out)
{
    out->param_count = (size_t) pq->nparams(answer);
    uint32_t *oids = ARENA_ARRAY(memory, out->param_count + 1, uint32_t);
    for (size_t i = 0; oids != NULL && i < out->param_count; i++) {
        oids[i] = pq->paramtype(answer, (int) i);
    }
    out->param_oids = oids;
    return oids != NULL;
}

/* Source table and column are zero for expressions. */
static bool copy_columns(const pq_ops *pq, const PGresult *answer, arena *memory, described *out)
{
    out->column_count = (size_t) pq->nfields(answer);
    described_column *columns = ARENA_ARRAY(memory, out->column_count + 1, described_column);
    for (size_t i = 0; columns != NULL && i < out->column_count; i++) {
        columns[i] = (described_column) {
            .name = arena_strdup(memory, pq->fname(answer, (int) i)),
            .type_oid = pq->ftype(answer, (int) i),
            .typmod = pq->fmod(answer, (int) i),
            .table_oid = pq->ftable(answer, (int) i),
            .table_column = (int16_t) pq->ftablecol(answer, (int) i),
        };
        if (columns[i].name == NULL) {
            return false;
        }
    }
    out->columns = columns;
    return columns != NULL;
}

/* Steps of an exchange that belong to one statement. */
typedef struct asked {
    size_t first; /* parse, or the run of one that is not described */
    size_t shape; /* describe; the same as first when there is none */
    size_t sync;
} asked;

/* Parse and describe travel together; nothing is executed. */
static asked queue_described(exchange *ex, const char *name, const char *sql,
                             const uint32_t *param_oids, size_t param_count)
{
    asked at = { .first = exchange_prepare(ex, name, sql, param_oids, param_count) };
    at.shape = exchange_describe(ex, name);
    at.sync = exchange_sync(ex);
    return at;
}

/* What the server said about one statement. */
static pgc_status take_described(exchange *ex, const asked *at, arena *memory, described *out,
                                 pgc_error *err)
{
    const pq_ops *pq = ex->call.conn->pq;
    described answer = { 0 };
    TRY(exchange_status(ex, at->first, "prepare", err));
    TRY(exchange_status(ex, at->shape, "describe", err));
    const PGresult *result = ex->steps[at->shape].result;
    if (!copy_params(pq, result, memory, &answer) || !copy_columns(pq, result, memory, &answer)) {
        return pgc_error_set(err, PGC_NOMEM, "describe");
    }
    *out = answer;
    return PGC_OK;
}

pgc_status conn_describe(pgc_conn *conn, const char *name, const char *sql,
                         const uint32_t *param_oids, size_t param_count, arena *memory,
                         described *out, pgc_error *err)
{
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    asked at = queue_described(&ex, name, sql, param_oids, param_count);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK) {
        status = take_described(&ex, &at, memory, out, err);
    }
    exchange_done(&ex);
    return status;
}

/* Statements between two waits for answers: bounds what libpq and the server hold for us. */
#define WINDOW_MAX ((size_t) 256)

static asked queue_item(exchange *ex, const describe_item *item)
{
    static const query_params NONE = { .text_rows = true };
    if (item->name != NULL) {
        return queue_described(ex, item->name, item->sql, item->param_oids, item->param_count);
    }
    asked at = { .first = exchange_text(ex, item->sql, &NONE) };
    at.shape = at.first;
    at.sync = exchange_sync(ex);
    return at;
}

/* The value of one row with one column, such as a plan. */
static pgc_status take_text(exchange *ex, const asked *at, arena *memory, slice *out,
                            pgc_error *err)
{
    const pq_ops *pq = ex->call.conn->pq;
    const PGresult *result = ex->steps[at->first].result;
    if (pq->ntuples(result) != 1 || pq->nfields(result) != 1) {
        return PGC_OK;
    }
    slice text = { pq->getvalue(result, 0, 0), (size_t) pq->getlength(result, 0, 0) };
    const char *copy = arena_copy(memory, text);
    if (copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "run");
    }
    *out = (slice) { copy, text.len };
    return PGC_OK;
}

static pgc_status take_item(exchange *ex, const asked *at, arena *memory, describe_item *item,
                            pgc_error *err)
{
    if (item->name != NULL) {
        return take_described(ex, at, memory, &item->shape, err);
    }
    TRY(exchange_status(ex, at->first, "run", err));
    TRY(exchange_status(ex, at->sync, "run", err));
    return item->keep_text ? take_text(ex, at, memory, &item->text, err) : PGC_OK;
}

/* The sync behind each statement keeps the failure of one from the others. What was answered before
 * the connection was lost counts. */
static pgc_status describe_window(pgc_conn *conn, describe_item *items, size_t count,
                                  int64_t timeout_us, arena *memory)
{
    asked places[WINDOW_MAX];
    pgc_error lost = PGC_ZERO;
    pgc_error refused = PGC_ZERO;
    exchange ex;
    bool kept = true;
    assert(count > 0 && count <= WINDOW_MAX);
    exchange_begin(&ex, conn, timeout_us, &lost);
    for (size_t i = 0; i < count; i++) {
        places[i] = queue_item(&ex, &items[i]);
    }
    pgc_status status = exchange_finish(&ex, true);
    for (size_t i = 0; i < count; i++) {
        bool answered = status == PGC_OK || places[i].sync < ex.answered;
        const pgc_error *error = answered ? &refused : &lost;
        items[i].status =
            answered ? take_item(&ex, &places[i], memory, &items[i], &refused) : status;
        if (items[i].status != PGC_OK) {
            pgc_error *copy = ARENA_NEW(memory, pgc_error);
            if (copy != NULL) {
                *copy = *error;
            }
            items[i].error = copy;
            kept = kept && copy != NULL;
        }
    }
    exchange_done(&ex);
    return kept ? PGC_OK : PGC_NOMEM;
}

/* Behind a window that lost the connection the next one is told so at once. */
pgc_status conn_describe_many(pgc_conn *conn, describe_item *items, size_t count,
                              int64_t timeout_us, arena *memory, pgc_error *err)
{
    for (size_t at = 0; at < count; at += WINDOW_MAX) {
        size_t window = count - at < WINDOW_MAX ? count - at : WINDOW_MAX;
        if (describe_window(conn, items + at, window, timeout_us, memory) != PGC_OK) {
            return pgc_error_set(err, PGC_NOMEM, "describe %zu statements", count);
        }
    }
    return PGC_OK;
}
