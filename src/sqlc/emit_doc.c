/* The comment above a generated function: what it sends, what it takes, what comes back, whose it
 * is. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* Of names and types in the table of columns. */
#define COLUMN_WIDTH_MAX 32u

/* At most one row comes back. */
static bool is_one(const ir_query *q)
{
    return (q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE) && q->row != NULL;
}

void emit_result_doc(emitter *e, const ir_query *q)
{
    switch (query_form(q)) {
    case RESULT_NONE:
        break;
    case RESULT_AFFECTED:
        buf_add_str(&e->out, " * @param affected on PGC_OK the number of rows changed.\n");
        break;
    case RESULT_COMMAND:
        buf_add_str(&e->out, " * @param out on PGC_OK for pgc_result_tag(), pgc_result_affected() "
                             "and pgc_result_free();\n *            else untouched.\n");
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
                   is_one(q) ? "one row" : "all rows", q->row->base);
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

/* The claim follows from the column itself: the table's own comment says as much. */
static bool is_plain(const ir_column *column)
{
    size_t len = column->source == NULL ? 0 : strlen(column->source);
    const char *rest = column->reason + len;
    return len > 0 && strncmp(column->reason, column->source, len) == 0 &&
           strcmp(rest, column->nullable ? " is nullable" : " is NOT NULL") == 0;
}

/* Columns of the table below; longer texts push the rest of their line. */
static void pad(emitter *e, const char *text, size_t width)
{
    size_t before = e->out.len;
    emit_comment_text(e, text);
    size_t written = e->out.failed ? width : e->out.len - before;
    buf_printf(&e->out, "%*s  ", written < width ? (int) (width - written) : 0, "");
}

static size_t widest(const ir_query *q, bool type)
{
    size_t width = 0;
    for (size_t i = 0; i < q->column_count; i++) {
        size_t len = strlen(type ? q->columns[i].type.sql : q->columns[i].sql_name);
        width = len > width ? len : width;
    }
    return width < COLUMN_WIDTH_MAX ? width : COLUMN_WIDTH_MAX;
}

/* Each column of a row: name, type, whether it may be NULL, where it comes from and why. Values
 * have said so with their parameter; a model is described where it is declared.
 *
 *     Columns:
 *       id     bigint  not NULL  books.id
 *       price  numeric nullable  books.price: left join of books */
static void doc_columns(emitter *e, const ir_query *q)
{
    if (q->row == NULL || q->row->kind == IR_ROW_SCALAR) {
        return;
    }
    if (q->row->kind == IR_ROW_MODEL) {
        buf_add_str(&e->out, " *\n * Each row is a whole row of ");
        emit_comment_text(e, q->row->table);
        buf_printf(&e->out, ": %s of models.h, with the reasons there.\n", q->row->name);
        return;
    }
    size_t name = widest(q, false);
    size_t type = widest(q, true);
    buf_add_str(&e->out, " *\n * Columns:\n");
    for (size_t i = 0; i < q->column_count; i++) {
        const ir_column *column = &q->columns[i];
        buf_add_str(&e->out, " *   ");
        pad(e, column->sql_name, name);
        pad(e, column->type.sql, type);
        buf_add_str(&e->out, column->nullable ? "nullable  " : "not NULL  ");
        emit_comment_text(e, column->source == NULL ? column->reason : column->source);
        if (column->source != NULL && !is_plain(column)) {
            buf_add_str(&e->out, ": ");
            emit_comment_text(e, column->reason);
        }
        buf_add_char(&e->out, '\n');
    }
}

/* What the caller gives: values one by one, a struct, an array of it. */
static void doc_params(emitter *e, const ir_query *q)
{
    bool none = q->param_count == 0 && q->choice_count == 0;
    for (size_t i = 0; query_by_value(e, q) && i < q->param_count; i++) {
        buf_printf(&e->out, " * @param %s ", q->params[i].name);
        emit_param_comment(e, &q->params[i]);
        buf_add_str(&e->out, ".\n");
    }
    if (q->bulk || q->copy != NULL) {
        buf_add_str(&e->out, " * @param rows count of them; read during the call only.\n");
    } else if (!query_by_value(e, q) && !none) {
        buf_add_str(&e->out, " * @param p read during the call only.\n");
    }
    if (query_cmd_is_batch(q->cmd)) {
        buf_add_str(&e->out, " * @param index on PGC_OK the number of the item, for …_take().\n");
    }
}

/* The header must be readable without the query file: the SQL as it was written goes in. What a
 * user needs to call it: statement, parameters, ownership, statuses. */
void emit_query_doc(emitter *e, const ir_query *q)
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
    doc_params(e, q);
    if (!query_cmd_is_batch(q->cmd)) { /* …_take() has it */
        emit_result_doc(e, q);
    }
    bool batch = query_cmd_is_batch(q->cmd);
    buf_printf(&e->out, " * @return PGC_OK; %sas %s.\n",
               is_one(q) && !batch ? "PGC_NOT_FOUND when there is no row; " : "",
               batch ? "pgc_pipeline_add()" : "pgc_db_run()");
    doc_columns(e, q);
    buf_add_str(&e->out, " */\n");
}
