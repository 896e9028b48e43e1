#ifndef PGC_COPY_H
#define PGC_COPY_H

#include <pgc/conn.h>

PGC_BEGIN_DECLS

/*
 * COPY, the fastest way of many rows in and out. Typed rows travel in binary; raw bytes of any
 * format pass through for tools. Works on every handle: a pool or scope lends a connection for the
 * time of the COPY, and a scope's settings hold for it, in a transaction of its own. Row-level
 * security: the server refuses COPY into tables whose policies bind the role; use arrays with
 * unnest there.
 */

/**
 * What is copied: columns of a table or, out only, the rows of a query. Constant; names are those
 * of the program, never outside input.
 */
typedef struct pgc_copy {
    const char *name;            /**< e.g. "CopyAssets", for messages */
    const char *schema;          /**< NULL: found by the search path */
    const char *table;           /**< not quoted */
    const pgc_type_ref *columns; /**< column_count entries; name is the column's, not quoted */
    uint16_t column_count;  /**< 0: all columns, as the server orders them; for raw bytes only */
    const pgc_query *query; /**< not NULL: the rows of this query, which takes no parameters;
                                 the members above but for name are not looked at */
} pgc_copy;

/** Format of the bytes. Typed rows are always binary. */
typedef enum pgc_copy_format {
    PGC_COPY_BINARY = 0,
    PGC_COPY_TEXT = 1,
    PGC_COPY_CSV = 2,
    PGC_COPY_CSV_HEADER = 3 /**< the first line names the columns */
} pgc_copy_format;

/** Zero means the default. */
typedef struct pgc_copy_options {
    size_t struct_size;     /**< sizeof(pgc_copy_options) */
    pgc_copy_format format; /**< of raw bytes */
    int64_t timeout_us;   /**< patience with a server that neither takes nor gives anything, and for
                               its last word; default the connection's call timeout; -1 = none */
    size_t row_max_bytes; /**< out: a longer row is PGC_LIMIT; default 1 GiB, the server's limit */
    bool unchecked;       /**< leave out the question for the types of the columns (one round trip);
                               types of equal size would be taken for each other */
    const pgc_alloc *alloc; /**< must outlive the COPY; default libc */
} pgc_copy_options;

/** Rows on their way into a table. Opaque; one thread at a time. */
typedef struct pgc_copy_in pgc_copy_in;

/**
 * Start COPY … FROM STDIN. Until it ends the connection can do nothing else.
 *
 * @param copy    static or at least as long as the COPY.
 * @param options NULL for defaults.
 * @param out     on PGC_OK for pgc_copy_in_finish() or pgc_copy_in_abort().
 * @return as pgc_db_run(); PGC_SCHEMA (no such column, or another type); PGC_UNSUPPORTED (the
 *         handle lends no connection).
 *
 * Blocks: two round trips. Thread-safe: as the handle. Since: 0.1.
 */
PGC_API pgc_status pgc_copy_in_open(pgc_db *db, const pgc_copy *copy,
                                    const pgc_copy_options *options, pgc_copy_in **out,
                                    pgc_error *err) PGC_MUST_CHECK;

/**
 * Add the values of one row, in the order of the columns. A table with more columns than a list
 * holds takes several lists per row: a row is complete when all its columns are there. Nothing is
 * allocated per row; use pgc_args_reset() for the list of the next one.
 *
 * @return PGC_OK; args->status for a value that cannot be sent: the row is left out and the COPY
 *         goes on; PGC_INVALID for too many values, likewise; any other status is the server's or
 *         the connection's and ends the COPY: all later calls give it again.
 *
 * Blocks: when 64 KiB are full, until the server takes them. Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_copy_in_row(pgc_copy_in *in, const pgc_args *args, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Pass bytes on that are in the COPY's format already; boundaries do not matter. Not together with
 * pgc_copy_in_row(). A binary stream brings its own header and trailer.
 *
 * @return as pgc_copy_in_row().
 *
 * Blocks: until the server takes them. Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_copy_in_bytes(pgc_copy_in *in, const void *bytes, size_t len, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * End the stream and wait for the server's word. *in becomes NULL whatever happens; unless PGC_OK
 * the table is unchanged (in an open transaction: the transaction has failed).
 *
 * @param rows_out rows the server has stored; may be NULL.
 * @return PGC_OK; the failure that ended the COPY before; PGC_INVALID (a row is incomplete); the
 *         server's refusal, whose message ends with line and column where it tells them;
 *         PGC_CONNECTION and PGC_TIMEOUT: outcome unknown, unless in a transaction.
 *
 * Blocks: up to timeout_us. Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_copy_in_finish(pgc_copy_in **in, int64_t *rows_out, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Give up: the table stays as it was and the connection is usable (in an open transaction: the
 * transaction has failed).
 *
 * @param in     NULL is allowed.
 * @param reason for the server's log; NULL: a general one.
 *
 * Blocks: one round trip. Thread-safe: no. Since: 0.1.
 */
PGC_API void pgc_copy_in_abort(pgc_copy_in *in, const char *reason);

/**
 * Gives the next bytes of a stream.
 *
 * @param bytes   room for `size` bytes.
 * @param len_out how many were put there; 0: the stream is at its end.
 * @return PGC_OK; anything else aborts the COPY and becomes its result.
 */
typedef pgc_status (*pgc_copy_source_fn)(void *arg, void *bytes, size_t size, size_t *len_out,
                                         pgc_error *err);

/** A whole COPY of raw bytes into a table. @return as pgc_copy_in_finish(). */
PGC_API pgc_status pgc_copy_in_stream(pgc_db *db, const pgc_copy *copy,
                                      const pgc_copy_options *options, pgc_copy_source_fn source,
                                      void *arg, int64_t *rows_out, pgc_error *err) PGC_MUST_CHECK;

/** Rows on their way out. Opaque; one thread at a time. */
typedef struct pgc_copy_out pgc_copy_out;

/**
 * Start COPY … TO STDOUT. The columns' types are compared with the descriptor first.
 *
 * @param out on PGC_OK for pgc_copy_out_close().
 * @return as pgc_copy_in_open(); PGC_INVALID (the query takes parameters).
 *
 * Blocks: two round trips. Thread-safe: as the handle. Since: 0.1.
 */
PGC_API pgc_status pgc_copy_out_open(pgc_db *db, const pgc_copy *copy,
                                     const pgc_copy_options *options, pgc_copy_out **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/**
 * The next row, read as row 0 of a reader; what is read from it lives until the next call. One row
 * is held at a time. Check with pgc_reader_finish() before using the values.
 *
 * @param row_out NULL behind the last row, when the server has confirmed the end.
 * @return PGC_OK; PGC_PROTOCOL (the stream is damaged); PGC_LIMIT (row_max_bytes); the server's
 *         failure; PGC_CONNECTION; PGC_TIMEOUT; PGC_NOMEM. A failure comes again in later calls.
 *
 * Blocks: up to timeout_us. Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_copy_out_next(pgc_copy_out *out, pgc_reader **row_out, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * End and free. Before the last row the server is asked to stop, and what it sent already is thrown
 * away: the connection stays usable, an open transaction fails as with any cancelled statement.
 * NULL is allowed.
 *
 * Blocks: until the server stops, at most the cancel's grace time. Thread-safe: no. Since: 0.1.
 */
PGC_API void pgc_copy_out_close(pgc_copy_out *out);

/** Takes bytes of a stream. Anything but PGC_OK stops the COPY and becomes its result. */
typedef pgc_status (*pgc_copy_sink_fn)(void *arg, const void *bytes, size_t len, pgc_error *err);

/** A whole COPY of raw bytes out. @param rows_out may be NULL. @return as pgc_copy_out_next(). */
PGC_API pgc_status pgc_copy_out_stream(pgc_db *db, const pgc_copy *copy,
                                       const pgc_copy_options *options, pgc_copy_sink_fn sink,
                                       void *arg, int64_t *rows_out, pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
