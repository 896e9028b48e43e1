/* The register of features (tests/sqlc/corpus/features.txt): for each row of the table of features
 * the queries and test cases that show it. A query that is named must really have the feature, by
 * what the analysis says about it. */
#ifndef TEST_CORPUS_FEATURES_H
#define TEST_CORPUS_FEATURES_H

#include "base/file.h"
#include "sqlc/ir.h"

#include "tap.h"

/* At least so many queries for a feature that queries show. */
#define FEATURE_QUERIES_MIN 3

typedef bool feature_shows(const ir_query *query);

static inline bool feature_word(const ir_query *q, const char *word)
{
    return strstr(q->sql.ptr, word) != NULL;
}

static inline bool feature_reason(const ir_query *q, const char *words, bool nullable)
{
    bool found = false;
    for (size_t i = 0; i < q->column_count; i++) {
        const ir_column *column = &q->columns[i];
        found = found || (column->nullable == nullable && strstr(column->reason, words) != NULL);
    }
    return found;
}

static inline bool shows_server_types(const ir_query *q)
{
    bool found = false;
    for (size_t i = 0; i < q->column_count; i++) {
        found = found || q->columns[i].source == NULL;
    }
    return found;
}

static inline bool shows_outer_join(const ir_query *q)
{
    return feature_reason(q, "left join of", true) || feature_reason(q, "right join of", true) ||
           feature_reason(q, "full join of", true);
}

static inline bool shows_view(const ir_query *q)
{
    return feature_reason(q, "view ", false) || feature_reason(q, "view ", true) ||
           (feature_word(q, "asset_list") && feature_reason(q, "a condition excludes", false));
}

/* An outer join that a condition makes an inner one leaves the word of the column itself. */
static inline bool shows_refined(const ir_query *q)
{
    return feature_reason(q, "a condition excludes", false) ||
           (feature_word(q, "LEFT JOIN") && feature_word(q, "WHERE") && !shows_outer_join(q));
}

static inline bool shows_override(const ir_query *q)
{
    return feature_reason(q, "in the query", false) || feature_reason(q, "in the query", true) ||
           feature_reason(q, "says the config", false);
}

static inline bool shows_named_params(const ir_query *q)
{
    return q->param_count > 0 &&
           (strchr(q->written.ptr, '@') != NULL || strstr(q->written.ptr, "sqlc.") != NULL);
}

static inline bool feature_choice(const ir_query *q, bool is_switch)
{
    bool found = false;
    for (size_t i = 0; i < q->choice_count; i++) {
        found = found || (q->choices[i].kind == IR_CHOICE_SWITCH) == is_switch;
    }
    return found;
}

static inline bool shows_optional(const ir_query *q)
{
    return feature_choice(q, false) && q->variant_count > 1;
}

static inline bool shows_order(const ir_query *q)
{
    return feature_choice(q, true) && feature_word(q, "ORDER BY");
}

static inline bool shows_shared(const ir_query *q)
{
    return q->row != NULL && q->row->kind == IR_ROW_SHARED;
}

static inline bool shows_embed(const ir_query *q)
{
    bool found = q->row != NULL && q->row->kind == IR_ROW_MODEL;
    for (size_t i = 0; q->row != NULL && i < q->row->field_count; i++) {
        found = found || q->row->fields[i].embed != NULL;
    }
    return found && strstr(q->written.ptr, "sqlc.embed(") != NULL;
}

static inline bool shows_children(const ir_query *q)
{
    bool found = false;
    for (size_t i = 0; i < q->column_count; i++) {
        const ir_type *type = &q->columns[i].type;
        found = found || strcmp(type->sql, "jsonb") == 0 ||
                (type->shape != NULL && type->shape->kind == IR_SHAPE_ARRAY);
    }
    return found && (feature_word(q, "agg(") || feature_word(q, "ARRAY("));
}

static inline bool feature_is_composite(const ir_type *type)
{
    const ir_shape *shape = type->shape;
    bool array = shape != NULL && shape->kind == IR_SHAPE_ARRAY;
    shape = array ? shape->fields[0].type.shape : shape;
    return shape != NULL && shape->kind == IR_SHAPE_RECORD;
}

static inline bool shows_composite(const ir_query *q)
{
    bool found = false;
    for (size_t i = 0; i < q->column_count; i++) {
        found = found || feature_is_composite(&q->columns[i].type);
    }
    for (size_t i = 0; i < q->param_count; i++) {
        found = found || feature_is_composite(&q->params[i].type);
    }
    return found;
}

/* Of the corpus; results and parameters have the type below. */
static inline bool shows_domain(const ir_query *q)
{
    static const char *const WORDS[] = { "::mood", "stars", "n_stop", "n_trip", "nested" };
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        found = found || feature_word(q, WORDS[i]);
    }
    return found && q->column_count + q->param_count > 0;
}

static inline bool feature_is_enum(const ir_type *type)
{
    return type->labels != NULL || (type->shape != NULL && type->shape->kind == IR_SHAPE_ARRAY &&
                                    type->shape->fields[0].type.labels != NULL);
}

static inline bool shows_enum(const ir_query *q)
{
    bool found = false;
    for (size_t i = 0; i < q->column_count; i++) {
        found = found || feature_is_enum(&q->columns[i].type);
    }
    for (size_t i = 0; i < q->param_count; i++) {
        found = found || feature_is_enum(&q->params[i].type);
    }
    return found;
}

static inline bool shows_opt(const ir_query *q)
{
    return q->row != NULL && (q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE) &&
           feature_word(q, "WHERE");
}

static inline bool shows_stream(const ir_query *q)
{
    return q->cmd == QUERY_MANY && !q->bulk;
}

static inline bool shows_batch(const ir_query *q)
{
    return query_cmd_is_batch(q->cmd);
}

static inline bool shows_copy(const ir_query *q)
{
    return q->cmd == QUERY_COPYFROM && q->copy != NULL && q->copy->column_count > 0;
}

static inline bool shows_bulk(const ir_query *q)
{
    return q->bulk && q->bulk_sql != NULL;
}

static inline bool shows_any(const ir_query *q)
{
    return q->hash != 0;
}

static inline bool shows_json(const ir_query *q)
{
    bool found = false;
    for (size_t i = 0; i < q->column_count; i++) {
        found = found || strncmp(q->columns[i].type.sql, "json", 4) == 0;
    }
    return found;
}

/* The rows of the reference's table, all of them. shows: NULL for what is no query's. */
static const struct {
    const char *name;
    feature_shows *shows;
} FEATURES[] = {
    { "types from live server", shows_server_types },
    { "works without server (cached facts)", NULL },
    { "outer-join nullability", shows_outer_join },
    { "view nullability", shows_view },
    { "WHERE-refined nullability", shows_refined },
    { "manual null override", shows_override },
    { "named params", shows_named_params },
    { "optional filter rewrite", shows_optional },
    { "dynamic ORDER BY (closed set)", shows_order },
    { "shared row types", shows_shared },
    { "embed model structs", shows_embed },
    { "nested/grouped children", shows_children },
    { "composites, arrays of composites", shows_composite },
    { "domains", shows_domain },
    { "enums with values", shows_enum },
    { "0..1 row (`opt`) distinct from 1 row", shows_opt },
    { "streaming rows", shows_stream },
    { "pipelined batch", shows_batch },
    { "COPY in", shows_copy },
    { "multi-row VALUES expansion", shows_bulk },
    { "statement cache", shows_any },
    { "lint rules / EXPLAIN rules", NULL },
    { "diff/check in CI", NULL },
    { "old queries vs new schema", NULL },
    { "runtime drift detection", NULL },
    { "mock/interface", NULL },
    { "plugin protocol", NULL },
    { "JSON shape typing", shows_json },
    { "precise error frames", NULL },
};

/* "pg/t-sqlc-vet.c: a case": the file has TAP("a case". */
static inline bool feature_case_is_there(slice quoted)
{
    char path[300];
    char want[300];
    bool found = false;
    slice rest = quoted;
    slice file = slice_next(&rest, ':');
    AUTO(buf_auto) buf source;
    buf_init(&source, NULL, 1 << 20);
    rest = slice_trim(rest);
    (void) snprintf(path, sizeof path, TEST_SOURCE_ROOT "/tests/%" SLICE_FMT, SLICE_ARG(file));
    (void) snprintf(want, sizeof want, "TAP(\"%" SLICE_FMT "\"", SLICE_ARG(rest));
    if (file_read(env_default(), AT_FDCWD, path, &source, NULL) == PGC_OK) {
        found = strstr(source.ptr, want) != NULL;
    }
    return found;
}

static inline bool feature_query_shows(const ir_set *set, slice name, feature_shows *shows)
{
    bool found = false;
    for (size_t i = 0; i < set->query_count; i++) {
        const ir_query *q = &set->queries[i];
        found = found || (slice_eq_str(name, q->name) && (shows == NULL || shows(q)));
    }
    return found;
}

/* One line behind the colon; gives the number of things that are wrong. */
static inline size_t feature_line_faults(const ir_set *set, size_t feature, slice rest)
{
    size_t faults = 0;
    size_t queries = 0;
    size_t cases = 0;
    rest = slice_trim(rest);
    while (rest.ptr != NULL && rest.len > 0) {
        bool quoted = rest.ptr[0] == '"';
        rest = quoted ? slice_sub(rest, 1, rest.len) : rest;
        slice item = slice_next(&rest, quoted ? '"' : ' ');
        rest = rest.ptr == NULL ? rest : slice_trim(rest);
        bool good = quoted ? feature_case_is_there(item)
                           : feature_query_shows(set, item, FEATURES[feature].shows);
        queries += quoted ? 0 : 1;
        cases += quoted ? 1 : 0;
        if (!good) {
            printf("# %s: %" SLICE_FMT " is not there or does not show it\n",
                   FEATURES[feature].name, SLICE_ARG(item));
            faults++;
        }
    }
    bool enough = FEATURES[feature].shows != NULL ? queries >= FEATURE_QUERIES_MIN : cases > 0;
    if (!enough) {
        printf("# %s: too little shows it\n", FEATURES[feature].name);
    }
    return faults + (enough ? 0 : 1);
}

/* Rows without a line, lines without a row, and what is wrong inside of lines. */
static inline size_t features_faults(const ir_set *set, slice registered)
{
    size_t faults = 0;
    size_t lines[ARRAY_LEN(FEATURES)] = { 0 };
    while (registered.ptr != NULL && registered.len > 0) {
        slice line = slice_next(&registered, '\n');
        size_t feature = 0;
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        slice name = slice_next(&line, ':');
        while (feature < ARRAY_LEN(FEATURES) && !slice_eq_str(name, FEATURES[feature].name)) {
            feature++;
        }
        if (feature == ARRAY_LEN(FEATURES)) {
            printf("# no row is called \"%" SLICE_FMT "\"\n", SLICE_ARG(name));
            faults++;
            continue;
        }
        lines[feature]++;
        faults += feature_line_faults(set, feature, line);
    }
    for (size_t i = 0; i < ARRAY_LEN(FEATURES); i++) {
        if (lines[i] != 1) {
            printf("# %s: %zu lines in the register\n", FEATURES[i].name, lines[i]);
            faults++;
        }
    }
    return faults;
}

#endif
