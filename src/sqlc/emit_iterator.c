/* The iterator of a :many query: rows one after another on <pgc/rows.h>, for answers that are too
 * large to hold. Texts of a row are borrowed until the next one. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* C type of one row. */
static const char *row_type(emitter *e, const ir_query *q)
{
    const ir_field *only = &q->row->fields[0];
    assert(q->row->field_count > 0);
    return emit_made(e, q->row->kind == IR_ROW_SCALAR ? emit_type(e, &only->type, only->nullable)
                                                      : q->row->name);
}

/* "PREFIX_QUERY_iter *it". */
static const char *self(emitter *e, const ir_query *q)
{
    return emit_made(e, arena_printf(e->arena, "%s_%s_iter *it", e->set->prefix, q->c_name));
}

/* Order of emit_iterator_functions(). */
enum { ITERATOR_OPEN, ITERATOR_NEXT, ITERATOR_CLOSE, ITERATOR_COUNT };

size_t emit_iterator_functions(emitter *e, const ir_query *q, emit_function *out)
{
    emit_function open = { "pgc_status", "_open", { .items = { "pgc_db *db" }, .count = 1 } };
    const char *it = self(e, q);
    emit_param_list(e, q, true, &open.args);
    open.args.items[open.args.count++] = it;
    open.args.items[open.args.count++] = "pgc_error *err";
    out[ITERATOR_OPEN] = open;
    out[ITERATOR_NEXT] = (emit_function) {
        "pgc_status", "_next", { .items = { it, "bool *more", "pgc_error *err" }, .count = 3 }
    };
    out[ITERATOR_CLOSE] = (emit_function) { "void", "_close", { .items = { it }, .count = 1 } };
    return ITERATOR_COUNT;
}

/* The struct lives with the caller: nothing is allocated but by the runtime. */
void emit_iterator_header(emitter *e, const ir_query *q)
{
    const char *p = e->set->prefix;
    const char *n = q->c_name;
    emit_function f[EMIT_FUNCTIONS_MAX];
    (void) emit_iterator_functions(e, q, f);
    buf_printf(&e->out,
               "/** %s, row by row; zeroed it is closed. */\n"
               "typedef struct %s_%s_iter {\n"
               "    pgc_rows *rows;\n"
               "    %s row; /**< the current one; what it points to lives until the next step */\n"
               "} %s_%s_iter;\n\n",
               q->name, p, n, row_type(e, q), p, n);
    buf_printf(&e->out,
               "/**\n * As %s_%s(), but the rows come one after another.\n *\n"
               " * @param it for %s_%s_close(), whatever the status.\n"
               " * @return as pgc_rows_open().\n */\n",
               p, n, p, n);
    emit_signature(e, q, &f[ITERATOR_OPEN], " PGC_MUST_CHECK;\n");
    buf_add_str(&e->out, "/** Go to the next row: it->row while *more. @return as pgc_rows_next(). "
                         "*/\n");
    emit_signature(e, q, &f[ITERATOR_NEXT], " PGC_MUST_CHECK;\n");
    buf_add_str(&e->out, "/** Also in the middle; see pgc_rows_close(). */\n");
    emit_signature(e, q, &f[ITERATOR_CLOSE], ";\n\n");
}

/* Decoders leave an absent embed as it is, and the row before may have had one. */
static bool must_clear(const ir_row *row)
{
    bool clear = false;
    for (size_t i = 0; i < row->field_count; i++) {
        clear = clear || (row->fields[i].embed != NULL && row->fields[i].nullable);
    }
    return clear;
}

/* Decode the current row into it->row. */
static void read_row(emitter *e, const ir_query *q)
{
    const ir_field *only = &q->row->fields[0];
    if (q->row->kind != IR_ROW_SCALAR) {
        buf_add_str(&e->out,
                    must_clear(q->row) ? "        memset(&it->row, 0, sizeof it->row);\n" : "");
        buf_printf(&e->out, "        %s_read(reader, row, 0, &it->row);\n", q->row->base);
        return;
    }
    if (only->type.labels != NULL && only->nullable) {
        buf_add_str(&e->out, "        it->row.has = !pgc_read_is_null(reader, row, 0);\n");
    }
    emit_read(e, "        it->row", &only->type, only->nullable, "reader, row, 0");
}

/* A value that cannot be decoded ends the iteration like a failure of the server. */
static void next_body(emitter *e, const ir_query *q)
{
    buf_add_str(&e->out, "    bool found = false;\n"
                         "    pgc_status status = pgc_rows_next(it->rows, &found, err);\n"
                         "    if (status == PGC_OK && found) {\n"
                         "        pgc_reader *reader = pgc_rows_reader(it->rows);\n"
                         "        size_t row = pgc_rows_index(it->rows);\n");
    read_row(e, q);
    buf_add_str(&e->out, "        status = pgc_reader_finish(reader, err);\n"
                         "    }\n"
                         "    if (status == PGC_OK) {\n"
                         "        *more = found;\n"
                         "    }\n"
                         "    return status;\n"
                         "}\n\n");
}

void emit_iterator_source(emitter *e, const ir_query *q)
{
    emit_function f[EMIT_FUNCTIONS_MAX];
    (void) emit_iterator_functions(e, q, f);
    emit_signature(e, q, &f[ITERATOR_OPEN], "\n{\n");
    buf_add_str(&e->out, "    it->rows = NULL;\n");
    if (query_has_bind(q)) {
        emit_bind_call(e, q, "&args");
        buf_printf(&e->out,
                   "    if (status == PGC_OK) {\n"
                   "        status = pgc_rows_open(db, &%s_query%s, &args, NULL, &it->rows, err);\n"
                   "    }\n"
                   "    pgc_args_done(&args);\n"
                   "    return status;\n",
                   q->c_name, q->choice_count > 0 ? "[variant]" : "");
    } else {
        buf_printf(&e->out,
                   "    return pgc_rows_open(db, &%s_query, NULL, NULL, &it->rows, err);\n",
                   q->c_name);
    }
    buf_add_str(&e->out, "}\n\n");
    emit_signature(e, q, &f[ITERATOR_NEXT], "\n{\n");
    next_body(e, q);
    emit_signature(e, q, &f[ITERATOR_CLOSE], "\n{\n");
    buf_add_str(&e->out, "    pgc_rows_close(it->rows);\n    it->rows = NULL;\n}\n\n");
}
