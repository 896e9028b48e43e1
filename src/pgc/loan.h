/* Borrowing the connection behind any handle, for work of more than one query. */
#ifndef PGC_LOAN_H
#define PGC_LOAN_H

#include <pgc/db.h>

/* PGC_UNSUPPORTED for handles that lend nothing; what names the work for the message. */
pgc_status loan_take(pgc_db *db, const char *what, pgc_loan *out, pgc_error *err) PGC_MUST_CHECK;
/* Nothing is done for a loan without a connection; the loan is empty afterwards. */
void loan_end(pgc_db *db, pgc_loan *loan);

#endif
