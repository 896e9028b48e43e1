/* What else the query compiler reads of outside bytes: schema files, manifests, rules. The first
 * byte chooses. Query files have targets of their own (annotation, preprocess), the config too. */
#include "base/prelude.h"

#include "sqlc/cel.h"
#include "sqlc/manifest.h"
#include "sqlc/source.h"

#include "fuzz.h"

#define FUZZ_MEMORY_MAX ((size_t) 64 << 20)

static void schema(arena *mem, slice text, diag_list *diags)
{
    source_file file = { .path = "s.sql", .text = text };
    vec found = { 0 };
    if (source_schema(mem, &file, diags, &found, NULL) != PGC_OK) {
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        const schema_statement *st = VEC_AT(&found, schema_statement, i);
        fuzz_insist(st->start < st->end && st->end <= text.len);
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
    fuzz_insist(status == PGC_OK || status == PGC_NOMEM || problem.message[0] != '\0');
    fuzz_insist(problem.at <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arena *mem;
    mem = mem == NULL ? arena_new(NULL, 0, FUZZ_MEMORY_MAX) : mem;
    if (size == 0 || mem == NULL) {
        return 0;
    }
    diag_list diags = { .arena = mem };
    slice text = { (const char *) data + 1, size - 1 };
    switch ((uint8_t) (data[0] - '0') % 3) {
    case 0:
        schema(mem, text, &diags);
        break;
    case 1:
        represent(mem, text);
        break;
    default:
        rule(mem, text);
        break;
    }
    for (size_t i = 0; i < diags.items.count; i++) {
        fuzz_insist(VEC_AT(&diags.items, diag, i)->message != NULL);
    }
    arena_reset(mem);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "0\\restrict x\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
        "END; END;\nCREATE TABLE a (x int);\n-- +goose Down\nDROP TABLE a;\n",
        "1{\"generator\": \"1\", \"options_hash\": \"2\", \"inputs\": {\"a\": \"b\"}, \"outputs\": "
        "{}}",
        "1{\"generator\": \"1\", \"options_hash\": \"2\", \"prefix\": \"p\", \"schema_hash\": "
        "\"0\", "
        "\"files\": [{\"path\": \"q/a.sql\", \"base\": \"a\"}], \"queries\": [{\"name\": \"A\", "
        "\"c_name\": \"a\", \"command\": \"one\", \"file\": \"q/a.sql\", \"hash\": "
        "\"0123456789abcdef\", \"written\": \"SELECT $1\", \"sql\": \"SELECT $1\", \"params\": "
        "[{\"number\": 1, \"name\": \"x\", \"sql_name\": \"x\", \"type\": \"integer\", \"codec\": "
        "\"i32\", \"oid\": 23, \"reason\": \"r\"}], \"columns\": [{\"name\": \"v\", \"type\": "
        "\"integer\", \"codec\": \"i32\", \"oid\": 23, \"reason\": \"r\"}], \"row\": {\"kind\": "
        "\"scalar\", \"base\": \"p_a\", \"columns\": 1, \"fields\": [{\"name\": \"v\", \"column\": "
        "\"v\", \"type\": \"integer\", \"codec\": \"i32\", \"oid\": 23, \"reason\": \"r\"}]}}]}",
        "2query.contains('SELECT') && [1, 2.5, n].exists(x, x > 1 ? {'a': x}.a == 0x7 : false) || "
        "query.matches('^s(?i)') // end",
    };
    return fuzz_seed_of(SEEDS, ARRAY_LEN(SEEDS), index, data, size);
}
