/* The commands. Each fills a result; nothing is printed here. One thread. */
#include "base/prelude.h"

#include "sqlc/command.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/word_guess.h"
#include "sqlc/offline.h"
#include "sqlc/output.h"
#include "sqlc/pipeline.h"

/* What one command may hold in memory for stdout and for one input file. */
#define RESULT_MAX ((size_t) 256 << 20)

/* The diagnostics live in the arena, the text in its own buffer. */
void command_result_init(command_result *result, arena *mem)
{
    *result = (command_result) { .diags = { .arena = mem } };
    buf_init(&result->out, NULL, RESULT_MAX);
}

void command_result_done(command_result *result)
{
    buf_done(&result->out);
}

/* A plain name of a C file. The manifest lies in the repository and is as good as its last editor:
 * "", "." or ".." in it must never make us remove a folder. */
static bool is_our_file(const char *name)
{
    size_t len = strlen(name);
    return len > 2 && name[0] != '.' && strchr(name, '/') == NULL && name[len - 2] == '.' &&
           (name[len - 1] == 'c' || name[len - 1] == 'h');
}

/* What a run does to one output folder. */
typedef struct set_changes {
    vec files; /* of output_change */
    vec stale; /* of const char *: paths for the file system */
} set_changes;

/* Files of an earlier run that are not made any more. Only files that our own manifest names and
 * that look like ours are taken away: the folder may hold other people's files. */
static pgc_status find_stale(const env *sys, arena *mem, const pipeline_set *set, vec *out,
                             pgc_error *err)
{
    AUTO(buf_auto) buf text;
    manifest old = { 0 };
    char *path = arena_printf(mem, "%s/%s", set->dir, set->config->c.manifest);
    buf_init(&text, sys->alloc, RESULT_MAX);
    pgc_status status = path == NULL ? PGC_NOMEM : file_read(sys, AT_FDCWD, path, &text, NULL);
    if (status == PGC_OK) {
        status = manifest_read(mem, path, buf_view(&text), &old, NULL, NULL);
    }
    for (size_t i = 0; status == PGC_OK && i < old.outputs.count; i++) {
        const char *name = VEC_AT(&old.outputs, manifest_entry, i)->path;
        bool made = !is_our_file(name);
        for (size_t k = 0; k < set->files.count; k++) {
            made = made || strcmp(VEC_AT(&set->files, emit_file, k)->name, name) == 0;
        }
        if (made) {
            continue;
        }
        const char **slot = VEC_ADD(mem, out, const char *);
        char *full = arena_printf(mem, "%s/%s", set->dir, name);
        if (slot == NULL || full == NULL) {
            status = PGC_NOMEM;
        } else {
            *slot = full;
        }
    }
    /* In the first run, or beside somebody else's file, nothing is known to be stale. */
    return status == PGC_NOMEM ? pgc_error_set(err, status, "look for stale files") : PGC_OK;
}

/* What there will be to say is said before anything is written: behind that nothing can fail for
 * want of memory. With --json stdout holds nothing but JSON, so that it can be piped. */
static pgc_status tell_changes(const vec *sets, const set_changes *all, bool json,
                               command_result *result, pgc_error *err)
{
    for (size_t i = 0; i < sets->count; i++) {
        if (json) {
            TRY(manifest_write_ir(&VEC_AT(sets, pipeline_set, i)->ir, &result->out, err));
            continue;
        }
        for (size_t k = 0; k < all[i].files.count; k++) {
            const output_change *change = VEC_AT(&all[i].files, output_change, k);
            if (change->state != OUTPUT_SAME) {
                buf_printf(&result->out, "%s\n", change->path);
            }
        }
    }
    return buf_finish(&result->out, err);
}

/* All sets are compared first, so that a file that cannot be read stops the run before anything is
 * written. Stale files go first: the manifest that names them is still the old one. */
static pgc_status write_sets(const env *sys, arena *mem, const vec *sets, bool json,
                             command_result *result, pgc_error *err)
{
    set_changes *all = ARENA_ARRAY(mem, sets->count + 1, set_changes);
    if (all == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "compare the outputs");
    }
    for (size_t i = 0; i < sets->count; i++) {
        const pipeline_set *set = VEC_AT(sets, pipeline_set, i);
        TRY(output_compare(sys, mem, set->dir, set->shown, &set->files, &all[i].files, err));
        TRY(find_stale(sys, mem, set, &all[i].stale, err));
    }
    TRY(tell_changes(sets, all, json, result, err));
    for (size_t i = 0; i < sets->count; i++) {
        for (size_t k = 0; k < all[i].stale.count; k++) {
            TRY(file_remove_tree(sys, AT_FDCWD, *VEC_AT(&all[i].stale, const char *, k), err));
        }
        TRY(output_write(sys, VEC_AT(sets, pipeline_set, i)->dir, &all[i].files, err));
    }
    return PGC_OK;
}

pgc_status command_generate(const env *sys, arena *mem, const command_options *options,
                            command_result *result, pgc_error *err)
{
    config read;
    vec sets = { 0 };
    TRY(pipeline_read(sys, mem, options, &read, &sets, &result->diags, err));
    if (!options->offline) {
        TRY(pipeline_run(sys, mem, options, &read, &sets, &result->diags, err));
    }
    for (size_t i = 0; options->offline && i < sets.count; i++) {
        TRY(offline_generate(sys, mem, VEC_AT(&sets, pipeline_set, i), &result->diags, err));
    }
    TRY(diag_status(&result->diags, err));
    return write_sets(sys, mem, &sets, options->json, result, err);
}

/* Fill result->different; listing asks for a diff instead of one line per file. Compares in
 * memory and writes nothing. */
static pgc_status compare_sets(const env *sys, arena *mem, const vec *sets, bool listing,
                               command_result *result, pgc_error *err)
{
    for (size_t i = 0; i < sets->count; i++) {
        const pipeline_set *set = VEC_AT(sets, pipeline_set, i);
        vec changes = { 0 };
        TRY(output_compare(sys, mem, set->dir, set->shown, &set->files, &changes, err));
        for (size_t k = 0; k < changes.count; k++) {
            const output_change *change = VEC_AT(&changes, output_change, k);
            if (change->state == OUTPUT_SAME) {
                continue;
            }
            result->different = true;
            if (listing) {
                output_diff(change, &result->out);
            } else {
                buf_printf(&result->out, "%s: %s\n", change->path,
                           change->state == OUTPUT_MISSING ? "missing" : "stale");
            }
        }
    }
    return buf_finish(&result->out, err);
}

pgc_status command_check(const env *sys, arena *mem, const command_options *options,
                         command_result *result, pgc_error *err)
{
    config read;
    vec sets = { 0 };
    TRY(pipeline_read(sys, mem, options, &read, &sets, &result->diags, err));
    if (!options->offline) {
        TRY(pipeline_run(sys, mem, options, &read, &sets, &result->diags, err));
        return compare_sets(sys, mem, &sets, false, result, err);
    }
    for (size_t i = 0; i < sets.count; i++) {
        TRY(offline_check(sys, mem, VEC_AT(&sets, pipeline_set, i), result, err));
    }
    return buf_finish(&result->out, err);
}

pgc_status command_diff(const env *sys, arena *mem, const command_options *options,
                        command_result *result, pgc_error *err)
{
    config read;
    vec sets = { 0 };
    TRY(pipeline_read(sys, mem, options, &read, &sets, &result->diags, err));
    TRY(pipeline_run(sys, mem, options, &read, &sets, &result->diags, err));
    return compare_sets(sys, mem, &sets, true, result, err);
}

/* One parameter or column as a line of a table. The widths fit most names; longer ones push the
 * rest of the line. */
static void explain_line(buf *out, const char *name, const ir_type *type, bool nullable,
                         const char *reason)
{
    buf_printf(out, "  %-24s %-28s %-9s %s\n", name, type->sql, nullable ? "nullable" : "not NULL",
               reason == NULL ? "" : reason);
}

/* A query as text for people: what goes in, what comes out and why, what the server gets.
 *
 *     GetAuthor :one  q/authors.sql:12
 *     parameters
 *       author_id                bigint                       not NULL  …
 *     columns
 *       bio                      text                         nullable  authors.bio is nullable
 *     row type
 *       lib_author */
static void explain_query(const ir_query *query, buf *out)
{
    buf_printf(out, "%s :%s  %s:%" PRIu32 "\n", query->name, query_cmd_text(query->cmd),
               query->file, query->line);
    for (size_t i = 0; i < query->param_count; i++) {
        const ir_param *param = &query->params[i];
        buf_add_str(out, i == 0 ? "parameters\n" : "");
        explain_line(out, param->name, &param->type, param->nullable, param->reason);
    }
    for (size_t i = 0; i < query->column_count; i++) {
        const ir_column *column = &query->columns[i];
        buf_add_str(out, i == 0 ? "columns\n" : "");
        explain_line(out, column->sql_name, &column->type, column->nullable, column->reason);
    }
    if (query->row != NULL && query->row->kind != IR_ROW_SCALAR) {
        buf_printf(out, "row type\n  %s\n", query->row->name);
    }
    slice sql = query->sql;
    buf_add_str(out, "sql\n");
    while (sql.ptr != NULL) {
        slice line = slice_next(&sql, '\n');
        buf_printf(out, "  %" SLICE_FMT "\n", SLICE_ARG(line));
    }
}

/* Warnings about other queries would hide what was asked for. An error about any of them stays:
 * then there is nothing to explain. */
static void keep_warnings_of(diag_list *diags, const vec *sets, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < diags->items.count; i++) {
        const diag d = *VEC_AT(&diags->items, diag, i);
        bool about = !d.warning;
        for (size_t k = 0; k < sets->count && !about; k++) {
            const ir_set *set = &VEC_AT(sets, pipeline_set, k)->ir;
            for (size_t q = 0; q < set->query_count && !about; q++) {
                const ir_query *query = &set->queries[q];
                /* The next query of the file ends this one. */
                bool last =
                    q + 1 == set->query_count || strcmp(set->queries[q + 1].file, query->file) != 0;
                about = strcmp(query->name, name) == 0 && strcmp(query->file, d.path) == 0 &&
                        d.line >= query->line && (last || d.line < set->queries[q + 1].line);
            }
        }
        if (about) {
            *VEC_AT(&diags->items, diag, kept++) = d;
        }
    }
    diags->items.count = kept;
}

/* The hint of a name that no query has: the nearest one. */
static void hint_at_name(const vec *sets, const char *name, pgc_error *err)
{
    word_guess guess = { .typed = { name, strlen(name) } };
    for (size_t i = 0; i < sets->count; i++) {
        const ir_set *set = &VEC_AT(sets, pipeline_set, i)->ir;
        for (size_t k = 0; k < set->query_count; k++) {
            const char *known = set->queries[k].name;
            word_guess_try(&guess, (slice) { known, strlen(known) });
        }
    }
    if (guess.best.ptr != NULL) {
        pgc_error_hint(err, "did you mean %" SLICE_FMT "?", SLICE_ARG(guess.best));
    }
}

/* The same query may be part of several sets: all of them are shown. */
pgc_status command_explain(const env *sys, arena *mem, const command_options *options,
                           command_result *result, pgc_error *err)
{
    config read;
    vec sets = { 0 };
    bool found = false;
    assert(options->query != NULL);
    TRY(pipeline_read(sys, mem, options, &read, &sets, &result->diags, err));
    TRY(pipeline_run(sys, mem, options, &read, &sets, &result->diags, err));
    for (size_t i = 0; i < sets.count; i++) {
        const pipeline_set *set = VEC_AT(&sets, pipeline_set, i);
        for (size_t k = 0; k < set->ir.query_count; k++) {
            if (strcmp(set->ir.queries[k].name, options->query) != 0) {
                continue;
            }
            found = true;
            if (options->json) {
                ir_set one = set->ir;
                one.queries = &set->ir.queries[k];
                one.query_count = 1;
                one.model_count = 0;
                TRY(manifest_write_ir(&one, &result->out, err));
            } else {
                explain_query(&set->ir.queries[k], &result->out);
            }
        }
    }
    keep_warnings_of(&result->diags, &sets, options->query);
    if (!found) {
        pgc_status status =
            pgc_error_set(err, PGC_NOT_FOUND, "no query is called \"%s\"", options->query);
        hint_at_name(&sets, options->query, err);
        return status;
    }
    return buf_finish(&result->out, err);
}

/* Never replaces a file: a config is the user's work. */
pgc_status command_init(const env *sys, arena *mem, const command_options *options,
                        command_result *result, pgc_error *err)
{
    static const char TEXT[] = "version: \"2\"\n"
                               "plugins:\n"
                               "  - name: c\n"
                               "    process:\n"
                               "      cmd: sqlc-gen-c\n"
                               "sql:\n"
                               "  - engine: postgresql\n"
                               "    schema: db/schema\n"
                               "    queries: db/queries\n"
                               "    codegen:\n"
                               "      - plugin: c\n"
                               "        out: src/db\n"
                               "        options:\n"
                               "          prefix: db\n";
    const char *path = options->config == NULL ? "sqlc.yaml" : options->config;
    (void) mem;
    if (file_exists(sys, AT_FDCWD, path)) {
        return pgc_error_set(err, PGC_CONFLICT, "\"%s\" is already there", path);
    }
    TRY(file_write_atomic(sys, AT_FDCWD, path, (slice) { TEXT, sizeof TEXT - 1 }, 0644, err));
    buf_printf(&result->out, "%s\n", path);
    return buf_finish(&result->out, err);
}
