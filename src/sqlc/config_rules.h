/* The parts of a config that only `vet` looks at. */
#ifndef SQLC_CONFIG_RULES_H
#define SQLC_CONFIG_RULES_H

#include "sqlc/config.h"
#include "sqlc/yaml_tree.h"

/* The list "rules" of the config. text: of the file. out: of config_rule. False: reported. */
bool config_read_rules(yaml_tree *tree, slice text, const yaml_node_t *node, vec *out);
/* The list "rules" of an sql entry. out: of config_rule_use. False: reported. */
bool config_read_rule_names(yaml_tree *tree, const yaml_node_t *node, vec *out);

#endif
