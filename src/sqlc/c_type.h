/* Which C type stands for which PostgreSQL type. */
#ifndef SQLC_C_TYPE_H
#define SQLC_C_TYPE_H

#include "sqlc/catalog.h"

/* One representation. The runtime's functions are pgc_read_<suffix>, pgc_read_opt_<suffix>,
 * pgc_add_<suffix> and, unless pointer_like, pgc_add_opt_<suffix>. */
typedef struct c_type {
    const char *suffix;   /* "i32" */
    const char *type;     /* "int32_t" */
    const char *opt_type; /* nullable: "pgc_opt_i32"; the same as type when pointer_like */
    const char *absent;   /* pointer_like: condition for SQL NULL with %s for the value */
    const char *clone;    /* function that copies what the value points to; NULL: nothing */
    bool pointer_like;    /* NULL is said by the value itself */
} c_type;

/* NULL when the type has none (enums too: the caller handles them); domains give their base's. */
const c_type *c_type_of(const catalog *cat, uint32_t type_oid);
/* By suffix, for reading a manifest and for enums ("text"). NULL: none. */
const c_type *c_type_by_suffix(const char *suffix);
/* Another representation of the same bytes, by suffix ("i64" of a timestamptz); NULL: it is none.
 */
const c_type *c_type_alike(const c_type *usual, const char *suffix);
/* The parameter type to declare instead of this one, because arrays carry their element type on
 * the wire and the runtime sends text[]: varchar[], bpchar[] and name[] give text[]. */
uint32_t c_type_declared(uint32_t type_oid);

/* A type that comes with every server and has a C type. */
typedef struct c_type_built_in {
    uint32_t oid, array_oid; /* array_oid 0: arrays of it have no C type */
    const char *name;        /* in pg_type */
} c_type_built_in;
/* By number, from 0. False behind the last one. */
bool c_type_next_built_in(size_t index, c_type_built_in *out);

#define C_TYPE_UNCHECKED 0xFFFFFFFFu /* PGC_OID_UNCHECKED of the runtime */
/* Element type to name when an array is sent: 0 for the one that the runtime sends anyway,
 * C_TYPE_UNCHECKED for types whose OIDs differ between databases. */
uint32_t c_type_element(const catalog *cat, uint32_t array_oid);

#endif
