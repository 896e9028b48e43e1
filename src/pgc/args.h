/* What the argument encoders share, and the check that callers of libpq make before they send. */
#ifndef PGC_ARGS_H
#define PGC_ARGS_H

#include <pgc/query.h>

/* The one check before args are sent: PGC_OK; or the list's first failure, or PGC_INVALID when the
 * number of values is not the query's, both naming query and parameter. args NULL: no values. */
pgc_status args_check(const pgc_args *args, const pgc_query *query, pgc_error *err) PGC_MUST_CHECK;

/* Record the first failure, of the parameter to be added next; reason is static text. */
void args_fail(pgc_args *args, pgc_status status, const char *reason) __attribute__((cold));
/* Room for the next parameter's `size` bytes, which the caller fills; NULL after a failure. */
uint8_t *args_room(pgc_args *args, size_t size);
/* The next parameter is borrowed: bytes stay where they are. False after a failure. */
bool args_borrow(pgc_args *args, const void *bytes, size_t len);

#endif
