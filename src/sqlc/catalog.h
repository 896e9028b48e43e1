/* What the query analysis knows about a database: relations, types, functions, operators, casts.
 *
 * Filled from a server by catalog_load() or by hand with the catalog_add_*() builder, then sorted
 * by catalog_finish(); read-only afterwards, so any number of threads may look things up. All
 * memory is the arena's. */
#ifndef SQLC_CATALOG_H
#define SQLC_CATALOG_H

#include <pgc/conn.h>

#include "base/arena.h"

/* Objects below this OID come with the server (FirstNormalObjectId). */
#define CATALOG_FIRST_USER_OID 16384u

/* Type OIDs that the rules name. Source: pg_type.dat; fixed by the wire protocol. */
enum catalog_oid {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_UNKNOWN = 705,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_INTERVAL = 1186,
    OID_XML = 142,
    OID_TIMETZ = 1266,
    OID_NUMERIC = 1700,
    OID_FLOAT8 = 701,
    OID_BIT = 1560,
    OID_NAME = 19,
    OID_RECORD = 2249,
    OID_JSONB = 3802
};

typedef enum catalog_type_kind {
    CATALOG_BASE = 'b',
    CATALOG_COMPOSITE = 'c',
    CATALOG_DOMAIN = 'd',
    CATALOG_ENUM = 'e',
    CATALOG_PSEUDO = 'p',
    CATALOG_RANGE = 'r',
    CATALOG_MULTIRANGE = 'm'
} catalog_type_kind;

typedef struct catalog_type {
    uint32_t oid;              /* of pg_type */
    const char *schema, *name; /* name as in pg_type: "int4", "_int4", "vector" */
    const char *spelling;      /* format_type(oid, NULL), e.g. "timestamp with time zone" */
    const char *comment;       /* NULL: none */
    const char *extension;     /* owner extension; NULL: none */
    catalog_type_kind kind;
    uint32_t element_oid;  /* of a true array; 0: not an array */
    uint32_t array_oid;    /* the array type over this one; 0: none */
    uint32_t base_oid;     /* of a domain */
    int32_t base_typmod;   /* of a domain, -1: none */
    uint32_t relation_oid; /* of a composite: its pg_class row */
    uint32_t subtype_oid;  /* of a range: its bounds; of a multirange: its range */
    bool not_null;  /* domain declared NOT NULL (the server does not enforce it everywhere) */
    bool has_send;  /* has a binary send function */
    bool preferred; /* preferred within its category */
    char category;  /* typcategory */
    const char *const *labels; /* enum labels in order */
    size_t label_count;
} catalog_type;

typedef struct catalog_column {
    const char *name;  /* as in pg_attribute, unquoted */
    int16_t attnum;    /* from 1; dropped columns leave gaps */
    uint32_t type_oid; /* domains as they are */
    int32_t typmod;    /* -1: none */
    bool not_null;     /* enforced: attnotnull here and in all children; false for foreign tables */
    bool domain_not_null; /* its type is a NOT NULL domain */
    bool has_default;     /* DEFAULT or identity */
    bool identity;        /* GENERATED … AS IDENTITY */
    bool generated;       /* GENERATED ALWAYS AS (expression) */
    bool overridden;      /* not_null is the user's word, also for views */
    bool enforced;        /* … and this is what not_null was */
    const char *comment;  /* NULL: none */
} catalog_column;

/* What the database refuses, whatever the config says. */
static inline bool catalog_refuses_null(const catalog_column *column)
{
    return column->overridden ? column->enforced : column->not_null;
}

typedef struct catalog_relation {
    uint32_t oid;
    const char *schema, *name;
    char kind; /* relkind: r table, p partitioned, v view, m materialised view, f foreign, c type */
    bool has_policies;       /* row-level security is on */
    bool has_rules;          /* rewrite rules or INSTEAD OF triggers change what DML does */
    bool has_update_trigger; /* BEFORE UPDATE row triggers: may change any column */
    uint32_t type_oid;       /* its row type */
    const char *comment;     /* NULL: none */
    const char *view_sql;    /* definition with qualified names; NULL unless a view */
    catalog_column *columns; /* live ones, by attnum */
    size_t column_count;
} catalog_relation;

typedef struct catalog_function {
    uint32_t oid;
    const char *schema, *name;
    const char *extension; /* owner extension; NULL: none */
    char kind;             /* prokind: f function, p procedure, a aggregate, w window */
    bool strict, returns_set;
    uint32_t result_oid;          /* pseudo-types as they are */
    const uint32_t *arg_oids;     /* input arguments */
    const char *const *arg_names; /* entries NULL or ""; whole array NULL: none has a name */
    size_t arg_count;             /* variadic array included */
    size_t default_count;         /* trailing arguments with defaults */
    uint32_t variadic_oid;        /* element type of a VARIADIC last argument; 0: none */
    size_t out_count;             /* OUT, INOUT and TABLE columns */
    const char *const *out_names; /* "" for unnamed ones */
    const uint32_t *out_oids;
} catalog_function;

typedef struct catalog_operator {
    uint32_t oid;
    const char *schema, *name;
    const char *extension;        /* NULL: none */
    uint32_t left_oid, right_oid; /* left 0: prefix operator */
    uint32_t result_oid;          /* 0: a shell operator */
    bool strict;                  /* of the function behind it */
} catalog_operator;

/* One row of pg_cast; conversions by text between types need none. */
typedef struct catalog_cast {
    uint32_t oid;
    uint32_t source_oid, target_oid; /* domains have no casts of their own */
    bool implicit;                   /* taken without being asked for */
    bool with_function;              /* false: binary or by text */
    bool strict;                     /* of the function; true without one */
    const char *extension;           /* NULL: none */
} catalog_cast;

typedef struct catalog catalog;

/* Read everything from a server. Runs read-only statements; leaves search_path as it was.
 * PGC_OK; what pgc_conn_script() returns; PGC_NOMEM; PGC_PROTOCOL (rows not as expected). */
pgc_status catalog_load(pgc_conn *conn, arena *arena, catalog **out, pgc_error *err) PGC_MUST_CHECK;

/* Builder. Structs are copied, what they point to is borrowed and must live as long as the arena.
 * A failed allocation is remembered and reported by catalog_finish(). NULL when memory is gone. */
catalog *catalog_new(arena *arena);
/* Where the builder's memory comes from. */
arena *catalog_arena(const catalog *cat);
void catalog_add_schema(catalog *cat, const char *schema); /* search_path, in order */
void catalog_add_type(catalog *cat, const catalog_type *type);
void catalog_add_relation(catalog *cat, const catalog_relation *relation);
/* Parts of what was added before, which must be in OID order; unknown owners are passed over. */
void catalog_add_label(catalog *cat, uint32_t enum_oid, const char *label);
void catalog_add_column(catalog *cat, uint32_t relation_oid, const catalog_column *column);
void catalog_set_view(catalog *cat, uint32_t relation_oid, const char *view_sql);
void catalog_add_function(catalog *cat, const catalog_function *function);
void catalog_add_operator(catalog *cat, const catalog_operator *op);
void catalog_add_cast(catalog *cat, const catalog_cast *cast);
/* Sort the lists; look-ups work from here on. PGC_NOMEM when any step of the builder failed. */
pgc_status catalog_finish(catalog *cat, pgc_error *err) PGC_MUST_CHECK;

/* The user knows better whether a column holds NULL. column: its index in the relation. */
void catalog_override_null(catalog *cat, uint32_t relation_oid, size_t column, bool not_null);

/* Look-ups: NULL when there is none. schema NULL means along the search path (pg_catalog first). */
const catalog_type *catalog_type_by_oid(const catalog *cat, uint32_t oid);
const catalog_type *catalog_type_by_name(const catalog *cat, const char *schema, const char *name);
/* Any spelling people use: SQL names, pg_type names, with or without schema, "[]" for arrays,
 * modifiers ignored. See sqlc.md §1.4. */
const catalog_type *catalog_type_by_spelling(const catalog *cat, slice spelling);
const catalog_relation *catalog_relation_by_oid(const catalog *cat, uint32_t oid);
const catalog_relation *catalog_relation_by_name(const catalog *cat, const char *schema,
                                                 const char *name);
const catalog_column *catalog_column_by_name(const catalog_relation *relation, const char *name);
/* Also system columns (attnum < 0). */
const catalog_column *catalog_column_by_attnum(const catalog_relation *relation, int16_t attnum);
const catalog_column *catalog_system_column(const char *name);
/* A domain's base type through all levels; other types as they are. */
uint32_t catalog_base_type(const catalog *cat, uint32_t oid);

/* All overloads of a name, in any schema: *count entries that lie side by side. */
const catalog_function *catalog_functions(const catalog *cat, const char *name, size_t *count);
const catalog_operator *catalog_operators(const catalog *cat, const char *name, size_t *count);
const catalog_cast *catalog_cast_find(const catalog *cat, uint32_t source, uint32_t target);
/* Casts to one type. */
const catalog_cast *catalog_casts_to(const catalog *cat, uint32_t target, size_t *count);

/* Whole lists, sorted by OID: for the schema hash, the manifest and the models. */
const catalog_relation *catalog_all_relations(const catalog *cat, size_t *count);
const catalog_type *catalog_all_types(const catalog *cat, size_t *count);
/* Schemas that names without one are looked up in, pg_catalog not listed. */
const char *const *catalog_search_path(const catalog *cat, size_t *count);

#endif
