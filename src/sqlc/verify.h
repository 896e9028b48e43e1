/* `verify`: do the queries of an older manifest still work with the schema of today? That is what
 * programs of the old version meet while a migration is rolled out. */
#ifndef SQLC_VERIFY_H
#define SQLC_VERIFY_H

#include "sqlc/catalog.h"
#include "sqlc/pipeline.h"

/* Something that an old query meets. */
typedef struct verify_finding {
    const char *query, *file;
    bool breaks; /* else it works, with a difference */
    const char *message;
} verify_finding;

/* One old set against the database of today. */
typedef struct verify_work {
    arena *arena;
    pgc_conn *conn;
    const catalog *cat;
    const ir_set *old;
    vec *findings;                     /* of verify_finding */
    const ir_query *query;             /* the one being looked at */
    size_t prepared;                   /* statements on the connection so far */
    const volatile sig_atomic_t *stop; /* not 0: end soon; NULL: never */
    bool nomem;
} verify_work;

void verify_found(verify_work *w, bool breaks, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* verify_query.c: all texts of all old queries, in a few round trips for some hundred. PGC_OK (look
 * at the findings); what ends the run. */
pgc_status verify_queries(verify_work *w, pgc_error *err) PGC_MUST_CHECK;
/* Labels of the enums that old queries use. */
void verify_enums(verify_work *w);

#endif
