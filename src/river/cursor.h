/* Cursors of job lists: base64 of a JSON object, the same for Go's clients and ours. */
#ifndef RIVER_CURSOR_H
#define RIVER_CURSOR_H

#include <river/manage.h>

#include "river/statements.h"

typedef struct cursor_place {
    int64_t id;
    pgc_timestamptz time;
} cursor_place;

/* What filter->after says. PGC_INVALID: no cursor, or one of another order. */
pgc_status cursor_parse(const river_filter *filter, cursor_place *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The statement that lists in the filter's order. */
river_statement cursor_statement(const river_filter *filter);

#endif
