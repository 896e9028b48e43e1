/* Dynamic parts: the fields that decide about them and the function that makes a number of the
 * decisions. All texts are known when the code is generated; the number chooses one of them. One
 * thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* Zero is what stands in the query itself, so that zeroed parameters give its plain text.
 *
 *     typedef enum lib_list_books_sort {
 *         LIB_LIST_BOOKS_SORT_NEWEST = 0,
 *         LIB_LIST_BOOKS_SORT_OLDEST = 1
 *     } lib_list_books_sort; */
void emit_choice_types(emitter *e, const ir_query *q)
{
    for (size_t i = 0; i < q->choice_count; i++) {
        const ir_choice *choice = &q->choices[i];
        if (choice->kind != IR_CHOICE_SWITCH) {
            continue;
        }
        buf_printf(&e->out, "/** What %s of %s_%s() may be. */\ntypedef enum %s {\n", choice->name,
                   e->set->prefix, q->c_name, choice->type);
        for (size_t k = 0; k < choice->option_count; k++) {
            buf_printf(&e->out, "    %s = %zu%s\n", choice->constants[k], k,
                       k + 1 < choice->option_count ? "," : "");
        }
        buf_printf(&e->out, "} %s;\n\n", choice->type);
    }
}

void emit_choice_fields(emitter *e, const ir_query *q)
{
    for (size_t i = 0; i < q->choice_count; i++) {
        const ir_choice *choice = &q->choices[i];
        if (choice->kind == IR_CHOICE_SWITCH) {
            buf_printf(&e->out, "    %s %s; /**< which text @switch puts in */\n", choice->type,
                       choice->name);
        } else if (choice->kind == IR_CHOICE_FLAG) {
            buf_printf(&e->out, "    bool %s; /**< the block of this @if is there */\n",
                       choice->name);
        }
    }
}

/* C condition: the block is left out. */
static const char *left_out(emitter *e, const ir_query *q, const ir_choice *choice)
{
    if (choice->kind == IR_CHOICE_FLAG) {
        return emit_made(e, arena_printf(e->arena, "!p->%s", choice->name));
    }
    const ir_param *param = &q->params[choice->param];
    assert(choice->param < q->param_count);
    if (param->type.labels != NULL || !param->type.c->pointer_like) {
        return emit_made(e, arena_printf(e->arena, "!p->%s.has", param->name));
    }
    const char *absent = param->type.c->absent;
    const char *mark = strstr(absent, "%s");
    return emit_made(e, arena_printf(e->arena, "%.*sp->%s%s", (int) (mark - absent), absent,
                                     param->name, mark + 2));
}

/* The number of the text: each decision counts as much as its stride.
 *
 *     static pgc_status list_books_variant(const lib_list_books_params *p, size_t *variant_out,
 *                                          pgc_error *err) */
void emit_variant(emitter *e, const ir_query *q)
{
    const char *head =
        emit_made(e, arena_printf(e->arena, "static pgc_status %s_variant", q->c_name));
    const char *args[] = { NULL, "size_t *variant_out", "pgc_error *err" };
    bool may_fail = false;
    args[0] =
        emit_made(e, arena_printf(e->arena, "const %s_%s_params *p", e->set->prefix, q->c_name));
    emit_call(e, head, args, ARRAY_LEN(args), "\n{\n    size_t variant = 0;\n");
    for (size_t i = 0; i < q->choice_count; i++) {
        const ir_choice *choice = &q->choices[i];
        if (choice->kind != IR_CHOICE_SWITCH) {
            buf_printf(&e->out, "    variant += %s ? %zu : 0;\n", left_out(e, q, choice),
                       choice->stride);
            continue;
        }
        may_fail = true;
        buf_printf(&e->out,
                   "    size_t chosen_%s = (size_t) p->%s;\n"
                   "    if (chosen_%s >= %zu) {\n"
                   "        return pgc_error_set(err, PGC_INVALID,\n"
                   "                             \"query %s: %s is none of its values\");\n"
                   "    }\n"
                   "    variant += chosen_%s * %zu;\n",
                   choice->name, choice->name, choice->name, choice->option_count, q->name,
                   choice->name, choice->name, choice->stride);
    }
    buf_add_str(&e->out, may_fail ? "" : "    (void) err;\n");
    buf_add_str(&e->out, "    *variant_out = variant;\n    return PGC_OK;\n}\n\n");
}

void emit_variant_call(emitter *e, const ir_query *q)
{
    buf_printf(&e->out,
               "    size_t variant = 0;\n"
               "    pgc_status status = %s_variant(p, &variant, err);\n"
               "    if (status != PGC_OK) {\n"
               "        return status;\n"
               "    }\n",
               q->c_name);
}
