/* Overrides: patterns over columns, spellings of types. The first entry that fits counts; entries
 * for columns stand before those for types. One thread per context. */
#include "base/prelude.h"

#include "sqlc/overrides.h"

/* The last star is tried again with one letter more, which is enough: an earlier star cannot take
 * what a later one refuses. */
bool overrides_match(slice pattern, slice text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX; /* place behind the last star */
    size_t again = 0;       /* text it is tried at */
    while (t < text.len) {
        bool escaped = p + 1 < pattern.len && pattern.ptr[p] == '\\';
        char c = p < pattern.len ? pattern.ptr[escaped ? p + 1 : p] : '\0';
        if (p < pattern.len && !escaped && c == '*') {
            star = ++p;
            again = t;
        } else if (p < pattern.len && (c == text.ptr[t] || (!escaped && c == '?'))) {
            p += escaped ? 2 : 1;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++again;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

/* "[catalog.][schema.]table.column", from the right; without schema it is the default one. */
static bool names_column(const model_context *ctx, const config_override *o,
                         const catalog_relation *relation, const char *column)
{
    size_t count = 0;
    const char *const *path = catalog_search_path(ctx->cat, &count);
    const char *fallback = count > 0 ? path[0] : "public";
    slice parts[4] = { { NULL, 0 } };
    size_t used = 0;
    slice rest = { o->column, strlen(o->column) };
    while (rest.ptr != NULL && used < ARRAY_LEN(parts)) {
        parts[used++] = slice_next(&rest, '.');
    }
    if (used < 2) {
        return false;
    }
    slice schema = used > 2 ? parts[used - 3] : (slice) { fallback, strlen(fallback) };
    return overrides_match(schema, (slice) { relation->schema, strlen(relation->schema) }) &&
           overrides_match(parts[used - 2], (slice) { relation->name, strlen(relation->name) }) &&
           overrides_match(parts[used - 1], (slice) { column, strlen(column) });
}

const config_override *overrides_find(const model_context *ctx, const catalog_relation *relation,
                                      const char *column, uint32_t type_oid)
{
    const vec *all = &ctx->options->overrides;
    for (size_t i = 0; column != NULL && i < all->count; i++) {
        const config_override *o = VEC_AT(all, config_override, i);
        if (o->column != NULL && o->c_type != NULL && names_column(ctx, o, relation, column)) {
            return o;
        }
    }
    uint32_t oids[] = { type_oid, catalog_base_type(ctx->cat, type_oid) };
    for (size_t k = 0; k < ARRAY_LEN(oids); k++) {
        for (size_t i = 0; i < ctx->type_overrides.count; i++) {
            const type_override *t = VEC_AT(&ctx->type_overrides, type_override, i);
            if (t->type_oid == oids[k]) {
                return t->from;
            }
        }
    }
    return NULL;
}

static void complain(const model_context *ctx, const config_override *o, const char *what,
                     const char *name)
{
    (void) diag_error_at(ctx->diags, ctx->config_path, o->line, o->at, "override: no %s \"%s\"",
                         what, name);
}

/* Sqlc.md §8.4: what contradicts a proof is worth a look. It counts all the same. */
static void warn_of_proof(const model_context *ctx, const config_override *o,
                          const catalog_relation *relation, const catalog_column *column)
{
    diag *d =
        diag_warning_at(ctx->diags, ctx->config_path, o->line, o->at,
                        "override: column \"%s.%s\" is never NULL", relation->name, column->name);
    diag_hint(ctx->diags, d, "the table says NOT NULL; leave out \"nullable: true\"");
}

/* Every column that a pattern names. True when there was one. */
static bool apply_to_columns(const model_context *ctx, catalog *cat, const config_override *o)
{
    size_t count = 0;
    bool found = false;
    const catalog_relation *relations = catalog_all_relations(cat, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < relations[i].column_count; k++) {
            const catalog_column *column = &relations[i].columns[k];
            if (!names_column(ctx, o, &relations[i], column->name)) {
                continue;
            }
            if (o->has_nullable && o->nullable && column->not_null && !column->overridden) {
                warn_of_proof(ctx, o, &relations[i], column);
            }
            found = true;
            if (o->has_nullable && !column->overridden) {
                catalog_override_null(cat, relations[i].oid, k, !o->nullable);
            }
        }
    }
    return found;
}

pgc_status overrides_apply(model_context *ctx, catalog *cat, pgc_error *err)
{
    const vec *all = &ctx->options->overrides;
    assert(ctx->cat == cat);
    for (size_t i = 0; i < all->count; i++) {
        const config_override *o = VEC_AT(all, config_override, i);
        if (o->column != NULL) {
            if (!apply_to_columns(ctx, cat, o) && strpbrk(o->column, "*?") == NULL) {
                complain(ctx, o, "column", o->column);
            }
            continue;
        }
        const catalog_type *type =
            catalog_type_by_spelling(cat, (slice) { o->db_type, strlen(o->db_type) });
        type_override *added =
            type == NULL ? NULL : VEC_ADD(ctx->arena, &ctx->type_overrides, type_override);
        if (added != NULL) {
            *added = (type_override) { .from = o, .type_oid = type->oid };
        } else if (type != NULL) {
            return pgc_error_set(err, PGC_NOMEM, "apply the overrides");
        } else {
            complain(ctx, o, "type", o->db_type);
        }
    }
    return PGC_OK;
}
