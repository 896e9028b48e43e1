/* One function per query: descriptor, argument list, run, decode. Outputs are written only on
 * success. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* Values without pointers need no handle: they are copied out. Enums count as values: their
 * labels are static text. */
result_form query_form(const ir_query *q)
{
    if (q->row == NULL) {
        return q->cmd == QUERY_EXECROWS || q->cmd == QUERY_COPYFROM ? RESULT_AFFECTED
               : q->cmd == QUERY_EXECRESULT                         ? RESULT_COMMAND
                                                                    : RESULT_NONE;
    }
    const ir_type *only = &q->row->fields[0].type;
    bool flat = only->shape == NULL ||
                (only->shape->kind == IR_SHAPE_CUSTOM && only->shape->custom.clone == NULL);
    bool bare =
        q->row->kind == IR_ROW_SCALAR && flat && (only->labels != NULL || !only->c->pointer_like);
    bool one = q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE;
    return one && bare ? RESULT_VALUE : RESULT_SET;
}

/* Few parameters are function parameters, more become a struct. A query without parameters has
 * neither. Forms that take arrays of parameters need the struct. */
bool query_by_value(const emitter *e, const ir_query *q)
{
    return q->param_count <= (size_t) e->options->query_parameter_limit && q->choice_count == 0 &&
           !query_cmd_is_batch(q->cmd) && q->cmd != QUERY_COPYFROM && !q->bulk;
}

bool query_has_bind(const ir_query *q)
{
    return (q->param_count > 0 || q->choice_count > 0) && !q->bulk &&
           (q->cmd == QUERY_MANY || query_cmd_is_batch(q->cmd));
}

/* Notes a failed allocation; the empty text keeps the callers simple. */
const char *emit_made(emitter *e, const char *made)
{
    e->out.failed = e->out.failed || made == NULL;
    return made == NULL ? "" : made;
}

/* The config allows 16 parameters by value at most. */
void emit_param_list(emitter *e, const ir_query *q, bool declare, emit_args *args)
{
    if (q->param_count == 0 && q->choice_count == 0) {
        return;
    }
    if (!query_by_value(e, q)) {
        args->items[args->count++] =
            !declare ? "p"
                     : emit_made(e, arena_printf(e->arena, "const %s_%s_params *p", e->set->prefix,
                                                 q->c_name));
        return;
    }
    for (size_t i = 0; i < q->param_count && args->count < ARRAY_LEN(args->items) - 3; i++) {
        const char *type = emit_type(e, &q->params[i].type, q->params[i].nullable);
        args->items[args->count++] =
            !declare ? q->params[i].name
                     : emit_made(e, arena_printf(e->arena, "%s %s", type == NULL ? "" : type,
                                                 q->params[i].name));
    }
}

/* The same text for prototype and definition, so they cannot differ. */
void emit_signature(emitter *e, const ir_query *q, const emit_function *f, const char *tail)
{
    const char *head = emit_made(
        e, arena_printf(e->arena, "%s %s_%s%s", f->type, e->set->prefix, q->c_name, f->suffix));
    assert(f->args.count > 0);
    assert(tail != NULL);
    emit_call(e, head, f->args.items, f->args.count, tail);
}

/* C type and name of the output parameter; NULL when there is none. The last parameter before
 * err, as house style has it. */
const char *emit_out_param(emitter *e, const ir_query *q)
{
    const char *type = NULL;
    switch (query_form(q)) {
    case RESULT_NONE:
        return NULL;
    case RESULT_AFFECTED:
        return "int64_t *affected";
    case RESULT_COMMAND:
        return "pgc_result **out";
    case RESULT_VALUE:
        type = emit_type(e, &q->row->fields[0].type, q->row->fields[0].nullable);
        return type == NULL ? NULL : emit_made(e, arena_printf(e->arena, "%s *out", type));
    case RESULT_SET:
        return emit_made(e, arena_printf(e->arena, "%s_set *out", q->row->base));
    }
    return NULL;
}

/* The function that runs the query once:
 *
 *     pgc_status lib_get_author(pgc_db *db, int64_t author_id, lib_author_set *out,
 *                               pgc_error *err)
 *
 * with one parameter, and with more than the limit:
 *
 *     pgc_status lib_set_mood(pgc_db *db, const lib_set_mood_params *p, int64_t *affected,
 *                             pgc_error *err) */
emit_function emit_call_function(emitter *e, const ir_query *q)
{
    emit_function f = { "pgc_status", "", { .items = { "pgc_db *db" }, .count = 1 } };
    const char *out = emit_out_param(e, q);
    emit_param_list(e, q, true, &f.args);
    if (out != NULL) {
        f.args.items[f.args.count++] = out;
    }
    f.args.items[f.args.count++] = "pgc_error *err";
    return f;
}

/* Declared beside the query: nobody else has it. */
static bool owns_row(const ir_query *q)
{
    return q->row != NULL && (q->row->kind == IR_ROW_QUERY ||
                              (q->row->kind == IR_ROW_SCALAR && query_form(q) == RESULT_SET));
}

/* Row types that only this query has stand right above it. */
void emit_query_header(emitter *e, const ir_query *q)
{
    emit_function call = emit_call_function(e, q);
    emit_params_struct(e, q);
    if (owns_row(q)) {
        emit_row_header(e, q->row, false);
    }
    emit_query_doc(e, q);
    if (query_cmd_is_batch(q->cmd)) {
        emit_batch_header(e, q);
        return;
    }
    if (q->bulk || q->copy != NULL) {
        emit_bulk_header(e, q);
        return;
    }
    emit_signature(e, q, &call, " PGC_MUST_CHECK;\n\n");
    if (q->cmd == QUERY_MANY) {
        emit_iterator_header(e, q);
    }
}

/* C expression of the list of values. */
static const char *args_of(const ir_query *q)
{
    return q->param_count > 0 ? "&args" : "NULL";
}

/* Values by the function that the iterator uses too; leaves `status`.
 *
 *     pgc_status status = list_books_bind(&args, author_id, err);
 *     if (status == PGC_OK) {
 *         status = pgc_db_run(db, &list_books_query, &args, &result, err);
 *     } */
static void run_bound(emitter *e, const ir_query *q)
{
    emit_bind_call(e, q, "&args");
    buf_printf(&e->out,
               "    if (status == PGC_OK) {\n"
               "        status = pgc_db_run(db, &%s_query%s, &args, &result, err);\n"
               "    }\n    pgc_args_done(&args);\n",
               q->c_name, q->choice_count > 0 ? "[variant]" : "");
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
    bool result = query_form(q) != RESULT_NONE;
    const char *from = query_by_value(e, q) ? "" : "p->";
    const char *variant = q->choice_count > 0 ? "[variant]" : "";
    if (query_has_bind(q)) {
        buf_add_str(&e->out, "    pgc_result *result = NULL;\n");
        run_bound(e, q);
        return;
    }
    emit_checks(e, q, from);
    if (q->choice_count > 0) {
        emit_variant_call(e, q);
    }
    buf_add_str(&e->out, result ? "    pgc_result *result = NULL;\n" : "");
    if (q->param_count > 0) {
        buf_add_str(&e->out, "    pgc_args args;\n    pgc_args_init(&args, NULL);\n");
    }
    emit_add_all(e, q, "&args", from);
    buf_printf(&e->out, "    %sstatus = pgc_db_run(db, &%s_query%s, %s, %s, err);\n",
               q->choice_count > 0 ? "" : "pgc_status ", q->c_name, variant, args_of(q),
               result ? "&result" : "NULL");
    if (q->param_count > 0) {
        buf_add_str(&e->out, "    pgc_args_done(&args);\n");
    }
}

/* A missing row is a status of its own, not an error of the server. :one only. More than one row
 * is no error, as in sqlc: the first one is taken. */
static void no_row(emitter *e, const ir_query *q)
{
    if (q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE) {
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
               "    pgc_reader_init(&reader, result, %s%s_query);\n",
               type == NULL ? "" : type, q->choice_count > 0 ? "" : "&", q->c_name);
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
void emit_finish(emitter *e, const ir_query *q)
{
    result_form form = query_form(q);
    if (form == RESULT_NONE) {
        buf_add_str(&e->out, "    return status;\n");
        return;
    }
    buf_add_str(&e->out, "    if (status != PGC_OK) {\n        return status;\n    }\n");
    no_row(e, q);
    if (form == RESULT_VALUE) {
        take_value(e, q);
    } else if (form == RESULT_SET) {
        bool one = q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE;
        buf_printf(&e->out, "    return %s_set_take(result, %s%s_query, %s, out, err);\n",
                   q->row->base, q->choice_count > 0 ? "" : "&", q->c_name, one ? "1" : "SIZE_MAX");
    } else if (form == RESULT_COMMAND) {
        buf_add_str(&e->out, "    *out = result;\n    return PGC_OK;\n");
    } else {
        buf_add_str(&e->out, "    *affected = pgc_result_affected(result);\n"
                             "    pgc_result_free(result);\n"
                             "    return PGC_OK;\n");
    }
}

void emit_query_source(emitter *e, const ir_query *q)
{
    emit_function call = emit_call_function(e, q);
    if (q->copy == NULL || q->bulk_sql != NULL) {
        emit_descriptor(e, q);
    }
    if (owns_row(q)) {
        emit_row_source(e, q->row, false);
    }
    if (q->choice_count > 0) {
        emit_variant(e, q);
    }
    emit_bind(e, q);
    if (query_cmd_is_batch(q->cmd)) {
        emit_batch_source(e, q);
        return;
    }
    if (q->bulk || q->copy != NULL) {
        emit_bulk_source(e, q);
        return;
    }
    emit_signature(e, q, &call, "\n{\n");
    run_query(e, q);
    emit_finish(e, q);
    buf_add_str(&e->out, "}\n\n");
    if (q->cmd == QUERY_MANY) {
        emit_iterator_source(e, q);
    }
}
