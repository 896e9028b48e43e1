/* The type table. Pure functions over constant data. */
#include "base/prelude.h"

#include "sqlc/c_type.h"

/* One entry per shape of representation, so that the names of the runtime's functions follow
 * from the suffix and cannot disagree with it. Scalars are copied by value and need a flag for
 * NULL. */
#define SCALAR(suffix, type)                               \
    {                                                      \
        suffix, type, "pgc_opt_" suffix, NULL, NULL, false \
    }
/* The value itself can say that it is absent, so the nullable form is the same C type. `absent`
 * is the test that the generated code writes. */
#define POINTER(suffix, type, absent)                         \
    {                                                         \
        suffix, type, type, absent, "pgc_clone_" suffix, true \
    }
/* Arrays keep a flag, because an empty array has no items either. */
#define ARRAY_OF(element)                                                  \
    {                                                                      \
        "arr_" element, "pgc_arr_" element, "pgc_arr_" element, "!%s.has", \
            "pgc_clone_arr_" element, true                                 \
    }

/* Every representation that the runtime reads and writes. A suffix that is missing here cannot
 * be generated, and one without functions in the runtime does not link. */
static const c_type TYPES[] = {
    SCALAR("bool", "bool"),
    SCALAR("i16", "int16_t"),
    SCALAR("i32", "int32_t"),
    SCALAR("i64", "int64_t"),
    SCALAR("u32", "uint32_t"),
    SCALAR("f32", "float"),
    SCALAR("f64", "double"),
    SCALAR("uuid", "pgc_uuid"),
    SCALAR("timestamptz", "pgc_timestamptz"),
    SCALAR("timestamp", "pgc_timestamp"),
    SCALAR("date", "pgc_date"),
    SCALAR("time", "pgc_time"),
    SCALAR("interval", "pgc_interval"),
    POINTER("text", "pgc_text", "%s.ptr == NULL"),
    POINTER("bytes", "pgc_bytes", "%s.ptr == NULL"),
    /* Text in memory; only the wire form differs: jsonb puts a version byte in front. */
    { "json", "pgc_text", "pgc_text", "%s.ptr == NULL", "pgc_clone_text", true },
    { "jsonb", "pgc_text", "pgc_text", "%s.ptr == NULL", "pgc_clone_text", true },
    POINTER("numeric", "pgc_numeric", "!%s.present"),
    POINTER("vector", "pgc_vector", "%s.v == NULL"),
    POINTER("halfvec", "pgc_halfvec", "%s.v == NULL"),
    ARRAY_OF("bool"),
    ARRAY_OF("i16"),
    ARRAY_OF("i32"),
    ARRAY_OF("i64"),
    ARRAY_OF("f32"),
    ARRAY_OF("f64"),
    ARRAY_OF("text"),
    ARRAY_OF("uuid"),
    ARRAY_OF("timestamptz"),
};

/* Built-in types by OID, extension types (oid 0) by name. Source: pg_type.dat. */
static const struct {
    uint32_t oid;
    const char *name, *suffix;
} MAPPING[] = {
    { 16, "bool", "bool" },
    { 17, "bytea", "bytes" },
    { 19, "name", "text" },
    { 20, "int8", "i64" },
    { 21, "int2", "i16" },
    { 23, "int4", "i32" },
    /* The reg* types travel as the OID they stand for. */
    { 24, "regproc", "u32" },
    { 25, "text", "text" },
    { 26, "oid", "u32" },
    { 28, "xid", "u32" },
    { 29, "cid", "u32" },
    { 114, "json", "json" },
    { 700, "float4", "f32" },
    { 701, "float8", "f64" },
    { 1042, "bpchar", "text" },
    { 1043, "varchar", "text" },
    { 1082, "date", "date" },
    { 1083, "time", "time" },
    { 1114, "timestamp", "timestamp" },
    { 1184, "timestamptz", "timestamptz" },
    { 1186, "interval", "interval" },
    { 1700, "numeric", "numeric" },
    { 2205, "regclass", "u32" },
    { 2206, "regtype", "u32" },
    { 2950, "uuid", "uuid" },
    { 3802, "jsonb", "jsonb" },
    /* Array types carry the leading underscore that pg_type gives them. */
    { 1000, "_bool", "arr_bool" },
    { 1003, "_name", "arr_text" },
    { 1005, "_int2", "arr_i16" },
    { 1007, "_int4", "arr_i32" },
    { 1009, "_text", "arr_text" },
    { 1014, "_bpchar", "arr_text" },
    { 1015, "_varchar", "arr_text" },
    { 1016, "_int8", "arr_i64" },
    { 1021, "_float4", "arr_f32" },
    { 1022, "_float8", "arr_f64" },
    { 1185, "_timestamptz", "arr_timestamptz" },
    { 2951, "_uuid", "arr_uuid" },
    /* Extension types get their OID when the extension is installed, so only the name is known. */
    { 0, "vector", "vector" },
    { 0, "halfvec", "halfvec" },
    { 0, "citext", "text" },
};

/* Linear: the table has some thirty entries and is asked once per column. */
const c_type *c_type_by_suffix(const char *suffix)
{
    assert(suffix != NULL);
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (strcmp(TYPES[i].suffix, suffix) == 0) {
            return &TYPES[i];
        }
    }
    return NULL;
}

/* A type of the user that happens to be called like an extension's must be a base type to match;
 * an enum or a composite of that name is what the user made it. */
const c_type *c_type_of(const catalog *cat, uint32_t type_oid)
{
    uint32_t oid = catalog_base_type(cat, type_oid);
    const catalog_type *type = catalog_type_by_oid(cat, oid);
    for (size_t i = 0; i < ARRAY_LEN(MAPPING); i++) {
        bool built_in = MAPPING[i].oid != 0 && MAPPING[i].oid == oid;
        bool extension = MAPPING[i].oid == 0 && oid >= CATALOG_FIRST_USER_OID && type != NULL &&
                         type->kind == CATALOG_BASE && strcmp(type->name, MAPPING[i].name) == 0;
        if (built_in || extension) {
            return c_type_by_suffix(MAPPING[i].suffix);
        }
    }
    return NULL;
}

/* The server casts text[] to these element types by itself; the other direction would fail on
 * the wire with a wrong element OID. */
uint32_t c_type_declared(uint32_t type_oid)
{
    return type_oid == 1015 || type_oid == 1014 || type_oid == 1003 ? 1009 : type_oid;
}
