/* What a statement takes and gives, asked from the server without running it. One round trip. One
 * thread per connection. */
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

/* Parse and describe travel together; nothing is executed. */
pgc_status conn_describe(pgc_conn *conn, const char *name, const char *sql,
                         const uint32_t *param_oids, size_t param_count, arena *memory,
                         described *out, pgc_error *err)
{
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    size_t prepared = exchange_prepare(&ex, name, sql, param_oids, param_count);
    size_t asked = exchange_describe(&ex, name);
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK) {
        status = exchange_status(&ex, prepared, "prepare", err);
    }
    if (status == PGC_OK) {
        status = exchange_status(&ex, asked, "describe", err);
    }
    described answer = { 0 };
    if (status == PGC_OK) {
        const PGresult *result = ex.steps[asked].result;
        if (!copy_params(conn->pq, result, memory, &answer) ||
            !copy_columns(conn->pq, result, memory, &answer)) {
            status = pgc_error_set(err, PGC_NOMEM, "describe");
        }
    }
    exchange_done(&ex);
    if (status == PGC_OK) {
        *out = answer;
    }
    return status;
}
