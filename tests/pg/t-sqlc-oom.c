/* Whole commands with each allocation failing in turn: the end is PGC_NOMEM, the files of the last
 * good run keep their bytes, nothing is left in the folder and nothing leaks (jansson's values are
 * counted, the rest is for the address sanitizer). Long runs are sampled; what was sampled is
 * printed. The server is the test's own: it keeps the scratch database, so that a run is short, and
 * no other test takes that away. */
#include "base/prelude.h"

#include <dirent.h>

#include <pgc/cluster.h>

#include "sqlc/offline.h"
#include "sqlc/pipeline.h"

#include "oom_all.h"
#include "sqlc_project.h"

static const char CONFIG[] =
    "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
    "    rules: [c/default, c/seq-scan, dear, words]\n"
    "    codegen:\n      - plugin: c\n        out: out\n        options:\n"
    "          prefix: p\n          emit_interface: true\n"
    "          overrides: [{column: t.note, nullable: false}]\n"
    "rules:\n  - name: dear\n    message: too dear\n"
    "    rule: postgresql.explain.plan.total_cost > 1000000000.0\n"
    "  - name: words\n"
    "    rule: query.sql.matches('nev.r') || config.schema.exists(s, s.startsWith('x' + 'y'))\n";
static const char SCHEMA[] =
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
    "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text, mood mood, ns int[]);\n"
    "CREATE INDEX ON t (name);\n";
static const char QUERIES[] =
    "-- name: GetT :one\n-- One of them.\nSELECT * FROM t WHERE id = @id;\n"
    "-- name: Joined :many\nSELECT sqlc.embed(a), b.name AS other FROM t a LEFT JOIN t b USING "
    "(id) WHERE a.id = @id;\n"
    "-- name: CopyT :copyfrom\nINSERT INTO t (id, name, mood) VALUES (@id, @name, @mood);\n"
    "-- name: BulkT :execrows\n-- @bulk\nINSERT INTO t (id, name) VALUES (@id, @name);\n"
    "-- name: AddT :batchexec\nINSERT INTO t (id, name) VALUES (@id, @name);\n"
    "-- name: FindT :many\n-- @optional name\n"
    "SELECT id, ns FROM t WHERE id > @least AND name = @name ORDER BY id LIMIT @most;\n";

enum { FILES_MAX = 16 };

/* A project whose outputs are not those of its queries, so that a run that gets through would write
 * them. */
typedef struct bed {
    sqlc_project project;
    pgc_cluster *server;
    const char *old;              /* path of a manifest */
    const char *names[FILES_MAX]; /* in out */
    const char *texts[FILES_MAX];
    size_t count;
} bed;

static void look(bed *b)
{
    char path[4096];
    (void) snprintf(path, sizeof path, "%s/out", b->project.dir.path);
    DIR *dir = opendir(path);
    REQUIRE(dir != NULL);
    b->count = 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        REQUIRE(b->count < FILES_MAX);
        b->names[b->count] = arena_printf(b->project.bench.arena, "out/%s", e->d_name);
        b->texts[b->count] = project_read(&b->project, b->names[b->count]);
        b->count++;
    }
    (void) closedir(dir);
}

static bool is_untouched(const bed *b)
{
    bed now = { .project = { .dir = b->project.dir, .bench = sqlc_bench_make(NULL) } };
    look(&now);
    bool same = now.count == b->count;
    for (size_t i = 0; i < now.count && same; i++) {
        size_t k = 0;
        while (k < b->count && strcmp(now.names[i], b->names[k]) != 0) {
            k++;
        }
        same = k < b->count && strcmp(now.texts[i], b->texts[k]) == 0;
    }
    sqlc_bench_done(&now.project.bench);
    return same;
}

/* One header is another's, one file belongs to a query file that is gone. */
static void spoil(bed *b)
{
    char *text =
        arena_strdup(b->project.bench.arena, project_read(&b->project, "out/sqlc-manifest.json"));
    char *name = strstr(text, "\"outputs\": {");
    REQUIRE(name != NULL);
    char *more = arena_printf(b->project.bench.arena, "%.*s\"outputs\": {\n  \"gone.c\": \"0\",%s",
                              (int) (name - text), text, name + strlen("\"outputs\": {"));
    project_write(&b->project, "out/a.h", "/* mine */\n");
    project_write(&b->project, "out/gone.c", "/* of an earlier run */\n");
    project_write(&b->project, "out/sqlc-manifest.json", more);
    look(b);
}

static bed make_bed(void)
{
    bed b = { .project = project_make(CONFIG, SCHEMA, QUERIES) };
    uint64_t random = 0;
    pgc_error err = PGC_ZERO;
    CHECK(env_default()->clock->random(env_default()->clock->ctx, &random, sizeof random));
    const char *tmp = getenv("TMPDIR");
    const pgc_cluster_options options = {
        .struct_size = sizeof options,
        .dir = arena_printf(b.project.bench.arena, "%s/lum-oom-%016" PRIx64,
                            tmp == NULL ? "/tmp" : tmp, random),
        .database = "postgres",
        .throw_away = true,
    };
    if (!CHECK_STATUS(pgc_cluster_open(&options, &b.server, &err), PGC_OK, &err)) {
        return b;
    }
    project_run run = project_command_run(
        &b.project, command_generate,
        (command_options) { .keep = true, .database = pgc_cluster_conninfo(b.server) });
    CHECK_INT(run.status, PGC_OK);
    CHECK_STR(run.diags, "");
    project_write(&b.project, "old.json", project_read(&b.project, "out/sqlc-manifest.json"));
    b.old = arena_printf(b.project.bench.arena, "%s/old.json", b.project.dir.path);
    spoil(&b);
    return b;
}

static void end_bed(bed *b)
{
    pgc_cluster_close(b->server);
    project_done(&b->project);
}

/* jansson calls a token that it has no memory for an invalid one; what people may have edited is
 * then told as faulty. */
static bool is_told(pgc_status status)
{
    return status == PGC_NOMEM || (status == PGC_INVALID && oom_all_was_json());
}

/* A run with the fail_at-th allocation failing. */
static pgc_status run_once(const bed *b, project_command command, const command_options *options,
                           long fail_at, long *calls, size_t *said)
{
    pgc_error err = PGC_ZERO;
    pgc_status status = PGC_NOMEM;
    oom_all_begin(fail_at);
    arena *mem = arena_new(NULL, 0, 0);
    if (mem != NULL) {
        command_result result;
        command_result_init(&result, mem);
        status = command(env_default(), mem, options, &result, &err);
        *said = result.out.len;
        command_result_done(&result);
    }
    *calls = oom_all_end();
    arena_free(mem);
    if (status == PGC_NOMEM && mem != NULL && err.message[0] == '\0') {
        printf("# allocation %ld: no message\n", fail_at);
    }
    (void) b;
    return status;
}

static void sweep(const char *what, project_command command, command_options options, long first,
                  long others)
{
    bed b = make_bed();
    REQUIRE(b.server != NULL);
    const char *path = arena_printf(b.project.bench.arena, "%s/sqlc.yaml", b.project.dir.path);
    long total = 0;
    long runs = 0;
    long wrong = 0;
    size_t said = 0;
    options.config = path;
    options.database = pgc_cluster_conninfo(b.server);
    options.keep = true;
    options.query = b.old;
    /* Twice: what is done once per process is not counted. */
    for (int i = 0; i < 2; i++) {
        CHECK_INT(run_once(&b, command, &options, 0, &total, &said), PGC_OK);
    }
    spoil(&b);
    long json = oom_all_json_live();
    const oom_sample sample = oom_sample_of(total, first, others);
    for (long at = 1; at <= total && wrong < 5; at = oom_sample_next(&sample, at), runs++) {
        long calls = 0;
        pgc_status status = run_once(&b, command, &options, at, &calls, &said);
        if (status == PGC_OK && options.offline && oom_all_was_json()) {
            spoil(&b); /* the short way through the manifest failed, the long one did not */
            continue;
        }
        bool untouched = is_untouched(&b);
        if (!CHECK(is_told(status) && untouched && oom_all_json_live() == json)) {
            printf("# %s: allocation %ld of %ld: status %d, %s, values left %ld\n", what, at, total,
                   (int) status, untouched ? "untouched" : "TOUCHED", oom_all_json_live() - json);
            wrong++;
        }
    }
    printf("# %s: %ld allocations, each of the first %ld and every %ld-th behind: %ld runs\n", what,
           total, first, sample.step, runs);
    end_bed(&b);
}

static void generate_from_the_manifest(void)
{
    sweep("generate --offline", command_generate, (command_options) { .offline = true }, 500, 500);
}

static void check_by_the_manifest(void)
{
    sweep("check --offline", command_check, (command_options) { .offline = true }, 500, 100);
}

static void generate_with_a_server(void)
{
    sweep("generate", command_generate, (command_options) { 0 }, 20, 80);
}

static void vet_with_rules_on_plans(void)
{
    sweep("vet", command_vet, (command_options) { 0 }, 10, 100);
}

static void verify_an_old_manifest(void)
{
    sweep("verify", command_verify, (command_options) { 0 }, 10, 100);
}

/* The manifest alone, as text in memory: written and read again, and read without its set. */
static pgc_status round_trip(slice text)
{
    AUTO(buf_auto) buf again;
    arena *mem = arena_new(NULL, 0, 0);
    manifest head = { 0 };
    manifest lists = { 0 };
    ir_set set;
    buf_init(&again, NULL, (size_t) 64 << 20);
    pgc_status status = mem == NULL ? PGC_NOMEM : manifest_read(mem, "m", text, &head, &set, NULL);
    if (status == PGC_OK) {
        status = manifest_write(&head, &set, &again, NULL);
    }
    if (status == PGC_OK) {
        status = manifest_read(mem, "m", text, &lists, NULL, NULL);
    }
    if (status == PGC_OK && !slice_eq(buf_view(&again), text)) {
        status = PGC_INVALID;
    }
    arena_free(mem);
    return status;
}

static void a_manifest_is_read_and_written(void)
{
    bed b = make_bed();
    REQUIRE(b.server != NULL);
    slice text = sqlc_text(project_read(&b.project, "old.json"));
    oom_all_begin(0);
    CHECK_INT(round_trip(text), PGC_OK);
    long total = oom_all_end();
    long json = oom_all_json_live();
    const oom_sample sample = oom_sample_of(total, 500, 1500);
    long runs = 0;
    for (long at = 1; at <= total; at = oom_sample_next(&sample, at), runs++) {
        oom_all_begin(at);
        pgc_status status = round_trip(text);
        (void) oom_all_end();
        bool recovered = status == PGC_OK && oom_all_was_json();
        if (!CHECK((is_told(status) || recovered) && oom_all_json_live() == json)) {
            printf("# allocation %ld of %ld: status %d\n", at, total, (int) status);
            break;
        }
    }
    printf("# manifest: %ld allocations, each of the first %ld and every %ld-th behind: %ld runs\n",
           total, sample.first, sample.step, runs);
    end_bed(&b);
}

TAP_MAIN(TAP("a manifest is read and written without memory", a_manifest_is_read_and_written),
         TAP("generate --offline without memory touches nothing", generate_from_the_manifest),
         TAP("check --offline without memory says so", check_by_the_manifest),
         TAP("generate without memory touches nothing", generate_with_a_server),
         TAP("vet without memory says so", vet_with_rules_on_plans),
         TAP("verify without memory says so", verify_an_old_manifest))
