/* The manifest alone: generate --offline gives the same bytes for every form of query, names what
 * changed, and survives a manifest that somebody damaged. */
#include "base/prelude.h"

#include <jansson.h>

#include "sqlc/ir_json.h"
#include "sqlc/offline.h"
#include "sqlc/pipeline.h"

#include "sqlc_project.h"

#define CORPUS TEST_SOURCE_ROOT "/tests/sqlc/corpus"

static const char CONFIG[] =
    "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
    "    codegen:\n      - {plugin: c, out: out, options: {prefix: p, emit_interface: true}}\n";
static const char SCHEMA[] =
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
    "CREATE TYPE pair AS (a int, b text);\n"
    "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text, mood mood, moods mood[],\n"
    "                pair pair, at timestamptz NOT NULL DEFAULT now());\n"
    "CREATE TABLE guarded (id int PRIMARY KEY, name text);\n"
    "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;\n";
/* Every form that a query can have. */
static const char QUERIES[] =
    "-- name: GetT :one\n-- One of them.\nSELECT * FROM t WHERE id = @id;\n"
    "-- name: NameOf :one\nSELECT name FROM t WHERE id = @id;\n"
    "-- name: CountT :one\nSELECT count(*) FROM t;\n"
    "-- name: ListT :many\n-- @read_only\nSELECT * FROM t ORDER BY id;\n"
    "-- name: ListNames :many\n-- @unnamed\nSELECT note FROM t;\n"
    "-- name: Joined :many\nSELECT sqlc.embed(t), sqlc.embed(g) FROM t LEFT JOIN guarded g USING "
    "(id);\n"
    "-- name: SharedA :one\n-- @row Short\nSELECT id, name FROM t WHERE id = @id;\n"
    "-- name: SharedB :many\n-- @row Short\nSELECT id, name FROM t;\n"
    "-- name: DeleteT :exec\nDELETE FROM t WHERE id = @id;\n"
    "-- name: SetMood :execrows\nUPDATE t SET mood = @mood, moods = @moods, pair = @pair WHERE id "
    "= @id;\n"
    "-- name: PatchT :execrows\n-- @patch name note\nUPDATE t SET name = @name, note = @note WHERE "
    "id = @id;\n"
    "-- name: ResultT :execresult\nDELETE FROM t;\n"
    "-- name: CopyT :copyfrom\nINSERT INTO t (id, name, mood) VALUES (@id, @name, @mood);\n"
    "-- name: CopyGuarded :copyfrom\nINSERT INTO guarded (id, name) VALUES (@id, @name);\n"
    "-- name: BulkT :many\n-- @bulk\nINSERT INTO t (id, name) VALUES (@id, @name) RETURNING *;\n"
    "-- name: AddT :batchexec\nINSERT INTO t (id, name) VALUES (@id, @name);\n"
    "-- name: OneT :batchone\nSELECT * FROM t WHERE id = @id;\n"
    "-- name: ManyT :batchmany\nSELECT id FROM t WHERE name = @name;\n"
    "-- name: FindT :many\n-- @optional mood\n"
    "SELECT id, name FROM t WHERE id > 0 AND mood = @mood /*@if name*/ AND name = @name /*@end*/\n"
    "/*@if noted*/ AND note IS NOT NULL /*@end*/\n"
    "ORDER BY /*@switch sort id*/ id /*@case name: name*/ /*@end*/ LIMIT @most;\n";

static const char *const FILES[] = {
    "out/a.h",         "out/a.c",         "out/models.h",          "out/models.c",
    "out/interface.h", "out/interface.c", "out/sqlc-manifest.json"
};

static project_run generate(sqlc_project *p, bool offline)
{
    return project_command_run(p, command_generate, (command_options) { .offline = offline });
}

static void every_form_is_written_again(void)
{
    sqlc_project p = project_make(CONFIG, SCHEMA, QUERIES);
    const char *before[ARRAY_LEN(FILES)];
    project_run run = generate(&p, false);
    REQUIRE(CHECK_INT(run.status, PGC_OK) && CHECK_STR(run.diags, ""));
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        before[i] = project_read(&p, FILES[i]);
        CHECK(before[i][0] != '\0');
    }
    for (size_t i = 0; i + 1 < ARRAY_LEN(FILES); i++) {
        CHECK_INT(unlinkat(p.dir.fd, FILES[i], 0), 0);
    }
    run = generate(&p, true);
    CHECK_INT(run.status, PGC_OK);
    CHECK_STR(run.diags, "");
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        CHECK(strcmp(project_read(&p, FILES[i]), before[i]) == 0);
    }
    run = project_command_run(&p, command_check, (command_options) { .offline = true });
    CHECK(!run.different);
    run = generate(&p, true);
    CHECK_STR(run.text, "");
    project_done(&p);
}

static void changes_are_named(void)
{
    sqlc_project p = project_make(CONFIG, SCHEMA, QUERIES);
    project_run run = generate(&p, true);
    CHECK_INT(run.status, PGC_INVALID);
    CHECK_STR(run.diags, "out/sqlc-manifest.json:1:1: there is no manifest to generate from");
    CHECK(strstr(sqlc_hint(&p.bench), "with a server") != NULL);
    REQUIRE(generate(&p, false).status == PGC_OK);
    const char *text = project_read(&p, "out/sqlc-manifest.json");
    const char *code = project_read(&p, "out/a.c");
    project_write(&p, "q/a.sql",
                  "-- name: GetT :one\nSELECT * FROM t WHERE id = @id AND true;\n"
                  "-- name: New :exec\nDELETE FROM t;\n"
                  "-- name: CountT :one\nSELECT count(*) FROM t;\n");
    run = generate(&p, true);
    CHECK_INT(run.status, PGC_INVALID);
    CHECK_STR(run.diags, "q/a.sql:1:1: query GetT is not that of the manifest\n"
                         "q/a.sql:3:1: query New is not that of the manifest");
    const char *flags = "-- name: CountT :one\n-- @read_only\nSELECT count(*) FROM t;\n";
    project_write(&p, "q/a.sql", flags);
    CHECK_STR(generate(&p, true).diags, "q/a.sql:1:1: changed since the manifest was written");
    project_write(&p, "q/a.sql", QUERIES);
    project_write(&p, "q/b.sql", "-- name: B :exec\nDELETE FROM t;\n");
    CHECK_STR(generate(&p, true).diags, "q/b.sql:1:1: query B is not that of the manifest");
    REQUIRE(unlinkat(p.dir.fd, "q/b.sql", 0) == 0);
    project_write(&p, "s.sql", "CREATE TABLE t (id int);");
    CHECK_STR(generate(&p, true).diags,
              "s.sql:1:1: the schema changed since the manifest was written");
    project_write(&p, "s.sql", SCHEMA);
    char *other = arena_strdup(p.bench.arena, text);
    memcpy(strstr(other, LUM_VERSION), "9", 1);
    project_write(&p, "out/sqlc-manifest.json", other);
    CHECK_STR(generate(&p, true).diags,
              "out/sqlc-manifest.json:1:1: written by sqlc-gen-c 9.1.0, this is " LUM_VERSION);
    run = project_command_run(&p, command_check, (command_options) { .offline = true });
    CHECK(run.different);
    CHECK(strstr(run.text, "sqlc-manifest.json: written by sqlc-gen-c 9.1.0, this is " LUM_VERSION
                           "; run \"sqlc-gen-c generate\"\n") != NULL);
    project_write(&p, "out/sqlc-manifest.json", text);
    char *options = arena_strdup(p.bench.arena, CONFIG);
    memcpy(strstr(options, "prefix: p"), "prefix: q", 9);
    project_write(&p, "sqlc.yaml", options);
    CHECK_STR(generate(&p, true).diags, "out/sqlc-manifest.json:1:1: written with other options "
                                        "than the config has now");
    CHECK(strcmp(project_read(&p, "out/a.c"), code) == 0);
    project_done(&p);
}

/* What the emitter reads must be checked by the reader: each value of the manifest is taken out,
 * then replaced by others, one at a time. */
typedef struct damage {
    arena *arena;
    json_t *root;
    config_c options;
    size_t tried, refused;
} damage;

static void try_it(damage *d)
{
    arena *mem = arena_new(NULL, (size_t) 1 << 20, 0);
    ir_set set;
    vec files = { 0 };
    pgc_error err = PGC_ZERO;
    pgc_status status = ir_from_json(mem, "m.json", d->root, &set, &err);
    d->tried++;
    if (status == PGC_OK) {
        status = emit_set(&d->options, &set, mem, &files, &err);
        CHECK_STATUS(status, PGC_OK, &err);
    } else {
        d->refused++;
        CHECK_INT(status, PGC_INVALID);
        CHECK(strncmp(err.message, "m.json:1:1: ", 12) == 0);
    }
    arena_free(mem);
}

static void damage_all(damage *d, json_t *node);

static void damage_member(damage *d, json_t *object, const char *key)
{
    json_t *old = json_incref(json_object_get(object, key));
    json_t *others[] = { json_string("x"), json_integer(99), json_array(), json_object() };
    (void) json_object_del(object, key);
    try_it(d);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        (void) json_object_set(object, key, others[i]);
        try_it(d);
        json_decref(others[i]);
    }
    (void) json_object_set(object, key, old);
    damage_all(d, old);
    json_decref(old);
}

static void damage_all(damage *d, json_t *node)
{
    for (size_t i = 0; i < json_array_size(node); i++) {
        json_t *old = json_incref(json_array_get(node, i));
        (void) json_array_remove(node, i);
        try_it(d);
        (void) json_array_insert(node, i, old);
        damage_all(d, old);
        json_decref(old);
    }
    if (json_is_object(node)) {
        const char *keys[40];
        size_t count = 0;
        const char *key = NULL;
        json_t *value = NULL;
        json_object_foreach(node, key, value)
        {
            REQUIRE(count < ARRAY_LEN(keys));
            keys[count++] = arena_strdup(d->arena, key);
        }
        for (size_t i = 0; i < count; i++) {
            damage_member(d, node, keys[i]);
        }
    }
}

static void damaged_manifests_are_refused(void)
{
    sqlc_project p = project_make(CONFIG, SCHEMA, QUERIES);
    json_error_t problem;
    REQUIRE(generate(&p, false).status == PGC_OK);
    const char *text = project_read(&p, "out/sqlc-manifest.json");
    damage d = { .arena = p.bench.arena, .root = json_loads(text, 0, &problem) };
    d.options = (config_c) { .prefix = "p",
                             .manifest = "m.json",
                             .query_parameter_limit = 1,
                             .emit_sql_as_comment = true,
                             .emit_interface = true };
    REQUIRE(d.root != NULL);
    try_it(&d);
    CHECK_INT(d.refused, 0);
    static const char *const PARTS[] = { "prefix", "files",  "enums",   "shapes",
                                         "models", "shared", "queries", "needs" };
    for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
        damage_member(&d, d.root, PARTS[i]);
    }
    printf("# %zu changes, %zu refused\n", d.tried, d.refused);
    CHECK(d.refused > 1000);
    json_decref(d.root);
    project_done(&p);
}

/* The corpus holds every feature: the manifest must hold as much. */
static void the_corpus_is_written_again(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    command_options options = { .config = CORPUS "/sqlc.yaml", .database = test_server() };
    pgc_error err = PGC_ZERO;
    config cfg;
    vec sets = { 0 };
    REQUIRE_OK(pipeline_read(env_default(), bench.arena, &options, &cfg, &sets, &bench.diags, &err),
               &err);
    REQUIRE_OK(pipeline_run(env_default(), bench.arena, &options, &cfg, &sets, &bench.diags, &err),
               &err);
    const pipeline_set *set = VEC_AT(&sets, pipeline_set, 0);
    const emit_file *manifest_file = VEC_AT(&set->files, emit_file, set->files.count - 1);
    manifest read = { 0 };
    ir_set ir;
    vec files = { 0 };
    REQUIRE_OK(manifest_read(bench.arena, "m.json", manifest_file->content, &read, &ir, &err),
               &err);
    REQUIRE_OK(emit_set(&set->config->c, &ir, bench.arena, &files, &err), &err);
    CHECK_INT(ir.query_count, set->ir.query_count);
    REQUIRE(CHECK_INT(files.count + 1, set->files.count));
    for (size_t i = 0; i < files.count; i++) {
        const emit_file *a = VEC_AT(&set->files, emit_file, i);
        const emit_file *b = VEC_AT(&files, emit_file, i);
        CHECK_STR(b->name, a->name);
        CHECK(slice_eq(a->content, b->content));
    }
    sqlc_bench_done(&bench);
}

/* What other programs read: forms, texts, functions. */
static void json_tells_every_form(void)
{
    sqlc_project p = project_make(CONFIG, SCHEMA, QUERIES);
    json_error_t problem;
    project_run run = project_command_run(&p, command_generate, (command_options) { .json = true });
    json_t *root = json_loads(run.text, 0, &problem);
    REQUIRE(root != NULL);
    const json_t *queries = json_object_get(root, "queries");
    CHECK_INT(json_array_size(queries), 19);
    for (size_t i = 0; i < json_array_size(queries); i++) {
        const json_t *q = json_array_get(queries, i);
        const char *name = json_string_value(json_object_get(q, "name"));
        const char *command = json_string_value(json_object_get(q, "command"));
        size_t functions = json_array_size(json_object_get(q, "functions"));
        bool bulk = json_is_true(json_object_get(q, "bulk"));
        CHECK(json_integer_value(json_object_get(q, "line")) > 0);
        CHECK_INT(functions, strcmp(command, "copyfrom") == 0        ? 3
                             : strcmp(command, "many") == 0 && !bulk ? 4
                             : strncmp(command, "batch", 5) == 0     ? 2
                                                                     : 1);
        CHECK((json_object_get(q, "copy") != NULL) == (strcmp(command, "copyfrom") == 0));
        CHECK((json_object_get(q, "choices") != NULL) == (strcmp(name, "FindT") == 0));
        CHECK(bulk == (strcmp(name, "BulkT") == 0));
        if (strcmp(name, "FindT") == 0) {
            CHECK_INT(json_array_size(json_object_get(q, "choices")), 4);
            CHECK_INT(json_array_size(json_object_get(q, "variants")), 16);
        }
        if (strcmp(name, "CopyGuarded") == 0) {
            CHECK(json_is_true(json_object_get(json_object_get(q, "copy"), "policies")));
            CHECK(json_string_value(json_object_get(q, "arrays_sql")) != NULL);
        }
    }
    json_decref(root);
    project_done(&p);
}

TAP_MAIN(TAP("every form of query is written again without a server", every_form_is_written_again),
         TAP("what changed is named, and nothing is written", changes_are_named),
         TAP("damaged manifests are refused or harmless", damaged_manifests_are_refused),
         TAP("the corpus is written again from its manifest", the_corpus_is_written_again),
         TAP("JSON tells every form", json_tells_every_form))
