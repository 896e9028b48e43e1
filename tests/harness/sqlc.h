/* What the tests of the query compiler share: an arena with a list of diagnostics, and the list as
 * one text that a test can compare. */
#ifndef TEST_SQLC_H
#define TEST_SQLC_H

#include "sqlc/diag.h"

typedef struct sqlc_bench {
    arena *arena;
    diag_list diags;
} sqlc_bench;

static inline sqlc_bench sqlc_bench_make(const pgc_alloc *alloc)
{
    sqlc_bench bench = { .arena = arena_new(alloc, 0, 0) };
    bench.diags.arena = bench.arena;
    return bench;
}

static inline void sqlc_bench_done(sqlc_bench *bench)
{
    arena_free(bench->arena);
}

/* All diagnostics, one line each: "path:line:column: [warning: ]message". Never NULL. */
static inline const char *sqlc_diags(const sqlc_bench *bench)
{
    const char *text = "";
    for (size_t i = 0; i < bench->diags.items.count; i++) {
        const diag *d = VEC_AT(&bench->diags.items, diag, i);
        const char *longer = arena_printf(
            bench->arena, "%s%s%s:%u:%u: %s%s", text, i == 0 ? "" : "\n", d->path,
            (unsigned) d->line, (unsigned) d->column, d->warning ? "warning: " : "", d->message);
        text = longer == NULL ? text : longer;
    }
    return text;
}

/* Hint of the first diagnostic; "" when there is none. */
static inline const char *sqlc_hint(const sqlc_bench *bench)
{
    const diag *d = bench->diags.items.count > 0 ? VEC_AT(&bench->diags.items, diag, 0) : NULL;
    return d == NULL || d->hint == NULL ? "" : d->hint;
}

static inline slice sqlc_text(const char *text)
{
    return (slice) { text, strlen(text) };
}

#endif
