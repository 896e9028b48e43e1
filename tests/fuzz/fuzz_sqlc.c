/* The text level of the query compiler on arbitrary bytes: query files with all macros, schema
 * files, configs, manifests, rules. The first byte chooses. What is accepted must keep its
 * promises: statements lie inside the file, and every position of the result leads back into it. */
#include "base/prelude.h"

#include "sqlc/cel.h"
#include "sqlc/config.h"
#include "sqlc/manifest.h"
#include "sqlc/preprocess.h"

#include "fuzz.h"
#include "sqlc.h"

#define FUZZ_MEMORY_MAX ((size_t) 64 << 20)

static void insist(bool truth)
{
    if (!truth) {
        __builtin_trap();
    }
}

static void check_query(arena *mem, const query_source *query, diag_list *diags)
{
    query_text text;
    bool ok = false;
    size_t file_size = query->file->text.len;
    insist(query->start < query->end && query->end <= file_size);
    insist(query->name[0] != '\0');
    if (query_preprocess(mem, query, diags, &text, &ok, NULL) != PGC_OK || !ok) {
        return;
    }
    for (size_t i = 0; i <= text.sql.len; i += 1 + text.sql.len / 64) {
        insist(query_source_offset(&text, i) <= file_size);
    }
    insist(query_char_offset(text.sql, INT32_MAX) == text.sql.len);
    for (size_t i = 1; i < text.params.count; i++) {
        const query_param *p = VEC_AT(&text.params, query_param, i - 1);
        insist(p[0].number < p[1].number && p[1].at <= file_size);
    }
}

static void queries(arena *mem, slice text, diag_list *diags)
{
    source_file file = { .path = "q.sql", .text = text };
    vec found = { 0 };
    if (source_queries(mem, &file, diags, &found, NULL) != PGC_OK) {
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        check_query(mem, VEC_AT(&found, query_source, i), diags);
    }
}

static void schema(arena *mem, slice text, diag_list *diags)
{
    source_file file = { .path = "s.sql", .text = text };
    vec found = { 0 };
    if (source_schema(mem, &file, diags, &found, NULL) != PGC_OK) {
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        const schema_statement *st = VEC_AT(&found, schema_statement, i);
        insist(st->start < st->end && st->end <= text.len);
    }
}

/* What is read can be written down as C. */
static void represent(arena *mem, slice text)
{
    manifest old = { 0 };
    ir_set set;
    vec files = { 0 };
    if (manifest_read(mem, "m.json", text, &old, &set, NULL) == PGC_OK) {
        const config_c options = { .prefix = set.prefix, .query_parameter_limit = 1 };
        (void) !emit_set(&options, &set, mem, &files, NULL);
    }
}

/* A rule: every mistake lies inside of the text, and evaluation ends. */
static void rule(arena *mem, slice text)
{
    static const char *const NAMES[] = { "query", "n" };
    const cel_entry entries[] = { { .key = SLICE("query"), .value = cel_text(SLICE("SELECT 1")) },
                                  { .key = SLICE("n"), .value = cel_int(7) } };
    const cel_value names = cel_map(entries, ARRAY_LEN(entries));
    const cel_expr *expr = NULL;
    cel_problem problem = { 0 };
    cel_value value;
    pgc_status status = cel_parse(mem, text, NAMES, ARRAY_LEN(NAMES), &expr, &problem);
    if (status == PGC_OK) {
        status = cel_eval(mem, expr, &names, &value, &problem);
    }
    insist(status == PGC_OK || status == PGC_NOMEM || problem.message[0] != '\0');
    insist(problem.at <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    arena *mem = arena_new(NULL, 0, FUZZ_MEMORY_MAX);
    diag_list diags = { .arena = mem };
    slice text = { (const char *) data + 1, size - 1 };
    config read;
    if (mem == NULL) {
        return 0;
    }
    switch ((uint8_t) (data[0] - '0') % 5) {
    case 0:
        queries(mem, text, &diags);
        break;
    case 1:
        schema(mem, text, &diags);
        break;
    case 2:
        (void) !config_parse(mem, "sqlc.yaml", text, &diags, &read, NULL);
        break;
    case 3:
        represent(mem, text);
        break;
    default:
        rule(mem, text);
        break;
    }
    for (size_t i = 0; i < diags.items.count; i++) {
        insist(VEC_AT(&diags.items, diag, i)->message != NULL);
    }
    arena_free(mem);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "0-- name: GetA :one\n-- Doc.\n-- @row R\nSELECT @a, sqlc.narg('b'), $3, 'x''y', $$z$$\n"
        "  -- gone\n  FROM t WHERE c IN (sqlc.slice(ids)) /* k /* l */ */;\n",
        "0/* name: B :many */\nSELECT sqlc.embed(t), sqlc.arg(\"Q q\"), E'\\'', \"w\", a <@ b FROM "
        "t;",
        "1\\restrict x\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
        "END; END;\nCREATE TABLE a (x int);\n-- +goose Down\nDROP TABLE a;\n",
        "2version: \"2\"\nplugins: [{name: c, process: {cmd: sqlc-gen-c}}]\nsql:\n  - engine: "
        "postgresql\n    schema: &s [a, b]\n    queries: *s\n    database: {uri: \"${HOME}/x\"}\n  "
        "  "
        "codegen:\n      - {plugin: c, out: o, options: {prefix: p, rename: {a: b}}}\n",
        "2version: \"1\"\npackages:\n  - {path: p, queries: q, emit_interface: true}\nrename: {a: "
        "b}\n",
        "2version: \"2\"\nsql:\n  - engine: postgresql\n    queries: q\n    gen:\n      c:\n       "
        " out: "
        "o\n        prefix: p\n        overrides: [{column: \"*.a\", nullable: true}, {db_type: x, "
        "c_type: {type: t, header: h, decode: d, encode: e, clone: c}}]\n",
        "3{\"generator\": \"1\", \"options_hash\": \"2\", \"inputs\": {\"a\": \"b\"}, \"outputs\": "
        "{}}",
        "3{\"generator\": \"1\", \"options_hash\": \"2\", \"prefix\": \"p\", \"schema_hash\": "
        "\"0\", "
        "\"files\": [{\"path\": \"q/a.sql\", \"base\": \"a\"}], \"queries\": [{\"name\": \"A\", "
        "\"c_name\": \"a\", \"command\": \"one\", \"file\": \"q/a.sql\", \"hash\": "
        "\"0123456789abcdef\", \"written\": \"SELECT $1\", \"sql\": \"SELECT $1\", \"params\": "
        "[{\"number\": 1, \"name\": \"x\", \"sql_name\": \"x\", \"type\": \"integer\", \"codec\": "
        "\"i32\", \"oid\": 23, \"reason\": \"r\"}], \"columns\": [{\"name\": \"v\", \"type\": "
        "\"integer\", \"codec\": \"i32\", \"oid\": 23, \"reason\": \"r\"}], \"row\": {\"kind\": "
        "\"scalar\", \"base\": \"p_a\", \"columns\": 1, \"fields\": [{\"name\": \"v\", \"column\": "
        "\"v\", \"type\": \"integer\", \"codec\": \"i32\", \"oid\": 23, \"reason\": \"r\"}]}}]}",
        "4query.contains('SELECT') && [1, 2.5, n].exists(x, x > 1 ? {'a': x}.a == 0x7 : false) || "
        "query.matches('^s(?i)') // end",
    };
    if (index >= ARRAY_LEN(SEEDS)) {
        return 0;
    }
    size_t len = strlen(SEEDS[index]);
    len = len < size ? len : size;
    memcpy(data, SEEDS[index], len);
    return len;
}
