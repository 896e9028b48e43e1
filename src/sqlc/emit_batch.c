/* The functions of a :batch query on <pgc/pipeline.h>: queue one item, take its outcome. Items of
 * different queries may share a batch, because the batch is the runtime's. One thread per emitter.
 */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* Order of emit_batch_functions(). */
enum { BATCH_ADD, BATCH_TAKE, BATCH_COUNT };

/* :batchexec has no outputs; its outcome is a status. */
size_t emit_batch_functions(emitter *e, const ir_query *q, emit_function *out)
{
    emit_function add = { "pgc_status",
                          "_add",
                          { .items = { "pgc_pipeline *batch" }, .count = 1 } };
    emit_function take = { "pgc_status",
                           "_take",
                           { .items = { "pgc_pipeline *batch", "size_t index" }, .count = 2 } };
    const char *rows = emit_out_param(e, q);
    emit_param_list(e, q, true, &add.args);
    add.args.items[add.args.count++] = "size_t *index";
    add.args.items[add.args.count++] = "pgc_error *err";
    if (rows != NULL) {
        take.args.items[take.args.count++] = rows;
    }
    take.args.items[take.args.count++] = "pgc_error *err";
    out[BATCH_ADD] = add;
    out[BATCH_TAKE] = take;
    return BATCH_COUNT;
}

/* The comment of the query stands above already. */
void emit_batch_header(emitter *e, const ir_query *q)
{
    emit_function f[EMIT_FUNCTIONS_MAX];
    (void) emit_batch_functions(e, q, f);
    emit_signature(e, q, &f[BATCH_ADD], " PGC_MUST_CHECK;\n");
    buf_add_str(&e->out, "/**\n * What became of an item, after pgc_pipeline_run().\n *\n");
    emit_result_doc(e, q);
    buf_printf(&e->out, " * @return PGC_OK; %sas pgc_pipeline_take().\n */\n",
               q->cmd == QUERY_BATCHONE ? "PGC_NOT_FOUND when it has no row; " : "");
    emit_signature(e, q, &f[BATCH_TAKE], " PGC_MUST_CHECK;\n\n");
}

/* pgc_pipeline_add() copies the values, so the list ends here. */
void emit_batch_source(emitter *e, const ir_query *q)
{
    bool result = query_form(q) != RESULT_NONE;
    emit_function f[EMIT_FUNCTIONS_MAX];
    assert(query_has_bind(q));
    (void) emit_batch_functions(e, q, f);
    emit_signature(e, q, &f[BATCH_ADD], "\n{\n");
    emit_bind_call(e, q, "&args");
    buf_printf(&e->out,
               "    if (status == PGC_OK) {\n"
               "        status = pgc_pipeline_add(batch, &%s_query%s, &args, index, err);\n"
               "    }\n"
               "    pgc_args_done(&args);\n"
               "    return status;\n}\n\n",
               q->c_name, q->choice_count > 0 ? "[variant]" : "");
    emit_signature(e, q, &f[BATCH_TAKE], "\n{\n");
    buf_add_str(&e->out, result ? "    pgc_result *result = NULL;\n" : "");
    buf_printf(&e->out, "    pgc_status status = pgc_pipeline_take(batch, index, %s, err);\n",
               result ? "&result" : "NULL");
    emit_finish(e, q);
    buf_add_str(&e->out, "}\n\n");
}
