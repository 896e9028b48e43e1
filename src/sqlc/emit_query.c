/* One function per query: descriptor, argument list, run, decode. Outputs are written only on
 * success. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit.h"

/* How the result reaches the caller. */
typedef enum result_form {
    RESULT_NONE,     /* :exec */
    RESULT_AFFECTED, /* :execrows */
    RESULT_VALUE,    /* :one of a value that points nowhere */
    RESULT_SET
} result_form;

/* Values without pointers need no handle: they are copied out. Enums count as values: their
 * labels are static text. */
static result_form form_of(const ir_query *q)
{
    if (q->row == NULL) {
        return q->cmd == QUERY_EXECROWS ? RESULT_AFFECTED : RESULT_NONE;
    }
    bool bare = q->row->kind == IR_ROW_SCALAR &&
                !(q->row->fields[0].type.labels == NULL && q->row->fields[0].type.c->pointer_like);
    return q->cmd == QUERY_ONE && bare ? RESULT_VALUE : RESULT_SET;
}

/* Few parameters are function parameters, more become a struct. A query without parameters has
 * neither. */
static bool by_value(const emitter *e, const ir_query *q)
{
    return q->param_count <= (size_t) e->options->query_parameter_limit;
}

/* Notes a failed allocation; the empty text keeps the callers simple. */
static const char *text(emitter *e, const char *made)
{
    e->out.failed = e->out.failed || made == NULL;
    return made == NULL ? "" : made;
}

/* C type and name of the output parameter; NULL when there is none. The last parameter before
 * err, as house style has it. */
static const char *out_param(emitter *e, const ir_query *q)
{
    const char *type = NULL;
    switch (form_of(q)) {
    case RESULT_NONE:
        return NULL;
    case RESULT_AFFECTED:
        return "int64_t *affected";
    case RESULT_VALUE:
        type = emit_type(e, &q->row->fields[0].type, q->row->fields[0].nullable);
        return type == NULL ? NULL : text(e, arena_printf(e->arena, "%s *out", type));
    case RESULT_SET:
        return text(e, arena_printf(e->arena, "%s_set *out", q->row->base));
    }
    return NULL;
}

/* tail: what follows the prototype. The same text for prototype and definition, so they cannot
 * differ.
 *
 *     pgc_status lib_get_author(pgc_db *db, int64_t author_id, lib_author_set *out,
 *                               pgc_error *err)
 *
 * with one parameter, and with more than the limit:
 *
 *     pgc_status lib_set_mood(pgc_db *db, const lib_set_mood_params *p, int64_t *affected,
 *                             pgc_error *err) */
static void signature(emitter *e, const ir_query *q, const char *tail)
{
    const char *args[24];
    size_t count = 0;
    assert(tail != NULL);
    args[count++] = "pgc_db *db";
    if (by_value(e, q)) {
        /* The config allows 16 parameters by value at most. */
        for (size_t i = 0; i < q->param_count && count < ARRAY_LEN(args) - 2; i++) {
            const char *type = emit_type(e, &q->params[i].type, q->params[i].nullable);
            args[count++] = text(
                e, arena_printf(e->arena, "%s %s", type == NULL ? "" : type, q->params[i].name));
        }
    } else {
        args[count++] =
            text(e, arena_printf(e->arena, "const %s_%s_params *p", e->set->prefix, q->c_name));
    }
    const char *out = out_param(e, q);
    if (out != NULL) {
        args[count++] = out;
    }
    args[count++] = "pgc_error *err";
    emit_call(e, text(e, arena_printf(e->arena, "pgc_status %s_%s", e->set->prefix, q->c_name)),
              args, count, tail);
}

/* Type, column it is compared with or stored in, and whether it may be NULL. The reason is given
 * for nullable ones only: NOT NULL is what people expect. */
static void param_comment(emitter *e, const ir_param *param)
{
    emit_comment_text(e, param->type.sql);
    if (param->source != NULL) {
        buf_add_str(&e->out, ", ");
        emit_comment_text(e, param->source);
    }
    buf_add_str(&e->out, param->nullable ? "; nullable: " : "; not NULL");
    if (param->nullable) {
        emit_comment_text(e, param->reason);
    }
}

/* Zeroed, it is a call with all nullable parameters NULL. Passed by address, so fields can be
 * added without touching callers that zero it.
 *
 *     typedef struct lib_set_mood_params {
 *         lib_opt_mood mood; ...
 *     } lib_set_mood_params; */
static void params_struct(emitter *e, const ir_query *q)
{
    if (by_value(e, q)) {
        return;
    }
    buf_printf(&e->out, "/** Parameters of %s_%s(). */\ntypedef struct %s_%s_params {\n",
               e->set->prefix, q->c_name, e->set->prefix, q->c_name);
    for (size_t i = 0; i < q->param_count; i++) {
        const ir_param *param = &q->params[i];
        const char *type = emit_type(e, &param->type, param->nullable);
        buf_printf(&e->out, "    %s %s; /**< ", type == NULL ? "" : type, param->name);
        param_comment(e, param);
        buf_add_str(&e->out, " */\n");
    }
    buf_printf(&e->out, "} %s_%s_params;\n\n", e->set->prefix, q->c_name);
}

/* Says whose the result is and when it is written. */
static void doc_result(emitter *e, const ir_query *q)
{
    switch (form_of(q)) {
    case RESULT_NONE:
        break;
    case RESULT_AFFECTED:
        buf_add_str(&e->out, " * @param affected on PGC_OK the number of rows changed.\n");
        break;
    case RESULT_VALUE:
        buf_printf(&e->out, " * @param out on PGC_OK %s (", q->row->fields[0].name);
        emit_comment_text(e, q->row->fields[0].type.sql);
        buf_printf(&e->out, ", %s: ", q->row->fields[0].nullable ? "nullable" : "not NULL");
        emit_comment_text(e, q->row->fields[0].reason);
        buf_add_str(&e->out, ").\n");
        break;
    case RESULT_SET:
        buf_printf(&e->out, " * @param out on PGC_OK %s for %s_set_free(); else untouched.\n",
                   q->cmd == QUERY_ONE ? "one row" : "all rows", q->row->base);
        if (q->row->kind == IR_ROW_SCALAR) {
            buf_add_str(&e->out, " *            Each is ");
            emit_comment_text(e, q->row->fields[0].type.sql);
            buf_printf(&e->out, ", %s: ", q->row->fields[0].nullable ? "nullable" : "not NULL");
            emit_comment_text(e, q->row->fields[0].reason);
            buf_add_str(&e->out, ".\n");
        }
        break;
    }
}

/* The header must be readable without the query file: the SQL as it was written goes in. What a
 * user needs to call it: statement, parameters, ownership, statuses. */
static void doc_comment(emitter *e, const ir_query *q)
{
    buf_printf(&e->out, "/**\n * %s (:%s).\n", q->name, query_cmd_text(q->cmd));
    for (size_t i = 0; i < q->comment_count; i++) {
        emit_comment_lines(e, " *", (slice) { q->comments[i], strlen(q->comments[i]) });
    }
    if (e->options->emit_sql_as_comment) {
        buf_add_str(&e->out, " *\n");
        emit_comment_lines(e, " *     ", slice_trim(q->written));
    }
    buf_add_str(&e->out, " *\n");
    for (size_t i = 0; by_value(e, q) && i < q->param_count; i++) {
        buf_printf(&e->out, " * @param %s ", q->params[i].name);
        param_comment(e, &q->params[i]);
        buf_add_str(&e->out, ".\n");
    }
    doc_result(e, q);
    buf_printf(&e->out, " * @return %sas pgc_db_run().\n */\n",
               q->cmd == QUERY_ONE && q->row != NULL ? "PGC_NOT_FOUND when there is no row; " : "");
}

/* Row types that only this query has stand right above it. */
void emit_query_header(emitter *e, const ir_query *q)
{
    params_struct(e, q);
    if (q->row != NULL && (q->row->kind == IR_ROW_QUERY ||
                           (q->row->kind == IR_ROW_SCALAR && form_of(q) == RESULT_SET))) {
        emit_row_header(e, q->row, false);
    }
    doc_comment(e, q);
    signature(e, q, " PGC_MUST_CHECK;\n\n");
}

/* Names come from the user's SQL and so are escaped like all text. Names serve the messages of
 * the runtime; types of the user have OID 0 and are compared by name. */
static void type_ref(emitter *e, const char *name, const ir_type *type)
{
    buf_add_str(&e->out, "    { ");
    emit_string(e, "", (slice) { name, strlen(name) });
    buf_add_str(&e->out, ", ");
    emit_string(e, "", (slice) { type->sql, strlen(type->sql) });
    buf_printf(&e->out, ", %" PRIu32 " },\n", type->oid);
}

/* The runtime compares these with what the server describes.
 *
 *     static const pgc_type_ref get_author_query_params[] = {
 *         { "author_id", "bigint", 20 },
 *     }; */
static void type_tables(emitter *e, const ir_query *q, size_t columns)
{
    if (q->param_count > 0) {
        buf_printf(&e->out, "static const pgc_type_ref %s_query_params[] = {\n", q->c_name);
        for (size_t i = 0; i < q->param_count; i++) {
            type_ref(e, q->params[i].sql_name, &q->params[i].type);
        }
        buf_add_str(&e->out, "};\n\n");
    }
    if (columns > 0) {
        buf_printf(&e->out, "static const pgc_type_ref %s_query_columns[] = {\n", q->c_name);
        for (size_t i = 0; i < columns; i++) {
            type_ref(e, q->columns[i].sql_name, &q->columns[i].type);
        }
        buf_add_str(&e->out, "};\n\n");
    }
}

/* Text too long for a portable literal: an array of characters. The portable limit of a literal
 * is 4095 characters (C11 5.2.4.1). */
static void long_sql(emitter *e, const ir_query *q)
{
    buf_printf(&e->out, "static const char %s_query_sql[] = {", q->c_name);
    for (size_t i = 0; i < q->sql.len; i++) {
        char c = q->sql.ptr[i];
        bool plain = c >= ' ' && c < 0x7F && c != '\'' && c != '\\';
        buf_add_str(&e->out, i % 16 == 0 ? "\n    " : " ");
        if (plain) {
            buf_printf(&e->out, "'%c',", c);
        } else {
            buf_printf(&e->out, "'\\%03o',", (unsigned) (unsigned char) c);
        }
    }
    buf_add_str(&e->out, "\n    '\\0',\n};\n\n");
}

/* Lets the runtime allocate rows and result in one block. 0 when no row comes. */
static void row_size(emitter *e, const ir_query *q)
{
    const char *type = "0";
    if (q->row == NULL) {
        buf_add_str(&e->out, "0");
        return;
    }
    type = q->row->kind == IR_ROW_SCALAR
               ? emit_type(e, &q->row->fields[0].type, q->row->fields[0].nullable)
               : q->row->name;
    buf_printf(&e->out, "sizeof(%s)", type == NULL ? "" : type);
}

/* Constant data with static storage: the runtime's caches key on its address. The hash names the
 * prepared statement.
 *
 *     static const pgc_query get_author_query = {
 *         "GetAuthor", "-- name: GetAuthor :one\n...", hash, flags,
 *         param_count, column_count, params, columns, sizeof(row),
 *     }; */
static void descriptor(emitter *e, const ir_query *q)
{
    size_t columns = q->row == NULL ? 0 : q->column_count;
    bool too_long = q->sql.len > 3500; /* escapes included it stays below 4095 */
    assert(q->sql.ptr != NULL);
    type_tables(e, q, columns);
    if (too_long) {
        long_sql(e, q);
    }
    buf_printf(&e->out, "static const pgc_query %s_query = {\n    \"%s\",\n", q->c_name, q->name);
    if (too_long) {
        buf_printf(&e->out, "    %s_query_sql", q->c_name);
    } else {
        emit_string(e, "    ", q->sql);
    }
    buf_printf(
        &e->out, ",\n    UINT64_C(0x%016" PRIx64 "),\n    %s%s%s,\n    %zu,\n    %zu,\n", q->hash,
        q->unnamed ? "PGC_QUERY_UNNAMED" : "", q->unnamed && q->read_only ? " | " : "",
        q->read_only ? "PGC_QUERY_READ_ONLY" : (q->unnamed ? "" : "0"), q->param_count, columns);
    buf_printf(&e->out, q->param_count > 0 ? "    %s_query_params,\n" : "    NULL,\n", q->c_name);
    buf_printf(&e->out, columns > 0 ? "    %s_query_columns,\n    " : "    NULL,\n    ", q->c_name);
    row_size(e, q);
    buf_add_str(&e->out, ",\n};\n\n");
}

/* A value that must be there and is not: say so before anything is sent. Sent as NULL they would
 * give the server's error about a constraint, or worse: an empty result.
 *
 *     if (p->name.ptr == NULL) {
 *         return pgc_error_set(err, PGC_INVALID, "query X: parameter name must not be NULL");
 *     } */
static void check_param(emitter *e, const ir_query *q, const ir_param *param, const char *value)
{
    const char *condition = NULL;
    if (param->type.labels != NULL) {
        condition = arena_printf(e->arena, "%s%s%s_to_text(%s%s).ptr == NULL",
                                 param->nullable ? value : "", param->nullable ? ".has && " : "",
                                 param->type.labels->name, value, param->nullable ? ".v" : "");
    } else if (param->type.c->pointer_like && !param->nullable) {
        const char *absent = param->type.c->absent;
        const char *mark = strstr(absent, "%s");
        condition =
            arena_printf(e->arena, "%.*s%s%s", (int) (mark - absent), absent, value, mark + 2);
    } else {
        return;
    }
    condition = text(e, condition);
    buf_printf(&e->out,
               "    if (%s) {\n        return pgc_error_set(err, PGC_INVALID,\n"
               "                             \"query %s: parameter %s %s\");\n    }\n",
               condition, q->name, param->name,
               param->type.labels != NULL ? "is no valid label" : "must not be NULL");
}

/* In the order of their numbers; the runtime knows no names. Enums travel as text: the server
 * knows its own labels. */
static void add_param(emitter *e, const ir_param *param, const char *value)
{
    const ir_type *type = &param->type;
    assert(param->type.c != NULL);
    if (type->labels != NULL && param->nullable) {
        buf_printf(&e->out, "    pgc_add_text(&args, %s_to_text(%s.has ? %s.v : %s));\n",
                   type->labels->name, value, value, type->labels->unknown);
    } else if (type->labels != NULL) {
        buf_printf(&e->out, "    pgc_add_text(&args, %s_to_text(%s));\n", type->labels->name,
                   value);
    } else {
        buf_printf(&e->out, "    pgc_add_%s%s(&args, %s);\n",
                   param->nullable && !type->c->pointer_like ? "opt_" : "", type->c->suffix, value);
    }
}

/* C expression of a parameter. */
static const char *param_value(emitter *e, const ir_query *q, const ir_param *param)
{
    return by_value(e, q) ? param->name : text(e, arena_printf(e->arena, "p->%s", param->name));
}

/* Build the argument list and run; leaves `status`, and `result` when rows or a count are wanted.
 *
 * Arguments are released whatever the outcome.
 *
 *     pgc_result *result = NULL;
 *     pgc_args args;
 *     pgc_args_init(&args, NULL);
 *     pgc_add_i64(&args, author_id);
 *     pgc_status status = pgc_db_run(db, &get_author_query, &args, &result, err);
 *     pgc_args_done(&args); */
static void run_query(emitter *e, const ir_query *q)
{
    bool result = form_of(q) != RESULT_NONE;
    for (size_t i = 0; i < q->param_count; i++) {
        check_param(e, q, &q->params[i], param_value(e, q, &q->params[i]));
    }
    buf_add_str(&e->out, result ? "    pgc_result *result = NULL;\n" : "");
    if (q->param_count > 0) {
        buf_add_str(&e->out, "    pgc_args args;\n    pgc_args_init(&args, NULL);\n");
    }
    for (size_t i = 0; i < q->param_count; i++) {
        add_param(e, &q->params[i], param_value(e, q, &q->params[i]));
    }
    buf_printf(&e->out, "    pgc_status status = pgc_db_run(db, &%s_query, %s, %s, err);\n",
               q->c_name, q->param_count > 0 ? "&args" : "NULL", result ? "&result" : "NULL");
    if (q->param_count > 0) {
        buf_add_str(&e->out, "    pgc_args_done(&args);\n");
    }
}

/* A missing row is a status of its own, not an error of the server. :one only. More than one row
 * is no error, as in sqlc: the first one is taken. */
static void no_row(emitter *e, const ir_query *q)
{
    if (q->cmd == QUERY_ONE) {
        buf_printf(&e->out,
                   "    if (pgc_result_rows(result) == 0) {\n"
                   "        pgc_result_free(result);\n"
                   "        return pgc_error_set(err, PGC_NOT_FOUND, \"query %s: no row\");\n"
                   "    }\n",
                   q->name);
    }
}

/* The value is checked before *out is written. The reader keeps the first problem; one check at
 * the end is enough.
 *
 *     pgc_reader reader;
 *     int64_t value;
 *     pgc_reader_init(&reader, result, &count_authors_query);
 *     value = pgc_read_i64(&reader, 0, 0);
 *     status = pgc_reader_finish(&reader, err);
 *     pgc_result_free(result);
 *     ...
 *     *out = value; */
static void take_value(emitter *e, const ir_query *q)
{
    const ir_field *field = &q->row->fields[0];
    const char *type = emit_type(e, &field->type, field->nullable);
    assert(q->row->kind == IR_ROW_SCALAR);
    buf_printf(&e->out,
               "    pgc_reader reader;\n"
               "    %s value;\n"
               "    pgc_reader_init(&reader, result, &%s_query);\n",
               type == NULL ? "" : type, q->c_name);
    if (field->type.labels != NULL && field->nullable) {
        buf_add_str(&e->out, "    value.has = !pgc_read_is_null(&reader, 0, 0);\n");
    }
    emit_read(e, "    value", &field->type, field->nullable, "&reader, 0, 0");
    buf_add_str(&e->out, "    status = pgc_reader_finish(&reader, err);\n"
                         "    pgc_result_free(result);\n"
                         "    if (status != PGC_OK) {\n"
                         "        return status;\n"
                         "    }\n"
                         "    *out = value;\n"
                         "    return PGC_OK;\n");
}

/* From the server's answer to the caller's outputs. *out is written last, on success only. */
static void finish_query(emitter *e, const ir_query *q)
{
    result_form form = form_of(q);
    if (form == RESULT_NONE) {
        buf_add_str(&e->out, "    return status;\n");
        return;
    }
    buf_add_str(&e->out, "    if (status != PGC_OK) {\n        return status;\n    }\n");
    no_row(e, q);
    if (form == RESULT_VALUE) {
        take_value(e, q);
    } else if (form == RESULT_SET) {
        buf_printf(&e->out, "    return %s_set_take(result, &%s_query, %s, out, err);\n",
                   q->row->base, q->c_name, q->cmd == QUERY_ONE ? "1" : "SIZE_MAX");
    } else {
        buf_add_str(&e->out, "    *affected = pgc_result_affected(result);\n"
                             "    pgc_result_free(result);\n"
                             "    return PGC_OK;\n");
    }
}

void emit_query_source(emitter *e, const ir_query *q)
{
    descriptor(e, q);
    if (q->row != NULL && (q->row->kind == IR_ROW_QUERY ||
                           (q->row->kind == IR_ROW_SCALAR && form_of(q) == RESULT_SET))) {
        emit_row_source(e, q->row, false);
    }
    signature(e, q, "\n{\n");
    run_query(e, q);
    finish_query(e, q);
    buf_add_str(&e->out, "}\n\n");
}
