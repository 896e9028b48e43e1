/* Rows of one query as they come: a connection that is busy with them, and the piece that is being
 * read. The public side is rows.c. */
#ifndef PGC_STREAM_H
#define PGC_STREAM_H

#include <pgc/pool.h>
#include <pgc/rows.h>

#include "pgc/result.h"
#include "pgc/run.h"
#include "pgc/watch.h"

struct pgc_rows {
    const pgc_alloc *alloc;
    pgc_conn *conn;    /* busy with the rows; NULL: they are over, or were taken whole */
    pgc_pool *pool;    /* the connection goes back there; NULL: it is the caller's */
    bool idle;         /* no transaction was open */
    pgc_result *whole; /* owned: the answer of a handle that cannot stream */
    pgc_result piece;  /* the rows at hand; its arena is used again for the next piece */
    PGresult *tail;    /* owned: the end of the answer, with its command tag */
    pgc_reader reader;
    size_t at;            /* row of the piece that is next */
    int64_t count, bytes; /* given so far */
    pgc_run_options options;
    pgc_status status; /* of the first failure, which is final */
    pgc_error failure;
    query_watch watch; /* when the connection is watched */
    exchange ex;
    queued queue[RUN_GROUP_MAX];
    size_t queue_count;
    size_t sync;
};

/* Send a group; the rows of its last query are the stream. Returns with the first piece at hand, or
 * at the end of an empty answer. On success rows->conn is busy until stream_next() says that it is
 * over or stream_stop(). On failure it is free, and still the caller's. */
pgc_status stream_begin(pgc_rows *rows, pgc_conn *conn, const run_item *items, size_t count,
                        pgc_error *err) PGC_MUST_CHECK;
/* The next piece; rows->piece.res is NULL when there is none: all is read and settled then. */
pgc_status stream_next(pgc_rows *rows, pgc_error *err) PGC_MUST_CHECK;
/* Give up what is left. The connection is usable, or lost. */
void stream_stop(pgc_rows *rows);
/* The connection is about to be closed under the stream. */
void stream_detach(pgc_rows *rows);

/* pgc_rows_open() for a group on a connection; with a pool the connection goes back there, at the
 * latest with the rows, and at once on failure. */
pgc_status rows_open_on(pgc_conn *conn, pgc_pool *pool, const run_item *items, size_t count,
                        const pgc_run_options *options, pgc_rows **out, pgc_error *err)
    PGC_MUST_CHECK;

static inline void rows_close_auto(pgc_rows **local)
{
    pgc_rows_close(*local);
}

#endif
