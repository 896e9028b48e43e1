/* The functions of a :batch query on <pgc/pipeline.h>: queue one item, take its outcome. Items of
 * different queries may share a batch, because the batch is the runtime's. One thread per emitter.
 */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

static void add_signature(emitter *e, const ir_query *q, const char *tail)
{
    emit_args args = { .items = { "pgc_pipeline *batch" }, .count = 1 };
    emit_param_list(e, q, true, &args);
    args.items[args.count++] = "size_t *index";
    args.items[args.count++] = "pgc_error *err";
    emit_signature(e, q, "pgc_status", "_add", &args, tail);
}

/* :batchexec has no outputs; its outcome is a status. */
static void take_signature(emitter *e, const ir_query *q, const char *tail)
{
    emit_args args = { .items = { "pgc_pipeline *batch", "size_t index" }, .count = 2 };
    const char *out = emit_out_param(e, q);
    if (out != NULL) {
        args.items[args.count++] = out;
    }
    args.items[args.count++] = "pgc_error *err";
    emit_signature(e, q, "pgc_status", "_take", &args, tail);
}

/* The comment of the query stands above already. */
void emit_batch_header(emitter *e, const ir_query *q)
{
    add_signature(e, q, " PGC_MUST_CHECK;\n");
    buf_printf(&e->out, "/** What became of item `index` after pgc_pipeline_run()%s. */\n",
               q->cmd == QUERY_BATCHONE    ? "; PGC_NOT_FOUND when it has no row"
               : q->cmd == QUERY_BATCHMANY ? ", with its rows"
                                           : "");
    take_signature(e, q, " PGC_MUST_CHECK;\n\n");
}

/* pgc_pipeline_add() copies the values, so the list ends here. */
void emit_batch_source(emitter *e, const ir_query *q)
{
    bool result = query_form(q) != RESULT_NONE;
    assert(query_has_bind(q));
    add_signature(e, q, "\n{\n");
    emit_bind_call(e, q, "&args");
    buf_printf(&e->out,
               "    if (status == PGC_OK) {\n"
               "        status = pgc_pipeline_add(batch, &%s_query%s, &args, index, err);\n"
               "    }\n"
               "    pgc_args_done(&args);\n"
               "    return status;\n}\n\n",
               q->c_name, q->choice_count > 0 ? "[variant]" : "");
    take_signature(e, q, "\n{\n");
    buf_add_str(&e->out, result ? "    pgc_result *result = NULL;\n" : "");
    buf_printf(&e->out, "    pgc_status status = pgc_pipeline_take(batch, index, %s, err);\n",
               result ? "&result" : "NULL");
    emit_finish(e, q);
    buf_add_str(&e->out, "}\n\n");
}
