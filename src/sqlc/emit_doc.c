/* The comment above a generated function: what it sends, what it takes, what comes back, whose it
 * is. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* At most one row comes back. */
static bool is_one(const ir_query *q)
{
    return (q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE) && q->row != NULL;
}

/* Says whose the result is and when it is written. */
static void doc_result(emitter *e, const ir_query *q)
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

/* Each column of a row: name, type, where it comes from, whether it may be NULL and why. Values
 * have said so with their parameter.
 *
 *     Columns: id bigint (books.id), not NULL: NOT NULL; … */
static void doc_columns(emitter *e, const ir_query *q)
{
    for (size_t i = 0; q->row != NULL && q->row->kind != IR_ROW_SCALAR && i < q->column_count;
         i++) {
        const ir_column *column = &q->columns[i];
        buf_add_str(&e->out, i == 0 ? " *\n * Columns:\n *   - " : " *   - ");
        emit_comment_text(e, column->sql_name);
        buf_add_char(&e->out, ' ');
        emit_comment_text(e, column->type.sql);
        if (column->source != NULL) {
            buf_add_str(&e->out, " (");
            emit_comment_text(e, column->source);
            buf_add_char(&e->out, ')');
        }
        buf_add_str(&e->out, column->nullable ? ", nullable: " : ", not NULL: ");
        emit_comment_text(e, column->reason);
        buf_add_char(&e->out, '\n');
    }
    if (q->row != NULL && q->row->kind != IR_ROW_SCALAR) {
        buf_add_str(&e->out, " *\n");
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
    for (size_t i = 0; query_by_value(e, q) && i < q->param_count; i++) {
        buf_printf(&e->out, " * @param %s ", q->params[i].name);
        emit_param_comment(e, &q->params[i]);
        buf_add_str(&e->out, ".\n");
    }
    doc_result(e, q);
    doc_columns(e, q);
    buf_printf(&e->out, " * @return %sas %s.\n */\n",
               is_one(q) ? "PGC_NOT_FOUND when there is no row; " : "",
               query_cmd_is_batch(q->cmd) ? "pgc_pipeline_add() and pgc_pipeline_take()"
                                          : "pgc_db_run()");
}
