#ifndef PGC_READS_H
#define PGC_READS_H

#include <pgc/pool.h>

PGC_BEGIN_DECLS

/**
 * Reads of many threads that travel together. While all lanes are busy, callers queue up; the first
 * of them takes the whole queue along in one pipeline on one connection. The busier the program,
 * the fewer round trips and messages per query. Opaque; any number of threads.
 *
 * Only queries with PGC_QUERY_READ_ONLY travel so; all others go to the pool as they are. What
 * shares a pipeline shares a transaction: a query with this flag must not change settings, and
 * waits for the slowest of its batch. A failure concerns its own query only: the others run again,
 * alone.
 */
typedef struct pgc_reads pgc_reads;

/** Settings of pgc_reads_open(). Zero in any member but struct_size means the default. */
typedef struct pgc_reads_options {
    size_t struct_size; /**< sizeof(pgc_reads_options) */
    uint32_t lanes;     /**< connections that read at once; fewer make larger batches. Default: one
                             for each core, 2 to 8, and one more, up to 8, whenever a batch has
                             waited for a millisecond */
    uint32_t batch_max; /**< queries of one batch; default 64, at most 1000 */
} pgc_reads_options;

/**
 * Open on a pool, which must live longer.
 *
 * @param options NULL for defaults; read during the call only.
 * @param out     on PGC_OK a handle for pgc_reads_close(); else untouched.
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_reads_open(pgc_pool *pool, const pgc_reads_options *options, pgc_reads **out,
                                  pgc_error *err) PGC_MUST_CHECK;

/** Free. No call may run on it any more. NULL is allowed. */
PGC_API void pgc_reads_close(pgc_reads *reads);

/**
 * The handle that typed queries take; lives as long as `reads`. A call on it blocks as one on the
 * pool does, and before that for the batch ahead of it.
 */
PGC_API pgc_db *pgc_reads_db(pgc_reads *reads);

/** What went through a pgc_reads since it was opened. */
typedef struct pgc_reads_stats {
    int64_t read_count;  /**< queries that could travel together */
    int64_t batch_count; /**< trips; read_count / batch_count travelled together on average */
    int64_t alone_count; /**< queries that ran again by themselves, behind a failure in the batch */
} pgc_reads_stats;

/** All counters of one moment. Blocks: briefly, on the lock. Thread-safe: yes. Since: 0.1. */
PGC_API void pgc_reads_get_stats(pgc_reads *reads, pgc_reads_stats *out);

PGC_END_DECLS

#endif
