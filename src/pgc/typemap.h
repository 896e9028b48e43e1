/* Names of the types whose OIDs differ between databases: extension and user types. Filled on
 * demand, kept per connection. */
#ifndef PGC_TYPEMAP_H
#define PGC_TYPEMAP_H

#include <pgc/query.h>

#include "base/alloc.h"

/* OIDs below are the same in every database of every supported version. */
#define TYPEMAP_FIRST_USER_OID 16384u

typedef struct type_map {
    const pgc_alloc *alloc;
    struct type_name *entries;
    size_t count, cap;
} type_map;

void typemap_init(type_map *map, const pgc_alloc *alloc);
void typemap_done(type_map *map);
/* Name of an OID as format_type() prints it, NULL when it is not known yet. */
const char *typemap_name(const type_map *map, uint32_t oid);
/* Remember a name (copied). False: no memory. */
bool typemap_add(type_map *map, uint32_t oid, const char *name);
/* True when the type on the server is the one that the descriptor names; with or without schema. */
bool typemap_same(const char *server_name, const char *wanted);

#endif
