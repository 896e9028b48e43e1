#ifndef PGC_WINDOW_H
#define PGC_WINDOW_H

#include <pgc/db.h>

PGC_BEGIN_DECLS

/**
 * Many reads in flight on one connection, by one thread: send while earlier answers are still on
 * their way, take the oldest when there is nothing better to do. No thread sleeps for a read of
 * another, and what was sent in the meantime shares messages and system calls. Opaque; one thread
 * at a time.
 *
 *     for (size_t i = 0; i < count || pgc_window_count(window) > 0;) {
 *         if (i < count && pgc_window_count(window) < DEPTH) {
 *             ...                                       fill args for item i
 *             TRY(pgc_window_send(window, &QUERY, &args, &items[i++], err));
 *         } else {
 *             status = pgc_window_take(window, &tag, &result, err);
 *             ...
 *         }
 *     }
 *
 * Queries that are sent between two waits share a transaction, so that they must be reads
 * (PGC_QUERY_READ_ONLY). A failure concerns its own query only: the others run again, alone.
 */
typedef struct pgc_window pgc_window;

/** Settings of pgc_window_open(). Zero in any member but struct_size means the default. */
typedef struct pgc_window_options {
    size_t struct_size;     /**< sizeof(pgc_window_options) */
    uint32_t depth;         /**< reads in flight at most; default 32, at most 1000 */
    const pgc_alloc *alloc; /**< NULL for libc; must outlive the window and its results */
} pgc_window_options;

/**
 * Open on any handle that lends connections: pool, scope, transaction, connection. The first send
 * borrows one, which is kept until the window is closed, or the connection is lost: then the next
 * send borrows another one.
 *
 * @param db      must live as long as the window.
 * @param options NULL for defaults; read during the call only.
 * @param out     on PGC_OK a handle for pgc_window_close(); else untouched.
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: as the handle. Since: 0.1.
 */
PGC_API pgc_status pgc_window_open(pgc_db *db, const pgc_window_options *options, pgc_window **out,
                                   pgc_error *err) PGC_MUST_CHECK;

/**
 * One more read. The arguments are copied. What the query itself fails of is told when its answer
 * is taken.
 *
 * @param query a descriptor with static storage and PGC_QUERY_READ_ONLY.
 * @param args  NULL when the query has none.
 * @param tag   given back with the answer; may be NULL.
 * @return PGC_OK: one more is in flight; PGC_INVALID: the window is full, or no read; args->status;
 *         PGC_NOMEM; what borrowing a connection gives. Only with PGC_OK it is in flight.
 *
 * Blocks: to borrow a connection; at the first use of a query on a connection until what is in
 * flight has been answered, and for one round trip. Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_window_send(pgc_window *window, const pgc_query *query, const pgc_args *args,
                                   void *tag, pgc_error *err) PGC_MUST_CHECK;

/**
 * The answer of the oldest read in flight, which is over with this, whatever became of it.
 *
 * @param tag_out what pgc_window_send() was given; also for reads that failed; may be NULL.
 * @param out     on PGC_OK a result for pgc_result_free(); NULL when the caller wants no rows.
 * @return PGC_NOT_FOUND: nothing is in flight; else as pgc_db_run() for this query. After a lost
 *         connection all that was in flight fails with PGC_CONNECTION and may be sent again.
 *
 * Blocks: until it was answered, up to the connection's call timeout, counted from the moment the
 * wait begins. Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_window_take(pgc_window *window, void **tag_out, pgc_result **out,
                                   pgc_error *err) PGC_MUST_CHECK;

/** Reads in flight: sent and not taken. Blocks: no. Thread-safe: no. Since: 0.1. */
PGC_API uint32_t pgc_window_count(const pgc_window *window);

/**
 * Wait for what is in flight, drop it and give the connection back. NULL is allowed.
 *
 * Blocks: as pgc_window_take() for each. Thread-safe: no. Since: 0.1.
 */
PGC_API void pgc_window_close(pgc_window *window);

PGC_END_DECLS

#endif
