/* The strict reader of the config, for the files that read parts of it. */
#ifndef SQLC_CONFIG_READ_H
#define SQLC_CONFIG_READ_H

#include "sqlc/config.h"
#include "sqlc/yaml_tree.h"

#define CONFIG_PREFIX_MAX   32u /* bytes */
#define CONFIG_BY_VALUE_MAX 16  /* parameters */

/* Where keys of one level go. KEY_SKIP accepts a key and its whole value without a look. */
typedef enum key_kind { KEY_TEXT, KEY_BOOL, KEY_INT, KEY_TEXTS, KEY_SKIP, KEY_CALL } key_kind;

typedef struct reader reader;

typedef struct key_rule {
    const char *key; /* NULL ends a table */
    key_kind kind;
    size_t offset; /* of the member in the target struct */
    bool (*call)(reader *r, const yaml_entry *entry, void *target);
} key_rule;

struct reader {
    yaml_tree tree;
    slice text;    /* of the file */
    config *out;   /* written to while reading; the caller sees it on success only */
    vec c_plugins; /* of const char *: plugin names that are this program */
    bool has_sql;  /* tells "no sql key" from "no entry for us" */
};

/* Apply one level's rules to a mapping. what: "sql entry", for messages. False: reported. */
bool config_level(reader *r, const yaml_node_t *node, const char *what, const key_rule *rules,
                  void *target);
/* A C name that the implementation does not reserve, of at most `max` bytes. */
bool config_identifier(const char *text, size_t max);
/* The value of "rename" or "overrides"; target: config_c. */
bool config_renames(reader *r, const yaml_entry *entry, void *target);
bool config_overrides(reader *r, const yaml_entry *entry, void *target);
/* An option that is always the same here: that value is taken, any other refused with the reason.
 */
bool config_fixed(reader *r, const yaml_entry *entry, void *target);
/* A set with its generator joins the config. False: reported. */
bool config_add_set(reader *r, const yaml_node_t *node, const config_set *set, const config_c *c);
/* The value of "database"; target: the config_set that gets the URI and its place. */
bool config_database(reader *r, const yaml_entry *entry, void *target);
/* What holds for options that are not given. */
void config_defaults(config_c *c);
/* The whole of a version 1 file. */
void config_version_1(reader *r, const yaml_node_t *root);

#endif
