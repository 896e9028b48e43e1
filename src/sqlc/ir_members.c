/* The tables of ir_members.h. Constant data. */
#include "base/prelude.h"

#include "sqlc/ir_members.h"

#define TEXT(type, key, field)                                  \
    {                                                           \
        key, MEMBER_TEXT, false, offsetof(type, field), 0, NULL \
    }
#define REQUIRED(type, key, field)                             \
    {                                                          \
        key, MEMBER_TEXT, true, offsetof(type, field), 0, NULL \
    }
#define PLAIN(type, key, kind, field)                             \
    {                                                             \
        key, MEMBER_##kind, false, offsetof(type, field), 0, NULL \
    }
#define LIST(type, key, kind, field, count)                                          \
    {                                                                                \
        key, MEMBER_##kind, true, offsetof(type, field), offsetof(type, count), NULL \
    }
#define WORD(type, key, field, words)                           \
    {                                                           \
        key, MEMBER_WORD, true, offsetof(type, field), 0, words \
    }
#define END                                  \
    {                                        \
        NULL, MEMBER_TEXT, false, 0, 0, NULL \
    }

/* In the order of the enums. */
static const char *const ROW_KINDS[] = { "model", "shared", "query", "scalar", NULL };
static const char *const SHAPE_KINDS[] = {
    "record", "array", "range", "multirange", "custom", NULL
};
static const char *const CHOICE_KINDS[] = { "param", "flag", "switch", NULL };
static const char *const COMMANDS[] = { "one",        "many",     "exec",      "execrows",
                                        "execresult", "copyfrom", "batchexec", "batchone",
                                        "batchmany",  NULL };

const member IR_ENUM_MEMBERS[] = {
    REQUIRED(ir_enum, "name", name),
    REQUIRED(ir_enum, "schema", schema),
    REQUIRED(ir_enum, "type", sql_name),
    TEXT(ir_enum, "comment", comment),
    LIST(ir_enum, "labels", TEXTS, labels, label_count),
    LIST(ir_enum, "constants", TEXTS, constants, label_count),
    REQUIRED(ir_enum, "unknown", unknown),
    PLAIN(ir_enum, "used", BOOL, used),
    PLAIN(ir_enum, "used_optional", BOOL, used_optional),
    END,
};

const member IR_SHAPE_MEMBERS[] = {
    WORD(ir_shape, "kind", kind, SHAPE_KINDS),
    REQUIRED(ir_shape, "name", name),
    REQUIRED(ir_shape, "type", sql),
    TEXT(ir_shape, "comment", comment),
    PLAIN(ir_shape, "element", U32, element),
    TEXT(ir_shape, "c_type", custom.c_type),
    TEXT(ir_shape, "header", custom.header),
    TEXT(ir_shape, "decode", custom.decode),
    TEXT(ir_shape, "encode", custom.encode),
    TEXT(ir_shape, "clone", custom.clone),
    PLAIN(ir_shape, "used", BOOL, used),
    PLAIN(ir_shape, "elems_not_null", BOOL, no_nulls),
    END,
};

const member IR_FIELD_MEMBERS[] = {
    REQUIRED(ir_field, "name", name),
    TEXT(ir_field, "column", sql_name),
    PLAIN(ir_field, "type", TYPE, type),
    PLAIN(ir_field, "nullable", BOOL, nullable),
    REQUIRED(ir_field, "reason", reason),
    TEXT(ir_field, "source", source),
    TEXT(ir_field, "comment", comment),
    PLAIN(ir_field, "at", SIZE, column),
    END,
};

const member IR_ROW_MEMBERS[] = {
    WORD(ir_row, "kind", kind, ROW_KINDS),
    TEXT(ir_row, "name", name),
    REQUIRED(ir_row, "base", base),
    TEXT(ir_row, "schema", schema),
    TEXT(ir_row, "table", table),
    TEXT(ir_row, "comment", comment),
    TEXT(ir_row, "left_out", left_out),
    PLAIN(ir_row, "columns", SIZE, column_count),
    PLAIN(ir_row, "used", BOOL, used),
    PLAIN(ir_row, "used_optional", BOOL, used_optional),
    END,
};

const member IR_PARAM_MEMBERS[] = {
    PLAIN(ir_param, "number", U32, number),
    REQUIRED(ir_param, "name", name),
    REQUIRED(ir_param, "sql_name", sql_name),
    PLAIN(ir_param, "type", TYPE, type),
    TEXT(ir_param, "array", array_sql),
    PLAIN(ir_param, "array_oid", U32, array_oid),
    PLAIN(ir_param, "element_oid", U32, element_oid),
    PLAIN(ir_param, "nullable", BOOL, nullable),
    PLAIN(ir_param, "elems_not_null", BOOL, elems_not_null),
    REQUIRED(ir_param, "reason", reason),
    TEXT(ir_param, "source", source),
    END,
};

const member IR_COLUMN_MEMBERS[] = {
    REQUIRED(ir_column, "name", sql_name),
    PLAIN(ir_column, "type", TYPE, type),
    PLAIN(ir_column, "nullable", BOOL, nullable),
    PLAIN(ir_column, "elems_not_null", BOOL, elems_not_null),
    REQUIRED(ir_column, "reason", reason),
    TEXT(ir_column, "source", source),
    END,
};

const member IR_COPY_MEMBERS[] = {
    REQUIRED(ir_copy, "schema", schema),
    REQUIRED(ir_copy, "table", table),
    PLAIN(ir_copy, "policies", BOOL, has_policies),
    END,
};

const member IR_COPY_COLUMN_MEMBERS[] = {
    REQUIRED(ir_copy_column, "name", name),
    PLAIN(ir_copy_column, "type", TYPE, type),
    PLAIN(ir_copy_column, "param", SIZE, param),
    END,
};

const member IR_CHOICE_MEMBERS[] = {
    WORD(ir_choice, "kind", kind, CHOICE_KINDS),
    REQUIRED(ir_choice, "name", name),
    TEXT(ir_choice, "type", type),
    PLAIN(ir_choice, "param", SIZE, param),
    PLAIN(ir_choice, "options", SIZE, option_count),
    LIST(ir_choice, "constants", TEXTS, constants, option_count),
    PLAIN(ir_choice, "stride", SIZE, stride),
    END,
};

const member IR_VARIANT_MEMBERS[] = {
    PLAIN(ir_variant, "hash", HASH, hash),
    { "sql", MEMBER_SLICE, true, offsetof(ir_variant, sql), 0, NULL },
    LIST(ir_variant, "params", SIZES, params, param_count),
    END,
};

const member IR_FILE_MEMBERS[] = {
    REQUIRED(ir_file, "path", path),
    REQUIRED(ir_file, "base", base),
    END,
};

const member IR_QUERY_MEMBERS[] = {
    REQUIRED(ir_query, "name", name),
    REQUIRED(ir_query, "c_name", c_name),
    WORD(ir_query, "command", cmd, COMMANDS),
    REQUIRED(ir_query, "file", file),
    PLAIN(ir_query, "hash", HASH, hash),
    PLAIN(ir_query, "unnamed", BOOL, unnamed),
    PLAIN(ir_query, "generic", BOOL, generic),
    PLAIN(ir_query, "read_only", BOOL, read_only),
    PLAIN(ir_query, "bulk", BOOL, bulk),
    LIST(ir_query, "comments", TEXTS, comments, comment_count),
    { "written", MEMBER_SLICE, true, offsetof(ir_query, written), 0, NULL },
    { "sql", MEMBER_SLICE, true, offsetof(ir_query, sql), 0, NULL },
    TEXT(ir_query, "arrays_sql", bulk_sql),
    END,
};

const member IR_NEED_MEMBERS[] = {
    REQUIRED(ir_need, "schema", schema),        REQUIRED(ir_need, "table", table),
    REQUIRED(ir_need, "column", column),        REQUIRED(ir_need, "type", type),
    PLAIN(ir_need, "not_null", BOOL, not_null), END,
};

const member IR_SET_MEMBERS[] = {
    REQUIRED(ir_set, "prefix", prefix),
    REQUIRED(ir_set, "schema_hash", schema_hash),
    END,
};
