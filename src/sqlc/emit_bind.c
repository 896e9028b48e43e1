/* Parameters of a query: their struct, the checks before anything is sent, and the code that adds
 * them in the order of their numbers. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* Type, column it is compared with or stored in, and whether it may be NULL. The reason is given
 * for nullable ones only: NOT NULL is what people expect. */
void emit_param_comment(emitter *e, const ir_param *param)
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
void emit_params_struct(emitter *e, const ir_query *q)
{
    if (query_by_value(e, q) || (q->param_count == 0 && q->choice_count == 0)) {
        return;
    }
    emit_choice_types(e, q);
    buf_printf(&e->out, "/** Parameters of %s_%s(). */\ntypedef struct %s_%s_params {\n",
               e->set->prefix, q->c_name, e->set->prefix, q->c_name);
    for (size_t i = 0; i < q->param_count; i++) {
        const ir_param *param = &q->params[i];
        const char *type = emit_type(e, &param->type, param->nullable);
        buf_printf(&e->out, "    %s %s; /**< ", type == NULL ? "" : type, param->name);
        emit_param_comment(e, param);
        buf_add_str(&e->out, " */\n");
    }
    emit_choice_fields(e, q);
    buf_printf(&e->out, "} %s_%s_params;\n\n", e->set->prefix, q->c_name);
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
    condition = emit_made(e, condition);
    buf_printf(&e->out,
               "    if (%s) {\n        return pgc_error_set(err, PGC_INVALID,\n"
               "                             \"query %s: parameter %s %s\");\n    }\n",
               condition, q->name, param->name,
               param->type.labels != NULL ? "is no valid label" : "must not be NULL");
}

/* In the order of their numbers; the runtime knows no names. Enums travel as text: the server
 * knows its own labels. */
void emit_add(emitter *e, const ir_type *type, bool nullable, const char *args, const char *value)
{
    assert(type->c != NULL);
    if (type->shape != NULL) {
        bool opt = nullable && ir_shape_flagged(type->shape);
        buf_printf(&e->out, "    %s_add(%s, %s);\n",
                   opt ? type->shape->opt_name : type->shape->name, args, value);
    } else if (type->labels != NULL && nullable) {
        buf_printf(&e->out, "    pgc_add_text(%s, %s_to_text(%s.has ? %s.v : %s));\n", args,
                   type->labels->name, value, value, type->labels->unknown);
    } else if (type->labels != NULL) {
        buf_printf(&e->out, "    pgc_add_text(%s, %s_to_text(%s));\n", args, type->labels->name,
                   value);
    } else if (type->element == C_TYPE_UNCHECKED) {
        buf_printf(&e->out, "    pgc_add_%s_of(%s, %s, PGC_OID_UNCHECKED);\n", type->c->suffix,
                   args, value);
    } else if (type->element != 0) {
        buf_printf(&e->out, "    pgc_add_%s_of(%s, %s, %" PRIu32 "); /* elements of %s */\n",
                   type->c->suffix, args, value, type->element, type->sql);
    } else {
        buf_printf(&e->out, "    pgc_add_%s%s(%s, %s);\n",
                   nullable && !type->c->pointer_like ? "opt_" : "", type->c->suffix, args, value);
    }
}

void emit_checks(emitter *e, const ir_query *q, const char *from)
{
    for (size_t i = 0; i < q->param_count; i++) {
        const ir_param *param = &q->params[i];
        const char *value = emit_made(e, arena_printf(e->arena, "%s%s", from, param->name));
        check_param(e, q, param, value);
    }
}

void emit_add_all(emitter *e, const ir_query *q, const char *args, const char *from)
{
    for (size_t i = 0; i < q->param_count; i++) {
        const ir_param *param = &q->params[i];
        const char *value = emit_made(e, arena_printf(e->arena, "%s%s", from, param->name));
        uint64_t mask = q->choice_count == 0 ? UINT64_MAX : query_variants_with(q, i);
        bool always = q->choice_count == 0 || mask == query_all_variants(q);
        if (!always) {
            buf_printf(&e->out, "    if ((UINT64_C(0x%" PRIx64 ") >> variant & 1u) != 0) {\n    ",
                       mask);
        }
        emit_add(e, &param->type, param->nullable, args, value);
        buf_add_str(&e->out, always ? "" : "    }\n");
    }
}

/* True when check_param() writes something for it. */
static bool is_checked(const ir_param *param)
{
    return param->type.labels != NULL || (param->type.c->pointer_like && !param->nullable);
}

/* For queries whose values are sent by more than one function.
 *
 *     static pgc_status list_books_bind(pgc_args *args, int64_t author_id, pgc_error *err) */
void emit_bind(emitter *e, const ir_query *q)
{
    const char *from = query_by_value(e, q) ? "" : "p->";
    emit_args args = { .items = { "pgc_args *args" }, .count = 1 };
    bool checked = q->choice_count > 0;
    if (!query_has_bind(q)) {
        return;
    }
    emit_param_list(e, q, true, &args);
    if (q->choice_count > 0) {
        args.items[args.count++] = "size_t *variant_out";
    }
    args.items[args.count++] = "pgc_error *err";
    emit_call(e, emit_made(e, arena_printf(e->arena, "static pgc_status %s_bind", q->c_name)),
              args.items, args.count, "\n{\n");
    for (size_t i = 0; i < q->param_count; i++) {
        checked = checked || is_checked(&q->params[i]);
    }
    buf_add_str(&e->out, checked ? "" : "    (void) err; /* every value can be sent */\n");
    emit_checks(e, q, from);
    if (q->choice_count > 0) {
        emit_variant_call(e, q);
    }
    buf_add_str(&e->out, q->param_count == 0 ? "    (void) args; /* there are none */\n" : "");
    emit_add_all(e, q, "args", from);
    buf_add_str(&e->out, q->choice_count > 0 ? "    *variant_out = variant;\n" : "");
    buf_add_str(&e->out, "    return PGC_OK;\n}\n\n");
}

void emit_bind_call(emitter *e, const ir_query *q, const char *args)
{
    emit_args list = { .items = { args }, .count = 1 };
    assert(query_has_bind(q));
    buf_add_str(&e->out, "    pgc_args args;\n    pgc_args_init(&args, NULL);\n");
    emit_param_list(e, q, false, &list);
    if (q->choice_count > 0) {
        buf_add_str(&e->out, "    size_t variant = 0;\n");
        list.items[list.count++] = "&variant";
    }
    list.items[list.count++] = "err";
    emit_call(e, emit_made(e, arena_printf(e->arena, "    pgc_status status = %s_bind", q->c_name)),
              list.items, list.count, ";\n");
}
