/* Query files of arbitrary bytes: cutting into statements, annotations, comments and flags. What is
 * found must lie inside of the file and in its order, and whoever gets no query gets a reason. */
#include "base/prelude.h"

#include "sqlc/lex.h"
#include "sqlc/source.h"

#include "fuzz.h"

#define FUZZ_MEMORY_MAX ((size_t) 64 << 20)

static void check_name(const char *name)
{
    fuzz_insist(lex_word_start(name[0]));
    for (const char *c = name; *c != '\0'; c++) {
        fuzz_insist(lex_word_part(*c));
    }
}

static void check_query(const query_source *query, size_t behind, size_t file_size)
{
    fuzz_insist(query->name_at >= behind && query->name_at < file_size);
    fuzz_insist(query->start >= behind && query->start < query->end && query->end <= file_size);
    fuzz_insist(query_cmd_text(query->cmd) != NULL);
    check_name(query->name);
    for (size_t i = 0; i < query->comments.count; i++) {
        fuzz_insist(*VEC_AT(&query->comments, const char *, i) != NULL);
    }
    for (size_t i = 0; i < query->flags.count; i++) {
        const query_flag *flag = VEC_AT(&query->flags, query_flag, i);
        fuzz_insist(flag->word[0] != '\0' && flag->rest != NULL && flag->at < query->end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arena *mem;
    mem = mem == NULL ? arena_new(NULL, 0, FUZZ_MEMORY_MAX) : mem;
    if (mem == NULL) {
        return 0;
    }
    diag_list diags = { .arena = mem };
    source_file file = { .path = "q.sql", .text = { (const char *) data, size } };
    vec found = { 0 };
    pgc_status status = source_queries(mem, &file, &diags, &found, NULL);
    fuzz_insist(status == PGC_OK || status == PGC_NOMEM);
    size_t behind = 0;
    for (size_t i = 0; i < found.count; i++) {
        const query_source *query = VEC_AT(&found, query_source, i);
        check_query(query, behind, size);
        behind = query->end;
    }
    fuzz_insist(found.count > 0 || diags.error_count > 0 || size == 0 || status != PGC_OK);
    for (size_t i = 0; i < diags.items.count; i++) {
        const diag *d = VEC_AT(&diags.items, diag, i);
        fuzz_insist(d->message != NULL && d->line > 0 && d->column > 0);
    }
    arena_reset(mem);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "-- name: GetA :one\n-- Doc.\n-- @row R\nSELECT @a, 'x''y', $$z$$\n  -- gone\n  FROM t;\n",
        "/* name: B :many */\nSELECT E'\\'', \"w\", a <@ b /* k /* l */ */ FROM t;",
        "-- name: C :execlastid\nSELECT 1;\n-- name: D :batchexec\r\n-- @sqlc-vet-disable a b\n"
        "DELETE FROM t;\n",
        "-- name: E\nSELECT 1;\n-- name F :one\nSELECT 2;\n-- name: G :copyfrom extra\nSELECT 3;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;\n"
        "-- name: H :exec\n;\n-- name: I :exec\nSELECT 'open",
    };
    return fuzz_seed_of(SEEDS, ARRAY_LEN(SEEDS), index, data, size);
}
