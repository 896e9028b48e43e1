/* The config reader on arbitrary bytes: YAML and JSON, version 1 and 2, our options, overrides and
 * rules. What is refused has a place and a message; what is accepted has what the pipeline needs.
 */
#include "base/prelude.h"

#include "sqlc/config.h"

#include "fuzz.h"

#define FUZZ_MEMORY_MAX ((size_t) 64 << 20)

static void check_set(const config_set *set)
{
    fuzz_insist(set->queries.count > 0);
    fuzz_insist(set->c.prefix != NULL && set->c.out != NULL && set->c.manifest != NULL);
    fuzz_insist(set->c.prefix[0] != '\0');
    for (size_t i = 0; i < set->queries.count; i++) {
        fuzz_insist(*VEC_AT(&set->queries, const char *, i) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arena *mem;
    mem = mem == NULL ? arena_new(NULL, 0, FUZZ_MEMORY_MAX) : mem;
    if (mem == NULL) {
        return 0;
    }
    diag_list diags = { .arena = mem };
    slice text = { (const char *) data, size };
    config read = { 0 };
    pgc_status status = config_parse(mem, "sqlc.yaml", text, &diags, &read, NULL);
    fuzz_insist(status != PGC_INVALID || diags.error_count > 0);
    for (size_t i = 0; i < diags.items.count; i++) {
        fuzz_insist(VEC_AT(&diags.items, diag, i)->message != NULL);
    }
    if (status == PGC_OK && diags.error_count == 0) {
        fuzz_insist(read.sets.count > 0);
        for (size_t i = 0; i < read.sets.count; i++) {
            check_set(VEC_AT(&read.sets, config_set, i));
        }
    }
    arena_reset(mem);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "version: \"2\"\nplugins: [{name: c, process: {cmd: sqlc-gen-c}}]\nsql:\n  - engine: "
        "postgresql\n    schema: &s [a, b]\n    queries: *s\n    database: {uri: \"${HOME}/x\"}\n"
        "    codegen:\n      - {plugin: c, out: o, options: {prefix: p, rename: {a: b}}}\n",
        "version: \"1\"\npackages:\n  - {path: p, queries: q, emit_interface: true}\n"
        "rename: {a: b}\n",
        "version: \"2\"\nsql:\n  - engine: postgresql\n    queries: q\n    gen:\n      c:\n"
        "        out: o\n        prefix: p\n        overrides: [{column: \"*.a\", nullable: true}, "
        "{db_type: x, c_type: {type: t, header: h, decode: d, encode: e, clone: c}}]\n",
        "{\"version\": \"2\", \"sql\": [{\"engine\": \"postgresql\", \"queries\": [\"a.sql\"], "
        "\"schema\": \"s\", \"rules\": [\"c/default\", \"mine\"], \"codegen\": [{\"plugin\": "
        "\"c\", \"out\": \"o\", \"options\": {\"prefix\": \"p\", \"query_parameter_limit\": 0, "
        "\"emit_interface\": true}}]}], \"plugins\": [{\"name\": \"c\", \"process\": {\"cmd\": "
        "\"x\"}}], \"rules\": [{\"name\": \"mine\", \"message\": \"m\", \"rule\": \"true\"}]}",
    };
    return fuzz_seed_of(SEEDS, ARRAY_LEN(SEEDS), index, data, size);
}
