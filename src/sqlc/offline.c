/* What the manifest can tell without a server. One thread. */
#include "base/prelude.h"

#include "sqlc/offline.h"

#include <fcntl.h>

#include "base/file.h"

/* Far above any manifest and any generated file. */
#define OFFLINE_FILE_MAX ((size_t) 256 << 20)

/* Hash of an entry's path in a list; "" when it is not there. */
static const char *entry_hash(const vec *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        const manifest_entry *entry = VEC_AT(list, manifest_entry, i);
        if (strcmp(entry->path, path) == 0) {
            return entry->sha256;
        }
    }
    return "";
}

/* Name what is new or different now, and what was there then and is gone. Both directions,
 * because a file that is gone changes the result as much as a new one.
 *
 *     db/queries/a.sql: changed since the last generate
 *     db/queries/b.sql: removed since the last generate */
static void report_entries(const vec *now, const vec *then, const char *what,
                           command_result *result)
{
    for (size_t i = 0; i < now->count; i++) {
        const manifest_entry *entry = VEC_AT(now, manifest_entry, i);
        if (strcmp(entry_hash(then, entry->path), entry->sha256) != 0) {
            buf_printf(&result->out, "%s: %s\n", entry->path, what);
            result->different = true;
        }
    }
    for (size_t i = 0; i < then->count; i++) {
        const manifest_entry *entry = VEC_AT(then, manifest_entry, i);
        if (entry_hash(now, entry->path)[0] == '\0') {
            buf_printf(&result->out, "%s: removed since the last generate\n", entry->path);
            result->different = true;
        }
    }
}

/* Hashes of the outputs on disk that the manifest names. A file that is missing has no entry;
 * the comparison reports it as removed. */
static pgc_status hash_outputs(const env *sys, arena *mem, const pipeline_set *set,
                               const manifest *old, vec *out, pgc_error *err)
{
    for (size_t i = 0; i < old->outputs.count; i++) {
        AUTO(buf_auto) buf text;
        const char *name = VEC_AT(&old->outputs, manifest_entry, i)->path;
        char *full = arena_printf(mem, "%s/%s", set->dir, name);
        buf_init(&text, sys->alloc, OFFLINE_FILE_MAX);
        if (full == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "check the outputs");
        }
        pgc_status status = file_read(sys, AT_FDCWD, full, &text, err);
        if (status == PGC_NOT_FOUND) {
            continue;
        }
        TRY(status);
        manifest_entry *entry = VEC_ADD(mem, out, manifest_entry);
        const char *hash = manifest_hash(mem, buf_view(&text));
        if (entry == NULL || hash == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "check the outputs");
        }
        *entry = (manifest_entry) { .path = name, .sha256 = hash };
    }
    return PGC_OK;
}

/* The manifest of a set. text: initialised by the caller. */
static pgc_status read_manifest(const env *sys, arena *mem, const pipeline_set *set, buf *text,
                                const char **shown, pgc_error *err)
{
    char *path = arena_printf(mem, "%s/%s", set->dir, set->config->c.manifest);
    *shown = arena_printf(mem, "%s/%s", set->shown, set->config->c.manifest);
    if (path == NULL || *shown == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read the manifest");
    }
    return file_read(sys, AT_FDCWD, path, text, err);
}

/* Why the manifest is not of this program and these options. */
static const char *made_otherwise(const manifest *old, const manifest *now, char *out, size_t size)
{
    if (strcmp(old->generator, now->generator) != 0) {
        (void) snprintf(out, size, "written by sqlc-gen-c %.40s, this is %s", old->generator,
                        now->generator);
    } else {
        (void) snprintf(out, size, "written with other options than the config has now");
    }
    return out;
}

/* Needs no server, so it can run in CI before anything is installed. It cannot see that the
 * server would now answer differently. */
pgc_status offline_check(const env *sys, arena *mem, const pipeline_set *set,
                         command_result *result, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    char words[128];
    manifest old = { 0 };
    vec outputs = { 0 };
    const char *shown = NULL;
    buf_init(&text, sys->alloc, OFFLINE_FILE_MAX);
    pgc_status status = read_manifest(sys, mem, set, &text, &shown, err);
    if (status == PGC_NOT_FOUND) {
        buf_printf(&result->out, "%s: missing\n", shown);
        result->different = true;
        return PGC_OK;
    }
    TRY(status);
    TRY(manifest_read(mem, shown, buf_view(&text), &old, NULL, err));
    if (strcmp(old.generator, set->manifest.generator) != 0 ||
        strcmp(old.options_hash, set->manifest.options_hash) != 0) {
        buf_printf(&result->out, "%s: %s; run \"sqlc-gen-c generate\"\n", shown,
                   made_otherwise(&old, &set->manifest, words, sizeof words));
        result->different = true;
    }
    report_entries(&set->manifest.inputs, &old.inputs, "changed since the last generate", result);
    TRY(hash_outputs(sys, mem, set, &old, &outputs, err));
    report_entries(&outputs, &old.outputs, "edited by hand", result);
    return PGC_OK;
}

static const ir_query *old_query(const ir_set *set, const char *name)
{
    for (size_t i = 0; i < set->query_count; i++) {
        if (strcmp(set->queries[i].name, name) == 0) {
            return &set->queries[i];
        }
    }
    return NULL;
}

/* Names the queries of a file that are not those of the manifest; else the file as a whole: then
 * only comments or flags are different. */
static pgc_status report_queries(arena *mem, const source_file *file, const ir_set *old,
                                 diag_list *diags, pgc_error *err)
{
    vec sources = { 0 };
    size_t before = diags->error_count;
    TRY(source_queries(mem, file, diags, &sources, err));
    for (size_t i = 0; i < sources.count; i++) {
        const query_source *source = VEC_AT(&sources, query_source, i);
        const ir_query *query = old_query(old, source->name);
        bool same = query != NULL && query->cmd == source->cmd &&
                    slice_eq(query->written, slice_sub(file->text, source->start, source->end));
        if (!same) {
            (void) diag_error(diags, file, source->name_at, "query %s is not that of the manifest",
                              source->name);
        }
    }
    if (diags->error_count == before) {
        (void) diag_error(diags, file, 0, "changed since the manifest was written");
    }
    return PGC_OK;
}

/* Every input that is not what the manifest was made from. */
static pgc_status report_inputs(arena *mem, const pipeline_set *set, const manifest *old,
                                const ir_set *ir, diag_list *diags, pgc_error *err)
{
    const vec *lists[] = { &set->schema_files, &set->query_files };
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            const source_file *file = VEC_AT(lists[l], source_file, i);
            const char *now = entry_hash(&set->manifest.inputs, file->path);
            if (strcmp(now, entry_hash(&old->inputs, file->path)) == 0) {
                continue;
            }
            if (l == 1) {
                TRY(report_queries(mem, file, ir, diags, err));
            } else {
                (void) diag_error(diags, file, 0,
                                  "the schema changed since the manifest was written");
            }
        }
    }
    for (size_t i = 0; i < old->inputs.count; i++) {
        const char *path = VEC_AT(&old->inputs, manifest_entry, i)->path;
        if (entry_hash(&set->manifest.inputs, path)[0] == '\0') {
            (void) diag_error_at(diags, path, 1, 1, "removed since the manifest was written");
        }
    }
    return PGC_OK;
}

/* Where the manifest cannot serve, the message says what would. */
static void advise(diag_list *diags)
{
    size_t last = diags->items.count;
    if (last > 0) {
        diag_hint(diags, VEC_AT(&diags->items, diag, last - 1),
                  "run generate with a server: without --offline");
    }
}

pgc_status offline_generate(const env *sys, arena *mem, pipeline_set *set, diag_list *diags,
                            pgc_error *err)
{
    AUTO(buf_auto) buf text;
    char words[128];
    manifest head = { 0 };
    manifest old = { 0 };
    const char *shown = NULL;
    size_t errors = diags->error_count;
    buf_init(&text, sys->alloc, OFFLINE_FILE_MAX);
    pgc_status status = read_manifest(sys, mem, set, &text, &shown, err);
    if (status == PGC_NOT_FOUND) {
        (void) diag_error_at(diags, shown, 1, 1, "there is no manifest to generate from");
        advise(diags);
        return PGC_OK;
    }
    TRY(status);
    TRY(manifest_read(mem, shown, buf_view(&text), &head, NULL, err));
    if (strcmp(head.generator, set->manifest.generator) != 0 ||
        strcmp(head.options_hash, set->manifest.options_hash) != 0) {
        (void) diag_error_at(diags, shown, 1, 1, "%s",
                             made_otherwise(&head, &set->manifest, words, sizeof words));
        advise(diags);
        return PGC_OK;
    }
    TRY(manifest_read(mem, shown, buf_view(&text), &old, &set->ir, err));
    TRY(report_inputs(mem, set, &old, &set->ir, diags, err));
    if (diags->error_count > errors) {
        advise(diags);
        return PGC_OK;
    }
    TRY(emit_set(&set->config->c, &set->ir, mem, &set->files, err));
    emit_file *file = VEC_ADD(mem, &set->files, emit_file);
    char *copy = arena_copy(mem, buf_view(&text));
    if (file == NULL || copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read the manifest");
    }
    *file = (emit_file) { .name = set->config->c.manifest, .content = { copy, text.len } };
    return PGC_OK;
}
