/* interface.h and interface.c: all functions of a set as a table of pointers, so that a unit test
 * of the code above can put its own in their place. Written with the option emit_interface only.
 * One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/cname.h"
#include "sqlc/emit_query.h"

/* All functions of a query, whatever its form. */
static size_t functions_of(emitter *e, const ir_query *q, emit_function *out)
{
    if (query_cmd_is_batch(q->cmd)) {
        return emit_batch_functions(e, q, out);
    }
    if (q->bulk || q->copy != NULL) {
        return emit_bulk_functions(e, q, out);
    }
    out[0] = emit_call_function(e, q);
    return q->cmd == QUERY_MANY ? 1 + emit_iterator_functions(e, q, out + 1) : 1;
}

/* Name of a member of the table: a query may be called like a word of C++. */
static const char *member_of(emitter *e, const ir_query *q, const emit_function *f)
{
    const char *name = emit_made(e, arena_printf(e->arena, "%s%s", q->c_name, f->suffix));
    return emit_made(e, cname_safe(e->arena, name));
}

typedef void (*each_fn)(emitter *e, const ir_query *q, const emit_function *f);

/* One order for the struct and its values. */
static void for_each(emitter *e, each_fn fn)
{
    for (size_t i = 0; i < e->set->query_count; i++) {
        emit_function f[EMIT_FUNCTIONS_MAX];
        size_t count = functions_of(e, &e->set->queries[i], f);
        assert(count <= EMIT_FUNCTIONS_MAX);
        for (size_t k = 0; k < count; k++) {
            fn(e, &e->set->queries[i], &f[k]);
        }
    }
}

/*     pgc_status (*get_author)(pgc_db *db, int64_t author_id, …); */
static void pointer(emitter *e, const ir_query *q, const emit_function *f)
{
    const char *head =
        emit_made(e, arena_printf(e->arena, "    %s (*%s)", f->type, member_of(e, q, f)));
    emit_call(e, head, f->args.items, f->args.count, ";\n");
}

static void real_value(emitter *e, const ir_query *q, const emit_function *f)
{
    buf_printf(&e->out, "    %s_%s%s,\n", e->set->prefix, q->c_name, f->suffix);
}

static void none_value(emitter *e, const ir_query *q, const emit_function *f)
{
    buf_printf(&e->out, "    none_%s%s,\n", q->c_name, f->suffix);
}

/* A declaration ends with its name: "const lib_x_params *p". */
static const char *name_of(const char *declaration)
{
    const char *name = declaration + strlen(declaration);
    while (name > declaration && name[-1] != ' ' && name[-1] != '*') {
        name--;
    }
    return name;
}

/* Fails with a message that names it: a test learns at once which function its code calls too. */
static void none_function(emitter *e, const ir_query *q, const emit_function *f)
{
    bool fails = strcmp(f->type, "void") != 0;
    const char *head =
        emit_made(e, arena_printf(e->arena, "static %s none_%s%s", f->type, q->c_name, f->suffix));
    emit_call(e, head, f->args.items, f->args.count, "\n{\n");
    for (size_t i = 0; i < f->args.count - (fails ? 1 : 0); i++) {
        buf_printf(&e->out, "    (void) %s;\n", name_of(f->args.items[i]));
    }
    if (fails) {
        buf_printf(&e->out,
                   "    return pgc_error_set(err, PGC_UNSUPPORTED,\n"
                   "                         \"%s_%s%s() is not in this table\");\n",
                   e->set->prefix, q->c_name, f->suffix);
    }
    buf_add_str(&e->out, "}\n\n");
}

static void override(emitter *e, const ir_query *q, const emit_function *f)
{
    const char *member = member_of(e, q, f);
    buf_printf(&e->out, "    if (given->%s != NULL) {\n        table.%s = given->%s;\n    }\n",
               member, member, member);
}

static void describe(emitter *e)
{
    const char *p = e->set->prefix;
    buf_printf(
        &e->out,
        "/**\n * Every function of this query set. Code that is to be tested without a server "
        "takes a\n * `const %s_queries *` beside its pgc_db and calls through it: the program "
        "gives\n * &%s_queries_real, a test a table with functions of its own:\n *\n"
        " *     struct my_db { pgc_db db; int calls; };   // db reaches the functions "
        "untouched\n"
        " *     %s_queries table = %s_queries_none;\n"
        " *     table.… = my_function;\n */\n",
        p, p, p, p);
}

pgc_status emit_interface_header(emitter *e, pgc_error *err)
{
    const char *p = e->set->prefix;
    char *guard = cname_upper(e->arena, emit_made(e, arena_printf(e->arena, "%s_interface_h", p)));
    if (guard == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "emit interface.h");
    }
    emit_banner(e, NULL);
    buf_printf(&e->out, "#ifndef %s\n#define %s\n\n", guard, guard);
    for (size_t i = 0; i < e->set->file_count; i++) {
        buf_printf(&e->out, "#include \"%s.h\"\n", e->set->files[i].base);
    }
    buf_add_str(&e->out, "\nPGC_BEGIN_DECLS\n\n");
    describe(e);
    buf_printf(&e->out, "typedef struct %s_queries {\n", p);
    for_each(e, pointer);
    buf_printf(
        &e->out,
        "} %s_queries;\n\n"
        "/** The functions themselves. */\n"
        "extern const %s_queries %s_queries_real;\n"
        "/** Functions that fail with PGC_UNSUPPORTED and their name; …_close() does nothing. */\n"
        "extern const %s_queries %s_queries_none;\n\n"
        "/** A copy of `base` with the entries of `given` that are not NULL. */\n"
        "%s_queries %s_queries_with(const %s_queries *base, const %s_queries *given);\n\n"
        "PGC_END_DECLS\n\n#endif\n",
        p, p, p, p, p, p, p, p, p);
    return buf_finish(&e->out, err);
}

void emit_interface_source(emitter *e)
{
    const char *p = e->set->prefix;
    assert(e->set->query_count > 0);
    emit_banner(e, NULL);
    buf_printf(&e->out, "#include \"interface.h\"\n\nconst %s_queries %s_queries_real = {\n", p, p);
    for_each(e, real_value);
    buf_add_str(&e->out, "};\n\n");
    for_each(e, none_function);
    buf_printf(&e->out, "const %s_queries %s_queries_none = {\n", p, p);
    for_each(e, none_value);
    buf_printf(&e->out,
               "};\n\n%s_queries %s_queries_with(const %s_queries *base, const %s_queries *given)\n"
               "{\n    %s_queries table = *base;\n",
               p, p, p, p, p);
    for_each(e, override);
    buf_add_str(&e->out, "    return table;\n}\n");
}
