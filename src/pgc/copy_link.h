/* What COPY in both directions shares: borrowing the connection, starting, the server's last word.
 */
#ifndef PGC_COPY_LINK_H
#define PGC_COPY_LINK_H

#include <pgc/copy.h>

#include "base/arena.h"
#include "pgc/call.h"
#include "pgc/watch.h"

/* A COPY under way. */
typedef struct copy_link {
    pgc_db *db;
    pgc_loan loan;
    pgc_conn *conn; /* of the loan */
    const pgc_alloc *alloc;
    const pgc_copy *copy;
    call_state call;
    bool own_tx;   /* the loan's settings needed a transaction, which is ours to end */
    char what[96]; /* "copy NAME", for messages */
    query_watch watch;
    bool watching;
} copy_link;

/* Defaults in place of zeroes; PGC_INVALID when struct_size is not set or a member is wrong. */
pgc_status copy_options_resolve(const pgc_copy_options *in, pgc_copy_options *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Borrow, check the columns, start; the server is in COPY mode `kind` after PGC_OK. After a failure
 * there is nothing to end. */
pgc_status copy_link_start(copy_link *link, pgc_db *db, const pgc_copy *copy,
                           const pgc_copy_options *options, ExecStatusType kind, pgc_error *err)
    PGC_MUST_CHECK;
/* Read the answers up to the end of the command: PGC_OK with the rows it reports (may be NULL), or
 * the first error. */
pgc_status copy_link_end(copy_link *link, int64_t *rows_out, pgc_error *err);
/* End of a transaction of our own, then of the loan. status is the COPY's; the result is what the
 * caller should hear. Call once. */
pgc_status copy_link_close(copy_link *link, pgc_status status, pgc_error *err);

/* The columns' types are those of the descriptor: copy_check.c. */
pgc_status copy_check_table(pgc_conn *conn, const pgc_copy *copy, const char *relation,
                            pgc_error *err) PGC_MUST_CHECK;
pgc_status copy_check_rows(pgc_conn *conn, const pgc_copy *copy, const char *sql, pgc_error *err)
    PGC_MUST_CHECK;

#endif
