/* The command `verify`. The old manifest is a file, or it is taken from a revision of the
 * repository that the output folder lies in. One thread. */
#include "base/prelude.h"

#include "sqlc/verify.h"

#include <fcntl.h>
#include <jansson.h>

#include "base/file.h"
#include "base/json_auto.h"
#include "base/proc.h"
#include "sqlc/database.h"
#include "sqlc/json_text.h"
#include "sqlc/overrides.h"

#define MANIFEST_MAX   ((size_t) 256 << 20)
#define GIT_TIMEOUT_US ((int64_t) 60 * 1000000)

/* The manifest as it was in a revision. Words of git go into the message. */
static pgc_status read_revision(const env *sys, arena *mem, const pipeline_set *set,
                                const char *revision, buf *out, pgc_error *err)
{
    int code = 1;
    char *what = arena_printf(mem, "%s:./%s", revision, set->config->c.manifest);
    const char *argv[] = { "git", "show", "--no-textconv", what, NULL };
    const proc_options options = {
        .argv = argv, .dir = set->dir, .timeout_us = GIT_TIMEOUT_US, .output = out
    };
    if (what == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read revision \"%s\"", revision);
    }
    if (revision[0] == '-') {
        return pgc_error_set(err, PGC_INVALID, "\"%s\" is neither a file nor a revision", revision);
    }
    TRY(proc_run(sys, &options, &code, err));
    if (code != 0) {
        slice words = slice_trim(buf_view(out));
        pgc_status status = pgc_error_set(err, PGC_NOT_FOUND,
                                          "\"%s\" is neither a file nor a revision: %" SLICE_FMT,
                                          revision, SLICE_ARG(slice_sub(words, 0, 200)));
        pgc_error_hint(err, "give an older %s, or a revision that has it", set->config->c.manifest);
        return status;
    }
    return PGC_OK;
}

static pgc_status read_old(const env *sys, arena *mem, const pipeline_set *set, const char *from,
                           ir_set *out, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    manifest head = { 0 };
    buf_init(&text, sys->alloc, MANIFEST_MAX);
    pgc_status status = file_read(sys, AT_FDCWD, from, &text, err);
    if (status == PGC_NOT_FOUND) {
        buf_reset(&text);
        status = read_revision(sys, mem, set, from, &text, err);
    }
    TRY(status);
    status = manifest_read(mem, from, buf_view(&text), &head, out, err);
    if (status == PGC_INVALID && head.generator != NULL &&
        strcmp(head.generator, set->manifest.generator) != 0) {
        pgc_error_hint(err,
                       "with this version run generate on the files of that revision, and give "
                       "the manifest that it writes");
        return pgc_error_wrap(err, status, "written by sqlc-gen-c %.40s, this is %s",
                              head.generator, set->manifest.generator);
    }
    return status;
}

/* Over all sets. */
typedef struct verify_totals {
    vec findings;   /* of verify_finding */
    size_t queries; /* looked at */
} verify_totals;

/* Columns that the config calls nullable or not: the old claims were made with its word. What it
 * says of columns that are gone by now is no mistake here. */
static pgc_status apply_users_word(arena *mem, const pipeline_set *set, catalog *cat,
                                   pgc_error *err)
{
    diag_list gone = { .arena = mem };
    model_context ctx = { .arena = mem,
                          .cat = cat,
                          .options = &set->config->c,
                          .diags = &gone,
                          .config_path = set->config_path };
    return overrides_apply(&ctx, cat, err);
}

static pgc_status verify_set(const env *sys, arena *mem, const command_options *options,
                             const pipeline_set *set, verify_totals *totals, diag_list *diags,
                             pgc_error *err)
{
    AUTO(database_auto) database *db = NULL;
    ir_set old;
    catalog *cat = NULL;
    TRY(read_old(sys, mem, set, options->query, &old, err));
    TRY(pipeline_open_database(sys, mem, options, set, diags, &db, err));
    TRY(pipeline_server_error(options, set, diags, catalog_load(database_conn(db), mem, &cat, err),
                              err));
    TRY(apply_users_word(mem, set, cat, err));
    verify_work w = { .arena = mem,
                      .conn = database_conn(db),
                      .cat = cat,
                      .old = &old,
                      .findings = &totals->findings,
                      .stop = options->stop };
    verify_enums(&w);
    TRY(pipeline_server_error(options, set, diags, verify_queries(&w, err), err));
    totals->queries += old.query_count;
    return w.nomem ? pgc_error_set(err, PGC_NOMEM, "verify the queries") : PGC_OK;
}

/* Findings of one query stand together, so breaking ones are counted by their names. */
static size_t broken_count(const vec *findings)
{
    size_t count = 0;
    const char *last = NULL;
    for (size_t i = 0; i < findings->count; i++) {
        const verify_finding *f = VEC_AT(findings, verify_finding, i);
        if (f->breaks && f->query[0] != '\0' && (last == NULL || strcmp(last, f->query) != 0)) {
            count++;
            last = f->query;
        }
    }
    return count;
}

/*     breaks  q/authors.sql: GetAuthor: column "bio" does not exist
 *     59 of 60 queries of v1.2 work with this schema */
static void report(const vec *findings, const char *from, size_t queries, buf *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const verify_finding *f = VEC_AT(findings, verify_finding, i);
        buf_printf(out, "%s  %s%s%s%s%s\n", f->breaks ? "breaks" : "differs", f->file,
                   f->query[0] == '\0' ? "" : ": ", f->query, f->query[0] == '\0' ? "" : ": ",
                   f->message);
    }
    buf_printf(out, "%zu of %zu %s of %s %s with this schema\n", queries - broken_count(findings),
               queries, queries == 1 ? "query" : "queries", from, queries == 1 ? "works" : "work");
}

static pgc_status report_json(const vec *findings, buf *out, pgc_error *err)
{
    AUTO(json_auto) json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < findings->count; i++) {
        const verify_finding *f = VEC_AT(findings, verify_finding, i);
        ok = json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s}", "file", f->file, "query",
                                                   f->query, "breaks", (int) f->breaks, "message",
                                                   f->message)) == 0;
    }
    return json_text_add(ok ? list : NULL, out, err);
}

pgc_status command_verify(const env *sys, arena *mem, const command_options *options,
                          command_result *result, pgc_error *err)
{
    config read;
    vec sets = { 0 };
    verify_totals totals = { .queries = 0 };
    assert(options->query != NULL);
    TRY(pipeline_read(sys, mem, options, &read, &sets, &result->diags, err));
    for (size_t i = 0; i < sets.count; i++) {
        TRY(verify_set(sys, mem, options, VEC_AT(&sets, pipeline_set, i), &totals, &result->diags,
                       err));
    }
    for (size_t i = 0; i < totals.findings.count; i++) {
        const verify_finding *f = VEC_AT(&totals.findings, verify_finding, i);
        result->different = result->different || f->breaks;
    }
    if (options->json) {
        return report_json(&totals.findings, &result->out, err);
    }
    report(&totals.findings, options->query, totals.queries, &result->out);
    return buf_finish(&result->out, err);
}
