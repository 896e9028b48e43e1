/* JSON by jansson, with keys in the order they are added, so that the file is the same for the same
 * input. Server version and OIDs of user objects stay out of it: they differ between machines. One
 * thread. */
#include "base/prelude.h"

#include "sqlc/manifest.h"

#include <jansson.h>

#include "base/json_auto.h"
#include "base/sha256.h"
#include "sqlc/ir_json.h"
#include "sqlc/json_text.h"

/* jansson passes failed allocations on as NULL and -1; one flag collects them. */
typedef struct writer {
    bool failed;
} writer;

/* Takes the value over, also when it fails. NULL values fail too, so nested calls need no
 * checks. */
static void put(writer *w, json_t *object, const char *key, json_t *value)
{
    w->failed = json_object_set_new(object, key, value) != 0 || w->failed;
}

static void put_text(writer *w, json_t *object, const char *key, const char *value)
{
    put(w, object, key, json_string(value));
}

/* An empty text has a hash as well. */
const char *manifest_hash(arena *mem, slice text)
{
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    if (!sha256_of(text.ptr == NULL ? "" : text.ptr, text.len, digest)) {
        return NULL;
    }
    sha256_hex(digest, hex);
    return arena_strdup(mem, hex);
}

/* A new option that changes the output must be added here, else `check --offline` would not see
 * it. The output folder is no part of it: a moved project is not stale.
 *
 *     lib|1|01000|x:lens|r:colour=color */
const char *manifest_options_hash(arena *mem, const config_c *c)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 1 << 20);
    buf_printf(&b, "%s|%" PRId64 "|%d%d%d%d%d", c->prefix, c->query_parameter_limit,
               c->emit_exact_table_names, c->emit_sql_as_comment, c->omit_unused_structs,
               c->omit_sqlc_version, c->strict_params);
    buf_add_str(&b, c->emit_interface ? "|interface" : "");
    buf_add_str(&b, c->share_rows ? "|share" : "");
    for (size_t i = 0; i < c->inflection_exclude_table_names.count; i++) {
        buf_printf(&b, "|x:%s", *VEC_AT(&c->inflection_exclude_table_names, const char *, i));
    }
    for (size_t i = 0; i < c->renames.count; i++) {
        const config_rename *r = VEC_AT(&c->renames, config_rename, i);
        buf_printf(&b, "|r:%s=%s", r->from, r->to);
    }
    for (size_t i = 0; i < c->overrides.count; i++) {
        const config_override *o = VEC_AT(&c->overrides, config_override, i);
        const char *const parts[] = { o->column, o->db_type, o->c_type, o->header,
                                      o->decode, o->encode,  o->clone };
        buf_printf(&b, "|o%d", o->has_nullable ? 1 + o->nullable : 0);
        for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
            buf_printf(&b, ":%s", parts[k] == NULL ? "" : parts[k]);
        }
    }
    return b.failed ? NULL : manifest_hash(mem, buf_view(&b));
}

/* Paths are those of messages, so the manifest does not know where the project lies. In the
 * order of the files; jansson keeps it. */
static pgc_status add_entry(arena *mem, vec *list, const char *path, slice text, pgc_error *err)
{
    manifest_entry *entry = VEC_ADD(mem, list, manifest_entry);
    const char *hash = manifest_hash(mem, text);
    if (entry == NULL || hash == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "hash \"%s\"", path);
    }
    *entry = (manifest_entry) { .path = path, .sha256 = hash };
    return PGC_OK;
}

pgc_status manifest_add_inputs(manifest *m, arena *mem, const vec *files, pgc_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const source_file *file = VEC_AT(files, source_file, i);
        TRY(add_entry(mem, &m->inputs, file->path, file->text, err));
    }
    return PGC_OK;
}

pgc_status manifest_add_outputs(manifest *m, arena *mem, const vec *files, pgc_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const emit_file *file = VEC_AT(files, emit_file, i);
        TRY(add_entry(mem, &m->outputs, file->name, file->content, err));
    }
    return PGC_OK;
}

/* An object: one line per file is what people see in a diff. */
static json_t *entries_json(writer *w, const vec *list)
{
    json_t *object = json_object();
    for (size_t i = 0; i < list->count; i++) {
        const manifest_entry *entry = VEC_AT(list, manifest_entry, i);
        put_text(w, object, entry->path, entry->sha256);
    }
    return object;
}

/* The caller's buffer may hold text already; JSON is appended.
 *
 *     {
 *      "generator": "0.1.0",
 *      "options_hash": "…",
 *      "inputs": {"db/schema.sql": "sha256…"},
 *      "outputs": {"models.h": "sha256…"},
 *      "prefix": "lib", "schema_hash": "…",
 *      "enums": […], "models": […], "queries": […]
 *     } */
pgc_status manifest_write(const manifest *m, const ir_set *set, buf *out, pgc_error *err)
{
    writer w = { 0 };
    AUTO(json_auto) json_t *root = json_object();
    assert(m->generator != NULL);
    assert(m->options_hash != NULL);
    put_text(&w, root, "generator", m->generator);
    put_text(&w, root, "options_hash", m->options_hash);
    put(&w, root, "inputs", entries_json(&w, &m->inputs));
    put(&w, root, "outputs", entries_json(&w, &m->outputs));
    w.failed = !ir_to_json(set, false, root) || w.failed;
    return json_text_add(w.failed ? NULL : root, out, err);
}

pgc_status manifest_write_ir(const ir_set *set, buf *out, pgc_error *err)
{
    AUTO(json_auto) json_t *root = json_object();
    writer w = { .failed = !ir_to_json(set, true, root) };
    return json_text_add(w.failed ? NULL : root, out, err);
}

/* Anything but an object of texts gives no entries: the check then finds everything changed.
 * Paths are checked by those who use them. */
static pgc_status read_entries(arena *mem, json_t *entries, vec *out, pgc_error *err)
{
    const char *key;
    json_t *value;
    pgc_status status = PGC_OK;
    json_object_foreach(entries, key, value)
    {
        manifest_entry *entry = VEC_ADD(mem, out, manifest_entry);
        char *path = arena_strdup(mem, key);
        char *hash = arena_strdup(mem, json_is_string(value) ? json_string_value(value) : "");
        if (entry == NULL || path == NULL || hash == NULL) {
            status = pgc_error_set(err, PGC_NOMEM, "read the manifest");
            break;
        }
        *entry = (manifest_entry) { .path = path, .sha256 = hash };
    }
    return status;
}

/* The lists stand first, and each member of the file on a line of its own behind one blank: for the
 * checks the text up to the representation is enough, which is most of the file. */
static json_t *load_lists(slice text, bool *nomem)
{
    json_error_t problem;
    static const char MARK[] = ",\n \"prefix\": ";
    const char *end = memmem(text.ptr, text.len, MARK, sizeof MARK - 1);
    AUTO(buf_auto) buf head;
    buf_init(&head, NULL, (size_t) 64 << 20);
    if (end == NULL) {
        return NULL;
    }
    buf_add(&head, slice_sub(text, 0, (size_t) (end - text.ptr)));
    buf_add_char(&head, '}');
    json_t *root = head.failed ? NULL : json_loadb(head.ptr, head.len, 0, &problem);
    *nomem = head.failed || (root == NULL && json_text_no_memory(&problem, false));
    return root;
}

/* A file that somebody wrote anew, in another form, is read as a whole. */
pgc_status manifest_read(arena *mem, const char *path, slice text, manifest *out, ir_set *set,
                         pgc_error *err)
{
    json_error_t problem;
    bool nomem = false;
    AUTO(json_auto) json_t *root = set == NULL ? load_lists(text, &nomem) : NULL;
    if (root == NULL && !nomem) {
        root = json_loadb(text.ptr, text.len, 0, &problem);
        nomem = root == NULL && json_text_no_memory(&problem, false);
    }
    if (nomem) {
        return pgc_error_set(err, PGC_NOMEM, "read the manifest");
    }
    if (root == NULL) {
        return pgc_error_set(err, PGC_INVALID, "%s:%d:%d: %s", path, problem.line, problem.column,
                             problem.text);
    }
    const char *generator = json_string_value(json_object_get(root, "generator"));
    const char *options = json_string_value(json_object_get(root, "options_hash"));
    if (generator == NULL || options == NULL) {
        return pgc_error_set(err, PGC_INVALID, "%s:1:1: not a manifest of sqlc-gen-c", path);
    }
    out->generator = arena_strdup(mem, generator);
    out->options_hash = arena_strdup(mem, options);
    if (out->generator == NULL || out->options_hash == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read the manifest");
    }
    TRY(read_entries(mem, json_object_get(root, "inputs"), &out->inputs, err));
    TRY(read_entries(mem, json_object_get(root, "outputs"), &out->outputs, err));
    return set == NULL ? PGC_OK : ir_from_json(mem, path, root, set, err);
}
