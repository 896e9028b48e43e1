/* Connection strings taken apart by libpq's own parser, with what older versions of it do not know
 * taken out before. */
#ifndef PGC_CONNINFO_H
#define PGC_CONNINFO_H

#include <pgc/alloc.h>
#include <pgc/error.h>

#include "pgc/pq.h"

/* A connection string and what libpq would add to it: environment and service file. */
typedef struct conninfo {
    const pq_ops *pq;
    PQconninfoOption *given; /* the string itself */
    PQconninfoOption *added; /* what holds where the string says nothing */
    bool balance;            /* load_balance_hosts=random */
} conninfo;

/* PGC_INVALID names an unknown keyword, PGC_UNSUPPORTED one that this libpq is too old for; no
 * message quotes a value. conninfo_close() must follow a PGC_OK only. */
pgc_status conninfo_open(const pq_ops *pq, const pgc_alloc *alloc, const char *text, conninfo *out,
                         pgc_error *err) PGC_MUST_CHECK;
/* Wipe and free. */
void conninfo_close(conninfo *info);
/* Value of a keyword, from wherever; NULL when nobody chose one. Borrowed. */
const char *conninfo_get(const conninfo *info, const char *keyword);
/* Put "[password]" in place of the secret, wherever a text of the error shows it. */
void conninfo_redact(const char *secret, pgc_error *err);

/* Call `set` for each value of a connection string that libpq reads from the environment too, with
 * the variable's name, e.g. "PGHOST". For handing a connection to psql without showing a password
 * in its argument list. PGC_INVALID for text that is no connection string; PGC_NOMEM. */
pgc_status conninfo_each_env(const char *text,
                             void (*set)(void *arg, const char *name, const char *value), void *arg,
                             pgc_error *err) PGC_MUST_CHECK;

#endif
