/* The compiler as a plugin of the released sqlc, beside itself with a server: each query of this
 * project and of the test suite's corpus is a file of its own and goes both ways. The C is the same
 * where both ways say the same about NULL; what else differs, and what a plugin refuses, stands in
 * sqlc-plugin.txt with a reason, and a line there that is no longer true fails. */
#include "base/prelude.h"

#include <unistd.h>

#include "base/file.h"
#include "sqlc/c_type.h"
#include "sqlc/cname.h"
#include "sqlc/command.h"
#include "sqlc/source.h"

#include "compiler.h"
#include "listed.h"
#include "pg.h"
#include "sqlc.h"
#include "sqlc_peer.h"
#include "tap.h"
#include "tmpdir.h"

#define ROUNDS_MAX 8 /* upstream names its refusals at once, a plugin its own in the next round */

typedef struct set {
    const char *name, *schema, *queries;
    const char *cut; /* how statements begin that upstream cannot read; NULL: none */
    size_t least;    /* queries that must come out */
} set;

static const set SETS[] = {
    { "corpus", "tests/sqlc/corpus/schema.sql", "tests/sqlc/corpus/queries",
      "COMMENT ON COLUMN place.at ", 300 },
    { "basic", "tests/sqlc/basic/schema.sql", "tests/sqlc/basic/queries", NULL, 15 },
    { "types", "tests/sqlc/types/schema.sql", "tests/sqlc/types/queries", NULL, 5 },
    { "lumilio", "db/migrations", "db/queries", "ALTER TYPE search_filter", 100 },
};

/* One set on both ways. */
typedef struct bench {
    const set *set;
    sqlc_bench base;
    tmpdir dir;
    vec names; /* of const char *: queries that are still there */
    vec found; /* of const char *: "SET QUERY: what differs" */
    size_t theirs_refused;
} bench;

static const char *path_of(bench *b, const char *name)
{
    return arena_printf(b->base.arena, "%s/%s", b->dir.path, name);
}

static void add(bench *b, vec *list, const char *text)
{
    const char **slot = VEC_ADD(b->base.arena, list, const char *);
    if (CHECK(slot != NULL && text != NULL)) {
        *slot = text;
    }
}

static bool put(bench *b, const char *name, slice text)
{
    pgc_error err = PGC_ZERO;
    AUTO(fd_auto)
    int fd = openat(b->dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return CHECK(fd >= 0) &&
           CHECK_STATUS(file_write_all(env_default(), fd, text.ptr, text.len, &err), PGC_OK, &err);
}

static const char *get(bench *b, const char *name)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, (size_t) 64 << 20);
    CHECK_STATUS(file_read(env_default(), b->dir.fd, name, &text, NULL), PGC_OK, NULL);
    return arena_copy(b->base.arena, buf_view(&text));
}

/* Files of the tree, as the compiler itself finds them. */
static bool load(bench *b, const char *path, vec *files)
{
    pgc_error err = PGC_ZERO;
    vec paths = { 0 };
    add(b, &paths, path);
    return CHECK_STATUS(source_load(env_default(), b->base.arena, TEST_SOURCE_ROOT, &paths,
                                    &b->base.diags, files, &err),
                        PGC_OK, &err);
}

static bool put_schema(bench *b)
{
    vec files = { 0 };
    AUTO(buf_auto) buf all;
    buf_init(&all, NULL, (size_t) 16 << 20);
    if (!load(b, b->set->schema, &files)) {
        return false;
    }
    for (size_t i = 0; i < files.count; i++) {
        buf_add(&all, VEC_AT(&files, source_file, i)->text);
        buf_add_char(&all, '\n');
    }
    char *text = arena_copy(b->base.arena, buf_view(&all));
    const char *cut = b->set->cut;
    return put(b, "whole.sql", sqlc_text(text)) &&
           CHECK(cut == NULL || sqlc_blank(text, cut) > 0) && put(b, "schema.sql", sqlc_text(text));
}

/* Upstream compiles all or nothing: with a file for each query its errors name the query. */
static bool put_queries(bench *b)
{
    arena *mem = b->base.arena;
    vec files = { 0 };
    vec sources = { 0 };
    pgc_error err = PGC_ZERO;
    bool good = load(b, b->set->queries, &files);
    for (size_t i = 0; good && i < files.count; i++) {
        good = CHECK_STATUS(
            source_queries(mem, VEC_AT(&files, source_file, i), &b->base.diags, &sources, &err),
            PGC_OK, &err);
    }
    for (size_t i = 0; good && i < sources.count; i++) {
        const query_source *q = VEC_AT(&sources, query_source, i);
        slice text = slice_sub(q->file->text, q->name_at, q->end);
        const char *whole = arena_printf(mem, "%" SLICE_FMT ";\n", SLICE_ARG(text));
        good = put(b, arena_printf(mem, "q/%s.sql", q->name), sqlc_text(whole));
        add(b, &b->names, q->name);
    }
    return good;
}

static bool put_config(bench *b, const char *name, const char *schema, const char *out,
                       const char *format)
{
    const char *text = arena_printf(
        b->base.arena,
        "version: \"2\"\n"
        "plugins: [{name: c, process: {cmd: %s/sqlc-gen-c, format: %s}}]\n"
        "sql:\n"
        "  - engine: postgresql\n"
        "    schema: %s\n"
        "    queries: q\n"
        "    strict_order_by: false\n"
        "    codegen:\n"
        "      - {plugin: c, out: %s, options: {prefix: x, emit_sql_as_comment: false}}\n",
        TEST_BUILD_ROOT, format, schema, out);
    return put(b, name, sqlc_text(text));
}

static bool prepare(bench *b, const set *s)
{
    *b = (bench) { .set = s, .base = sqlc_bench_make(NULL), .dir = tmpdir_make() };
    return CHECK_STATUS(file_mkdirs(env_default(), b->dir.fd, "q", 0755, false, NULL), PGC_OK,
                        NULL) &&
           put_schema(b) && put_queries(b) &&
           put_config(b, "sqlc.yaml", "schema.sql", "theirs", "protobuf") &&
           put_config(b, "ours.yaml", "whole.sql", "ours", "json");
}

static void done(bench *b)
{
    sqlc_bench_done(&b->base);
    tmpdir_remove(&b->dir);
}

/* --- both ways --- */

static void note(bench *b, const char *query, const char *what)
{
    add(b, &b->found, arena_printf(b->base.arena, "%s %s: %s", b->set->name, query, what));
}

/* The query goes no further. False: it is gone already. */
static bool drop(bench *b, const char *name)
{
    for (size_t i = 0; i < b->names.count; i++) {
        if (strcmp(*VEC_AT(&b->names, const char *, i), name) == 0) {
            *VEC_AT(&b->names, const char *, i) =
                *VEC_AT(&b->names, const char *, --b->names.count);
            return CHECK(unlink(path_of(b, arena_printf(b->base.arena, "q/%s.sql", name))) == 0);
        }
    }
    return false;
}

/* A line of upstream's: "q/NAME.sql:1:2: message" is its own refusal, "NAME.sql: NAME: message"
 * that of the plugin. */
static void take_line(bench *b, slice line)
{
    static const char FRAME[] = "error generating code: process: error running command ";
    arena *mem = b->base.arena;
    if (slice_starts(line, (slice) { FRAME, strlen(FRAME) })) {
        line = slice_sub(line, strlen(FRAME), line.len);
    }
    const char *text = arena_copy(mem, line);
    const char *end = strstr(text, ".sql:");
    if (end == NULL || slice_starts(line, SLICE("# package"))) {
        return;
    }
    bool upstream = strncmp(text, "q/", 2) == 0;
    const char *from = upstream ? text + 2 : text;
    const char *name = arena_copy(mem, (slice) { from, (size_t) (end - from) });
    const char *message = strstr(end + 5, ": ");
    if (upstream) {
        b->theirs_refused += drop(b, name) ? 1 : 0;
    } else if (message != NULL && strncmp(message, ": warning: ", 11) != 0 && drop(b, name)) {
        note(b, name, arena_printf(mem, "refused: %s", message + 2));
    }
}

static bool run_theirs(bench *b)
{
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, PEER_OUTPUT_MAX);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        size_t before = b->names.count;
        if (sqlc_run(b->dir.path, "generate", &output) == 0) {
            return true;
        }
        slice rest = buf_view(&output);
        while (rest.len > 0) {
            take_line(b, slice_next(&rest, '\n'));
        }
        if (!CHECK(b->names.count < before)) {
            break;
        }
    }
    printf("# %s\n", output.ptr == NULL ? "" : output.ptr);
    return false;
}

static bool run_ours(bench *b)
{
    command_options options = { .config = path_of(b, "ours.yaml"), .database = test_server() };
    pgc_error err = PGC_ZERO;
    command_result result;
    command_result_init(&result, b->base.arena);
    bool good = CHECK_STATUS(
        command_generate(env_default(), b->base.arena, &options, &result, &err), PGC_OK, &err);
    command_result_done(&result);
    return good;
}

/* --- what came out --- */

/* Base of the C files of a query file. */
static const char *base_of(bench *b, const char *name)
{
    char *base = NULL;
    CHECK_STATUS(cname_snake(b->base.arena, sqlc_text(name), &base, NULL), PGC_OK, NULL);
    return base == NULL ? "" : base;
}

/* Upstream sends JSON instead: each file is the same. */
static void json_gives_the_same(bench *b)
{
    arena *mem = b->base.arena;
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, PEER_OUTPUT_MAX);
    REQUIRE(put_config(b, "sqlc.yaml", "schema.sql", "json", "json"));
    if (!CHECK_INT(sqlc_run(b->dir.path, "generate", &output), 0)) {
        printf("# %s\n", output.ptr == NULL ? "" : output.ptr);
        return;
    }
    size_t different = 0;
    for (size_t i = 0; i <= b->names.count; i++) {
        const char *base =
            i == b->names.count ? "models" : base_of(b, *VEC_AT(&b->names, const char *, i));
        for (size_t k = 0; k < 2; k++) {
            const char *name = arena_printf(mem, "%s.%c", base, "hc"[k]);
            const char *packed = get(b, arena_printf(mem, "theirs/%s", name));
            const char *json = get(b, arena_printf(mem, "json/%s", name));
            different += strcmp(packed, json) != 0 || packed[0] == '\0' ? 1 : 0;
        }
    }
    CHECK_INT(different, 0);
}

/* All of it as one program text, which the names of queries allow. */
static void compiles(bench *b, const char *compiler, const char *language, const char *standard)
{
    AUTO(buf_auto) buf all;
    AUTO(buf_auto) buf output;
    buf_init(&all, NULL, 1 << 20);
    buf_init(&output, NULL, 1 << 20);
    buf_add_str(&all, "#include \"models.c\"\n");
    for (size_t i = 0; i < b->names.count; i++) {
        buf_printf(&all, "#include \"%s.c\"\n", base_of(b, *VEC_AT(&b->names, const char *, i)));
    }
    REQUIRE(put(b, "theirs/all.c", buf_view(&all)));
    const char *argv[] = { compiler,        "-x",           language, standard, "-fsyntax-only",
                           COMPILER_STRICT, "theirs/all.c", NULL };
    CHECK_INT(compiler_run_for(b->dir.path, argv, &output), 0);
}

/* Program text without comments, what strings say, hashes and line breaks. */
static const char *plain(bench *b, const char *text)
{
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, (size_t) 16 << 20);
    for (const char *c = text; *c != '\0';) {
        const char *from = c;
        if (strncmp(c, "/*", 2) == 0) {
            c = strstr(c, "*/") + 2;
        } else if (*c == '"') {
            for (c++; *c != '"'; c++) {
                c += *c == '\\' ? 1 : 0;
            }
            c++;
        } else if (strncmp(c, "UINT64_C(", 9) == 0) {
            c = strchr(c, ')') + 1;
        } else if (strchr(" \n", *c) != NULL) {
            c += strspn(c, " \n");
            buf_add_str(&out, out.len > 0 && out.ptr[out.len - 1] != ' ' ? " " : "");
        } else {
            buf_add(&out, (slice) { from, (size_t) (++c - from) });
        }
    }
    return arena_copy(b->base.arena, buf_view(&out));
}

/* The same with nullable types as those that are not. */
static const char *erased(bench *b, const char *text)
{
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, (size_t) 16 << 20);
    while (*text != '\0') {
        char word[128];
        size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (len == 0 || len >= sizeof word) {
            buf_add_char(&out, *text++);
            continue;
        }
        (void) snprintf(word, sizeof word, "%.*s", (int) len, text);
        text += len;
        const c_type *type = strncmp(word, "pgc_opt_", 8) == 0 ? c_type_by_suffix(word + 8) : NULL;
        bool own = strncmp(word, "x_opt_", 6) == 0;
        buf_printf(&out, "%s%s", own ? "x_" : "",
                   type != NULL ? type->type
                   : own        ? word + 6
                                : word);
    }
    return arena_copy(b->base.arena, buf_view(&out));
}

/* What a header says about NULL, one letter for each place. */
static const char *nulls(bench *b, const char *text)
{
    static const char *const WORDS[] = {
        "; nullable",        "; not NULL", ", nullable:", ", not NULL:", "absent when has is false",
        "columns are proved"
    };
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 20);
    for (; *text != '\0'; text++) {
        for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
            if (strncmp(text, WORDS[i], strlen(WORDS[i])) == 0) {
                buf_add_char(&out, i % 2 == 0 ? 'n' : 'N');
            }
        }
    }
    return arena_copy(b->base.arena, buf_view(&out));
}

/* Names and types of parameters and columns, as the runtime gets them. */
static const char *tables(bench *b, const char *text)
{
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 20);
    slice rest = sqlc_text(text);
    while (rest.len > 0) {
        slice line = slice_next(&rest, '\n');
        if (slice_starts(line, SLICE("    { \""))) {
            buf_add(&out, line);
            buf_add_char(&out, '\n');
        }
    }
    return arena_copy(b->base.arena, buf_view(&out));
}

typedef struct counts {
    size_t same, nulls, other;
} counts;

/* One pair of files, on both ways. */
static void compare(bench *b, const char *name, counts *n)
{
    arena *mem = b->base.arena;
    const char *base = base_of(b, name);
    const char *headers[2];
    const char *sources[2];
    static const char *const WAYS[] = { "ours", "theirs" };
    for (size_t i = 0; i < 2; i++) {
        headers[i] = get(b, arena_printf(mem, "%s/%s.h", WAYS[i], base));
        sources[i] = get(b, arena_printf(mem, "%s/%s.c", WAYS[i], base));
    }
    bool known = strcmp(nulls(b, headers[0]), nulls(b, headers[1])) == 0;
    bool types = strcmp(tables(b, sources[0]), tables(b, sources[1])) == 0;
    const char *ours = plain(b, headers[0]);
    const char *theirs = plain(b, headers[1]);
    if (known && types && strcmp(ours, theirs) == 0 &&
        strcmp(plain(b, sources[0]), plain(b, sources[1])) == 0) {
        n->same++;
    } else if (!known && types && strcmp(erased(b, ours), erased(b, theirs)) == 0) {
        n->nulls++;
    } else {
        n->other++;
        note(b, name, !types ? "types or names" : !known ? "rows" : "code");
    }
}

/* --- the cases --- */

static void goes_both_ways(const set *s)
{
    NEED_SQLC();
    if (test_server() == NULL) {
        TAP_SKIP("no PostgreSQL server for the test");
    }
    AUTO(done) bench b;
    vec entries = { 0 };
    counts n = { 0 };
    REQUIRE(prepare(&b, s));
    size_t all = b.names.count;
    REQUIRE(run_theirs(&b));
    size_t refused = b.found.count;
    REQUIRE(run_ours(&b));
    for (size_t i = 0; i < b.names.count; i++) {
        compare(&b, *VEC_AT(&b.names, const char *, i), &n);
    }
    json_gives_the_same(&b);
    compiles(&b, "gcc", "c", "-std=c11");
    compiles(&b, "g++", "c++", "-std=c++17");
    printf(
        "# %s: %zu queries, %zu refused by sqlc, %zu by the plugin; %zu generated: %zu the same, "
        "%zu differ in NULLs only, %zu otherwise\n",
        s->name, all, b.theirs_refused, refused, b.names.count, n.same, n.nulls, n.other);
    CHECK(b.names.count >= s->least);
    listed_read(b.base.arena, INTEROP_DIR "/sqlc-plugin.txt", s->name, &entries);
    listed_check(&b.found, &entries);
}

static void corpus_goes_both_ways(void)
{
    goes_both_ways(&SETS[0]);
}

static void basic_goes_both_ways(void)
{
    goes_both_ways(&SETS[1]);
}

static void types_go_both_ways(void)
{
    goes_both_ways(&SETS[2]);
}

static void lumilio_goes_both_ways(void)
{
    goes_both_ways(&SETS[3]);
}

TAP_MAIN(TAP("sqlc plugin: the corpus is generated by way of sqlc", corpus_goes_both_ways),
         TAP("sqlc plugin: the basic example is generated by way of sqlc", basic_goes_both_ways),
         TAP("sqlc plugin: types and commands are generated by way of sqlc", types_go_both_ways),
         TAP("sqlc plugin: this project's queries are generated by way of sqlc",
             lumilio_goes_both_ways))
