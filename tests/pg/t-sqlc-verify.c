/* verify: queries of an older manifest against the schema of today. */
#include "base/prelude.h"

#include <jansson.h>

#include "base/proc.h"

#include "sqlc_project.h"

static const char CONFIG[] =
    "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
    "    codegen:\n      - {plugin: c, out: out, options: {prefix: p}}\n";
static const char OLD_SCHEMA[] =
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
    "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text, size int NOT NULL,\n"
    "                mood mood, tag text UNIQUE);\n";
static const char QUERIES[] =
    "-- name: GetT :one\nSELECT * FROM t WHERE id = @id;\n"
    "-- name: Names :many\nSELECT name FROM t;\n"
    "-- name: Sizes :many\nSELECT size, coalesce(note, name) AS words FROM t;\n"
    "-- name: AddT :exec\nINSERT INTO t (id, name, note, size) VALUES (@id, @name, @note, @size);\n"
    "-- name: TagT :exec\nINSERT INTO t (id, name, size, tag) VALUES (@id, @name, 1, @tag)\n"
    "ON CONFLICT (tag) DO NOTHING;\n"
    "-- name: FindT :many\n-- @optional mood\nSELECT id FROM t WHERE id > 0 AND mood = @mood;\n"
    "-- name: CopyT :copyfrom\nINSERT INTO t (id, name, size) VALUES (@id, @name, @size);\n"
    "-- name: BulkT :execrows\n-- @bulk\nINSERT INTO t (id, name, size) VALUES (@id, @name, "
    "@size);\n";

/* Generate with the old schema, keep the manifest, go on with the new one. */
static sqlc_project make_project(const char *schema)
{
    sqlc_project p = project_make(CONFIG, OLD_SCHEMA, QUERIES);
    project_run run = project_command_run(&p, command_generate, (command_options) { 0 });
    CHECK_INT(run.status, PGC_OK);
    CHECK_STR(run.diags, "");
    project_write(&p, "old.json", project_read(&p, "out/sqlc-manifest.json"));
    project_write(&p, "s.sql", schema);
    /* Today's queries are of no interest. */
    project_write(&p, "q/a.sql", "-- name: Other :exec\nSELECT nonsense;\n");
    return p;
}

static project_run verify(sqlc_project *p, bool json)
{
    const char *file = arena_printf(p->bench.arena, "%s/old.json", p->dir.path);
    return project_command_run(p, command_verify,
                               (command_options) { .query = file, .json = json });
}

/* The findings, without the last line. */
static void expect(const char *schema, const char *want, bool breaks)
{
    sqlc_project p = make_project(schema);
    project_run run = verify(&p, false);
    CHECK_INT(run.status, PGC_OK);
    CHECK_INT(run.different, breaks);
    size_t len = strlen(want);
    if (!CHECK(strncmp(run.text, want, len) == 0)) {
        printf("# got:\n# %s\n# want:\n# %s\n", run.text, want);
    }
    CHECK(strstr(run.text + (strlen(run.text) < len ? 0 : len), ": ") == NULL);
    project_done(&p);
}

#define T(columns) \
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE t (" columns ", tag text UNIQUE);\n"

static void additions_break_nothing(void)
{
    expect(
        T("id int PRIMARY KEY, name text NOT NULL, note text, size int NOT NULL, mood mood, more "
          "text, at timestamptz NOT NULL DEFAULT now(), n int GENERATED ALWAYS AS IDENTITY"),
        "8 of 8 queries of ", false);
}

static void what_is_gone_breaks(void)
{
    expect(T("id int PRIMARY KEY, name text NOT NULL, size int NOT NULL, mood mood"),
           "breaks  q/a.sql: GetT: column \"note\" does not exist\n"
           "breaks  q/a.sql: Sizes: column \"note\" does not exist\n"
           "breaks  q/a.sql: AddT: column \"note\" of relation \"t\" does not exist\n"
           "5 of 8 queries of ",
           true);
    expect("CREATE TABLE u (id int);",
           "breaks  q/a.sql: GetT: relation \"t\" does not exist\n"
           "breaks  q/a.sql: Names: relation \"t\" does not exist\n"
           "breaks  q/a.sql: Sizes: relation \"t\" does not exist\n"
           "breaks  q/a.sql: AddT: relation \"t\" does not exist\n"
           "breaks  q/a.sql: TagT: relation \"t\" does not exist\n"
           "breaks  q/a.sql: FindT: parameter \"mood\": type mood is gone\n"
           "breaks  q/a.sql: FindT: relation \"t\" does not exist\n"
           "breaks  q/a.sql: CopyT: table public.t is gone\n"
           "breaks  q/a.sql: CopyT: relation \"t\" does not exist\n"
           "breaks  q/a.sql: BulkT: relation \"t\" does not exist\n"
           "0 of 8 queries of ",
           true);
}

static void other_types_break(void)
{
    expect(T("id int PRIMARY KEY, name text NOT NULL, note text, size bigint NOT NULL, mood mood"),
           "breaks  q/a.sql: GetT: column \"size\" is bigint now, was integer\n"
           "breaks  q/a.sql: Sizes: column \"size\" is bigint now, was integer\n"
           "breaks  q/a.sql: CopyT: column \"t.size\" is bigint now, was integer\n"
           "5 of 8 queries of ",
           true);
}

static void lost_claims_break(void)
{
    expect(T("id int PRIMARY KEY, name text, note text, size int NOT NULL, mood mood"),
           "breaks  q/a.sql: GetT: column \"name\" may be NULL now: t.name is nullable\n"
           "breaks  q/a.sql: Names: column \"name\" may be NULL now: t.name is nullable\n"
           "breaks  q/a.sql: Sizes: column \"words\" may be NULL now: ",
           true);
}

static void new_demands_of_inserts_break(void)
{
    expect(T("id int PRIMARY KEY, name text NOT NULL, note text NOT NULL, size int NOT NULL, mood "
             "mood, owner int NOT NULL"),
           "differs  q/a.sql: AddT: parameter \"note\" may be NULL, its column refuses NULL now\n"
           "breaks  q/a.sql: AddT: the INSERT gives no value for column \"t.owner\", which is NOT "
           "NULL without default\n"
           "breaks  q/a.sql: TagT: the INSERT gives no value for column \"t.note\", which is NOT "
           "NULL without default\n"
           "breaks  q/a.sql: TagT: the INSERT gives no value for column \"t.owner\", which is NOT "
           "NULL without default\n"
           "breaks  q/a.sql: CopyT: the INSERT gives no value for column \"t.note\", which is NOT "
           "NULL without default\n"
           "breaks  q/a.sql: CopyT: the INSERT gives no value for column \"t.owner\", which is NOT "
           "NULL without default\n"
           "breaks  q/a.sql: BulkT: the INSERT gives no value for column \"t.note\", which is NOT "
           "NULL without default\n"
           "breaks  q/a.sql: BulkT: the INSERT gives no value for column \"t.owner\", which is NOT "
           "NULL without default\n"
           "4 of 8 queries of ",
           true);
}

static void a_missing_index_breaks(void)
{
    expect("CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE t (id int PRIMARY KEY, name text "
           "NOT NULL, note text, size int NOT NULL, mood mood, tag text);",
           "breaks  q/a.sql: TagT: there is no unique or exclusion constraint matching the ON "
           "CONFLICT specification\n"
           "7 of 8 queries of ",
           true);
}

static void labels_are_compared(void)
{
    sqlc_project p = make_project(
        "CREATE TYPE mood AS ENUM ('ok', 'glad');\nCREATE TABLE t (id int PRIMARY KEY, name text "
        "NOT NULL, note text, size int NOT NULL, mood mood, tag text UNIQUE);");
    project_run run = verify(&p, false);
    CHECK(run.different);
    CHECK(strstr(run.text, "breaks  enum mood has no label 'sad' any more\n") == run.text);
    CHECK(strstr(run.text, "differs  enum mood has the new label 'glad', which is read as unknown\n"
                           "8 of 8 queries of ") != NULL);
    run = verify(&p, true);
    json_error_t problem;
    json_t *root = json_loads(run.text, 0, &problem);
    CHECK_INT(json_array_size(root), 2);
    CHECK(json_is_true(json_object_get(json_array_get(root, 0), "breaks")));
    CHECK(json_is_false(json_object_get(json_array_get(root, 1), "breaks")));
    json_decref(root);
    project_done(&p);
}

static void git(const sqlc_project *p, const char *a, const char *b, const char *c)
{
    const char *argv[] = { "git", "-c", "user.name=t", "-c", "user.email=t@example.org", a,
                           b,     c,    NULL };
    const proc_options options = { .argv = argv, .dir = p->dir.path };
    pgc_error err = PGC_ZERO;
    int code = -1;
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_OK, &err);
    CHECK_INT(code, 0);
}

static void a_revision_serves_as_well(void)
{
    sqlc_project p = make_project(OLD_SCHEMA);
    git(&p, "init", "-q", NULL);
    git(&p, "add", "out", NULL);
    git(&p, "commit", "-q", "-mold");
    CHECK_INT(unlinkat(p.dir.fd, "out/sqlc-manifest.json", 0), 0);
    project_run run =
        project_command_run(&p, command_verify, (command_options) { .query = "HEAD" });
    CHECK_INT(run.status, PGC_OK);
    CHECK_STR(run.text, "8 of 8 queries of HEAD work with this schema\n");
    run = project_command_run(&p, command_verify, (command_options) { .query = "v9" });
    CHECK_INT(run.status, PGC_NOT_FOUND);
    CHECK(strstr(run.diags, "\"v9\" is neither a file nor a revision: ") == run.diags);
    run = project_command_run(&p, command_verify, (command_options) { .query = "--output=x" });
    CHECK_INT(run.status, PGC_INVALID);
    project_write(&p, "old.json", "{}");
    run = verify(&p, false);
    CHECK_INT(run.status, PGC_INVALID);
    CHECK(strstr(run.diags, "old.json:1:1: not a manifest of sqlc-gen-c") == run.diags);
    project_done(&p);
}

/* With the config's word for a column the old claims were made, and its views and expressions. */
static void what_the_config_says_still_holds(void)
{
    static const char SAYS[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
        "    codegen:\n      - plugin: c\n        out: out\n        options:\n"
        "          prefix: p\n          overrides: [{column: t.note, nullable: false}]\n";
    sqlc_project p =
        project_make(SAYS, "CREATE TABLE t (id int PRIMARY KEY, note text, name text NOT NULL);\n",
                     "-- name: Notes :many\nSELECT note, note || name AS both FROM t;\n"
                     "-- name: Add :exec\nINSERT INTO t (id, name) VALUES (@id, @name);\n"
                     "-- name: Put :exec\nUPDATE t SET note = sqlc.narg(note) WHERE id = @id;\n");
    project_run run = project_command_run(&p, command_generate, (command_options) { 0 });
    CHECK_INT(run.status, PGC_OK);
    project_write(&p, "old.json", project_read(&p, "out/sqlc-manifest.json"));
    run = verify(&p, false);
    CHECK(!run.different);
    if (!CHECK(strstr(run.text, "3 of 3 queries of ") == run.text)) {
        printf("# %s\n", run.text);
    }
    /* Its word is about a column that is gone: no mistake of the config here. */
    project_write(&p, "s.sql", "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL);\n");
    run = verify(&p, false);
    CHECK_INT(run.status, PGC_OK);
    CHECK(strstr(run.text, "breaks  q/a.sql: Notes: column \"note\" does not exist\n") == run.text);
    project_done(&p);
}

/* More texts than are asked for together, in the order of the queries whatever the server said
 * first: a query with as many forms, and one that breaks at either side. */
static void many_texts_keep_their_order(void)
{
    sqlc_project p = make_project(OLD_SCHEMA);
    AUTO(buf_auto) buf queries;
    AUTO(buf_auto) buf want;
    buf_init(&queries, NULL, 1 << 20);
    buf_init(&want, NULL, 1 << 20);
    for (int i = 0; i < 300; i++) {
        bool breaks = i == 0 || i == 255 || i == 256 || i == 299;
        const char *column = breaks ? "note" : "name";
        buf_printf(&queries, "-- name: Q%03d :many\nSELECT %s FROM t;\n", i, column);
        if (breaks) {
            buf_printf(&want, "breaks  q/a.sql: Q%03d: column \"note\" does not exist\n", i);
        }
        if (i == 128) {
            buf_printf(&queries, "-- name: Forms :many\n-- @optional id name size mood tag\n"
                                 "SELECT note FROM t WHERE true AND id = @id AND name = @name AND "
                                 "size = @size AND mood = @mood AND tag = @tag;\n");
        }
        if (i == 0) {
            buf_add_str(&want, "breaks  q/a.sql: Forms: column \"note\" does not exist\n");
        }
    }
    buf_add_str(&want, "296 of 301 queries of ");
    project_write(&p, "q/a.sql", queries.ptr);
    project_run run = project_command_run(&p, command_generate, (command_options) { 0 });
    CHECK_INT(run.status, PGC_OK);
    CHECK_STR(run.diags, "");
    project_write(&p, "old.json", project_read(&p, "out/sqlc-manifest.json"));
    project_write(&p, "s.sql",
                  T("id int PRIMARY KEY, name text NOT NULL, size int NOT NULL, mood mood"));
    run = verify(&p, false);
    CHECK(run.different);
    if (!CHECK(want.ptr != NULL && strncmp(run.text, want.ptr, want.len) == 0)) {
        printf("# got:\n# %s\n# want:\n# %s\n", run.text, want.ptr);
    }
    project_done(&p);
}

/* One of another version that misses what is needed here says whose it is; one that has everything
 * serves, whoever wrote it. */
static void a_manifest_of_another_format_is_named(void)
{
    sqlc_project p = make_project(OLD_SCHEMA);
    char *text = arena_strdup(p.bench.arena, project_read(&p, "old.json"));
    memcpy(strstr(text, "\"generator\": \"" LUM_VERSION) + 14, "9", 1);
    project_write(&p, "old.json", text);
    project_run run = verify(&p, false);
    CHECK_INT(run.status, PGC_OK);
    CHECK(strstr(run.text, "8 of 8 queries of ") == run.text);
    for (char *at = strstr(text, "\"reason\""); at != NULL; at = strstr(at, "\"reason\"")) {
        memcpy(at, "\"excuse\"", 8);
    }
    project_write(&p, "old.json", text);
    run = verify(&p, false);
    CHECK_INT(run.status, PGC_INVALID);
    if (!CHECK(strstr(run.diags, "written by sqlc-gen-c 9.1.0, this is " LUM_VERSION ": ") ==
               run.diags)) {
        printf("# %s\n", run.diags);
    }
    CHECK_STR(run.text, "");
    project_done(&p);
}

static void an_interrupt_ends_it(void)
{
    sqlc_project p = make_project(OLD_SCHEMA);
    const volatile sig_atomic_t stop = 1;
    const char *file = arena_printf(p.bench.arena, "%s/old.json", p.dir.path);
    project_run run =
        project_command_run(&p, command_verify, (command_options) { .query = file, .stop = &stop });
    CHECK_INT(run.status, PGC_CANCELLED);
    CHECK_STR(run.text, "");
    project_done(&p);
}

TAP_MAIN(TAP("additions break nothing", additions_break_nothing),
         TAP("tables, columns and types that are gone break", what_is_gone_breaks),
         TAP("other types break", other_types_break),
         TAP("columns that may be NULL now break", lost_claims_break),
         TAP("new demands on INSERT break", new_demands_of_inserts_break),
         TAP("an ON CONFLICT without its index breaks", a_missing_index_breaks),
         TAP("labels of enums are compared; findings come as JSON", labels_are_compared),
         TAP("what the config says of a column still holds", what_the_config_says_still_holds),
         TAP("many texts keep their order", many_texts_keep_their_order),
         TAP("a manifest of another format is named", a_manifest_of_another_format_is_named),
         TAP("an interrupt ends it", an_interrupt_ends_it),
         TAP("a revision serves as well as a file", a_revision_serves_as_well))
