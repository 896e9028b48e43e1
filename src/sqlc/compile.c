/* A whole set: catalog, models, then the queries, some hundred at a time. A faulty query does not
 * stop the others, so one run reports all mistakes. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/compile.h"

#include "sqlc/bulk.h"
#include "sqlc/cname.h"
#include "sqlc/needs.h"
#include "sqlc/overrides.h"
#include "sqlc/rows.h"
#include "sqlc/shapes.h"
#include "sqlc/symbols.h"

typedef struct set_work {
    const compile_input *input;
    model_context ctx;
    vec sources; /* of query_source */
} set_work;

/* Every list of this file fails with the same words. */
static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse the queries");
}

/* Same name twice, also after conversion to C. Quadratic over some hundred names; the first
 * definition is named in the hint. */
static void check_duplicates(set_work *work)
{
    for (size_t i = 0; i < work->sources.count; i++) {
        const query_source *a = VEC_AT(&work->sources, query_source, i);
        for (size_t k = 0; k < i; k++) {
            const query_source *b = VEC_AT(&work->sources, query_source, k);
            uint32_t line = 0;
            uint32_t column = 0;
            if (strcmp(a->name, b->name) != 0) {
                continue;
            }
            source_position(b->file->text, b->name_at, &line, &column);
            diag *d = diag_error(work->ctx.diags, a->file, a->name_at, "duplicate query name: %s",
                                 a->name);
            diag_hint(work->ctx.diags, d, "the first one is at %s:%" PRIu32, b->file->path, line);
            break;
        }
    }
}

/* "assets" of "db/queries/assets.sql". The model files are ours, so a query file must not take
 * their name.
 *
 *     db/queries/Album-Items.sql -> album_items.h, album_items.c */
static pgc_status file_base(const model_context *ctx, const source_file *file, const char **out,
                            pgc_error *err)
{
    const char *name = source_base_name(file->path);
    size_t len = strlen(name);
    slice stem = { name, len > 4 && strcmp(name + len - 4, ".sql") == 0 ? len - 4 : len };
    char *snake = NULL;
    TRY(cname_snake(ctx->arena, stem, &snake, err));
    bool taken = snake == NULL || strcmp(snake, "models") == 0 ||
                 (ctx->options->emit_interface && strcmp(snake, "interface") == 0);
    if (taken) {
        diag *d = diag_error_at(ctx->diags, file->path, 1, 1,
                                "no C file can be named after this query file");
        diag_hint(ctx->diags, d,
                  "rename it; \"models\" is taken by the tables, \"interface\" by emit_interface");
    }
    *out = snake == NULL ? "" : snake;
    return PGC_OK;
}

/* One C file per query file; its queries join the one list of the set. */
static pgc_status read_files(set_work *work, pgc_error *err)
{
    const vec *files = work->input->query_files;
    ir_set *set = work->ctx.set;
    set->files = ARENA_ARRAY(work->ctx.arena, files->count + 1, ir_file);
    if (set->files == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < files->count; i++) {
        const source_file *file = VEC_AT(files, source_file, i);
        ir_file *added = &set->files[set->file_count];
        added->path = file->path;
        TRY(file_base(&work->ctx, file, &added->base, err));
        for (size_t k = 0; k < set->file_count; k++) {
            if (strcmp(set->files[k].base, added->base) == 0) {
                diag *d = diag_error_at(work->ctx.diags, file->path, 1, 1,
                                        "same C file name as for %s", set->files[k].path);
                diag_hint(work->ctx.diags, d, "rename one of the two query files");
            }
        }
        set->file_count++;
        if (work->input->facts == NULL) {
            TRY(source_queries(work->ctx.arena, file, work->ctx.diags, &work->sources, err));
        }
    }
    if (work->input->facts != NULL) {
        work->sources = *work->input->facts->sources;
    }
    return PGC_OK;
}

/* Text for the server: the name first, so that it shows in the server's statistics. The hash
 * covers this text: a renamed query is a new statement.
 *
 *     -- name: GetAuthor :one
 *     SELECT author_id, name FROM authors WHERE author_id = $1 */
static pgc_status final_sql(const set_work *work, const query_facts *facts, ir_query *query,
                            pgc_error *err)
{
    char *sql = arena_printf(work->ctx.arena, "-- name: %s :%s\n%s", query->name,
                             query_cmd_text(query->cmd),
                             query->bulk_sql != NULL ? query->bulk_sql : facts->sql.ptr);
    assert(facts->sql.ptr != NULL);
    if (sql == NULL) {
        return no_memory(err);
    }
    query->sql = (slice) { sql, strlen(sql) };
    query->tree = facts->tree;
    query->hash = ir_query_hash(query->sql, query->params, query->param_count);
    return PGC_OK;
}

/* Paths are compared as pointers: a query points to the very file that it was read from. */
static size_t file_index(const set_work *work, const query_source *source)
{
    size_t index = 0;
    const ir_set *set = work->ctx.set;
    const char *path = source->unit == NULL ? source->file->path : source->unit->path;
    assert(path != NULL);
    while (index < set->file_count && set->files[index].path != path) {
        index++;
    }
    return index;
}

/* Queries that share their round trips. An interrupt is seen between two such groups. */
#define TOGETHER_MAX ((size_t) 256)

/* One query between the text and the set. */
typedef struct pending {
    const query_source *source;
    const char *c_name; /* NULL: none can be made, which has been told */
    query_variants variants;
} pending;

/* What can be said without a server. */
static pgc_status begin_query(set_work *work, const query_source *source, describe_batch *batch,
                              pending *out, pgc_error *err)
{
    char *c_name = NULL;
    *out = (pending) { .source = source };
    TRY(cname_snake(work->ctx.arena, (slice) { source->name, strlen(source->name) }, &c_name, err));
    if (c_name == NULL) {
        (void) diag_error(work->ctx.diags, source->file, source->name_at,
                          "no C name can be made of \"%s\"", source->name);
        return PGC_OK;
    }
    out->c_name = c_name;
    return work->input->facts != NULL
               ? PGC_OK
               : variants_add(batch, source, work->input->prepared, &out->variants, err);
}

/* Texts with arrays are shown to the server together, behind those of the user. */
static pgc_status note_bulk(set_work *work, const pending *from, const ir_query *query, vec *texts,
                            pgc_error *err)
{
    if (query->bulk_sql == NULL) {
        return PGC_OK;
    }
    bulk_text *text = VEC_ADD(work->ctx.arena, texts, bulk_text);
    if (text == NULL) {
        return no_memory(err);
    }
    *text = (bulk_text) { .source = from->source, .sql = query->bulk_sql };
    return PGC_OK;
}

/* One query; added to the set when it is sound. A query that fails stays out of the set, so
 * nothing half-made reaches the emitter. Its place in the array is used by the next one. */
static pgc_status finish_query(set_work *work, pending *from, vec *bulk_texts, pgc_error *err)
{
    ir_set *set = work->ctx.set;
    ir_query *query = &set->queries[set->query_count];
    const query_source *source = from->source;
    query_variants *variants = &from->variants;
    uint32_t column = 0;
    bool ok = false;
    *query = (ir_query) {
        .name = source->name, .c_name = from->c_name, .cmd = source->cmd, .file = source->file->path
    };
    source_position(source->file->text, source->name_at, &query->line, &column);
    query->file_index = file_index(work, source);
    query->written = slice_sub(source->file->text, source->start, source->end);
    query->comments = source->comments.items;
    query->comment_count = source->comments.count;
    const compile_facts *facts = work->input->facts;
    if (from->c_name != NULL && facts != NULL) {
        TRY(facts->describe(facts->arg, &work->ctx, source, variants, &ok, err));
    } else if (from->c_name != NULL) {
        TRY(variants_finish(variants, &ok, err));
    }
    if (ok) {
        query->choice_count = variants->blocks.choices.count;
        TRY(rows_build(&work->ctx, &variants->facts, query, &ok, err));
    }
    if (ok) {
        TRY(bulk_build(&work->ctx, &variants->facts, query, &ok, err));
    }
    if (ok) {
        TRY(note_bulk(work, from, query, bulk_texts, err));
        TRY(variants_build(&work->ctx, variants, query, err));
        TRY(final_sql(work, &variants->facts, query, err));
        set->query_count++;
    }
    return PGC_OK;
}

static pgc_status add_queries(set_work *work, size_t from, size_t count, pgc_error *err)
{
    pgc_conn *conn = work->input->facts == NULL ? database_conn(work->input->db) : NULL;
    describe_batch batch = { .ctx = &work->ctx, .conn = conn };
    vec bulk_texts = { 0 };
    pending *all = ARENA_ARRAY(work->ctx.arena, count, pending);
    if (all == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        const query_source *source = VEC_AT(&work->sources, query_source, from + i);
        TRY(begin_query(work, source, &batch, &all[i], err));
    }
    if (conn != NULL) {
        TRY(describe_run(&batch, err));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(finish_query(work, &all[i], &bulk_texts, err));
    }
    return conn == NULL ? PGC_OK : bulk_check(&work->ctx, conn, &bulk_texts, err);
}

/* Symbols are checked last and only in a clean run: a missing query would hide or invent
 * collisions. */
pgc_status compile_set(arena *mem, const compile_input *input, diag_list *diags, ir_set *out,
                       pgc_error *err)
{
    catalog *cat = NULL;
    set_work work = { .input = input,
                      .ctx = { .arena = mem,
                               .options = &input->set->c,
                               .diags = diags,
                               .config_path = input->config->path,
                               .line = input->set->line,
                               .column = input->set->column,
                               .set = out } };
    assert((input->db == NULL) == (input->facts != NULL));
    *out = (ir_set) { .prefix = input->set->c.prefix, .schema_hash = input->schema_hash };
    if (input->facts != NULL) {
        cat = input->facts->cat;
    } else {
        assert(input->prepared != NULL);
        out->server_version = pgc_conn_server_version(database_conn(input->db));
        pgc_status status = catalog_load(database_conn(input->db), mem, &cat, err);
        if (status != PGC_OK) {
            return pgc_error_wrap(err, status, "read the catalog");
        }
    }
    work.ctx.cat = cat;
    TRY(overrides_apply(&work.ctx, cat, err));
    TRY(model_build(&work.ctx, err));
    TRY(read_files(&work, err));
    check_duplicates(&work);
    out->queries = ARENA_ARRAY(mem, work.sources.count + 1, ir_query);
    if (out->queries == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < work.sources.count; i += TOGETHER_MAX) {
        size_t left = work.sources.count - i;
        if (input->stop != NULL && *input->stop != 0) {
            return pgc_error_set(err, PGC_CANCELLED, "interrupted; nothing was written");
        }
        TRY(add_queries(&work, i, left < TOGETHER_MAX ? left : TOGETHER_MAX, err));
    }
    if (out->nomem) {
        return no_memory(err);
    }
    shapes_sort(out);
    if (diags->error_count == 0) {
        TRY(needs_collect(&work.ctx, err));
        TRY(symbols_check(&work.ctx, err));
    }
    return diag_status(diags, err);
}
