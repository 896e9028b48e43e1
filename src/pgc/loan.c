/* Loans: pool and scope lend one of their connections, transaction and connection lend their own.
 * Invariant: a connection is given back once, by the thread that took it. */
#include "base/prelude.h"

#include "pgc/loan.h"

/* Callers compiled against an older header fill a shorter table. */
static bool can_lend(const pgc_db *db)
{
    const size_t needed = offsetof(pgc_db_ops, give_back) + sizeof db->ops->give_back;
    return db->ops->struct_size >= needed && db->ops->lend != NULL && db->ops->give_back != NULL;
}

/* The loan is filled on success only. */
pgc_status loan_take(pgc_db *db, const char *what, pgc_loan *out, pgc_error *err)
{
    if (db == NULL || db->ops == NULL) {
        return pgc_error_set(err, PGC_INVALID, "%s: no handle", what);
    }
    if (!can_lend(db)) {
        return pgc_error_set(err, PGC_UNSUPPORTED, "%s: the handle runs single queries only", what);
    }
    pgc_loan loan = { .conn = NULL };
    TRY(db->ops->lend(db, &loan, err));
    assert(loan.conn != NULL);
    *out = loan;
    return PGC_OK;
}

void loan_end(pgc_db *db, pgc_loan *loan)
{
    if (loan->conn != NULL) {
        assert(can_lend(db));
        db->ops->give_back(db, loan);
        *loan = (pgc_loan) { .conn = NULL };
    }
}
