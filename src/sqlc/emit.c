/* Which files a set gives. One thread per call. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

#include "sqlc/cname.h"

/* Generated text of one file; beyond it something is wrong with the input. */
#define EMIT_FILE_MAX ((size_t) 256 << 20)

/* Move what was written into the list of files and start over. Text is copied out of the buffer,
 * so one buffer serves all files. */
static pgc_status finish_file(emitter *e, const char *base, const char *ending, vec *out,
                              pgc_error *err)
{
    assert(base != NULL);
    TRY(buf_finish(&e->out, err));
    while (e->out.len > 1 && e->out.ptr[e->out.len - 1] == '\n' &&
           e->out.ptr[e->out.len - 2] == '\n') {
        e->out.len--; /* one newline at the end of a file */
    }
    emit_file *file = VEC_ADD(e->arena, out, emit_file);
    char *name = arena_printf(e->arena, "%s%s", base, ending);
    char *content = arena_copy(e->arena, buf_view(&e->out));
    if (file == NULL || name == NULL || content == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "emit %s%s", base, ending);
    }
    *file = (emit_file) { .name = name, .content = { content, e->out.len } };
    buf_reset(&e->out);
    return PGC_OK;
}

/* Queries of one file in their order; everything they share is in models.h. The guard carries
 * the prefix: two query sets may be included together. */
static pgc_status emit_header(emitter *e, size_t index, pgc_error *err)
{
    const ir_file *file = &e->set->files[index];
    char *lower = arena_printf(e->arena, "%s_%s_h", e->set->prefix, file->base);
    char *guard = lower == NULL ? NULL : cname_upper(e->arena, lower);
    if (guard == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "emit %s.h", file->base);
    }
    emit_banner(e, file->path);
    buf_printf(&e->out,
               "#ifndef %s\n#define %s\n\n#include <pgc/copy.h>\n#include <pgc/pipeline.h>\n"
               "#include <pgc/rows.h>\n\n"
               "#include \"models.h\"\n\n"
               "PGC_BEGIN_DECLS\n\n",
               guard, guard);
    for (size_t i = 0; i < e->set->query_count; i++) {
        if (e->set->queries[i].file_index == index) {
            emit_query_header(e, &e->set->queries[i]);
        }
    }
    buf_add_str(&e->out, "PGC_END_DECLS\n\n#endif\n");
    return buf_finish(&e->out, err);
}

/* The same order as in the header. Statics of a file carry the query's name, so queries of one
 * file do not clash. */
static void emit_source(emitter *e, size_t index)
{
    const ir_file *file = &e->set->files[index];
    assert(index < e->set->file_count);
    emit_banner(e, file->path);
    buf_printf(&e->out, "#include \"%s.h\"\n\n#include <string.h>\n\n", file->base);
    for (size_t i = 0; i < e->set->query_count; i++) {
        if (e->set->queries[i].file_index == index) {
            emit_query_source(e, &e->set->queries[i]);
        }
    }
}

/* Models first: the other files include them. */
static pgc_status emit_all(emitter *e, vec *out, pgc_error *err)
{
    TRY(emit_models_header(e, err));
    TRY(finish_file(e, "models", ".h", out, err));
    TRY(emit_models_source(e, err));
    TRY(finish_file(e, "models", ".c", out, err));
    for (size_t i = 0; i < e->set->file_count; i++) {
        TRY(emit_header(e, i, err));
        TRY(finish_file(e, e->set->files[i].base, ".h", out, err));
        emit_source(e, i);
        TRY(finish_file(e, e->set->files[i].base, ".c", out, err));
    }
    if (e->options->emit_interface && e->set->query_count > 0) {
        TRY(emit_interface_header(e, err));
        TRY(finish_file(e, "interface", ".h", out, err));
        emit_interface_source(e);
        TRY(finish_file(e, "interface", ".c", out, err));
    }
    return PGC_OK;
}

/* The emitter decides nothing about SQL: it writes down the representation. */
pgc_status emit_set(const config_c *options, const ir_set *set, arena *mem, vec *out,
                    pgc_error *err)
{
    emitter e = { .options = options, .set = set, .arena = mem };
    buf_init(&e.out, NULL, EMIT_FILE_MAX);
    pgc_status status = emit_all(&e, out, err);
    buf_done(&e.out);
    return status;
}
