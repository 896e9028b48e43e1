/* Every generated query, read from src/repo/sqlc-manifest.json, so that a test reaches all of them
 * without naming one; and values for their parameters, drawn from a pool of what is in a database.
 */
#ifndef TEST_QUERIES_H
#define TEST_QUERIES_H

#include <fcntl.h>
#include <jansson.h>

#include <pgc/pipeline.h>

#include "base/buf.h"
#include "base/file.h"
#include "random.h"
#include "tap.h"

#define QUERIES_MAX  1024 /* texts, each variant of a query is one */
#define QUERY_PARAMS 64
#define POOL_MAX     4096

/* One parameter of a text. */
typedef struct query_param {
    const char *name;
    const char *type;
    bool nullable;
} query_param;

/* One text that the program can send. */
typedef struct query_text {
    pgc_query query;
    pgc_type_ref types[QUERY_PARAMS];
    query_param params[QUERY_PARAMS];
    const char *file;
    bool writes;
} query_text;

/* A composite type that parameters have. */
typedef struct query_record {
    pgc_record_type type;
    pgc_type_ref types[QUERY_PARAMS];
    query_param fields[QUERY_PARAMS];
} query_record;

#define QUERY_RECORDS 4

static query_record query_records[QUERY_RECORDS];
static size_t query_record_count;

typedef struct query_list {
    json_t *manifest; /* owns all texts */
    query_text *texts;
    size_t count;
} query_list;

static inline void query_list_free(query_list *list)
{
    free(list->texts);
    json_decref(list->manifest);
    *list = (query_list) { .count = 0 };
}

static inline const char *query_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* One text of a query: the query itself, or one of its variants with its own parameters. */
static inline void query_add(query_list *list, const json_t *query, const json_t *variant)
{
    const json_t *all = json_object_get(query, "params");
    const json_t *numbers = variant != NULL ? json_object_get(variant, "params") : NULL;
    const json_t *holder = variant != NULL ? variant : query;
    size_t count = numbers != NULL ? json_array_size(numbers) : json_array_size(all);
    if (list->count == QUERIES_MAX || count > QUERY_PARAMS) {
        (void) printf("# too many queries or parameters for tests/harness/queries.h\n");
        return;
    }
    query_text *text = &list->texts[list->count++];
    memset(text, 0, sizeof *text);
    text->file = query_member(query, "file");
    text->writes = !json_is_true(json_object_get(query, "read_only"));
    for (size_t i = 0; i < count; i++) {
        size_t at = numbers != NULL ? (size_t) json_integer_value(json_array_get(numbers, i)) : i;
        const json_t *param = json_array_get(all, at);
        text->params[i] =
            (query_param) { query_member(param, "sql_name"), query_member(param, "type"),
                            json_is_true(json_object_get(param, "nullable")) };
        text->types[i] =
            (pgc_type_ref) { text->params[i].name, text->params[i].type,
                             (uint32_t) json_integer_value(json_object_get(param, "oid")) };
    }
    bool unnamed = json_is_true(json_object_get(query, "unnamed"));
    text->query = (pgc_query) { .name = query_member(query, "name"),
                                .sql = query_member(holder, "sql"),
                                .hash = strtoull(query_member(holder, "hash"), NULL, 16),
                                .flags = PGC_QUERY_TEXT_ROWS | (unnamed ? PGC_QUERY_UNNAMED : 0),
                                .param_count = (uint16_t) count,
                                .params = text->types };
}

static inline void query_add_record(const json_t *shape)
{
    const json_t *fields = json_object_get(shape, "fields");
    size_t count = json_array_size(fields);
    if (strcmp(query_member(shape, "kind"), "record") != 0) {
        return;
    }
    if (query_record_count == QUERY_RECORDS || count > QUERY_PARAMS) {
        (void) printf("# too many composites or fields for tests/harness/queries.h\n");
        return;
    }
    query_record *record = &query_records[query_record_count++];
    for (size_t i = 0; i < count; i++) {
        const json_t *field = json_array_get(fields, i);
        record->fields[i] =
            (query_param) { query_member(field, "column"), query_member(field, "type"), true };
        record->types[i] =
            (pgc_type_ref) { record->fields[i].name, record->fields[i].type,
                             (uint32_t) json_integer_value(json_object_get(field, "oid")) };
    }
    record->type = (pgc_record_type) { .name = query_member(shape, "type"),
                                       .fields = record->types,
                                       .field_count = (uint16_t) count };
}

/* The composite of that name; NULL: it is none. */
static inline const query_record *query_record_of(const char *type)
{
    for (size_t i = 0; i < query_record_count; i++) {
        if (strcmp(query_records[i].type.name, type) == 0) {
            return &query_records[i];
        }
    }
    return NULL;
}

static inline bool query_list_load(query_list *list)
{
    json_error_t why;
    size_t i = 0;
    json_t *query = NULL;
    list->manifest = json_load_file(TEST_SOURCE_ROOT "/src/repo/sqlc-manifest.json", 0, &why);
    list->texts = calloc(QUERIES_MAX, sizeof *list->texts);
    list->count = 0;
    if (list->manifest == NULL || list->texts == NULL) {
        (void) printf("# sqlc-manifest.json: %s\n", why.text);
        return false;
    }
    query_record_count = 0;
    json_array_foreach(json_object_get(list->manifest, "shapes"), i, query)
    {
        query_add_record(query);
    }
    json_array_foreach(json_object_get(list->manifest, "queries"), i, query)
    {
        const json_t *variants = json_object_get(query, "variants");
        for (size_t j = 0; j < json_array_size(variants); j++) {
            query_add(list, query, json_array_get(variants, j));
        }
        if (json_array_size(variants) == 0) {
            query_add(list, query, NULL);
        }
    }
    return list->count > 0;
}

/* A value that stands somewhere in the database. */
typedef struct pool_value {
    char column[64];
    char text[160];
    bool foreign;
} pool_value;

typedef struct value_pool {
    pool_value values[POOL_MAX];
    size_t count;
    unsigned nulls; /* of a hundred values that may be NULL, so many are */
} value_pool;

static inline void pool_add(char **cells, void *arg)
{
    value_pool *pool = arg;
    if (pool->count < POOL_MAX) {
        pool_value *value = &pool->values[pool->count++];
        (void) snprintf(value->column, sizeof value->column, "%.63s", cells[0]);
        (void) snprintf(value->text, sizeof value->text, "%.159s", cells[1]);
        value->foreign = cells[2][0] == 't';
    }
}

/* Words that mean something to some query. */
static const char *const QUERY_WORDS[] = {
    "photo", "video",    "audio", "small",  "medium", "large", "date", "flat",   "cas",
    "user",  "clip",     "exif",  "secret", "a",      "",      "%",    "_",      "received",
    "done",  "full-new", "name",  "desc",   "jpg",    "2024",  "own",  "system",
};

/* Whether a value is of a column that the parameter is named after: "after_tag_id" after tag_id,
 * "wanted_type" after asset_type. */
static inline bool pool_fits(const pool_value *value, const char *name)
{
    size_t name_length = strlen(name);
    size_t column_length = strlen(value->column);
    const char *name_end = strrchr(name, '_');
    const char *column_end = strrchr(value->column, '_');
    return (name_length >= column_length &&
            strcmp(name + name_length - column_length, value->column) == 0) ||
           (name_end != NULL && column_end != NULL && strcmp(name_end, column_end) == 0 &&
            strcmp(name_end, "_id") != 0);
}

/* A value of the pool: mostly one that fits, if there is any. */
static inline const char *pool_pick(const value_pool *pool, const char *name, uint64_t *state)
{
    size_t start = random_below(state, pool->count);
    if (random_below(state, 8) == 0) {
        return pool->values[start].text;
    }
    size_t skip = random_below(state, 64);
    size_t found = start;
    for (size_t i = 0; i < 2 * pool->count; i++) {
        size_t at = (start + i) % pool->count;
        if (pool_fits(&pool->values[at], name)) {
            found = at;
            if (skip-- == 0) {
                break;
            }
        }
    }
    return pool->values[found].text;
}

/* Memory of the values of one call. */
typedef struct value_scratch {
    pgc_uuid uuids[8];
    int32_t ints[8];
    pgc_text texts[8];
    int64_t longs[8];
    double doubles[8];
    bool bools[8];
    pgc_timestamptz times[8];
    uint16_t half[512];
    float floats[512];
    uint16_t digits[2];
    char json[256];
} value_scratch;

static inline int64_t value_int(const value_pool *pool, const char *name, uint64_t *state)
{
    static const int64_t EDGES[] = { 0, 1, 2, -1, 3, 10, 100, 2147483647 };
    if (strstr(name, "limit") != NULL) {
        return (int64_t) random_below(state, 50);
    }
    if (strstr(name, "offset") != NULL) {
        return (int64_t) random_below(state, 4);
    }
    if (random_below(state, 4) != 0) {
        char *end = NULL;
        const char *text = pool_pick(pool, name, state);
        long long value = strtoll(text, &end, 10);
        if (end != text && *end == '\0' && value <= INT32_MAX && value >= INT32_MIN) {
            return value;
        }
    }
    return EDGES[random_below(state, sizeof EDGES / sizeof EDGES[0])];
}

static inline pgc_uuid value_uuid(const value_pool *pool, const char *name, uint64_t *state)
{
    pgc_uuid value;
    for (int tries = 0; tries < 20; tries++) {
        if (pgc_uuid_parse(pgc_text_from(pool_pick(pool, name, state)), &value)) {
            return value;
        }
    }
    for (size_t i = 0; i < sizeof value.bytes; i++) {
        value.bytes[i] = (uint8_t) random_below(state, 256);
    }
    return value;
}

static inline pgc_text value_text(const value_pool *pool, const char *name, uint64_t *state)
{
    return pgc_text_from(
        random_below(state, 2) == 0
            ? QUERY_WORDS[random_below(state, sizeof QUERY_WORDS / sizeof QUERY_WORDS[0])]
            : pool_pick(pool, name, state));
}

/* Years before this one, so that a test can tell the server's now() apart. */
static inline int64_t value_us(uint64_t *state)
{
    return (int64_t) random_below(state, 700000000) * 1000000; /* 2000 to 2022 */
}

static inline bool value_is(const query_param *param, const char *type)
{
    return strcmp(param->type, type) == 0;
}

/* Numbers and times; false when the type is none of them. */
static inline bool value_add_number(pgc_args *args, const query_param *param,
                                    const value_pool *pool, value_scratch *scratch, uint64_t *state)
{
    int64_t number = value_int(pool, param->name, state);
    if (value_is(param, "integer")) {
        pgc_add_i32(args, (int32_t) number);
    } else if (value_is(param, "bigint")) {
        pgc_add_i64(args, number);
    } else if (value_is(param, "smallint")) {
        pgc_add_i16(args, (int16_t) (number % 7));
    } else if (value_is(param, "boolean")) {
        pgc_add_bool(args, random_below(state, 2) == 0);
    } else if (value_is(param, "double precision")) {
        pgc_add_f64(args, (double) (number % 180) / 2);
    } else if (value_is(param, "real")) {
        pgc_add_f32(args, (float) (number % 180) / 2);
    } else if (value_is(param, "numeric")) {
        bool part = random_below(state, 2) == 0; /* hundredths of one, as confidences are */
        scratch->digits[0] = (uint16_t) (random_below(state, 90) * (part ? 100 : 1));
        pgc_add_numeric(args, (pgc_numeric) { .present = true,
                                              .weight = part ? -1 : 0,
                                              .dscale = part ? 2 : 0,
                                              .digit_count = 1,
                                              .digits = scratch->digits });
    } else if (value_is(param, "timestamp with time zone")) {
        pgc_add_timestamptz(args, (pgc_timestamptz) { value_us(state) });
    } else if (value_is(param, "timestamp without time zone")) {
        pgc_add_timestamp(args, (pgc_timestamp) { value_us(state) });
    } else if (value_is(param, "date")) {
        pgc_add_date(args, (pgc_date) { (int32_t) random_below(state, 9000) });
    } else if (value_is(param, "interval")) {
        pgc_add_interval(args, (pgc_interval) { .us = (int64_t) random_below(state, 1000000) });
    } else {
        return false;
    }
    return true;
}

static inline bool value_add_array(pgc_args *args, const query_param *param, const value_pool *pool,
                                   value_scratch *scratch, uint64_t *state)
{
    size_t count = random_below(state, 4);
    for (size_t i = 0; i < count; i++) {
        scratch->uuids[i] = value_uuid(pool, param->name, state);
        scratch->ints[i] = (int32_t) value_int(pool, param->name, state);
        scratch->texts[i] = value_text(pool, param->name, state);
        scratch->longs[i] = scratch->ints[i];
        scratch->doubles[i] = (double) (scratch->ints[i] % 100) / 100;
        scratch->bools[i] = random_below(state, 2) == 0;
        scratch->times[i].us = value_us(state);
    }
    if (value_is(param, "uuid[]")) {
        pgc_add_arr_uuid(args, (pgc_arr_uuid) { .has = true, .count = count, .v = scratch->uuids });
    } else if (value_is(param, "integer[]")) {
        pgc_add_arr_i32(args, (pgc_arr_i32) { .has = true, .count = count, .v = scratch->ints });
    } else if (value_is(param, "bigint[]")) {
        pgc_add_arr_i64(args, (pgc_arr_i64) { .has = true, .count = count, .v = scratch->longs });
    } else if (value_is(param, "double precision[]")) {
        pgc_add_arr_f64(args, (pgc_arr_f64) { .has = true, .count = count, .v = scratch->doubles });
    } else if (value_is(param, "boolean[]")) {
        pgc_add_arr_bool(args, (pgc_arr_bool) { .has = true, .count = count, .v = scratch->bools });
    } else if (value_is(param, "timestamp with time zone[]")) {
        pgc_add_arr_timestamptz(
            args, (pgc_arr_timestamptz) { .has = true, .count = count, .v = scratch->times });
    } else if (value_is(param, "character varying[]")) {
        pgc_add_arr_text_of(
            args, (pgc_arr_text) { .has = true, .count = count, .v = scratch->texts }, 1043);
    } else if (value_is(param, "text[]")) {
        pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = scratch->texts });
    } else {
        return false;
    }
    return true;
}

/* Vectors of 512 dimensions, as the schema has them. */
static inline bool value_add_vector(pgc_args *args, const query_param *param,
                                    value_scratch *scratch, uint64_t *state)
{
    for (size_t i = 0; i < 512; i++) {
        scratch->half[i] = (uint16_t) (0x3000 + random_below(state, 0x0800));
        scratch->floats[i] = (float) random_below(state, 100) / 100 + 0.01F;
    }
    if (value_is(param, "halfvec")) {
        pgc_add_halfvec(args, (pgc_halfvec) { .v = scratch->half, .dim = 512 });
    } else if (value_is(param, "vector")) {
        pgc_add_vector(args, (pgc_vector) { .v = scratch->floats, .dim = 512 });
    } else {
        return false;
    }
    return true;
}

/* A value of the parameter's type; NULL, with a line, for a type that is not known here. */
static inline void value_add_one(pgc_args *args, const query_param *param, const value_pool *pool,
                                 value_scratch *scratch, uint64_t *state)
{
    if (param->nullable && random_below(state, 100) < pool->nulls) {
        pgc_add_null(args);
    } else if (value_is(param, "text") || value_is(param, "character varying")) {
        pgc_add_text(args, value_text(pool, param->name, state));
    } else if (value_is(param, "uuid")) {
        pgc_add_uuid(args, value_uuid(pool, param->name, state));
    } else if (value_is(param, "bytea")) {
        pgc_add_bytes(args, (pgc_bytes) { (const uint8_t *) "0123456789abcdef0123456789abcdef",
                                          random_below(state, 33) });
    } else if (value_is(param, "jsonb") || value_is(param, "json")) {
        unsigned number = (unsigned) random_below(state, 10);
        (void) snprintf(scratch->json, sizeof scratch->json, "{\"text\": \"%u\"}", number);
        if (number == 0) { /* of the smart albums of two_worlds.h */
            (void) snprintf(scratch->json, sizeof scratch->json, "{\"liked\": true}");
        }
        if (value_is(param, "jsonb")) {
            pgc_add_jsonb(args, pgc_text_from(scratch->json));
        } else {
            pgc_add_json(args, pgc_text_from(scratch->json));
        }
    } else if (!value_add_number(args, param, pool, scratch, state) &&
               !value_add_array(args, param, pool, scratch, state) &&
               !value_add_vector(args, param, scratch, state)) {
        static const char *last = "";
        if (strcmp(last, param->type) != 0) {
            (void) printf("# tests/harness/queries.h knows no value of type %s\n", param->type);
        }
        last = param->type;
        pgc_add_null(args);
    }
}

/* Most members of a composite are filters that nobody uses at once. */
#define VALUE_MEMBERS_NULL 90

static inline void value_add(pgc_args *args, const query_param *param, const value_pool *pool,
                             value_scratch *scratch, uint64_t *state)
{
    const query_record *record = query_record_of(param->type);
    if (record == NULL) {
        value_add_one(args, param, pool, scratch, state);
        return;
    }
    pgc_add_record_begin(args, &record->type);
    for (size_t i = 0; i < record->type.field_count; i++) {
        if (random_below(state, 100) < VALUE_MEMBERS_NULL) {
            pgc_add_null(args);
        } else {
            value_add_one(args, &record->fields[i], pool, scratch, state);
        }
    }
    pgc_add_end(args);
}

#endif
