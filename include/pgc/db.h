#ifndef PGC_DB_H
#define PGC_DB_H

#include <pgc/error.h>
#include <pgc/query.h>

PGC_BEGIN_DECLS

/**
 * "Something queries run on": a pool, a scope (pool + identity), a transaction, a connection, or a
 * test's own table. Generated functions take this and nothing else, so the same code runs in and
 * out of a transaction. The struct is embedded in those objects; get it with pgc_pool_db(),
 * pgc_scope_db(), pgc_tx_db() or pgc_conn_db().
 */
typedef struct pgc_db pgc_db;

/** Rows of one query, read one after another; see <pgc/rows.h>. Opaque. */
typedef struct pgc_rows pgc_rows;

/** Bounds of one answer. Zero in any member but struct_size means the default. */
typedef struct pgc_run_options {
    size_t struct_size;  /**< sizeof(pgc_run_options) */
    int64_t row_limit;   /**< rows that may come; one more is PGC_LIMIT; default: any number */
    int64_t byte_limit;  /**< bytes of all their values together; default: any number */
    uint32_t piece_rows; /**< rows that libpq holds at a time where it can choose; default 256 */
} pgc_run_options;

struct pgc_conn;

/** A connection lent by a handle for work of several messages: a batch, COPY. */
typedef struct pgc_loan {
    struct pgc_conn *conn;
    const pgc_query *first;     /**< runs first in every transaction of the loan (identity); NULL:
                                     nothing does */
    const pgc_args *first_args; /**< its values; belongs to the handle */
    void *lender;               /**< the handle's own note; not for others */
} pgc_loan;

/** Operations behind a pgc_db. A test may fill its own; lend and give_back may be left out. */
typedef struct pgc_db_ops {
    size_t struct_size; /**< sizeof(pgc_db_ops) */
    pgc_status (*run)(pgc_db *db, const pgc_query *query, const pgc_args *args, pgc_result **out,
                      pgc_error *err);
    /** For pgc_rows_open(), options never NULL; NULL: the answer is taken whole, then read. */
    pgc_status (*open_rows)(pgc_db *db, const pgc_query *query, const pgc_args *args,
                            const pgc_run_options *options, pgc_rows **out, pgc_error *err);
    /** Lend a connection that may be used at once; blocks as the handle's queries do. */
    pgc_status (*lend)(pgc_db *db, pgc_loan *out, pgc_error *err);
    /** End of the loan, by the same thread, whatever state the connection is in. */
    void (*give_back)(pgc_db *db, pgc_loan *loan);
} pgc_db_ops;

struct pgc_db {
    const pgc_db_ops *ops;
};

/**
 * Run one query and take all its rows.
 *
 * @param query a descriptor with static storage.
 * @param args  parameters in order; NULL when the query has none. Not freed here.
 * @param out   on PGC_OK a result for pgc_result_free(); NULL when the caller wants no rows.
 * @param err   filled on failure, query name and SQLSTATE included; may be NULL.
 * @return PGC_OK; args->status; PGC_CONNECTION; PGC_TIMEOUT; PGC_CANCELLED; PGC_CONFLICT;
 *         PGC_DENIED; PGC_INVALID; PGC_SCHEMA (columns are not those of the descriptor); PGC_DB;
 *         PGC_NOMEM.
 *
 * Blocks: up to the handle's deadline. Thread-safe: as the object behind it (pool and scope: yes;
 * connection and transaction: one thread at a time). Since: 0.1.
 */
PGC_API pgc_status pgc_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                              pgc_result **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * pgc_db_run() with bounds: an answer that is larger than allowed is not taken into memory.
 *
 * @param options NULL: as pgc_db_run().
 * @return as pgc_db_run(); PGC_LIMIT when there are more rows or bytes than allowed. The connection
 *         stays usable, and so does a transaction; what the query changed stays changed.
 *
 * Blocks: as pgc_db_run(); after PGC_LIMIT also until the rest of the rows is cancelled (outside of
 * transactions, for PGC_QUERY_READ_ONLY) or has come. Thread-safe: as pgc_db_run(). Since: 0.1.
 */
PGC_API pgc_status pgc_db_run_with(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                   const pgc_run_options *options, pgc_result **out, pgc_error *err)
    PGC_MUST_CHECK;

PGC_END_DECLS

#endif
