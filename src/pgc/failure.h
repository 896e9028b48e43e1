/* Server and connection errors as pgc_error: one table from SQLSTATE to status. */
#ifndef PGC_FAILURE_H
#define PGC_FAILURE_H

#include <pgc/error.h>

#include "pgc/pq.h"

/* Status of a SQLSTATE; *retry_out says whether running the whole transaction again may help. */
pgc_status failure_status(const char *sqlstate, bool *retry_out);
/* Fill err from an error result: status, SQLSTATE and all fields that the server named. what names
 * the query or the work for the message. Returns the status. */
pgc_status failure_from_result(const pq_ops *pq, const PGresult *result, const char *what,
                               pgc_error *err);
/* Say what is known about the work; err may be NULL. */
void failure_outcome(pgc_error *err, pgc_outcome outcome);
/* The session ended with this error (severity FATAL or PANIC). */
bool failure_is_fatal(const pq_ops *pq, const PGresult *result);
/* True when the error says that a prepared statement no longer fits or is gone. */
bool failure_is_stale(const pq_ops *pq, const PGresult *result);
/* SQLSTATE of a result, "" when it has none. */
const char *failure_sqlstate(const pq_ops *pq, const PGresult *result);
/* First line of a libpq message, without the line end; always terminated. */
void failure_first_line(const char *message, char *line, size_t line_size);

#endif
