/* Collects the names that the emitter will declare, sorts them and looks for neighbours that are
 * equal. Pure but for the arena. */
#include "base/prelude.h"

#include "sqlc/symbols.h"

/* One global C name and who wants it. */
typedef struct symbol {
    const char *name;
    const char *origin;    /* "query GetAsset", "table public.assets" */
    const ir_query *query; /* NULL: not of a query */
} symbol;

/* The list while it grows. */
typedef struct collector {
    const model_context *ctx;
    vec symbols;           /* of symbol */
    const ir_query *query; /* whose names are added; NULL: of none */
    bool nomem;
} collector;

/* origin may be NULL when memory ran out while it was made. Suffix "" stands for the base
 * itself. */
static void add(collector *c, const char *origin, const char *base, const char *suffix)
{
    symbol *s = VEC_ADD(c->ctx->arena, &c->symbols, symbol);
    const char *name = suffix[0] == '\0' ? base : arena_printf(c->ctx->arena, "%s%s", base, suffix);
    if (s == NULL || name == NULL || origin == NULL) {
        c->nomem = true;
        c->symbols.count -= s == NULL ? 0 : 1;
        return;
    }
    *s = (symbol) { .name = name, .origin = origin, .query = c->query };
}

/* As emit_opt_name() makes it. */
static void add_optional(collector *c, const char *origin, const char *name)
{
    const char *prefix = c->ctx->set->prefix;
    assert(prefix != NULL);
    const char *made = arena_printf(c->ctx->arena, "%s_opt%s", prefix, name + strlen(prefix));
    assert(strncmp(name, prefix, strlen(prefix)) == 0);
    if (made == NULL) {
        c->nomem = true;
        return;
    }
    add(c, origin, made, "");
}

/* Names of a row type's functions and set. The names of emit_rows.c; a change there needs one
 * here.
 *
 *     lib_author, lib_author_clone, lib_author_clone_pass, lib_author_read, lib_author_set,
 *     lib_author_set_detach, lib_author_set_free, lib_author_set_take, lib_opt_author */
static void add_row(collector *c, const char *origin, const ir_row *row)
{
    assert(row->base != NULL);
    if (row->kind != IR_ROW_SCALAR) {
        add(c, origin, row->name, "");
        add(c, origin, row->base, "_clone");
        add(c, origin, row->base, "_clone_pass");
        add(c, origin, row->base, "_read");
    }
    if (row->kind == IR_ROW_MODEL) {
        add_optional(c, origin, row->name);
    }
    add(c, origin, row->base, "_set");
    add(c, origin, row->base, "_set_detach");
    add(c, origin, row->base, "_set_free");
    add(c, origin, row->base, "_set_take");
}

/* Everything that the emitter derives from a query's name. Rows that are shared or models are
 * added once, by their owner. */
static void add_query(collector *c, const ir_query *query)
{
    const char *origin = arena_printf(c->ctx->arena, "query %s", query->name);
    const char *base = arena_printf(c->ctx->arena, "%s_%s", c->ctx->set->prefix, query->c_name);
    if (base == NULL) {
        c->nomem = true;
        return;
    }
    add(c, origin, base, "");
    add(c, origin, base, "_params");
    for (size_t i = 0; i < query->choice_count; i++) {
        const ir_choice *choice = &query->choices[i];
        for (size_t k = 0; choice->kind == IR_CHOICE_SWITCH && k < choice->option_count; k++) {
            add(c, origin, choice->constants[k], "");
        }
        if (choice->kind == IR_CHOICE_SWITCH) {
            add(c, origin, choice->type, "");
        }
    }
    if (query->copy != NULL) {
        add(c, origin, base, "_add");
        add(c, origin, base, "_open");
    } else if (query->cmd == QUERY_MANY && !query->bulk) {
        add(c, origin, base, "_close");
        add(c, origin, base, "_iter");
        add(c, origin, base, "_next");
        add(c, origin, base, "_open");
    } else if (query_cmd_is_batch(query->cmd)) {
        add(c, origin, base, "_add");
        add(c, origin, base, "_take");
    }
    if (query->row != NULL &&
        (query->row->kind == IR_ROW_QUERY || query->row->kind == IR_ROW_SCALAR)) {
        add_row(c, origin, query->row);
    }
}

/* For qsort(): equal names become neighbours. */
static int compare_symbols(const void *a, const void *b)
{
    const symbol *x = a;
    const symbol *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->origin, y->origin);
}

/* The type, its functions and tables; constants carry its name. Constants are names of their own in
 * C: they live in the same scope as functions. */
static void add_enum(collector *c, const ir_enum *type)
{
    const char *origin = arena_printf(c->ctx->arena, "enum %s.%s", type->schema, type->sql_name);
    add(c, origin, type->name, "");
    add(c, origin, type->name, "_from_text");
    add(c, origin, type->name, "_to_text");
    add(c, origin, type->name, "_is_valid");
    add(c, origin, type->name, "_labels");
    add(c, origin, type->name, "_values");
    add_optional(c, origin, type->name);
    add(c, origin, type->unknown, "");
    for (size_t i = 0; i < type->label_count; i++) {
        add(c, origin, type->constants[i], "");
    }
}

/* As emit_shapes.c has them. */
static void add_shape(collector *c, const ir_shape *shape)
{
    const char *origin = arena_printf(c->ctx->arena, "type %s", shape->sql);
    static const char *const SUFFIXES[] = { "",      "_add",  "_clone_pass", "_parts",
                                            "_read", "_type", "_fields" };
    for (size_t i = 0; i < ARRAY_LEN(SUFFIXES); i++) {
        add(c, origin, shape->name, SUFFIXES[i]);
    }
    add(c, origin, shape->opt_name, "");
    add(c, origin, shape->opt_name, "_add");
    add(c, origin, shape->opt_name, "_clone_pass");
    add(c, origin, shape->opt_name, "_read");
}

/* All sources of names, in any order. Includes what options leave out of the output: whether a
 * name is free must not depend on which queries exist. */
static void collect(collector *c)
{
    const ir_set *set = c->ctx->set;
    for (size_t i = 0; i < set->enum_count; i++) {
        add_enum(c, &set->enums[i]);
    }
    for (size_t i = 0; i < set->shapes.count; i++) {
        add_shape(c, *VEC_AT(&set->shapes, ir_shape *, i));
    }
    for (size_t i = 0; i < set->model_count; i++) {
        const ir_row *row = &set->models[i];
        add_row(c, arena_printf(c->ctx->arena, "table %s.%s", row->schema, row->table), row);
    }
    for (size_t i = 0; i < set->shared.count; i++) {
        const ir_row *row = *VEC_AT(&set->shared, ir_row *, i);
        add_row(c, "a row named by @row", row);
    }
    for (size_t i = 0; i < set->query_count; i++) {
        c->query = &set->queries[i];
        add_query(c, c->query);
    }
    c->query = NULL;
    add(c, "the check of the schema", set->prefix, "_schema_check");
    static const char *const TABLE[] = { "_queries", "_queries_none", "_queries_real",
                                         "_queries_with" };
    for (size_t i = 0; c->ctx->options->emit_interface && i < ARRAY_LEN(TABLE); i++) {
        add(c, "the option emit_interface", set->prefix, TABLE[i]);
    }
}

static const symbol *symbol_at(const collector *c, size_t i)
{
    return VEC_AT(&c->symbols, symbol, i);
}

/* Two queries of one name have a dozen more in common: the first stands for all. */
static bool is_told(const collector *c, size_t index)
{
    for (size_t i = 1; i < index; i++) {
        if (strcmp(symbol_at(c, i - 1)->name, symbol_at(c, i)->name) == 0 &&
            strcmp(symbol_at(c, i - 1)->origin, symbol_at(c, index - 1)->origin) == 0 &&
            strcmp(symbol_at(c, i)->origin, symbol_at(c, index)->origin) == 0) {
            return true;
        }
    }
    return false;
}

/* At the query that comes later; tables and types have no place but that of the config. */
static void complain(const model_context *ctx, const symbol *a, const symbol *b)
{
    const ir_query *at = a->query == NULL ? b->query : a->query;
    if (at != NULL && b->query != NULL && b->query > at) {
        at = b->query;
    }
    diag *d = diag_error_at(ctx->diags, at == NULL ? ctx->config_path : at->file,
                            at == NULL ? ctx->line : at->line, at == NULL ? ctx->column : 1,
                            "%s and %s both give the C name \"%s\"", a->origin, b->origin, a->name);
    diag_hint(ctx->diags, d,
              at == NULL ? "give one another name under options.rename"
                         : "give the query another name");
}

/* Three sources of one name give two messages, each with the neighbour. */
pgc_status symbols_check(const model_context *ctx, pgc_error *err)
{
    collector c = { .ctx = ctx };
    collect(&c);
    if (c.nomem) {
        return pgc_error_set(err, PGC_NOMEM, "check the C names");
    }
    if (c.symbols.count > 1) {
        qsort(c.symbols.items, c.symbols.count, sizeof(symbol), compare_symbols);
    }
    for (size_t i = 1; i < c.symbols.count; i++) {
        if (strcmp(symbol_at(&c, i - 1)->name, symbol_at(&c, i)->name) == 0 && !is_told(&c, i)) {
            complain(ctx, symbol_at(&c, i - 1), symbol_at(&c, i));
        }
    }
    return PGC_OK;
}
