/* Facts about functions and aggregates by name, as tables.
 *
 * Strict functions of the server give NULL only for NULL, except those listed here: found by a scan
 * of the PostgreSQL 15 sources and by calling all of them with edge values (sqlc.md §8.4), with the
 * later ones of 16 to 18 added from the manual. Everything not strict and not listed may be NULL.
 */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* May give NULL for arguments that are not NULL. Sorted. */
static const char *const NEVER[] = { "area",
                                     "array_dims",
                                     "array_length",
                                     "array_lower",
                                     "array_ndims",
                                     "array_position",
                                     "array_sample",
                                     "array_upper",
                                     "box_intersect",
                                     "col_description",
                                     "current_schema",
                                     "current_setting",
                                     "date_part",
                                     "extract",
                                     "icu_unicode_version",
                                     "json_array_element",
                                     "json_array_element_text",
                                     "json_extract_path",
                                     "json_extract_path_text",
                                     "json_object_field",
                                     "json_object_field_text",
                                     "json_populate_record",
                                     "json_to_record",
                                     "jsonb_array_element",
                                     "jsonb_array_element_text",
                                     "jsonb_extract_path",
                                     "jsonb_extract_path_text",
                                     "jsonb_object_field",
                                     "jsonb_object_field_text",
                                     "jsonb_path_exists",
                                     "jsonb_path_exists_opr",
                                     "jsonb_path_exists_tz",
                                     "jsonb_path_match",
                                     "jsonb_path_match_opr",
                                     "jsonb_path_match_tz",
                                     "jsonb_path_query_first",
                                     "jsonb_path_query_first_tz",
                                     "jsonb_populate_record",
                                     "jsonb_populate_record_valid",
                                     "jsonb_to_record",
                                     "min_scale",
                                     "obj_description",
                                     "path_add",
                                     "querytree",
                                     "regexp_match",
                                     "regexp_substr",
                                     "row_security_active",
                                     "scale",
                                     "shobj_description",
                                     "system_user",
                                     "time",
                                     "timetz",
                                     "to_number",
                                     "ts_lexize",
                                     "txid_current_if_assigned",
                                     "txid_status",
                                     "uuid_extract_timestamp",
                                     "uuid_extract_version" };

static const struct {
    const char *prefix;
} NEVER_PREFIXES[] = { { "close_" }, { "has_" }, { "inet_client" }, { "inet_server" },
                       { "lo_" },    { "pg_" },  { "to_reg" } };

/* Not strict, or strict with another rule. Sorted. */
static const struct {
    const char *name;
    function_rule rule;
} RULES[] = {
    { "array_append", RULE_ALWAYS },
    { "array_cat", RULE_ANY },
    { "array_positions", RULE_FIRST },
    { "array_prepend", RULE_ALWAYS },
    { "array_remove", RULE_FIRST },
    { "array_replace", RULE_FIRST },
    { "array_to_string", RULE_FIRST_TWO },
    { "concat", RULE_ALWAYS },
    { "concat_ws", RULE_FIRST },
    { "daterange", RULE_ALWAYS },
    { "enum_first", RULE_ALWAYS },
    { "enum_last", RULE_ALWAYS },
    { "enum_range", RULE_ALWAYS },
    { "format", RULE_FIRST },
    { "int4range", RULE_ALWAYS },
    { "int8range", RULE_ALWAYS },
    { "json_build_array", RULE_ALWAYS },
    { "json_build_object", RULE_ALWAYS },
    { "jsonb_build_array", RULE_ALWAYS },
    { "jsonb_build_object", RULE_ALWAYS },
    { "num_nonnulls", RULE_ALWAYS },
    { "num_nulls", RULE_ALWAYS },
    { "numrange", RULE_ALWAYS },
    { "pg_advisory_unlock", RULE_STRICT },
    { "pg_advisory_unlock_shared", RULE_STRICT },
    { "pg_backend_pid", RULE_ALWAYS },
    { "pg_current_xact_id", RULE_ALWAYS },
    { "pg_size_pretty", RULE_STRICT },
    { "pg_try_advisory_lock", RULE_STRICT },
    { "pg_try_advisory_lock_shared", RULE_STRICT },
    { "pg_try_advisory_xact_lock", RULE_STRICT },
    { "pg_try_advisory_xact_lock_shared", RULE_STRICT },
    { "pg_typeof", RULE_ALWAYS },
    { "quote_nullable", RULE_ALWAYS },
    { "string_to_array", RULE_FIRST },
    { "tsrange", RULE_ALWAYS },
    { "tstzrange", RULE_ALWAYS },
};

static const struct {
    const char *name;
    aggregate_rule rule;
} AGGREGATES[] = {
    { "any_value", AGGREGATE_STRICT },
    { "array_agg", AGGREGATE_ANY },
    { "avg", AGGREGATE_STRICT },
    { "bit_and", AGGREGATE_STRICT },
    { "bit_or", AGGREGATE_STRICT },
    { "bit_xor", AGGREGATE_STRICT },
    { "bool_and", AGGREGATE_STRICT },
    { "bool_or", AGGREGATE_STRICT },
    { "count", AGGREGATE_ALWAYS },
    { "covar_pop", AGGREGATE_STRICT },
    { "cume_dist", AGGREGATE_ALWAYS },
    { "dense_rank", AGGREGATE_ALWAYS },
    { "every", AGGREGATE_STRICT },
    { "json_agg", AGGREGATE_ANY },
    { "json_object_agg", AGGREGATE_ANY },
    { "jsonb_agg", AGGREGATE_ANY },
    { "jsonb_object_agg", AGGREGATE_ANY },
    { "max", AGGREGATE_STRICT },
    { "min", AGGREGATE_STRICT },
    { "mode", AGGREGATE_STRICT },
    { "percent_rank", AGGREGATE_ALWAYS },
    { "percentile_cont", AGGREGATE_STRICT },
    { "percentile_disc", AGGREGATE_STRICT },
    { "range_agg", AGGREGATE_STRICT },
    { "range_intersect_agg", AGGREGATE_STRICT },
    { "rank", AGGREGATE_ALWAYS },
    { "regr_avgx", AGGREGATE_STRICT },
    { "regr_avgy", AGGREGATE_STRICT },
    { "regr_count", AGGREGATE_ALWAYS },
    { "regr_sxx", AGGREGATE_STRICT },
    { "regr_sxy", AGGREGATE_STRICT },
    { "regr_syy", AGGREGATE_STRICT },
    { "stddev_pop", AGGREGATE_STRICT },
    { "string_agg", AGGREGATE_STRICT },
    { "sum", AGGREGATE_STRICT },
    { "var_pop", AGGREGATE_STRICT },
    { "xmlagg", AGGREGATE_STRICT },
};

/* In FROM: one column, a value in every row. A strict one gives no row at all for NULL. */
static const char *const ROWS_NOT_NULL[] = {
    "generate_series",      "generate_subscripts",   "json_array_elements", "json_object_keys",
    "jsonb_array_elements", "jsonb_object_keys",     "jsonb_path_query",    "jsonb_path_query_tz",
    "regexp_matches",       "regexp_split_to_table",
};

/* For bsearch() over a table of names. */
static int compare_names(const void *a, const void *b)
{
    return strcmp((const char *) a, *(const char *const *) b);
}

/* Whole families by prefix, such as pg_…: nobody has proved anything about them. */
static bool may_be_null(const char *name)
{
    if (bsearch(name, NEVER, ARRAY_LEN(NEVER), sizeof NEVER[0], compare_names) != NULL) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(NEVER_PREFIXES); i++) {
        if (strncmp(name, NEVER_PREFIXES[i].prefix, strlen(NEVER_PREFIXES[i].prefix)) == 0) {
            return true;
        }
    }
    const char *interpt = strstr(name, "_interpt");
    return interpt != NULL && interpt[strlen("_interpt")] == '\0';
}

/* One name, several meanings: the argument types tell. */
static bool nullable_overload(const catalog_function *f)
{
    uint32_t first = f->arg_count > 0 ? f->arg_oids[0] : 0;
    if (strcmp(f->name, "lower") == 0 || strcmp(f->name, "upper") == 0) {
        return first == 3831 || first == 4537; /* anyrange, anymultirange: empty or unbounded */
    }
    if (strcmp(f->name, "substring") == 0) {
        return f->arg_count > 1 && f->arg_oids[1] == OID_TEXT; /* no match */
    }
    if (strcmp(f->name, "to_char") == 0) { /* infinite dates */
        return first == OID_TIMESTAMP || first == OID_TIMESTAMPTZ || first == OID_INTERVAL;
    }
    return false;
}

/* Named rules first; then strictness decides. */
function_rule rule_of_function(const catalog_function *function)
{
    for (size_t i = 0; i < ARRAY_LEN(RULES); i++) {
        if (strcmp(RULES[i].name, function->name) == 0) {
            return RULES[i].rule;
        }
    }
    if (!function->strict || function->returns_set || may_be_null(function->name) ||
        nullable_overload(function)) {
        return RULE_NEVER;
    }
    return RULE_STRICT;
}

aggregate_rule rule_of_aggregate(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(AGGREGATES); i++) {
        if (strcmp(AGGREGATES[i].name, name) == 0) {
            return AGGREGATES[i].rule;
        }
    }
    return AGGREGATE_NEVER;
}

bool rule_rows_not_null(const char *name, size_t arg_count)
{
    if (strcmp(name, "string_to_table") == 0) {
        return arg_count == 2; /* the third one names a text to be taken for NULL */
    }
    for (size_t i = 0; i < ARRAY_LEN(ROWS_NOT_NULL); i++) {
        if (strcmp(ROWS_NOT_NULL[i], name) == 0) {
            return true;
        }
    }
    return false;
}
