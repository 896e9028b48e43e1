/* Functions that take many rows: @bulk sends an array per parameter, :copyfrom a binary COPY. Where
 * row-level security may forbid COPY, the server is asked first and the arrays stand in. One thread
 * per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

#include "base/ident.h"

/* Order of emit_bulk_functions(). */
enum { BULK_ROWS, BULK_OPEN, BULK_ADD, BULK_COUNT };

/* All rows at once. */
static emit_function rows_function(emitter *e, const ir_query *q)
{
    emit_function f = { "pgc_status", "", { .items = { "pgc_db *db" }, .count = 1 } };
    const char *out = emit_out_param(e, q);
    f.args.items[f.args.count++] =
        emit_made(e, arena_printf(e->arena, "const %s_%s_params *rows", e->set->prefix, q->c_name));
    f.args.items[f.args.count++] = "size_t count";
    if (out != NULL) {
        f.args.items[f.args.count++] = out;
    }
    f.args.items[f.args.count++] = "pgc_error *err";
    return f;
}

/* Without COPY there is no row by row. */
size_t emit_bulk_functions(emitter *e, const ir_query *q, emit_function *out)
{
    emit_function add = { "pgc_status", "_add", { .items = { "pgc_copy_in *copy" }, .count = 1 } };
    out[BULK_ROWS] = rows_function(e, q);
    if (q->copy == NULL) {
        return BULK_ROWS + 1;
    }
    out[BULK_OPEN] =
        (emit_function) { "pgc_status",
                          "_open",
                          { .items = { "pgc_db *db", "pgc_copy_in **out", "pgc_error *err" },
                            .count = 3 } };
    emit_param_list(e, q, true, &add.args);
    add.args.items[add.args.count++] = "pgc_error *err";
    out[BULK_ADD] = add;
    return BULK_COUNT;
}

void emit_bulk_header(emitter *e, const ir_query *q)
{
    emit_function f[EMIT_FUNCTIONS_MAX];
    (void) emit_bulk_functions(e, q, f);
    emit_signature(e, q, &f[BULK_ROWS], " PGC_MUST_CHECK;\n");
    if (q->copy != NULL) {
        buf_add_str(&e->out, "/** Row by row: then …_add() for each, and pgc_copy_in_finish() or "
                             "pgc_copy_in_abort(). */\n");
        emit_signature(e, q, &f[BULK_OPEN], " PGC_MUST_CHECK;\n");
        buf_add_str(&e->out, "/** One row more. @return as pgc_copy_in_row(). */\n");
        emit_signature(e, q, &f[BULK_ADD], " PGC_MUST_CHECK;\n");
    }
    buf_add_char(&e->out, '\n');
}

/* All rows in one statement: arrays of the parameters, in the order of the rows. */
static void array_body(emitter *e, const ir_query *q)
{
    bool result = query_form(q) != RESULT_NONE;
    buf_add_str(&e->out, "    for (size_t i = 0; i < count; i++) {\n"
                         "        const ");
    buf_printf(&e->out, "%s_%s_params *p = &rows[i];\n", e->set->prefix, q->c_name);
    buf_add_str(&e->out, "        (void) p;\n");
    emit_checks(e, q, "p->");
    buf_add_str(&e->out, "    }\n");
    buf_add_str(&e->out, result ? "    pgc_result *result = NULL;\n" : "");
    buf_add_str(&e->out, "    pgc_args args;\n    pgc_args_init(&args, NULL);\n");
    for (size_t i = 0; i < q->param_count; i++) {
        const ir_param *param = &q->params[i];
        buf_printf(&e->out,
                   "    pgc_add_array_begin(&args, UINT32_C(%" PRIu32 "), 0, NULL);\n"
                   "    for (size_t i = 0; i < count; i++) {\n    ",
                   param->element_oid);
        emit_add(e, &param->type, param->nullable, "&args",
                 emit_made(e, arena_printf(e->arena, "rows[i].%s", param->name)));
        buf_add_str(&e->out, "    }\n    pgc_add_end(&args);\n");
    }
    buf_printf(&e->out,
               "    pgc_status status = pgc_db_run(db, &%s_query, &args, %s, err);\n"
               "    pgc_args_done(&args);\n",
               q->c_name, result ? "&result" : "NULL");
    emit_finish(e, q);
}

/* Table, columns, and the two functions for one row after another. */
static void copy_parts(emitter *e, const ir_query *q)
{
    emit_function f[EMIT_FUNCTIONS_MAX];
    (void) emit_bulk_functions(e, q, f);
    buf_printf(&e->out, "static const pgc_type_ref %s_copy_columns[] = {\n", q->c_name);
    for (size_t i = 0; i < q->copy->column_count; i++) {
        emit_type_ref(e, q->copy->columns[i].name, &q->copy->columns[i].type);
    }
    buf_printf(&e->out, "};\n\nstatic const pgc_copy %s_copy = {\n    \"%s\",\n    ", q->c_name,
               q->name);
    emit_string(e, "", (slice) { q->copy->schema, strlen(q->copy->schema) });
    buf_add_str(&e->out, ",\n    ");
    emit_string(e, "", (slice) { q->copy->table, strlen(q->copy->table) });
    buf_printf(&e->out, ",\n    %s_copy_columns,\n    %zu,\n    NULL,\n};\n\n", q->c_name,
               q->copy->column_count);
    emit_signature(e, q, &f[BULK_OPEN], "\n{\n");
    buf_printf(&e->out, "    return pgc_copy_in_open(db, &%s_copy, NULL, out, err);\n}\n\n",
               q->c_name);
    emit_signature(e, q, &f[BULK_ADD], "\n{\n");
    emit_checks(e, q, "p->");
    buf_add_str(&e->out, "    pgc_args args;\n    pgc_args_init(&args, NULL);\n");
    for (size_t i = 0; i < q->copy->column_count; i++) {
        const ir_param *param = &q->params[q->copy->columns[i].param];
        emit_add(e, &q->copy->columns[i].type, param->nullable, "&args",
                 emit_made(e, arena_printf(e->arena, "p->%s", param->name)));
    }
    buf_add_str(&e->out, "    pgc_status status = pgc_copy_in_row(copy, &args, err);\n"
                         "    pgc_args_done(&args);\n    return status;\n}\n\n");
}

/* A table's name inside of a string inside of SQL. */
static void regclass(emitter *e, const ir_copy *copy)
{
    AUTO(buf_auto) buf name;
    AUTO(buf_auto) buf b;
    buf_init(&name, NULL, 1 << 16);
    buf_init(&b, NULL, 1 << 16);
    ident_add_quoted(&name, copy->schema);
    buf_add_char(&name, '.');
    ident_add_quoted(&name, copy->table);
    buf_add_str(&b, "SELECT pg_catalog.row_security_active('");
    for (size_t i = 0; i < name.len; i++) {
        buf_add_str(&b, name.ptr[i] == '\'' ? "'" : "");
        buf_add_char(&b, name.ptr[i]);
    }
    buf_add_str(&b, "'::pg_catalog.regclass)");
    e->out.failed = e->out.failed || name.failed || b.failed;
    emit_string(e, "    ", buf_view(&b));
}

/* Asked in each call, because the role is that of the handle. */
static void policy_parts(emitter *e, const ir_query *q)
{
    emit_function arrays = rows_function(e, q);
    arrays.type = "static pgc_status";
    arrays.suffix = "_unnest";
    buf_printf(&e->out,
               "static const pgc_type_ref %s_policy_columns[] = {\n"
               "    { \"active\", \"boolean\", 16 },\n};\n\n"
               "static const pgc_query %s_policy = {\n    \"%s\",\n",
               q->c_name, q->c_name, q->name);
    regclass(e, q->copy);
    buf_printf(&e->out,
               ",\n    UINT64_C(0x%016" PRIx64 "),\n    0,\n    0,\n    1,\n    NULL,\n"
               "    %s_policy_columns,\n    0,\n};\n\n",
               q->hash ^ UINT64_C(0x9e3779b97f4a7c15), q->c_name);
    emit_signature(e, q, &arrays, "\n{\n");
    array_body(e, q);
    buf_add_str(&e->out, "}\n\n");
}

static void ask_policy(emitter *e, const ir_query *q)
{
    buf_printf(&e->out,
               "    pgc_result *asked = NULL;\n"
               "    pgc_reader reader;\n"
               "    pgc_status known = pgc_db_run(db, &%s_policy, NULL, &asked, err);\n"
               "    if (known != PGC_OK) {\n        return known;\n    }\n"
               "    pgc_reader_init(&reader, asked, &%s_policy);\n"
               "    bool active = pgc_read_bool(&reader, 0, 0);\n"
               "    known = pgc_reader_finish(&reader, err);\n"
               "    pgc_result_free(asked);\n"
               "    if (known != PGC_OK) {\n        return known;\n    }\n"
               "    if (active) { /* the server refuses COPY under row-level security */\n"
               "        return %s_%s_unnest(db, rows, count, affected, err);\n    }\n",
               q->c_name, q->c_name, e->set->prefix, q->c_name);
}

void emit_bulk_source(emitter *e, const ir_query *q)
{
    emit_function rows = rows_function(e, q);
    assert(q->bulk || q->copy != NULL);
    if (q->copy == NULL) {
        emit_signature(e, q, &rows, "\n{\n");
        array_body(e, q);
        buf_add_str(&e->out, "}\n\n");
        return;
    }
    copy_parts(e, q);
    if (q->bulk_sql != NULL) {
        policy_parts(e, q);
    }
    emit_signature(e, q, &rows, "\n{\n");
    if (q->bulk_sql != NULL) {
        ask_policy(e, q);
    }
    buf_printf(&e->out,
               "    pgc_copy_in *copy = NULL;\n"
               "    pgc_status status = %s_%s_open(db, &copy, err);\n"
               "    for (size_t i = 0; status == PGC_OK && i < count; i++) {\n"
               "        status = %s_%s_add(copy, &rows[i], err);\n"
               "    }\n"
               "    if (status != PGC_OK) {\n"
               "        pgc_copy_in_abort(copy, \"a row cannot be sent\");\n"
               "        return status;\n"
               "    }\n"
               "    return pgc_copy_in_finish(&copy, affected, err);\n}\n\n",
               e->set->prefix, q->c_name, e->set->prefix, q->c_name);
}
