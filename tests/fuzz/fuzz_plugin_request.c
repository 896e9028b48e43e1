/* Requests of the plugin protocol from arbitrary bytes. What is accepted gives files with names of
 * their own, below the output folder; what is refused gives nothing and says why. */
#include "base/prelude.h"

#include "sqlc/source.h"

#include "fuzz.h"
#include "plug.h"

#define FUZZ_MEMORY_MAX ((size_t) 16 << 20)

static void insist(bool truth)
{
    if (!truth) {
        __builtin_trap();
    }
}

static void check_answer(slice answer)
{
    Plugin__GenerateResponse *response = plugin__generate_response__unpack(
        NULL, answer.len, (const uint8_t *) (answer.ptr == NULL ? "" : answer.ptr));
    insist(response != NULL && response->n_files >= 2);
    for (size_t i = 0; i < response->n_files; i++) {
        slice name = { (const char *) response->files[i]->name.data, response->files[i]->name.len };
        slice text = { (const char *) response->files[i]->contents.data,
                       response->files[i]->contents.len };
        insist(name.len > 2 && slice_find(name, '/', 0) == SIZE_MAX && name.ptr[0] != '.');
        insist(text.len > 0 && slice_is_utf8(text));
        for (size_t k = 0; k < i; k++) {
            const ProtobufCBinaryData *other = &response->files[k]->name;
            insist(!slice_eq(name, (slice) { (const char *) other->data, other->len }));
        }
    }
    plugin__generate_response__free_unpacked(response, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(NULL, (size_t) 64 << 10, FUZZ_MEMORY_MAX);
    diag_list diags = { .arena = mem };
    pgc_error err = PGC_ZERO;
    buf out;
    if (mem == NULL) {
        return 0;
    }
    buf_init(&out, NULL, FUZZ_MEMORY_MAX);
    pgc_status status =
        plugin_generate(mem, (slice) { (const char *) data, size }, &diags, &out, &err);
    if (status == PGC_OK) {
        check_answer(buf_view(&out));
    } else {
        insist(status == PGC_INVALID || status == PGC_NOMEM);
        insist(out.len == 0 && (err.message[0] != '\0' || diags.error_count > 0));
    }
    buf_done(&out);
    arena_free(mem);
    return 0;
}

/* All features in little text, so that mutations meet them. */
static void seed_rich(plug *p)
{
    plug_enum(p, "mood", "a,b c,");
    plug_composite(p, "pair");
    plug_table(p, "t", "id:bigserial!,v:text,m:mood,p:pair,e:s.email[],w:vector");
    plug_table(p, "s.u", "id:pg_catalog/int4!,x:pg_catalog.numeric");
    plug_query(p, "A :many", "SELECT u.id, u.x, t.v FROM s.u u LEFT JOIN t ON t.id = u.id LIMIT $1",
               "%u,v:text@t.v", "limit:integer!");
    plug_comment(p->queries[0], " @row R");
    p->file = "b.sql";
    plug_query(p, "B :copyfrom", "INSERT INTO t (id, v) VALUES ($1, $2)", "",
               "id:bigserial!@t.id,v:text@t.v");
    plug_query(p, "C :batchone", "SELECT v FROM t WHERE id NOT IN ($1) AND m = $2", "v:text@t.v",
               "ids:bigserial!~@t.id,m:mood@t.m");
    plug_comment(p->queries[2], " @nonnull v");
}

static void seed_small(plug *p)
{
    plug_table(p, "t", "a:int!,b:text[]");
    plug_query(p, "Q :one", "SELECT a, b FROM t WHERE a = $1", "a:int!@t.a,b:text[]@t.b", "a:int!");
}

/* What is refused by name. */
static void seed_faulty(plug *p)
{
    plug_query(p, "Q :exec", "SELECT 'x' /*@if a*/ $1", "", "a:any");
    plug_query(p, "Q :execlastid", "SELECT", "x:email,y:", ":pair");
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static void (*const SEEDS[])(plug * p) = { seed_rich, seed_small, seed_faulty };
    static const char *const OPTIONS[] = {
        "{\"prefix\":\"l\",\"emit_interface\":true}",
        "{\"prefix\":\"l\",\"overrides\":[{\"column\":\"*.a\",\"nullable\":true}]}",
        "{\"prefix\":\"l\"}",
    };
    if (index >= ARRAY_LEN(SEEDS)) {
        return 0;
    }
    arena *mem = arena_new(NULL, (size_t) 64 << 10, 0);
    plug p;
    if (mem == NULL) {
        return 0;
    }
    plug_init(&p, mem, OPTIONS[index]);
    SEEDS[index](&p);
    slice bytes = plug_pack(&p);
    size_t len = bytes.len < size ? bytes.len : size;
    memcpy(data, bytes.ptr, len);
    arena_free(mem);
    return len;
}
