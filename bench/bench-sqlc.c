/* ./dev bench sqlc: how long 500 queries take. Three rows beside the limits that were set: from
 * nothing (a private server is made, started and thrown away), with a server at hand, and the check
 * of CI without any server. Then vet, with our rules and with one that looks at every plan, and
 * verify, beside generate on the same server, which does all but their own part. The project is
 * made by a generator with a seed, so every run and every machine measures the same input: tables
 * of a shop and the queries that people write over them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pgc/cluster.h>

#include "bench.h"

enum { TABLES = 30, QUERIES = 500, COLUMNS = 10, PATH_ROOM = 4096 };

static const double COLD_LIMIT_S = 4, WARM_LIMIT_S = 1, OFFLINE_LIMIT_S = 0.1;

static char work[PATH_ROOM - 512], config[PATH_ROOM], program[PATH_ROOM];
static char plan_config[PATH_ROOM], manifest[PATH_ROOM];
static pgc_cluster *server;

static uint32_t seed_state = 20240229;

/* xorshift32: the same numbers everywhere. */
static uint32_t next_number(uint32_t below)
{
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 17;
    seed_state ^= seed_state << 5;
    return seed_state % below;
}

typedef struct column_type {
    const char *type, *literal;
} column_type;

static const column_type TYPES[] = {
    { "integer", "0" },       { "bigint", "0" },          { "text", "''" },
    { "varchar(40)", "''" },  { "boolean", "false" },     { "timestamptz", "now()" },
    { "numeric(12,2)", "0" }, { "date", "'2024-02-29'" }, { "uuid", "gen_random_uuid()" },
    { "jsonb", "'{}'" },      { "text[]", "'{}'" },       { "double precision", "0" },
    { "mood", "'ok'" },       { "bytea", "''" },          { "interval", "'1 day'" },
};

static bool write_schema(FILE *out)
{
    (void) fprintf(out, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');\n");
    for (unsigned t = 0; t < TABLES; t++) {
        (void) fprintf(out, "CREATE TABLE items_%02u (\n    id bigserial PRIMARY KEY,\n", t);
        if (t > 0) {
            (void) fprintf(out, "    parent_id bigint %s REFERENCES items_%02u,\n",
                           next_number(2) == 0 ? "NOT NULL" : "", t - 1);
        }
        for (unsigned c = 0; c < COLUMNS; c++) {
            const column_type *type = &TYPES[next_number(sizeof TYPES / sizeof TYPES[0])];
            bool not_null = next_number(2) == 0;
            (void) fprintf(out, "    c%u %s%s%s,\n", c, type->type,
                           not_null ? " NOT NULL DEFAULT " : "", not_null ? type->literal : "");
        }
        (void) fprintf(out,
                       "    name text NOT NULL,\n    note text\n);\n"
                       "CREATE INDEX ON items_%02u (name);\n",
                       t);
    }
    return ferror(out) == 0;
}

/* Forms of queries. # is the number of the table, ^ that of the one before it, ! that of the form,
 * ? and & are columns; ~ adds the key of the parent to a list of columns, ` to one of values. */
static const char *const FORMS[] = {
    "Get# :one\nSELECT * FROM items_# WHERE id = @id",
    "List# :many\nSELECT * FROM items_# ORDER BY id LIMIT @most OFFSET @skip",
    "Delete# :execrows\nDELETE FROM items_# WHERE id = @id",
    "Count# :one\nSELECT count(*) FROM items_# WHERE name LIKE @pattern",
    "Named# :many\nSELECT id, name, note FROM items_# WHERE name = ANY(@names::text[])",
    "Add# :copyfrom\nINSERT INTO items_# (name, note~) VALUES (@name, @note`)",
    "Put# :many\n-- @bulk\nINSERT INTO items_# (name, note~) VALUES (@name, @note`) RETURNING id",
    "Rename# :batchexec\nUPDATE items_# SET name = @name WHERE id = @id",
    "Patch# :execrows\n-- @patch name note\n"
    "UPDATE items_# SET name = @name, note = @note WHERE id = @id",
    "Find# :many\n-- @optional name\nSELECT id, name FROM items_# WHERE id > @after AND name = "
    "@name\n"
    "/*@if noted*/ AND note IS NOT NULL /*@end*/ ORDER BY id LIMIT @most",
    "Joined#Form! :many\nSELECT sqlc.embed(a), sqlc.embed(b) FROM items_# a\n"
    "LEFT JOIN items_^ b ON b.id = a.id WHERE a.c? IS NOT NULL",
    "Picked#Form! :many\nSELECT a.id, a.c?, b.c& AS other, coalesce(b.note, a.name) AS note\n"
    "FROM items_# a LEFT JOIN items_^ b USING (id) WHERE a.name > @after ORDER BY a.id",
    "Grouped#Form! :many\nWITH x AS (SELECT c? AS k, name FROM items_# WHERE id < @below)\n"
    "SELECT k, count(*) AS n, max(name) AS last FROM x GROUP BY k HAVING count(*) > @least::bigint",
    "Set#Form! :one\nUPDATE items_# SET c? = @v, note = sqlc.narg(note) WHERE id = @id RETURNING *",
    "Near#Form! :many\nSELECT id, CASE WHEN c? IS NULL THEN 'none' ELSE name END AS label,\n"
    "EXISTS (SELECT FROM items_^ u WHERE u.id = i.id) AS known\n"
    "FROM items_# i WHERE i.id BETWEEN @low AND @high",
    "Rows#Form! :batchmany\nSELECT id, c?, c& FROM items_# WHERE note = @note",
    "Top#Form! :many\nSELECT *, row_number() OVER (ORDER BY id) AS place FROM items_#\n"
    "WHERE c? IS NOT NULL ORDER BY id DESC LIMIT 10",
};

/* One query of table t. */
static void write_query(FILE *out, unsigned t, unsigned form)
{
    unsigned a = next_number(COLUMNS);
    unsigned b = (a + 1 + next_number(COLUMNS - 1)) % COLUMNS;
    (void) fprintf(out, "-- name: ");
    for (const char *c = FORMS[form % (sizeof FORMS / sizeof FORMS[0])]; *c != '\0'; c++) {
        switch (*c) {
        case '#':
            (void) fprintf(out, "%02u", t);
            break;
        case '^':
            (void) fprintf(out, "%02u", t > 0 ? t - 1 : TABLES - 1);
            break;
        case '!':
            (void) fprintf(out, "%u", form);
            break;
        case '?':
            (void) fprintf(out, "%u", a);
            break;
        case '&':
            (void) fprintf(out, "%u", b);
            break;
        case '~':
        case '`':
            (void) fprintf(out, "%s", t == 0 ? "" : *c == '~' ? ", parent_id" : ", @parent_id");
            break;
        default:
            (void) fputc(*c, out);
            break;
        }
    }
    (void) fprintf(out, ";\n\n");
}

static FILE *open_file(const char *name)
{
    char path[PATH_ROOM];
    (void) snprintf(path, sizeof path, "%s/%s", work, name);
    return fopen(path, "we");
}

/* No query of the project breaks it. */
static const char PLAN_RULES[] = "    rules: [c/default, dear]\nrules:\n  - name: dear\n"
                                 "    rule: postgresql.explain.plan.total_cost > 1000000000.0\n";

static bool write_config(const char *name, const char *rules)
{
    FILE *out = open_file(name);
    if (out == NULL) {
        return false;
    }
    (void) fprintf(out,
                   "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: schema.sql\n"
                   "    queries: queries\n    codegen:\n      - {plugin: c, out: out, "
                   "options: {prefix: shop}}\n%s",
                   rules);
    return fclose(out) == 0;
}

static bool write_project(void)
{
    FILE *schema = open_file("schema.sql");
    bool ok = schema != NULL && write_schema(schema);
    ok = schema != NULL && fclose(schema) == 0 && ok;
    for (unsigned t = 0, made = 0; ok && t < TABLES; t++) {
        char name[64];
        (void) snprintf(name, sizeof name, "queries/q%02u.sql", t);
        FILE *out = open_file(name);
        unsigned count = (QUERIES - made) / (TABLES - t);
        for (unsigned form = 0; out != NULL && form < count; form++) {
            write_query(out, t, form);
        }
        made += count;
        ok = out != NULL && ferror(out) == 0;
        ok = out != NULL && fclose(out) == 0 && ok;
    }
    return ok && write_config("sqlc.yaml", "") && write_config("plans.yaml", PLAN_RULES);
}

static double generate_cold(void *ctx)
{
    (void) ctx;
    const char *argv[] = { program, "generate", "-f", config, NULL };
    return bench_command(argv);
}

/* A command on the server that runs; argument NULL: it has none. */
static double run_warm(const char *command, const char *argument, const char *with)
{
    const char *argv[] = { program, command, "-f", with, "--database", "", argument, NULL };
    if (server == NULL) {
        return BENCH_NONE;
    }
    argv[5] = pgc_cluster_conninfo(server);
    return bench_command(argv);
}

static double generate_warm(void *ctx)
{
    (void) ctx;
    return run_warm("generate", NULL, config);
}

/* ctx: the config */
static double vet(void *ctx)
{
    return run_warm("vet", NULL, ctx);
}

/* The manifest is that of an earlier generate. */
static double verify(void *ctx)
{
    (void) ctx;
    if (access(manifest, R_OK) != 0) {
        (void) generate_warm(NULL);
    }
    return run_warm("verify", manifest, config);
}

static double check_offline(void *ctx)
{
    (void) ctx;
    const char *argv[] = { program, "check", "--offline", "-f", config, NULL };
    return bench_command(argv);
}

/* The other side: a limit, in seconds. */
static double limit(void *ctx)
{
    return *(const double *) ctx;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void) info;
    (void) type;
    (void) at;
    return remove(path);
}

static bool prepare(void)
{
    char path[PATH_ROOM];
    const char *tmp = getenv("TMPDIR");
    const char *slash = NULL;
    pgc_error err = PGC_ZERO;
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 32);
    program[len < 0 ? 0 : len] = '\0';
    for (int up = 0; up < 2; up++) { /* BUILD/bench/bench-sqlc */
        slash = strrchr(program, '/');
        program[slash == NULL ? 0 : slash - program] = '\0';
    }
    (void) strncpy(program + strlen(program), "/sqlc-gen-c", 16);
    (void) snprintf(work, sizeof work, "%s/bench-sqlc-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(work) == NULL) {
        return false;
    }
    (void) snprintf(config, sizeof config, "%s/sqlc.yaml", work);
    (void) snprintf(plan_config, sizeof plan_config, "%s/plans.yaml", work);
    (void) snprintf(manifest, sizeof manifest, "%s/out/sqlc-manifest.json", work);
    (void) snprintf(path, sizeof path, "%s/queries", work);
    if (chmod(work, 0755) != 0 || mkdir(path, 0755) != 0 || !write_project()) {
        return false;
    }
    (void) snprintf(path, sizeof path, "%s/server", work);
    const pgc_cluster_options options = {
        .struct_size = sizeof options, .dir = path, .database = "bench", .throw_away = true
    };
    if (pgc_cluster_open(&options, &server, &err) != PGC_OK) {
        (void) fprintf(stderr, "no server: %s\n", err.message);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static double cold = 4, warm = 1, offline = 0.1;
    cold = COLD_LIMIT_S;
    warm = WARM_LIMIT_S;
    offline = OFFLINE_LIMIT_S;
    const bench_case cases[] = {
        { .name = "generate 500 queries, cold",
          .unit = "s",
          .other_is = "the limit; a private server is part of ours",
          .ours = generate_cold,
          .other = limit,
          .ctx = &cold,
          .goal = BENCH_AT_MOST,
          .bound = 1 },
        { .name = "generate 500 queries, --database",
          .unit = "s",
          .other_is = "the limit",
          .ours = generate_warm,
          .other = limit,
          .ctx = &warm,
          .goal = BENCH_AT_MOST,
          .bound = 1 },
        { .name = "check --offline, 500 queries",
          .unit = "s",
          .other_is = "the limit",
          .ours = check_offline,
          .other = limit,
          .ctx = &offline,
          .goal = BENCH_AT_MOST,
          .bound = 1 },
        { .name = "vet --database, 500 queries",
          .unit = "s",
          .other_is = "generate --database",
          .ours = vet,
          .other = generate_warm,
          .ctx = config,
          .goal = BENCH_SHOWN },
        { .name = "vet --database, a rule on every plan",
          .unit = "s",
          .other_is = "generate --database",
          .ours = vet,
          .other = generate_warm,
          .ctx = plan_config,
          .goal = BENCH_SHOWN },
        { .name = "verify --database, 500 queries",
          .unit = "s",
          .other_is = "generate --database",
          .ours = verify,
          .other = generate_warm,
          .goal = BENCH_SHOWN },
    };
    int code = 1;
    if (prepare()) {
        code = bench_main(argc, argv, "sqlc", cases, sizeof cases / sizeof cases[0]);
    } else {
        (void) fprintf(stderr, "cannot make the project in %s\n", work);
    }
    pgc_cluster_close(server);
    (void) nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
