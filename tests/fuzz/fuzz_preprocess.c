/* The text of one query, of arbitrary bytes: macros, dynamic blocks, and every form that they can
 * give, up to some. Every position of the result leads back into the file, and a form is as long as
 * the text that it was made of. */
#include "base/prelude.h"

#include "sqlc/blocks.h"
#include "sqlc/preprocess.h"

#include "fuzz.h"

#define FUZZ_MEMORY_MAX ((size_t) 64 << 20)
/* Enough for most inputs: new blocks are slow under the address sanitizer. */
#define FUZZ_MEMORY_FIRST ((size_t) 1 << 20)
/* Forms beyond these are made like those before. */
#define FORMS_MAX ((size_t) 6)

static const char HEAD[] = "-- name: A :many\n";

static void check_text(arena *mem, const query_source *query, diag_list *diags)
{
    query_text text;
    bool ok = false;
    size_t file_size = query->file->text.len;
    size_t errors = diags->error_count;
    if (query_preprocess(mem, query, diags, &text, &ok, NULL) != PGC_OK) {
        return;
    }
    fuzz_insist(ok == (diags->error_count == errors));
    if (!ok) {
        return;
    }
    fuzz_insist(text.sql.ptr[text.sql.len] == '\0');
    for (size_t i = 0; i <= text.sql.len; i += 1 + text.sql.len / 64) {
        fuzz_insist(query_source_offset(&text, i) <= file_size);
    }
    fuzz_insist(query_char_offset(text.sql, INT32_MAX) == text.sql.len);
    for (size_t i = 1; i < text.params.count; i++) {
        const query_param *p = VEC_AT(&text.params, query_param, i - 1);
        fuzz_insist(p[0].number < p[1].number && p[1].at <= file_size);
    }
    for (size_t i = 0; i < text.embeds.count; i++) {
        const query_embed *e = VEC_AT(&text.embeds, query_embed, i);
        fuzz_insist(e->sql_start < e->sql_end && e->sql_end <= text.sql.len && e->at <= file_size);
    }
}

static void check_forms(arena *mem, const query_source *query, diag_list *diags)
{
    query_blocks blocks;
    bool ok = false;
    if (blocks_read(mem, query, diags, &blocks, &ok, NULL) != PGC_OK || !ok) {
        return;
    }
    fuzz_insist(blocks.variant_count > 0);
    for (size_t i = 0; i < blocks.regions.count; i++) {
        const block_region *region = VEC_AT(&blocks.regions, block_region, i);
        fuzz_insist(region->start <= region->end && region->end <= query->end);
        fuzz_insist(region->choice < blocks.choices.count);
    }
    for (size_t v = 0; v < blocks.variant_count && v < FORMS_MAX; v++) {
        query_source form;
        if (blocks_variant(mem, query, &blocks, v, &form, NULL) != PGC_OK) {
            return;
        }
        fuzz_insist(form.file->text.len == query->file->text.len);
        check_text(mem, &form, diags);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arena *mem;
    mem = mem == NULL ? arena_new(NULL, FUZZ_MEMORY_FIRST, FUZZ_MEMORY_MAX) : mem;
    size_t head = sizeof HEAD - 1;
    char *text = mem == NULL ? NULL : malloc(head + size + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, HEAD, head);
    if (size > 0) {
        memcpy(text + head, data, size);
    }
    text[head + size] = ';';
    diag_list diags = { .arena = mem };
    source_file file = { .path = "q.sql", .text = { text, head + size + 1 } };
    vec found = { 0 };
    if (source_queries(mem, &file, &diags, &found, NULL) == PGC_OK) {
        for (size_t i = 0; i < found.count; i++) {
            const query_source *query = VEC_AT(&found, query_source, i);
            check_text(mem, query, &diags);
            check_forms(mem, query, &diags);
        }
    }
    free(text);
    arena_reset(mem);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "-- @row R\nSELECT @a, sqlc.narg('b'), 'x''y', $$z$$\n  -- gone\n"
        "  FROM t WHERE c IN (sqlc.slice(ids)) AND d NOT IN (sqlc.slice('x')) /* k /* l */ */",
        "SELECT sqlc.embed(t), sqlc.arg(\"Q q\"), E'\\'', \"w\", a <@ b, $3, @a::text FROM t",
        "SELECT id FROM b\nWHERE true /*@if author*/ AND author_id = @author /*@end*/\n"
        "ORDER BY /*@switch sort newest*/ added DESC /*@case title: title*/ /*@end*/",
        "-- @optional name low\nSELECT id FROM t WHERE name = @name AND (low > @low OR true) AND "
        "x BETWEEN 1 AND @high LIMIT @most",
        "-- @patch a b\nUPDATE t SET a = @a, b = @b WHERE id = @id",
        "-- @bulk\nINSERT INTO t (a, b) VALUES (@a, coalesce(@b, 'x')) ON CONFLICT DO NOTHING",
    };
    return fuzz_seed_of(SEEDS, ARRAY_LEN(SEEDS), index, data, size);
}
