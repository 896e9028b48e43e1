/* Results: rows as libpq holds them plus one arena, freed together. The shape is checked once, when
 * the result is made, so that readers can use fixed column numbers. One thread per result. */
#include "base/prelude.h"

#include "pgc/result.h"

/* Number and built-in types of the columns; extension types (oid 0) are checked by their readers.
 */
static pgc_status check_columns(const pgc_result *result, const pgc_query *query, pgc_error *err)
{
    if (query == NULL || query->column_count == 0) {
        return PGC_OK;
    }
    if (result->columns != query->column_count) {
        pgc_status status = pgc_error_set(
            err, PGC_SCHEMA, "query %s: result has %zu column%s, expected %u", query->name,
            result->columns, result->columns == 1 ? "" : "s", query->column_count);
        pgc_error_hint(err, "the tables changed: migrate, or generate the queries again");
        return status;
    }
    for (size_t i = 0; i < result->columns; i++) {
        const pgc_type_ref *want = &query->columns[i];
        uint32_t oid = result->pq->ftype(result->res, (int) i);
        if (want->oid != 0 && oid != want->oid) {
            pgc_status status = pgc_error_set(
                err, PGC_SCHEMA, "query %s: column %zu (%s) has the type with OID %u, expected %s",
                query->name, i + 1, want->name, oid, want->type);
            pgc_error_hint(err, "the tables changed: migrate, or generate the queries again");
            return status;
        }
    }
    return PGC_OK;
}

#define ARENA_SLACK      1024  /* bytes beside the row array: what small arrays and numerics need */
#define SLACK_OF_ONE_ROW 256   /* the same; a small block comes from the allocator's fast path */
#define SMALL_RESULT     16384 /* bytes: memory that is made with the handle */

/* Bytes of the row array and what goes with it; false when it does not fit. */
static bool first_size(const pgc_query *query, size_t rows, size_t *out)
{
    size_t row_size = query == NULL ? 0 : query->row_size;
    return size_mul(rows, row_size, out) &&
           size_add(*out, rows == 1 ? SLACK_OF_ONE_ROW : ARENA_SLACK, out);
}

/* Rows of a known size will be decoded: one allocation then serves for the handle as well. NULL
 * when memory is exhausted. */
static pgc_result *handle_new(const pgc_alloc *alloc, const pgc_query *query, size_t rows)
{
    size_t size;
    if (query == NULL || query->row_size == 0 || rows == 0 || !first_size(query, rows, &size) ||
        size > SMALL_RESULT) {
        return MEM_NEW(alloc, pgc_result);
    }
    arena *memory = arena_new(alloc, size + sizeof(pgc_result), 0);
    pgc_result *result = memory == NULL ? NULL : ARENA_NEW(memory, pgc_result);
    if (result != NULL) {
        result->memory = memory;
        result->in_arena = true;
    }
    return result;
}

static pgc_status out_of_memory(const pgc_query *query, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "hold the result of query %s",
                         query == NULL ? "(text)" : query->name);
}

/* Room for one row, which is what most of such queries give. More rows need more memory later, when
 * nothing can be taken back. */
pgc_status result_reserve(const pq_ops *pq, const pgc_alloc *alloc, const pgc_query *query,
                          pgc_result **room, pgc_error *err)
{
    assert(*room == NULL);
    if (query == NULL || (query->flags & PGC_QUERY_READ_ONLY) != 0) {
        return PGC_OK;
    }
    alloc = alloc_or_libc(alloc);
    pgc_result *result = handle_new(alloc, query, 1);
    if (result == NULL) {
        return out_of_memory(query, err);
    }
    result->pq = pq;
    result->alloc = alloc;
    *room = result;
    return PGC_OK;
}

/* Takes the PGresult in any case, also on failure: callers have nothing to free. */
pgc_status result_wrap_in(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                          const pgc_query *query, pgc_result **room, pgc_error *err)
{
    assert(res != NULL);
    assert(pq != NULL);
    alloc = alloc_or_libc(alloc);
    int rows = pq->ntuples(res);
    int columns = pq->nfields(res);
    pgc_result *result =
        *room != NULL ? *room : handle_new(alloc, query, rows < 0 ? 0 : (size_t) rows);
    if (result == NULL) {
        pq->clear(res);
        return out_of_memory(query, err);
    }
    assert(result->res == NULL);
    result->pq = pq;
    result->res = res;
    result->alloc = alloc;
    result->query = query;
    result->rows = rows < 0 ? 0 : (size_t) rows;
    result->columns = columns < 0 ? 0 : (size_t) columns;
    result->binary = pq->binaryTuples(res) == 1;
    *room = result;
    return PGC_OK;
}

pgc_status result_new_in(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                         const pgc_query *query, pgc_result **room, pgc_error *err)
{
    TRY(result_wrap_in(pq, res, alloc, query, room, err));
    pgc_status status = check_columns(*room, query, err);
    if (status != PGC_OK) {
        pgc_result_free(*room);
        *room = NULL;
    }
    return status;
}

pgc_status result_wrap(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                       const pgc_query *query, pgc_result **out, pgc_error *err)
{
    pgc_result *result = NULL;
    TRY(result_wrap_in(pq, res, alloc, query, &result, err));
    *out = result;
    return PGC_OK;
}

pgc_status result_new(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                      const pgc_query *query, pgc_result **out, pgc_error *err)
{
    pgc_result *result = NULL;
    TRY(result_new_in(pq, res, alloc, query, &result, err));
    *out = result;
    return PGC_OK;
}

/* The rows, what was decoded from them and the handle itself: one call, whatever was read. */
void pgc_result_free(pgc_result *result)
{
    if (result == NULL) {
        return;
    }
    result->pq->clear(result->res);
    result->pq->clear(result->tail);
    bool in_arena = result->in_arena;
    const pgc_alloc *alloc = result->alloc;
    arena_free(result->memory);
    if (!in_arena) {
        mem_free(alloc, result, sizeof *result);
    }
}

size_t pgc_result_rows(const pgc_result *result)
{
    return result->rows;
}

size_t pgc_result_columns(const pgc_result *result)
{
    return result->columns;
}

/* libpq gives the count as decimal text, "" for commands without one. */
int64_t pgc_result_affected(const pgc_result *result)
{
    /* libpq gives "" for commands that count nothing. */
    int64_t count = 0;
    const char *text = result->pq->cmdTuples(result->tail != NULL ? result->tail : result->res);
    return slice_to_i64(pgc_text_from(text), &count) && count > 0 ? count : 0;
}

const char *pgc_result_tag(const pgc_result *result)
{
    return result->pq->cmdStatus(result->tail != NULL ? result->tail : result->res);
}

/* For code of ours that needs what readers do not show, such as column names. */
const PGresult *result_pq(const pgc_result *result)
{
    return result->res;
}

/* The arena, made on first use; NULL when memory is exhausted. */
static arena *memory_of(pgc_result *result)
{
    if (result->memory == NULL) {
        size_t size;
        if (!first_size(result->query, result->rows, &size)) {
            return NULL;
        }
        result->memory = arena_new(result->alloc, size, 0);
    }
    return result->memory;
}

/* From the result's arena: there is no way to free it alone, and no need. */
void *pgc_result_alloc(pgc_result *result, size_t size)
{
    arena *memory = memory_of(result);
    return memory == NULL ? NULL : arena_alloc(memory, size);
}

/* The product is checked for overflow; zero elements still give a pointer. */
void *pgc_result_array(pgc_result *result, size_t count, size_t size)
{
    size_t bytes;
    arena *memory = size_mul(count, size, &bytes) ? memory_of(result) : NULL;
    return memory == NULL ? NULL : arena_take(memory, bytes);
}
