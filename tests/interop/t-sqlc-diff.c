/* Our analysis beside that of the released sqlc, field by field: this project's queries and the
 * corpus of the test suite go through both. What differs stands in sqlc-diff.txt with a reason; a
 * difference that is not there fails, and so does a line that no longer differs.
 *
 * Upstream compiles all or nothing, so each query is a file of its own there: its errors then name
 * the queries that it refuses, and a second run goes without them. */
#include "base/prelude.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "sqlc/command.h"

#include "listed.h"
#include "pg.h"
#include "sqlc.h"
#include "sqlc_facts.h"
#include "sqlc_peer.h"
#include "tap.h"
#include "tmpdir.h"

typedef struct project {
    const char *name;
    const char *schema;  /* file or folder, from the root of the tree */
    const char *queries; /* folder */
    const char *cut;     /* how statements begin that upstream cannot read; NULL: none */
    size_t least;        /* queries that there must be */
} project;

static const project PROJECTS[] = {
    { "corpus", "tests/sqlc/corpus/schema.sql", "tests/sqlc/corpus/queries",
      "COMMENT ON COLUMN place.at ", 600 }, /* a field of a composite */
    { "basic", "tests/sqlc/basic/schema.sql", "tests/sqlc/basic/queries", NULL, 20 },
    { "types", "tests/sqlc/types/schema.sql", "tests/sqlc/types/queries", NULL, 10 },
    { "lumilio", "db/migrations", "db/queries", "ALTER TYPE search_filter", 120 },
};

/* One project on its way through both compilers. */
typedef struct bench {
    const project *project;
    arena *mem;
    tmpdir dir;
    vec names; /* of const char *: queries in the order of the files */
    slice schema;
    sqlc_facts ours, theirs;
    vec refused; /* of sqlc_value: name, message */
} bench;

static void bench_done(bench *b)
{
    arena_free(b->mem);
    tmpdir_remove(&b->dir);
}

/* Hundreds of small files that need not survive a crash: without fsync. */
static bool put_file(const bench *b, const char *name, slice text)
{
    pgc_error err = PGC_ZERO;
    AUTO(fd_auto)
    int fd = openat(b->dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return CHECK(fd >= 0) &&
           CHECK_STATUS(file_write_all(env_default(), fd, text.ptr, text.len, &err), PGC_OK, &err);
}

static slice get_file(arena *mem, int dir, const char *name)
{
    AUTO(buf_auto) buf text;
    pgc_error err = PGC_ZERO;
    buf_init(&text, NULL, (size_t) 64 << 20);
    CHECK_STATUS(file_read(env_default(), dir, name, &text, &err), PGC_OK, &err);
    return (slice) { arena_copy(mem, buf_view(&text)), text.len };
}

/* --- the input --- */

/* NAME of "-- name: NAME :command", empty for other lines. */
static slice annotated(slice line)
{
    slice name = { NULL, 0 };
    if (slice_starts(line, SLICE("-- name: "))) {
        line = slice_sub(line, 9, line.len);
        name = slice_sub(line, 0, slice_find(line, ' ', 0));
    } else if (slice_starts(line, SLICE("/* name: "))) {
        line = slice_sub(line, 9, line.len);
        name = slice_sub(line, 0, slice_find(line, ' ', 0));
    }
    return name;
}

/* Each query of a file becomes theirs/queries/NAME.sql. */
static bool split_queries(bench *b, slice text)
{
    slice rest = text;
    const char *name = NULL;
    const char *from = NULL;
    bool good = true;
    while (good) {
        const char *at = rest.ptr;
        slice line = rest.len > 0 ? slice_next(&rest, '\n') : (slice) { NULL, 0 };
        slice next = annotated(line);
        if (name != NULL && (next.len > 0 || line.ptr == NULL)) {
            const char *end = line.ptr == NULL ? text.ptr + text.len : at;
            good = put_file(b, arena_printf(b->mem, "theirs/queries/%s.sql", name),
                            (slice) { from, (size_t) (end - from) });
        }
        if (next.len > 0) {
            name = arena_copy(b->mem, next);
            from = at;
            *FACTS_ADD(b->mem, &b->names, const char *) = name;
        }
        if (line.ptr == NULL) {
            break;
        }
    }
    return good;
}

/* Every *.sql of a folder, in order of name, joined. A file is itself. */
static slice read_all(bench *b, const char *path, bool (*each)(bench *, slice))
{
    AUTO(buf_auto) buf all;
    buf_init(&all, NULL, (size_t) 64 << 20);
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        slice name = sqlc_text(entries[i]->d_name);
        if (slice_ends(name, SLICE(".sql")) && !slice_ends(name, SLICE(".down.sql"))) {
            slice text = get_file(b->mem, AT_FDCWD, arena_printf(b->mem, "%s/%s", path, name.ptr));
            buf_add(&all, text);
            CHECK(each == NULL || each(b, text));
        }
        free(entries[i]);
    }
    free((void *) entries);
    if (count < 0) {
        buf_add(&all, get_file(b->mem, AT_FDCWD, path));
    }
    CHECK(!all.failed);
    return (slice) { arena_copy(b->mem, buf_view(&all)), all.len };
}

/* The schema as upstream can read it. */
static slice without(bench *b, slice schema, const char *cut)
{
    char *text = arena_copy(b->mem, schema);
    CHECK(text != NULL && (cut == NULL || sqlc_blank(text, cut) > 0));
    return sqlc_text(text);
}

static bool prepare(bench *b)
{
    const project *p = b->project;
    pgc_error err = PGC_ZERO;
    b->mem = arena_new(NULL, 0, 0);
    b->dir = tmpdir_make();
    b->ours.mem = b->theirs.mem = b->mem;
    if (!CHECK_STATUS(file_mkdirs(env_default(), b->dir.fd, "theirs/queries", 0755, false, &err),
                      PGC_OK, &err)) {
        return false;
    }
    const char *schema = arena_printf(b->mem, "%s/%s", TEST_SOURCE_ROOT, p->schema);
    const char *queries = arena_printf(b->mem, "%s/%s", TEST_SOURCE_ROOT, p->queries);
    b->schema = read_all(b, schema, NULL);
    b->ours.schema = b->theirs.schema = b->schema;
    (void) read_all(b, queries, split_queries);
    const char *own = arena_printf(
        b->mem,
        "{\"version\": \"2\", \"sql\": [{\"engine\": \"postgresql\", \"schema\": \"%s\", "
        "\"queries\": \"%s\", \"codegen\": [{\"plugin\": \"c\", \"out\": \"out\", "
        "\"options\": {\"prefix\": \"lum\"}}]}]}",
        schema, queries);
    return CHECK(b->names.count >= p->least) && put_file(b, "ours.json", sqlc_text(own)) &&
           put_file(b, "theirs/schema.sql", without(b, b->schema, p->cut)) &&
           put_file(b, "theirs/sqlc.yaml",
                    SLICE("version: \"2\"\n"
                          "sql:\n"
                          "  - engine: postgresql\n"
                          "    schema: schema.sql\n"
                          "    queries: queries\n"
                          "    strict_order_by: false\n"
                          "    gen: {json: {out: out, filename: all.json}}\n"));
}

/* --- both compilers --- */

static json_t *parse_json(slice text)
{
    json_error_t where;
    json_t *root = json_loadb(text.ptr, text.len, 0, &where);
    if (!CHECK(root != NULL)) {
        printf("# line %d: %s\n", where.line, where.text);
    }
    return root;
}

static bool run_ours(bench *b)
{
    command_options options = { .config = arena_printf(b->mem, "%s/ours.json", b->dir.path),
                                .database = test_server(),
                                .json = true };
    pgc_error err = PGC_ZERO;
    command_result result;
    command_result_init(&result, b->mem);
    bool good = CHECK_STATUS(command_generate(env_default(), b->mem, &options, &result, &err),
                             PGC_OK, &err);
    json_t *root = good ? parse_json(buf_view(&result.out)) : NULL;
    facts_read_ours(&b->ours, root);
    json_decref(root);
    command_result_done(&result);
    return CHECK(b->ours.queries.count == b->names.count);
}

/* "queries/NAME.sql:line:column: message": keep the message, drop the file. */
static bool take_refusal(bench *b, slice line)
{
    const char *colon = strchr(line.ptr, ':');
    size_t end = slice_find(line, ' ', 0);
    if (!slice_starts(line, SLICE("queries/")) || colon == NULL || end >= line.len) {
        return false;
    }
    const char *file = arena_copy(b->mem, (slice) { line.ptr, (size_t) (colon - line.ptr) });
    const char *path = arena_printf(b->mem, "%s/theirs/%s", b->dir.path, file);
    sqlc_value *r = FACTS_ADD(b->mem, &b->refused, sqlc_value);
    r->name = arena_copy(b->mem, slice_sub(sqlc_text(file), 8, strlen(file) - 4));
    r->type = arena_copy(b->mem, slice_sub(line, end + 1, line.len));
    return unlink(path) == 0 || errno == ENOENT; /* two errors in one query */
}

static bool run_theirs(bench *b)
{
    const char *folder = arena_printf(b->mem, "%s/theirs", b->dir.path);
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, PEER_OUTPUT_MAX);
    int code = sqlc_run(folder, "generate", &output);
    slice rest = { arena_copy(b->mem, buf_view(&output)), output.len };
    while (code != 0 && rest.len > 0) {
        slice line = slice_next(&rest, '\n');
        bool header = slice_starts(line, SLICE("# package"));
        const char *text = arena_copy(b->mem, line);
        if (!CHECK(header || line.len == 0 || take_refusal(b, sqlc_text(text)))) {
            printf("# %s\n", text);
        }
    }
    if (code != 0 && !CHECK_INT(sqlc_run(folder, "generate", &output), 0)) {
        printf("# %s\n", output.ptr == NULL ? "" : output.ptr);
        return false;
    }
    json_t *root = parse_json(get_file(b->mem, b->dir.fd, "theirs/out/all.json"));
    facts_read_theirs(&b->theirs, root);
    json_decref(root);
    return CHECK(b->theirs.queries.count > 0);
}

/* --- differences --- */

/* "SET PLACE: OURS | THEIRS" unless both are equal. */
static void differ(bench *b, vec *lines, const char *place, const char *ours, const char *theirs)
{
    if (strcmp(ours, theirs) != 0) {
        *FACTS_ADD(b->mem, lines, const char *) =
            arena_printf(b->mem, "%s %s: %s | %s", b->project->name, place, ours, theirs);
    }
}

static const char *names_of(bench *b, const vec *values)
{
    const char *text = "";
    for (size_t i = 0; i < values->count; i++) {
        const char *name = VEC_AT(values, sqlc_value, i)->name;
        text = arena_printf(b->mem, "%s%s%s", text, i == 0 ? "" : ", ", name);
    }
    return values->count == 0 ? "none" : text;
}

static const sqlc_value *value_called(const vec *values, const char *name)
{
    for (size_t i = 0; i < values->count; i++) {
        if (strcmp(VEC_AT(values, sqlc_value, i)->name, name) == 0) {
            return VEC_AT(values, sqlc_value, i);
        }
    }
    return NULL;
}

/* What each says of one parameter or column. */
static void compare_value(bench *b, vec *lines, const char *place, const sqlc_value *ours,
                          const sqlc_value *theirs)
{
    differ(b, lines, arena_printf(b->mem, "%s type", place), ours->type, theirs->type);
    differ(b, lines, place, ours->null, theirs->null);
}

static void compare_params(bench *b, vec *lines, const sqlc_query *ours, const sqlc_query *theirs)
{
    differ(b, lines, arena_printf(b->mem, "%s: parameters", ours->name), names_of(b, &ours->params),
           names_of(b, &theirs->params));
    for (size_t i = 0; i < ours->params.count; i++) {
        const sqlc_value *p = VEC_AT(&ours->params, sqlc_value, i);
        const sqlc_value *other = value_called(&theirs->params, p->name);
        if (other != NULL) {
            compare_value(b, lines, arena_printf(b->mem, "%s: parameter %s", ours->name, p->name),
                          p, other);
        }
    }
}

/* By number, because names may come twice or not at all. */
static void compare_columns(bench *b, vec *lines, const sqlc_query *ours, const sqlc_query *theirs)
{
    differ(b, lines, arena_printf(b->mem, "%s: columns", ours->name), names_of(b, &ours->columns),
           names_of(b, &theirs->columns));
    bool same = ours->columns.count == theirs->columns.count;
    for (size_t i = 0; same && i < ours->columns.count; i++) {
        const sqlc_value *c = VEC_AT(&ours->columns, sqlc_value, i);
        const char *place = arena_printf(b->mem, "%s: column %zu %s", ours->name, i + 1, c->name);
        compare_value(b, lines, place, c, VEC_AT(&theirs->columns, sqlc_value, i));
    }
}

static void compare_query(bench *b, vec *lines, const sqlc_query *ours, const sqlc_query *theirs)
{
    differ(b, lines, arena_printf(b->mem, "%s: command", ours->name), ours->command,
           theirs->command);
    differ(b, lines, arena_printf(b->mem, "%s: row", ours->name), ours->row, theirs->row);
    compare_params(b, lines, ours, theirs);
    compare_columns(b, lines, ours, theirs);
}

static const sqlc_query *query_called(const sqlc_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->queries.count; i++) {
        if (strcmp(VEC_AT(&facts->queries, sqlc_query, i)->name, name) == 0) {
            return VEC_AT(&facts->queries, sqlc_query, i);
        }
    }
    return NULL;
}

/* By name, because upstream sorts its queries. */
static void compare_all(bench *b, vec *lines)
{
    size_t both = 0;
    for (size_t i = 0; i < b->ours.queries.count; i++) {
        const sqlc_query *ours = VEC_AT(&b->ours.queries, sqlc_query, i);
        const sqlc_query *theirs = query_called(&b->theirs, ours->name);
        const sqlc_value *no = value_called(&b->refused, ours->name);
        if (theirs != NULL) {
            compare_query(b, lines, ours, theirs);
            both++;
        } else {
            differ(b, lines, arena_printf(b->mem, "%s: query", ours->name), "accepted",
                   no == NULL ? "absent" : no->type);
        }
    }
    CHECK_INT(both, b->theirs.queries.count);
    printf("# %s: %zu queries, %zu compared, %zu refused by upstream, %zu differences\n",
           b->project->name, b->ours.queries.count, both, b->ours.queries.count - both,
           lines->count);
}

/* --- the cases --- */

static void agrees(const project *p)
{
    NEED_SQLC();
    if (test_server() == NULL) {
        TAP_SKIP("no PostgreSQL server for the test");
    }
    AUTO(bench_done) bench b = { .project = p };
    vec found = { 0 };
    vec listed = { 0 };
    REQUIRE(prepare(&b) && run_ours(&b) && run_theirs(&b));
    compare_all(&b, &found);
    listed_read(b.mem, INTEROP_DIR "/sqlc-diff.txt", p->name, &listed);
    listed_check(&found, &listed);
}

static void corpus_agrees(void)
{
    agrees(&PROJECTS[0]);
}

static void basic_agrees(void)
{
    agrees(&PROJECTS[1]);
}

static void types_agree(void)
{
    agrees(&PROJECTS[2]);
}

static void lumilio_agrees(void)
{
    agrees(&PROJECTS[3]);
}

/* The list itself: what an entry reaches. */
static void entries_reach_what_they_say(void)
{
    CHECK(listed_fits("a B: row: own | scalar", "a B: row: own | scalar"));
    CHECK(!listed_fits("a B: row: own | scalar", "a B: row: own | scala"));
    CHECK(!listed_fits("a B: row: own | scala", "a B: row: own | scalar"));
    CHECK(listed_fits("a *: column * type: * | any", "a B: column 1 x type: text[] | any"));
    CHECK(!listed_fits("a *: column * type: * | any", "a B: column 1 x type: text[] | anyarray"));
    CHECK(!listed_fits("a *: parameter *: not null | nullable",
                       "b B: parameter x: not null | nullable"));
    CHECK(listed_fits("*", ""));
    CHECK(!listed_fits("", "a"));
}

static void peer_is_the_release(void)
{
    NEED_SQLC();
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, PEER_OUTPUT_MAX);
    REQUIRE(sqlc_run("/", "version", &output) == 0);
    CHECK_STR(output.ptr, "v1.31.1\n");
}

/* What is kept from upstream is still more than it can read. */
static void cuts_are_needed(void)
{
    NEED_SQLC();
    for (size_t i = 0; i < ARRAY_LEN(PROJECTS); i++) {
        project p = PROJECTS[i];
        if (p.cut != NULL) {
            p.cut = NULL;
            AUTO(bench_done) bench b = { .project = &p };
            AUTO(buf_auto) buf output;
            buf_init(&output, NULL, PEER_OUTPUT_MAX);
            REQUIRE(prepare(&b));
            CHECK_INT(sqlc_run(arena_printf(b.mem, "%s/theirs", b.dir.path), "generate", &output),
                      1);
            CHECK(output.ptr != NULL && strstr(output.ptr, "schema.sql:") != NULL);
        }
    }
}

TAP_MAIN(TAP("sqlc diff: an entry of the list reaches what it says", entries_reach_what_they_say),
         TAP("sqlc diff: the peer is the release that we compare with", peer_is_the_release),
         TAP("sqlc diff: a schema is cut only where upstream cannot read it", cuts_are_needed),
         TAP("sqlc diff: the corpus differs as listed", corpus_agrees),
         TAP("sqlc diff: the basic example differs as listed", basic_agrees),
         TAP("sqlc diff: types and commands differ as listed", types_agree),
         TAP("sqlc diff: this project's queries differ as listed", lumilio_agrees))
