/* A small catalog for the tests of the static analysis: no server needed.
 *
 * users(user_id, username, email), assets(asset_id, owner_id, name, width, taken, meta, tags, rng),
 * thumbs(thumb_id, asset_id, size), "Odd Table"("Group", "order", plain), other.users(id), views
 * asset_sizes and tall, table guarded (BEFORE UPDATE trigger), ruled (rules), and the operators and
 * functions of the server that the tests name. */
#ifndef TEST_PROVE_CATALOG_H
#define TEST_PROVE_CATALOG_H

#include "sqlc/catalog.h"

enum fixture_oid {
    OID_UUID = 2950,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_INT4RANGE = 3904,
    OID_ANY = 2276,
    OID_ANYARRAY = 2277,
    OID_ANYELEMENT = 2283,
    OID_ANYNONARRAY = 2776,
    OID_ANYRANGE = 3831,
    OID_OWN_TYPE = 20001, /* a base type of a user */
    OID_OWN_DOMAIN = 20002,
    OID_USERS = 30001,
    OID_ASSETS = 30002,
    OID_THUMBS = 30003
};

static inline void fixture_type(catalog *cat, uint32_t oid, const char *name,
                                const catalog_type *more)
{
    catalog_type type = more != NULL ? *more : (catalog_type) { .kind = CATALOG_BASE };
    type.oid = oid;
    type.schema = oid < CATALOG_FIRST_USER_OID ? "pg_catalog" : "public";
    type.name = name;
    type.spelling = name;
    type.base_typmod = -1;
    catalog_add_type(cat, &type);
}

static inline void fixture_types(catalog *cat)
{
    static const struct {
        uint32_t oid;
        const char *name;
        catalog_type more;
    } types[] = {
        { OID_BOOL, "bool", { .kind = CATALOG_BASE } },
        { OID_INT8, "int8", { .kind = CATALOG_BASE } },
        { OID_INT4, "int4", { .kind = CATALOG_BASE, .array_oid = OID_INT4_ARRAY } },
        { OID_TEXT, "text", { .kind = CATALOG_BASE, .array_oid = OID_TEXT_ARRAY } },
        { OID_FLOAT8, "float8", { .kind = CATALOG_BASE } },
        { OID_UNKNOWN, "unknown", { .kind = CATALOG_PSEUDO } },
        { OID_INT4_ARRAY, "_int4", { .kind = CATALOG_BASE, .element_oid = OID_INT4 } },
        { OID_TEXT_ARRAY, "_text", { .kind = CATALOG_BASE, .element_oid = OID_TEXT } },
        { OID_VARCHAR, "varchar", { .kind = CATALOG_BASE } },
        { OID_DATE, "date", { .kind = CATALOG_BASE } },
        { OID_TIME, "time", { .kind = CATALOG_BASE } },
        { OID_TIMESTAMP, "timestamp", { .kind = CATALOG_BASE } },
        { OID_TIMESTAMPTZ, "timestamptz", { .kind = CATALOG_BASE } },
        { OID_INTERVAL, "interval", { .kind = CATALOG_BASE } },
        { OID_NUMERIC, "numeric", { .kind = CATALOG_BASE } },
        { OID_RECORD, "record", { .kind = CATALOG_PSEUDO } },
        { OID_ANY, "any", { .kind = CATALOG_PSEUDO } },
        { OID_ANYARRAY, "anyarray", { .kind = CATALOG_PSEUDO } },
        { OID_ANYELEMENT, "anyelement", { .kind = CATALOG_PSEUDO } },
        { OID_ANYNONARRAY, "anynonarray", { .kind = CATALOG_PSEUDO } },
        { OID_UUID, "uuid", { .kind = CATALOG_BASE } },
        { OID_JSONB, "jsonb", { .kind = CATALOG_BASE } },
        { OID_ANYRANGE, "anyrange", { .kind = CATALOG_PSEUDO } },
        { OID_INT4RANGE, "int4range", { .kind = CATALOG_RANGE } },
        { OID_OWN_TYPE, "own", { .kind = CATALOG_BASE } },
        { OID_OWN_DOMAIN,
          "rating",
          { .kind = CATALOG_DOMAIN, .base_oid = OID_INT4, .not_null = true } },
        { 20003, "pair", { .kind = CATALOG_COMPOSITE, .relation_oid = 30020 } },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        fixture_type(cat, types[i].oid, types[i].name, &types[i].more);
    }
}

static inline void fixture_relation(catalog *cat, catalog_relation relation)
{
    catalog_add_relation(cat, &relation);
}

static inline void fixture_column(catalog *cat, uint32_t relation, int16_t attnum, const char *name,
                                  uint32_t type, bool not_null)
{
    const catalog_column column = { .name = name,
                                    .attnum = attnum,
                                    .type_oid = type,
                                    .typmod = -1,
                                    .not_null = not_null,
                                    .domain_not_null = type == OID_OWN_DOMAIN };
    catalog_add_column(cat, relation, &column);
}

static inline void fixture_relations(catalog *cat)
{
    static const catalog_relation relations[] = {
        { .oid = OID_USERS, .schema = "public", .name = "users", .kind = 'r' },
        { .oid = OID_ASSETS, .schema = "public", .name = "assets", .kind = 'r' },
        { .oid = OID_THUMBS, .schema = "public", .name = "thumbs", .kind = 'r' },
        { .oid = 30004, .schema = "public", .name = "Odd Table", .kind = 'r' },
        { .oid = 30005, .schema = "other", .name = "users", .kind = 'r' },
        { .oid = 30006,
          .schema = "public",
          .name = "asset_sizes",
          .kind = 'v',
          .view_sql =
              "SELECT a.asset_id, t.size, COALESCE(a.width, 0) AS width FROM "
              "(public.assets a LEFT JOIN public.thumbs t ON ((t.asset_id = a.asset_id)));" },
        { .oid = 30007,
          .schema = "public",
          .name = "guarded",
          .kind = 'r',
          .has_update_trigger = true },
        { .oid = 30008, .schema = "public", .name = "ruled", .kind = 'r', .has_rules = true },
        { .oid = 30009, .schema = "public", .name = "foreign_thing", .kind = 'f' },
        { .oid = 30020, .schema = "public", .name = "pair", .kind = 'c', .type_oid = 20003 },
    };
    for (size_t i = 0; i < sizeof relations / sizeof relations[0]; i++) {
        fixture_relation(cat, relations[i]);
    }
    fixture_column(cat, OID_USERS, 1, "user_id", OID_INT4, true);
    fixture_column(cat, OID_USERS, 2, "username", OID_TEXT, true);
    fixture_column(cat, OID_USERS, 3, "email", OID_TEXT, false);
    fixture_column(cat, OID_ASSETS, 1, "asset_id", OID_UUID, true);
    fixture_column(cat, OID_ASSETS, 2, "owner_id", OID_INT4, false);
    fixture_column(cat, OID_ASSETS, 3, "name", OID_TEXT, true);
    fixture_column(cat, OID_ASSETS, 4, "width", OID_INT4, false);
    fixture_column(cat, OID_ASSETS, 5, "taken", OID_TIMESTAMPTZ, false);
    fixture_column(cat, OID_ASSETS, 6, "meta", OID_JSONB, false);
    fixture_column(cat, OID_ASSETS, 7, "tags", OID_TEXT_ARRAY, true);
    fixture_column(cat, OID_ASSETS, 8, "rng", OID_INT4RANGE, true);
    fixture_column(cat, OID_ASSETS, 9, "rating", OID_OWN_DOMAIN, false);
    fixture_column(cat, OID_ASSETS, 10, "ready", OID_BOOL, false);
    fixture_column(cat, OID_ASSETS, 11, "added", OID_TIMESTAMPTZ, true);
    fixture_column(cat, OID_THUMBS, 1, "thumb_id", OID_INT4, true);
    fixture_column(cat, OID_THUMBS, 2, "asset_id", OID_UUID, true);
    fixture_column(cat, OID_THUMBS, 3, "size", OID_TEXT, true);
    fixture_column(cat, 30004, 1, "Group", OID_INT4, true);
    fixture_column(cat, 30004, 2, "order", OID_INT4, true);
    fixture_column(cat, 30004, 3, "plain", OID_INT4, true);
    fixture_column(cat, 30005, 1, "id", OID_INT4, true);
    fixture_column(cat, 30006, 1, "asset_id", OID_UUID, false);
    fixture_column(cat, 30006, 2, "size", OID_TEXT, false);
    fixture_column(cat, 30006, 3, "width", OID_INT4, false);
    fixture_column(cat, 30007, 1, "id", OID_INT4, true);
    fixture_column(cat, 30007, 2, "note", OID_TEXT, false);
    fixture_column(cat, 30008, 1, "id", OID_INT4, true);
    fixture_column(cat, 30009, 1, "id", OID_INT4, false);
    fixture_column(cat, 30020, 1, "a", OID_INT4, false);
    fixture_column(cat, 30020, 2, "b", OID_TEXT, false);
}

static inline void fixture_operators(catalog *cat)
{
    static const struct {
        const char *name;
        uint32_t left, right, result;
        bool lax, own;
    } ops[] = {
        { "=", OID_INT4, OID_INT4, OID_BOOL, false, false },
        { "=", OID_TEXT, OID_TEXT, OID_BOOL, false, false },
        { "=", OID_UUID, OID_UUID, OID_BOOL, false, false },
        { "=", OID_ANYARRAY, OID_ANYARRAY, OID_BOOL, false, false },
        { "<>", OID_INT4, OID_INT4, OID_BOOL, false, false },
        { "<>", OID_TEXT, OID_TEXT, OID_BOOL, false, false },
        { "<", OID_INT4, OID_INT4, OID_BOOL, false, false },
        { ">", OID_INT4, OID_INT4, OID_BOOL, false, false },
        { "<=", OID_INT4, OID_INT4, OID_BOOL, false, false },
        { ">=", OID_INT4, OID_INT4, OID_BOOL, false, false },
        { "+", OID_INT4, OID_INT4, OID_INT4, false, false },
        { "-", 0, OID_INT4, OID_INT4, false, false },
        { "-", OID_TIMESTAMPTZ, OID_TIMESTAMPTZ, OID_INTERVAL, false, false },
        { "||", OID_TEXT, OID_TEXT, OID_TEXT, false, false },
        { "->", OID_JSONB, OID_TEXT, OID_JSONB, false, false },
        { "->>", OID_JSONB, OID_TEXT, OID_TEXT, false, false },
        { "~~", OID_TEXT, OID_TEXT, OID_BOOL, false, false },
        { "%%", OID_INT4, OID_INT4, OID_INT4, false, true },
        { "~", OID_TEXT, OID_TEXT, OID_BOOL, false, false },
    };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        const catalog_operator op = { .oid = (uint32_t) (ops[i].own ? 21000 + i : 500 + i),
                                      .schema = ops[i].own ? "public" : "pg_catalog",
                                      .name = ops[i].name,
                                      .left_oid = ops[i].left,
                                      .right_oid = ops[i].right,
                                      .result_oid = ops[i].result,
                                      .strict = !ops[i].lax };
        catalog_add_operator(cat, &op);
    }
}

/* kind, flags s strict, r set-returning, o own (of a user). */
static inline void fixture_function(catalog *cat, uint32_t number, const char *name,
                                    const char *kind, uint32_t result, uint32_t first,
                                    uint32_t second)
{
    uint32_t *args = (uint32_t *) arena_alloc(catalog_arena(cat), 2 * sizeof *args);
    if (args == NULL) {
        return;
    }
    args[0] = first;
    args[1] = second;
    bool own = strchr(kind, 'o') != NULL;
    const catalog_function f = { .oid = own ? 22000 + number : 600 + number,
                                 .schema = own ? "public" : "pg_catalog",
                                 .name = name,
                                 .kind = kind[0],
                                 .strict = strchr(kind, 's') != NULL,
                                 .returns_set = strchr(kind, 'r') != NULL,
                                 .result_oid = result,
                                 .arg_oids = args,
                                 .arg_count = first == 0    ? 0
                                              : second == 0 ? 1
                                                            : 2 };
    catalog_add_function(cat, &f);
}

static inline void fixture_functions(catalog *cat)
{
    static const struct {
        const char *name, *kind;
        uint32_t result, first, second;
    } functions[] = {
        { "count", "a", OID_INT8, OID_ANY, 0 },
        { "count", "a", OID_INT8, 0, 0 },
        { "sum", "a", OID_INT8, OID_INT4, 0 },
        { "max", "a", OID_INT4, OID_INT4, 0 },
        { "max", "a", OID_TEXT, OID_TEXT, 0 },
        { "stddev", "a", OID_FLOAT8, OID_INT4, 0 },
        { "array_agg", "a", OID_ANYARRAY, OID_ANYNONARRAY, 0 },
        { "string_agg", "a", OID_TEXT, OID_TEXT, OID_TEXT },
        { "row_number", "w", OID_INT8, 0, 0 },
        { "lag", "ws", OID_ANYELEMENT, OID_ANYELEMENT, 0 },
        { "first_value", "ws", OID_ANYELEMENT, OID_ANYELEMENT, 0 },
        { "lower", "fs", OID_TEXT, OID_TEXT, 0 },
        { "lower", "fs", OID_ANYELEMENT, OID_ANYRANGE, 0 },
        { "length", "fs", OID_INT4, OID_TEXT, 0 },
        { "array_length", "fs", OID_INT4, OID_ANYARRAY, OID_INT4 },
        { "now", "fs", OID_TIMESTAMPTZ, 0, 0 },
        { "extract", "fs", OID_NUMERIC, OID_TEXT, OID_TIMESTAMPTZ },
        { "to_char", "fs", OID_TEXT, OID_TIMESTAMPTZ, OID_TEXT },
        { "to_char", "fs", OID_TEXT, OID_NUMERIC, OID_TEXT },
        { "concat", "f", OID_TEXT, OID_TEXT, OID_TEXT },
        { "substring", "fs", OID_TEXT, OID_TEXT, OID_INT4 },
        { "substring", "fs", OID_TEXT, OID_TEXT, OID_TEXT },
        { "generate_series", "fsr", OID_INT4, OID_INT4, OID_INT4 },
        { "unnest", "fsr", OID_ANYELEMENT, OID_ANYARRAY, 0 },
        { "array_remove", "f", OID_ANYARRAY, OID_ANYARRAY, OID_ANYELEMENT },
        { "own_fn", "fso", OID_TEXT, OID_TEXT, 0 },
        { "own_rows", "fsro", OID_RECORD, 0, 0 },
        { "own_pairs", "fro", 20003, 0, 0 },
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        fixture_function(cat, (uint32_t) i, functions[i].name, functions[i].kind,
                         functions[i].result, functions[i].first, functions[i].second);
    }
}

/* NULL when memory is gone. */
static inline catalog *fixture_catalog(arena *mem)
{
    catalog *cat = catalog_new(mem);
    if (cat == NULL) {
        return NULL;
    }
    catalog_add_schema(cat, "public");
    fixture_types(cat);
    fixture_relations(cat);
    fixture_operators(cat);
    fixture_functions(cat);
    return catalog_finish(cat, NULL) == PGC_OK ? cat : NULL;
}

#endif
