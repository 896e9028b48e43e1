/* A thin layer over libyaml's document tree. Kinds are checked where values are taken, so the
 * reader above deals with valid data only. One thread per tree. */
#include "base/prelude.h"

#include "sqlc/yaml_tree.h"

/* libyaml counts from 0, people from 1. */
static uint32_t mark_number(size_t zero_based)
{
    return zero_based < UINT32_MAX ? (uint32_t) zero_based + 1 : UINT32_MAX;
}

/* The whole document is parsed before anything is looked at: a syntax error is the only message
 * then. */
pgc_status yaml_tree_load(yaml_tree *tree, slice text, pgc_error *err)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", tree->path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *) text.ptr, text.len);
    pgc_status status = PGC_OK;
    if (yaml_parser_load(&parser, &tree->doc) != 0) {
        tree->loaded = true;
    } else if (parser.error == YAML_MEMORY_ERROR) {
        status = pgc_error_set(err, PGC_NOMEM, "read \"%s\"", tree->path);
    } else {
        uint32_t line = mark_number(parser.problem_mark.line);
        uint32_t column = mark_number(parser.problem_mark.column);
        const char *problem = parser.problem == NULL ? "not YAML" : parser.problem;
        const char *context = parser.context == NULL ? "" : parser.context;
        (void) diag_error_at(tree->diags, tree->path, line, column, "%s%s%s", context,
                             context[0] == '\0' ? "" : ": ", problem);
    }
    yaml_parser_delete(&parser);
    return status;
}

void yaml_tree_done(yaml_tree *tree)
{
    if (tree->loaded) {
        yaml_document_delete(&tree->doc);
        tree->loaded = false;
    }
}

/* NULL points to the start of the file: an absent value has no mark. */
diag *yaml_error(yaml_tree *tree, const yaml_node_t *node, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    uint32_t line = node == NULL ? 1 : mark_number(node->start_mark.line);
    uint32_t column = node == NULL ? 1 : mark_number(node->start_mark.column);
    return diag_error_at(tree->diags, tree->path, line, column, "%s", text);
}

const yaml_node_t *yaml_root(yaml_tree *tree)
{
    assert(tree->path != NULL);
    return tree->loaded ? yaml_document_get_root_node(&tree->doc) : NULL;
}

size_t yaml_count(const yaml_node_t *sequence)
{
    assert(sequence->type == YAML_SEQUENCE_NODE);
    return (size_t) (sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

const yaml_node_t *yaml_item(yaml_tree *tree, const yaml_node_t *sequence, size_t index)
{
    assert(index < yaml_count(sequence));
    return yaml_document_get_node(&tree->doc, sequence->data.sequence.items.start[index]);
}

/* Whether an entry before the newest has its key. */
static bool key_stands_before(const vec *entries, const char *key)
{
    for (size_t i = 0; i + 1 < entries->count; i++) {
        if (strcmp(VEC_AT(entries, yaml_entry, i)->key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* Duplicate keys are legal for libyaml; the last one would win silently. */
bool yaml_entries(yaml_tree *tree, const yaml_node_t *node, const char *what, vec *out)
{
    if (node == NULL || node->type != YAML_MAPPING_NODE) {
        (void) yaml_error(tree, node, "%s must be a mapping (\"key: value\" lines)", what);
        return false;
    }
    bool ok = true;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&tree->doc, pair->key);
        yaml_entry *entry = VEC_ADD(tree->arena, out, yaml_entry);
        if (entry == NULL) {
            tree->nomem = true;
            return false;
        }
        const char *name = NULL;
        entry->key_node = key;
        entry->value = yaml_document_get_node(&tree->doc, pair->value);
        if (!yaml_text(tree, key, "a key", &name)) {
            return false;
        }
        entry->key = name;
        if (key_stands_before(out, name)) {
            (void) yaml_error(tree, key, "key \"%s\" stands twice in %s", name, what);
            ok = false;
        }
    }
    return ok;
}

/* Only plain scalars: a quoted "null" is text. */
static bool is_null(const yaml_node_t *node)
{
    const char *text = (const char *) node->data.scalar.value;
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (strcmp(text, "") == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* Numbers and booleans are texts too: `version: 2` and `prefix: on` mean what they say. */
bool yaml_text(yaml_tree *tree, const yaml_node_t *node, const char *what, const char **out)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE) {
        (void) yaml_error(tree, node, "%s must be text", what);
        return false;
    }
    if (memchr(node->data.scalar.value, '\0', node->data.scalar.length) != NULL) {
        (void) yaml_error(tree, node, "%s holds a NUL character", what);
        return false;
    }
    char *copy = arena_strdup(tree->arena, is_null(node) ? "" : (char *) node->data.scalar.value);
    if (copy == NULL) {
        tree->nomem = true;
        return false;
    }
    *out = copy;
    return true;
}

/* YAML 1.1 would also take yes, no, on and off; upstream does not, so neither do we. */
bool yaml_bool(yaml_tree *tree, const yaml_node_t *node, const char *what, bool *out)
{
    const char *text = NULL;
    if (!yaml_text(tree, node, what, &text)) {
        return false;
    }
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *out = text[0] == 't';
        return true;
    }
    (void) yaml_error(tree, node, "%s must be true or false, not \"%s\"", what, text);
    return false;
}

/* Decimal only. */
bool yaml_int(yaml_tree *tree, const yaml_node_t *node, const char *what, int64_t *out)
{
    const char *text = NULL;
    if (!yaml_text(tree, node, what, &text)) {
        return false;
    }
    if (!slice_to_i64((slice) { text, strlen(text) }, out)) {
        (void) yaml_error(tree, node, "%s must be a whole number, not \"%s\"", what, text);
        return false;
    }
    return true;
}

/* A missing value is an empty list; an empty text is a mistake, since as a path it would mean
 * the folder itself.
 *
 *     queries: db/queries            one text
 *     queries: [a.sql, b.sql]        two
 *     schema:                        none */
bool yaml_texts(yaml_tree *tree, const yaml_node_t *node, const char *what, vec *out)
{
    bool list = node != NULL && node->type == YAML_SEQUENCE_NODE;
    bool none = node != NULL && node->type == YAML_SCALAR_NODE && is_null(node);
    size_t count = list ? yaml_count(node) : none ? 0 : 1;
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        const yaml_node_t *item = list ? yaml_item(tree, node, i) : node;
        if (!yaml_text(tree, item, what, &text)) {
            return false;
        }
        if (text[0] == '\0') {
            (void) yaml_error(tree, item, "%s holds an empty text", what);
            return false;
        }
        const char **slot = VEC_ADD(tree->arena, out, const char *);
        if (slot == NULL) {
            tree->nomem = true;
            return false;
        }
        *slot = text;
    }
    return true;
}
