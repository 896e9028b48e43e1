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
/* Ranges keep a flag: every other bit pattern is a range. */
#define RANGE_OF(subtype)                                                                       \
    { "range_" subtype, "pgc_range_" subtype,       "pgc_range_" subtype,                       \
      "!%s.has",        "pgc_clone_range_" subtype, true },                                     \
    {                                                                                           \
        "multirange_" subtype, "pgc_multirange_" subtype, "pgc_multirange_" subtype, "!%s.has", \
            "pgc_clone_multirange_" subtype, true                                               \
    }
/* Arrays keep a flag, because an empty array has no items either. */
#define ARRAY_OF(element)                                                  \
    {                                                                      \
        "arr_" element, "pgc_arr_" element, "pgc_arr_" element, "!%s.has", \
            "pgc_clone_arr_" element, true                                 \
    }
/* A type and arrays of it. */
#define SCALAR_ARRAY(suffix, type)          SCALAR(suffix, type), ARRAY_OF(suffix)
#define POINTER_ARRAY(suffix, type, absent) POINTER(suffix, type, absent), ARRAY_OF(suffix)
#define RANGE_ARRAY(subtype)                RANGE_OF(subtype), ARRAY_OF("range_" subtype)

/* Every representation that the runtime reads and writes. A suffix that is missing here cannot
 * be generated, and one without functions in the runtime does not link. */
static const c_type TYPES[] = {
    SCALAR_ARRAY("bool", "bool"),
    SCALAR_ARRAY("char", "char"),
    SCALAR_ARRAY("i16", "int16_t"),
    SCALAR_ARRAY("i32", "int32_t"),
    SCALAR_ARRAY("i64", "int64_t"),
    SCALAR_ARRAY("u32", "uint32_t"),
    SCALAR_ARRAY("u64", "uint64_t"),
    SCALAR_ARRAY("f32", "float"),
    SCALAR_ARRAY("f64", "double"),
    SCALAR_ARRAY("money", "int64_t"),
    SCALAR_ARRAY("lsn", "uint64_t"),
    SCALAR_ARRAY("tid", "pgc_tid"),
    SCALAR_ARRAY("uuid", "pgc_uuid"),
    SCALAR_ARRAY("timestamptz", "pgc_timestamptz"),
    SCALAR_ARRAY("timestamp", "pgc_timestamp"),
    SCALAR_ARRAY("date", "pgc_date"),
    SCALAR_ARRAY("time", "pgc_time"),
    SCALAR_ARRAY("timetz", "pgc_timetz"),
    SCALAR_ARRAY("interval", "pgc_interval"),
    SCALAR_ARRAY("inet", "pgc_inet"),
    SCALAR_ARRAY("macaddr", "pgc_macaddr"),
    SCALAR_ARRAY("macaddr8", "pgc_macaddr8"),
    SCALAR_ARRAY("point", "pgc_point"),
    SCALAR_ARRAY("line", "pgc_line"),
    SCALAR_ARRAY("lseg", "pgc_lseg"),
    SCALAR_ARRAY("box", "pgc_box"),
    SCALAR_ARRAY("circle", "pgc_circle"),
    POINTER_ARRAY("text", "pgc_text", "%s.ptr == NULL"),
    POINTER_ARRAY("bytes", "pgc_bytes", "%s.ptr == NULL"),
    /* Text in memory; only the wire form differs: jsonb puts a version byte in front. */
    POINTER_ARRAY("json", "pgc_text", "%s.ptr == NULL"),
    POINTER_ARRAY("jsonb", "pgc_text", "%s.ptr == NULL"),
    POINTER_ARRAY("numeric", "pgc_numeric", "!%s.present"),
    POINTER_ARRAY("bits", "pgc_bits", "%s.ptr == NULL"),
    POINTER_ARRAY("path", "pgc_path", "%s.points == NULL"),
    POINTER_ARRAY("polygon", "pgc_polygon", "%s.points == NULL"),
    POINTER_ARRAY("vector", "pgc_vector", "%s.v == NULL"),
    POINTER_ARRAY("halfvec", "pgc_halfvec", "%s.v == NULL"),
    POINTER_ARRAY("sparsevec", "pgc_sparsevec", "%s.dim == 0"),
    POINTER_ARRAY("tsvector", "pgc_tsvector", "!%s.present"),
    POINTER_ARRAY("tsquery", "pgc_tsquery", "!%s.present"),
    POINTER_ARRAY("hstore", "pgc_hstore", "!%s.present"),
    RANGE_ARRAY("i32"),
    RANGE_ARRAY("i64"),
    RANGE_ARRAY("f64"),
    RANGE_ARRAY("time"),
    RANGE_ARRAY("numeric"),
    RANGE_ARRAY("date"),
    RANGE_ARRAY("timestamp"),
    RANGE_ARRAY("timestamptz"),
};

/* Built-in types by OID, extension types (oid 0) by name. Arrays follow from their elements.
 * Source: pg_type.dat. */
static const struct {
    uint32_t oid;
    const char *name, *suffix;
    uint32_t array_oid; /* 0: arrays of it have no C type */
} MAPPING[] = {
    { 16, "bool", "bool", 1000 },
    { 17, "bytea", "bytes", 1001 },
    { 18, "char", "char", 1002 },
    { 19, "name", "text", 1003 },
    { 20, "int8", "i64", 1016 },
    { 21, "int2", "i16", 1005 },
    { 23, "int4", "i32", 1007 },
    /* The reg* types travel as the OID they stand for. */
    { 24, "regproc", "u32", 1008 },
    { 25, "text", "text", 1009 },
    { 26, "oid", "u32", 1028 },
    { 27, "tid", "tid", 1010 },
    { 28, "xid", "u32", 1011 },
    { 29, "cid", "u32", 1012 },
    { 114, "json", "json", 199 },
    { 142, "xml", "text", 143 },
    { 600, "point", "point", 1017 },
    { 601, "lseg", "lseg", 1018 },
    { 602, "path", "path", 1019 },
    { 603, "box", "box", 1020 },
    { 604, "polygon", "polygon", 1027 },
    { 628, "line", "line", 629 },
    { 650, "cidr", "inet", 651 },
    { 700, "float4", "f32", 1021 },
    { 701, "float8", "f64", 1022 },
    { 718, "circle", "circle", 719 },
    { 774, "macaddr8", "macaddr8", 775 },
    { 790, "money", "money", 791 },
    { 829, "macaddr", "macaddr", 1040 },
    { 869, "inet", "inet", 1041 },
    { 1042, "bpchar", "text", 1014 },
    { 1043, "varchar", "text", 1015 },
    { 1082, "date", "date", 1182 },
    { 1083, "time", "time", 1183 },
    { 1114, "timestamp", "timestamp", 1115 },
    { 1184, "timestamptz", "timestamptz", 1185 },
    { 1186, "interval", "interval", 1187 },
    { 1266, "timetz", "timetz", 1270 },
    { 1560, "bit", "bits", 1561 },
    { 1562, "varbit", "bits", 1563 },
    { 1700, "numeric", "numeric", 1231 },
    { 1790, "refcursor", "text", 2201 },
    { 2202, "regprocedure", "u32", 2207 },
    { 2205, "regclass", "u32", 2210 },
    { 2206, "regtype", "u32", 2211 },
    { 4089, "regnamespace", "u32", 4090 },
    { 4096, "regrole", "u32", 4097 },
    { 3734, "regconfig", "u32", 3735 },
    { 2950, "uuid", "uuid", 2951 },
    { 3220, "pg_lsn", "lsn", 3221 },
    { 3614, "tsvector", "tsvector", 3643 },
    { 3615, "tsquery", "tsquery", 3645 },
    { 3802, "jsonb", "jsonb", 3807 },
    { 4072, "jsonpath", "jsonb", 4073 },
    { 5069, "xid8", "u64", 271 },
    { 3904, "int4range", "range_i32", 3905 },
    { 3926, "int8range", "range_i64", 3927 },
    { 3906, "numrange", "range_numeric", 3907 },
    { 3912, "daterange", "range_date", 3913 },
    { 3908, "tsrange", "range_timestamp", 3909 },
    { 3910, "tstzrange", "range_timestamptz", 3911 },
    { 4451, "int4multirange", "multirange_i32", 0 },
    { 4536, "int8multirange", "multirange_i64", 0 },
    { 4532, "nummultirange", "multirange_numeric", 0 },
    { 4535, "datemultirange", "multirange_date", 0 },
    { 4533, "tsmultirange", "multirange_timestamp", 0 },
    { 4534, "tstzmultirange", "multirange_timestamptz", 0 },
    /* Extension types get their OID when the extension is installed, so only the name is known. */
    { 0, "vector", "vector", 0 },
    { 0, "halfvec", "halfvec", 0 },
    { 0, "sparsevec", "sparsevec", 0 },
    { 0, "hstore", "hstore", 0 },
    { 0, "ltree", "jsonb", 0 },
    { 0, "lquery", "jsonb", 0 },
    { 0, "citext", "text", 0 },
};

/* Representations that read and write the same bytes. */
const c_type *c_type_alike(const c_type *usual, const char *suffix)
{
    static const char *const GROUPS[][8] = {
        { "i64", "u64", "timestamptz", "timestamp", "time", "money", "lsn", NULL },
        { "i32", "u32", "date", NULL },
        { "text", "json", "bytes", NULL },
        { "arr_i64", "arr_u64", "arr_timestamptz", "arr_timestamp", "arr_time", "arr_money",
          "arr_lsn", NULL },
        { "arr_i32", "arr_u32", "arr_date", NULL },
        { "arr_text", "arr_json", "arr_bytes", NULL },
    };
    for (size_t i = 0; usual != NULL && i < ARRAY_LEN(GROUPS); i++) {
        bool from = false;
        bool to = false;
        for (size_t k = 0; GROUPS[i][k] != NULL; k++) {
            from = from || strcmp(GROUPS[i][k], usual->suffix) == 0;
            to = to || strcmp(GROUPS[i][k], suffix) == 0;
        }
        if (from && to) {
            return c_type_by_suffix(suffix);
        }
    }
    return NULL;
}

/* Extension types stand behind the others in the table. */
bool c_type_next_built_in(size_t index, c_type_built_in *out)
{
    if (index >= ARRAY_LEN(MAPPING) || MAPPING[index].oid == 0) {
        return false;
    }
    *out = (c_type_built_in) { .oid = MAPPING[index].oid,
                               .array_oid = MAPPING[index].array_oid,
                               .name = MAPPING[index].name };
    return true;
}

/* Linear: the table has some hundred entries and is asked once per column. */
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

static const char *scalar_suffix(const catalog *cat, uint32_t type_oid);

/* A range of the user's whose bounds are one of the runtime's: the OID is not on the wire. */
static const char *range_suffix(const catalog *cat, const catalog_type *type)
{
    char name[40];
    bool multi = type->kind == CATALOG_MULTIRANGE;
    const catalog_type *range = multi ? catalog_type_by_oid(cat, type->subtype_oid) : type;
    const char *bound = range == NULL ? NULL : scalar_suffix(cat, range->subtype_oid);
    if (bound == NULL) {
        return NULL;
    }
    (void) snprintf(name, sizeof name, "%srange_%s", multi ? "multi" : "", bound);
    const c_type *found = c_type_by_suffix(name);
    return found == NULL ? NULL : found->suffix;
}

/* Entry of a type that is no array; NULL: none. A type of the user that happens to be called like
 * an extension's must be a base type to match; an enum or a composite of that name is what the user
 * made it. */
static const char *scalar_suffix(const catalog *cat, uint32_t type_oid)
{
    uint32_t oid = catalog_base_type(cat, type_oid);
    const catalog_type *type = catalog_type_by_oid(cat, oid);
    if (oid >= CATALOG_FIRST_USER_OID && type != NULL && type->subtype_oid != 0) {
        return range_suffix(cat, type);
    }
    for (size_t i = 0; i < ARRAY_LEN(MAPPING); i++) {
        bool built_in = MAPPING[i].oid != 0 && MAPPING[i].oid == oid;
        bool extension = MAPPING[i].oid == 0 && oid >= CATALOG_FIRST_USER_OID && type != NULL &&
                         type->kind == CATALOG_BASE && strcmp(type->name, MAPPING[i].name) == 0;
        if (built_in || extension) {
            return MAPPING[i].suffix;
        }
    }
    return NULL;
}

/* Suffix of an array's elements; NULL: it is none, or has no C type. */
static const char *element_suffix(const catalog *cat, uint32_t array_oid)
{
    const catalog_type *type = catalog_type_by_oid(cat, array_oid);
    for (size_t i = 0; i < ARRAY_LEN(MAPPING); i++) {
        if (MAPPING[i].array_oid != 0 && MAPPING[i].array_oid == array_oid) {
            return MAPPING[i].suffix;
        }
    }
    return array_oid >= CATALOG_FIRST_USER_OID && type != NULL && type->element_oid != 0 &&
                   type->name[0] == '_'
               ? scalar_suffix(cat, type->element_oid)
               : NULL;
}

const c_type *c_type_of(const catalog *cat, uint32_t type_oid)
{
    uint32_t oid = catalog_base_type(cat, type_oid);
    const char *element = element_suffix(cat, oid);
    if (element != NULL) {
        char suffix[40];
        (void) snprintf(suffix, sizeof suffix, "arr_%s", element);
        return c_type_by_suffix(suffix);
    }
    const char *suffix = scalar_suffix(cat, oid);
    return suffix == NULL ? NULL : c_type_by_suffix(suffix);
}

/* The server casts text[] to these element types by itself; the other direction would fail on
 * the wire with a wrong element OID. */
uint32_t c_type_declared(uint32_t type_oid)
{
    return type_oid == 1015 || type_oid == 1014 || type_oid == 1003 ? 1009 : type_oid;
}

/* The runtime knows the usual element of each representation: the first entry of its suffix. */
uint32_t c_type_element(const catalog *cat, uint32_t array_oid)
{
    uint32_t oid = catalog_base_type(cat, array_oid);
    const char *suffix = element_suffix(cat, oid);
    uint32_t usual = suffix != NULL && strcmp(suffix, "text") == 0   ? 25
                     : suffix != NULL && strcmp(suffix, "u32") == 0  ? 26
                     : suffix != NULL && strcmp(suffix, "inet") == 0 ? 869
                     : suffix != NULL && strcmp(suffix, "bits") == 0 ? 1562
                                                                     : 0;
    for (size_t i = 0; suffix != NULL && i < ARRAY_LEN(MAPPING); i++) {
        if (MAPPING[i].array_oid == oid) {
            bool same = usual == 0 ? strcmp(suffix, "jsonb") != 0 || MAPPING[i].oid == 3802
                                   : MAPPING[i].oid == usual;
            return same ? 0 : MAPPING[i].oid;
        }
    }
    return suffix == NULL ? 0 : C_TYPE_UNCHECKED;
}
