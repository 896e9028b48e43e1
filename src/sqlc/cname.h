/* Names of SQL things as C identifiers. */
#ifndef SQLC_CNAME_H
#define SQLC_CNAME_H

#include <pgc/error.h>

#include "sqlc/vec.h"

/* snake_case: "ListAssetsByURL" gives list_assets_by_url; other characters become one underscore.
 * *out is NULL when nothing usable is left (no ASCII letter or digit). PGC_NOMEM. */
pgc_status cname_snake(arena *arena, slice raw, char **out, pgc_error *err) PGC_MUST_CHECK;
/* Upper case of a C identifier; NULL: no memory. */
char *cname_upper(arena *arena, const char *name);
/* The same name, with '_' behind it when C, C++ or a common header takes it; NULL: no memory. */
const char *cname_safe(arena *arena, const char *name);
/* English singular of the last word of a table name; excluded: of const char *, whole table names
 * that stay. NULL: no memory. */
char *cname_singular(arena *arena, const char *table, const vec *excluded);
/* True when the name is on the list that cname_safe() works with. */
bool cname_is_reserved(const char *name);

#endif
