/* One answer of the server: a PGresult, and an arena for what readers decode from it. */
#ifndef PGC_RESULT_H
#define PGC_RESULT_H

#include <pgc/query.h>

#include "base/arena.h"
#include "pgc/pq.h"

struct pgc_result {
    const pq_ops *pq;
    PGresult *res;          /* owned */
    PGresult *tail;         /* owned; has the command tag when res was put together from pieces */
    const pgc_alloc *alloc; /* never NULL */
    const pgc_query *query; /* NULL for scripts */
    arena *memory;          /* of small results from the start, else by the first need */
    const pgc_cell *const *cells; /* rows of cells; found by the first reader */
    size_t rows, columns;
    bool binary;   /* all columns came in binary format */
    bool in_arena; /* the handle lies in its own memory */
};

/* Wrap res, which from now on belongs to the result; on failure it is cleared. With a query whose
 * column_count is not 0 the columns must be those: else PGC_SCHEMA naming the first other one.
 * alloc NULL means libc. res is never NULL. */
pgc_status result_new(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                      const pgc_query *query, pgc_result **out, pgc_error *err) PGC_MUST_CHECK;

/* The same for columns that were compared before: all that came is taken as it is. */
pgc_status result_wrap(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                       const pgc_query *query, pgc_result **out, pgc_error *err) PGC_MUST_CHECK;

/* Memory for the answer to a query that may change something, taken before it is sent: what the
 * server has done must not fail for want of a handle. *room stays NULL for queries that only read,
 * and for no query. PGC_NOMEM. */
pgc_status result_reserve(const pq_ops *pq, const pgc_alloc *alloc, const pgc_query *query,
                          pgc_result **room, pgc_error *err) PGC_MUST_CHECK;

/* As result_new(), in *room when it is not NULL. On failure *room is freed and NULL. */
pgc_status result_new_in(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                         const pgc_query *query, pgc_result **room, pgc_error *err) PGC_MUST_CHECK;

/* As result_wrap(), in the same way. */
pgc_status result_wrap_in(const pq_ops *pq, PGresult *res, const pgc_alloc *alloc,
                          const pgc_query *query, pgc_result **room, pgc_error *err) PGC_MUST_CHECK;

/* The PGresult behind it; borrowed. */
const PGresult *result_pq(const pgc_result *result);

static inline void result_auto(pgc_result **local)
{
    pgc_result_free(*local);
}

#endif
