/* The way from config to text. Sets with the same schema share one scratch database. One thread. */
#include "base/prelude.h"

#include "sqlc/pipeline.h"

#include "sqlc/compile.h"

/* Every list of this file fails with the same words. */
static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "read the inputs");
}

/* Hash over names and texts of the schema files, in order. Paths stay out: the same schema in
 * another folder is the same schema. */
static pgc_status hash_schema(arena *mem, pipeline_set *set, pgc_error *err)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, (size_t) 64 << 20);
    for (size_t i = 0; i < set->manifest.inputs.count; i++) {
        const manifest_entry *entry = VEC_AT(&set->manifest.inputs, manifest_entry, i);
        buf_printf(&b, "%s\n", entry->sha256);
    }
    set->schema_hash = b.failed ? NULL : manifest_hash(mem, buf_view(&b));
    return set->schema_hash == NULL ? no_memory(err) : PGC_OK;
}

/* Inputs are hashed as they are read; the hash of the schema names the scratch database. Reads
 * everything before the first server is started. */
static pgc_status read_set(const env *sys, arena *mem, const config *cfg, pipeline_set *set,
                           diag_list *diags, pgc_error *err)
{
    const char *out = set->config->c.out;
    set->shown = out;
    set->config_path = cfg->path;
    set->dir = out[0] == '/' ? out : arena_printf(mem, "%s/%s", cfg->dir, out);
    set->manifest.generator = LUM_VERSION;
    set->manifest.options_hash = manifest_options_hash(mem, &set->config->c);
    if (set->dir == NULL || set->manifest.options_hash == NULL) {
        return no_memory(err);
    }
    TRY(source_load(sys, mem, cfg->dir, &set->config->schema, diags, &set->schema_files, err));
    TRY(source_load(sys, mem, cfg->dir, &set->config->queries, diags, &set->query_files, err));
    if (set->query_files.count == 0 && diags->error_count == 0) {
        diag *d = diag_error_at(diags, cfg->path, set->config->line, set->config->column,
                                "no query files (*.sql) under \"queries\"");
        diag_hint(diags, d, "first path: %s", *VEC_AT(&set->config->queries, const char *, 0));
    }
    TRY(manifest_add_inputs(&set->manifest, mem, &set->schema_files, err));
    TRY(hash_schema(mem, set, err));
    return manifest_add_inputs(&set->manifest, mem, &set->query_files, err);
}

pgc_status pipeline_read(const env *sys, arena *mem, const command_options *options, config *cfg,
                         vec *sets, diag_list *diags, pgc_error *err)
{
    TRY(config_load(sys, mem, options->config, diags, cfg, err));
    for (size_t i = 0; i < cfg->sets.count; i++) {
        pipeline_set *set = VEC_ADD(mem, sets, pipeline_set);
        if (set == NULL) {
            return no_memory(err);
        }
        set->config = VEC_AT(&cfg->sets, config_set, i);
        TRY(read_set(sys, mem, cfg, set, diags, err));
    }
    return diag_status(diags, err);
}

#define SERVER_VARIABLE "SQLC_GEN_C_DATABASE"

/* A server, and who named it. */
typedef struct named_server {
    const char *conninfo; /* NULL: a private cluster */
    const char *path;     /* file, option or variable */
    uint32_t line, column;
} named_server;

/* Where to analyse: command line, config, environment, else a private cluster. A user's own
 * choice is never overruled by the environment. What is no file has one line. */
static named_server server_of(const command_options *options, const pipeline_set *pipeline)
{
    const config_set *set = pipeline->config;
    const char *variable = getenv(SERVER_VARIABLE);
    if (options->database != NULL) {
        return (named_server) { options->database, "--database", 1, 1 };
    }
    if (set->database_uri != NULL) {
        return (named_server) { set->database_uri, pipeline->config_path, set->uri_line,
                                set->uri_column };
    }
    if (variable != NULL && variable[0] != '\0') {
        return (named_server) { variable, SERVER_VARIABLE, 1, 1 };
    }
    return (named_server) { NULL, pipeline->config_path, set->line, set->column };
}

/* What helps against errors that the server gives a code to. */
static const char *server_advice(const pgc_error *err)
{
    if (strcmp(err->sqlstate, "3D000") == 0) {
        return "name a database that is there, such as \"postgres\": it is only the door, the run "
               "makes a scratch database of its own";
    }
    if (strncmp(err->sqlstate, "28", 2) == 0) {
        return "check user and password (or PGPASSWORD, or ~/.pgpass) and the server's pg_hba.conf";
    }
    if (strcmp(err->sqlstate, "42501") == 0) {
        return "a scratch database is made on this server: ALTER ROLE ... CREATEDB allows it";
    }
    if (err->status == PGC_INVALID) {
        return "write postgresql://USER@HOST:PORT/NAME, or \"host=... user=... dbname=...\"";
    }
    return err->hint[0] != '\0' ? err->hint : "is the server still there? try again";
}

/* What the server did is shown at the place that names it. Mistakes of the user's files have been
 * reported at their own. */
pgc_status pipeline_server_error(const command_options *options, const pipeline_set *set,
                                 diag_list *diags, pgc_status status, const pgc_error *err)
{
    bool ours = status == PGC_OK || status == PGC_NOMEM || status == PGC_CANCELLED;
    if (!ours && diags->error_count == 0 && err != NULL) {
        const named_server server = server_of(options, set);
        diag *d = diag_error_at(diags, server.path, server.line, server.column, "%s", err->message);
        diag_hint(diags, d, "%s", server_advice(err));
    }
    return status;
}

/* Schema text is cut into statements before a server is started: mistakes there are cheap. */
pgc_status pipeline_open_database(const env *sys, arena *mem, const command_options *options,
                                  const pipeline_set *set, diag_list *diags, database **out,
                                  pgc_error *err)
{
    vec statements = { 0 };
    database_options where = { .server = server_of(options, set).conninfo,
                               .keep = options->keep,
                               .schema_hash = set->schema_hash,
                               .statements = &statements };
    for (size_t i = 0; i < set->schema_files.count; i++) {
        const source_file *file = VEC_AT(&set->schema_files, source_file, i);
        TRY(source_schema(mem, file, diags, &statements, err));
    }
    TRY(diag_status(diags, err));
    return pipeline_server_error(options, set, diags,
                                 database_open(sys, mem, &where, diags, out, err), err);
}

/* The manifest describes the other files, so it is made last. */
static pgc_status emit_with_manifest(arena *mem, pipeline_set *set, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    assert(set->files.count == 0);
    buf_init(&text, NULL, (size_t) 256 << 20);
    TRY(emit_set(&set->config->c, &set->ir, mem, &set->files, err));
    TRY(manifest_add_outputs(&set->manifest, mem, &set->files, err));
    TRY(manifest_write(&set->manifest, &set->ir, &text, err));
    emit_file *file = VEC_ADD(mem, &set->files, emit_file);
    char *copy = arena_copy(mem, buf_view(&text));
    if (file == NULL || copy == NULL) {
        return no_memory(err);
    }
    *file = (emit_file) { .name = set->config->c.manifest, .content = { copy, text.len } };
    return PGC_OK;
}

/* An error in one set does not keep the others from being looked at; nothing is written then.
 *
 *     schema, queries -> database -> catalog -> models, queries -> representation -> files */
pgc_status pipeline_run(const env *sys, arena *mem, const command_options *options,
                        const config *cfg, vec *sets, diag_list *diags, pgc_error *err)
{
    AUTO(database_auto) database *db = NULL;
    const pipeline_set *opened = NULL;
    size_t prepared = 0;
    for (size_t i = 0; i < sets->count; i++) {
        pipeline_set *set = VEC_AT(sets, pipeline_set, i);
        const char *server = server_of(options, set).conninfo;
        const char *previous = opened == NULL ? NULL : server_of(options, opened).conninfo;
        if (opened == NULL || strcmp(opened->schema_hash, set->schema_hash) != 0 ||
            server != previous) {
            database_close(TAKE(db));
            TRY(pipeline_open_database(sys, mem, options, set, diags, &db, err));
            opened = set;
        }
        compile_input input = { .config = cfg,
                                .set = set->config,
                                .query_files = &set->query_files,
                                .schema_hash = set->schema_hash,
                                .db = db,
                                .prepared = &prepared,
                                .stop = options->stop };
        pgc_status status = compile_set(mem, &input, diags, &set->ir, err);
        if (status != PGC_OK && (status != PGC_INVALID || diags->error_count == 0)) {
            return pipeline_server_error(options, set, diags, status, err);
        }
        if (diags->error_count == 0) {
            TRY(emit_with_manifest(mem, set, err));
        }
        if (diags->error_count == 0 && options->visit != NULL) {
            status = options->visit(options->visit_arg, set, db, err);
            TRY(pipeline_server_error(options, set, diags, status, err));
        }
    }
    return diag_status(diags, err);
}
