/* Checked access to a parsed YAML document: every complaint carries line and column. */
#ifndef SQLC_YAML_TREE_H
#define SQLC_YAML_TREE_H

#include <yaml.h>

#include "sqlc/diag.h"

typedef struct yaml_tree {
    yaml_document_t doc;
    bool loaded;      /* doc needs deleting */
    const char *path; /* for messages */
    arena *arena;
    diag_list *diags;
    bool nomem; /* a list lacks something */
} yaml_tree;

typedef struct yaml_entry {
    const char *key;                     /* a copy in the arena */
    const yaml_node_t *key_node, *value; /* in doc, with their marks */
} yaml_entry;

/* Parse text; syntax errors go to diags (then loaded stays false). Release with yaml_tree_done().
 */
pgc_status yaml_tree_load(yaml_tree *tree, slice text, pgc_error *err) PGC_MUST_CHECK;
void yaml_tree_done(yaml_tree *tree);

diag *yaml_error(yaml_tree *tree, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const yaml_node_t *yaml_root(yaml_tree *tree);
size_t yaml_count(const yaml_node_t *sequence);
const yaml_node_t *yaml_item(yaml_tree *tree, const yaml_node_t *sequence, size_t index);

/* Entries of a mapping; reports another kind of node, keys that are not plain text and duplicate
 * keys. what: "sql[0]", for messages. False: an error was reported. */
bool yaml_entries(yaml_tree *tree, const yaml_node_t *node, const char *what, vec *out);
/* Text, boolean, whole number. False: reported. Null gives "" for text. */
bool yaml_text(yaml_tree *tree, const yaml_node_t *node, const char *what, const char **out);
bool yaml_bool(yaml_tree *tree, const yaml_node_t *node, const char *what, bool *out);
bool yaml_int(yaml_tree *tree, const yaml_node_t *node, const char *what, int64_t *out);
/* Text or list of texts. out: of const char *. */
bool yaml_texts(yaml_tree *tree, const yaml_node_t *node, const char *what, vec *out);

#endif
