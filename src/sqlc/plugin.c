/* Request to response. The way behind the facts is that of every other run: compile_set() and
 * emit_set(). No manifest is written: it holds the hashes of inputs, which a plugin does not see.
 * One thread. */
#include "base/prelude.h"

#include "sqlc/plugin.h"

#include <plugin.pb-c.h>

#include "sqlc/emit.h"
#include "sqlc/plugin_json.h"
#include "sqlc/plugin_request.h"
#include "sqlc/plugin_world.h"

/* Where complaints about options and names stand. */
#define OPTIONS_PATH "codegen options"

/* Everything of one run. */
typedef struct run {
    arena *arena;
    diag_list *diags;
    plugin_world world;
    config config;
    config_set set;
    vec files; /* of source_file: the query files, by name only */
} run;

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "read the queries of the request");
}

/* The file of that name, added when it is new. A plugin sees base names only, and one C file comes
 * from each. NULL: no memory. */
static const char *file_path(run *r, const char *name)
{
    for (size_t i = 0; i < r->files.count; i++) {
        const char *path = VEC_AT(&r->files, source_file, i)->path;
        if (strcmp(path, name) == 0) {
            return path;
        }
    }
    source_file *file = VEC_ADD(r->arena, &r->files, source_file);
    if (file != NULL) {
        *file = (source_file) { .path = name, .text = SLICE("") };
    }
    return file == NULL ? NULL : name;
}

/* "one" of ":one". */
static bool find_command(const Plugin__Query *query, query_cmd *out)
{
    const char *cmd = plugin_text(&query->cmd);
    return cmd[0] == ':' && query_cmd_find((slice) { cmd + 1, strlen(cmd + 1) }, out);
}

static pgc_status add_query(run *r, const Plugin__Query *query, pgc_error *err)
{
    const char *name = plugin_text(&query->name);
    const char *file_name = plugin_text(&query->filename);
    source_file *units = ARENA_ARRAY(r->arena, 2, source_file);
    const char *where = arena_printf(r->arena, "%s: %s", file_name, name);
    const char *path = file_path(r, file_name);
    query_cmd cmd = QUERY_EXEC;
    if (units == NULL || where == NULL || path == NULL) {
        return no_memory(err);
    }
    if (!source_is_query_name((slice) { name, strlen(name) })) {
        (void) diag_error_at(r->diags, where, 0, 0, "invalid query name: \"%s\"", name);
        return PGC_OK;
    }
    if (!find_command(query, &cmd)) {
        diag *d =
            diag_error_at(r->diags, where, 0, 0, "%s is not supported", plugin_text(&query->cmd));
        diag_hint(r->diags, d,
                  "one of :one :many :exec :execrows :execresult :copyfrom :batchexec "
                  ":batchone :batchmany");
        return PGC_OK;
    }
    units[0] =
        (source_file) { .path = where, .text = { plugin_text(&query->text), query->text.len } };
    units[1] = (source_file) { .path = path, .text = SLICE("") };
    const Plugin__Query **slot = VEC_ADD(r->arena, &r->world.queries, const Plugin__Query *);
    query_source *source = VEC_ADD(r->arena, &r->world.sources, query_source);
    if (slot == NULL || source == NULL) {
        return no_memory(err);
    }
    *slot = query;
    *source = (query_source) {
        .file = &units[0], .unit = &units[1], .end = query->text.len, .name = name, .cmd = cmd
    };
    for (size_t i = 0; i < query->n_comments; i++) {
        const ProtobufCBinaryData *line = &query->comments[i];
        TRY(source_comment(r->arena, (slice) { plugin_text(line), line->len }, 0, source, err));
    }
    return PGC_OK;
}

static pgc_status read_options(run *r, const Plugin__GenerateRequest *request, pgc_error *err)
{
    const ProtobufCBinaryData *text = &request->plugin_options;
    config_c *c = &r->set.c;
    r->config.path = OPTIONS_PATH;
    TRY(config_parse_options(r->arena, OPTIONS_PATH, (slice) { plugin_text(text), text->len },
                             r->diags, c, err));
    if (c->strict_params) {
        diag *d = diag_error_at(r->diags, OPTIONS_PATH, 0, 0,
                                "param_nullability: strict does not work in a plugin");
        diag_hint(r->diags, d, "sqlc does not tell a plugin which parameters are sqlc.narg");
    }
    const char *engine = request->settings == NULL ? "" : plugin_text(&request->settings->engine);
    if (engine[0] != '\0' && strcmp(engine, "postgresql") != 0) {
        (void) diag_error_at(r->diags, OPTIONS_PATH, 0, 0,
                             "engine \"%s\" is not supported: only postgresql", engine);
    }
    return diag_status(r->diags, err);
}

/* Complaints that were made with a place have none here: positions count in texts that only sqlc
 * has seen. */
static void forget_places(diag_list *diags)
{
    for (size_t i = 0; i < diags->items.count; i++) {
        VEC_AT(&diags->items, diag, i)->line = 0;
        VEC_AT(&diags->items, diag, i)->column = 0;
    }
}

static pgc_status generate(run *r, slice bytes, buf *out, pgc_error *err)
{
    const Plugin__GenerateRequest *request = NULL;
    ir_set set;
    vec files = { 0 };
    TRY(plugin_request_read(r->arena, bytes, &request, err));
    TRY(read_options(r, request, err));
    TRY(plugin_world_make(r->arena, request, &r->world, err));
    for (size_t i = 0; i < request->n_queries; i++) {
        TRY(add_query(r, request->queries[i], err));
    }
    const compile_facts facts = { .cat = r->world.cat,
                                  .sources = &r->world.sources,
                                  .describe = plugin_describe,
                                  .arg = &r->world };
    const compile_input input = { .config = &r->config,
                                  .set = &r->set,
                                  .query_files = &r->files,
                                  .schema_hash = "",
                                  .facts = &facts };
    TRY(compile_set(r->arena, &input, r->diags, &set, err));
    TRY(emit_set(&r->set.c, &set, r->arena, &files, err));
    return plugin_request_is_json(bytes) ? plugin_json_write(&files, out, err)
                                         : plugin_response_write(r->arena, &files, out, err);
}

pgc_status plugin_generate(arena *mem, slice request, diag_list *diags, buf *out, pgc_error *err)
{
    run r = { .arena = mem, .diags = diags };
    pgc_status status = generate(&r, request, out, err);
    forget_places(diags);
    return status;
}
