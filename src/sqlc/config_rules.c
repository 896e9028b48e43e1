/* Rules of a config. Expressions are kept as text with their place in the file: upstream reads them
 * in vet only, and so do we, so a rule for another engine never stops generate. One thread. */
#include "base/prelude.h"

#include "sqlc/config_rules.h"

/* The line with this number, from 0, without its end. */
static slice line_of(slice text, size_t number)
{
    slice line = { 0 };
    do {
        line = slice_next(&text, '\n');
    } while (number-- > 0 && text.ptr != NULL);
    return line;
}

/* Where the characters of a scalar stand in the file. Lines of a literal block and one-line texts
 * without escapes can be led back; of others the start is all that is known.
 *
 *     rule: "query.cmd == 'exec'"
 *     rule: |
 *       query.cmd == 'exec' */
static void locate(config_rule *rule, slice text, const yaml_node_t *node)
{
    yaml_scalar_style_t style = node->data.scalar.style;
    bool one_line = node->start_mark.line == node->end_mark.line;
    bool quoted =
        style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    size_t written = node->end_mark.column - node->start_mark.column;
    rule->line = (uint32_t) node->start_mark.line + 1;
    rule->column = (uint32_t) node->start_mark.column + 1;
    if (style == YAML_LITERAL_SCALAR_STYLE) {
        slice line = line_of(text, node->start_mark.line + 1);
        while (rule->indent < line.len && line.ptr[rule->indent] == ' ') {
            rule->indent++;
        }
        rule->line++;
        rule->column = rule->indent + 1;
        rule->exact = true;
    } else if (one_line && written == strlen(rule->text) + (quoted ? 2 : 0)) {
        rule->column += quoted ? 1 : 0;
        rule->exact = true;
    }
}

void config_rule_position(const config_rule *rule, size_t at, uint32_t *line, uint32_t *column)
{
    uint32_t lines = 1;
    uint32_t columns = 1;
    assert(at <= strlen(rule->text));
    source_position((slice) { rule->text, strlen(rule->text) }, rule->exact ? at : 0, &lines,
                    &columns);
    *line = rule->line + lines - 1;
    *column = columns + (lines == 1 ? rule->column - 1 : rule->indent);
}

/* Members of one rule; keys are checked like those of every level. */
static bool read_rule(yaml_tree *tree, slice text, const yaml_node_t *node, config_rule *rule)
{
    vec entries = { 0 };
    const yaml_node_t *expression = NULL;
    if (!yaml_entries(tree, node, "a rule", &entries)) {
        return false;
    }
    for (size_t i = 0; i < entries.count; i++) {
        const yaml_entry *e = VEC_AT(&entries, yaml_entry, i);
        const char **target = strcmp(e->key, "name") == 0      ? &rule->name
                              : strcmp(e->key, "message") == 0 ? &rule->message
                              : strcmp(e->key, "rule") == 0    ? &rule->text
                                                               : NULL;
        if (target == NULL) {
            diag *d = yaml_error(tree, e->key_node, "unknown key \"%s\" in a rule", e->key);
            diag_hint(tree->diags, d, "a rule has name, rule and message");
            return false;
        }
        if (!yaml_text(tree, e->value, e->key, target)) {
            return false;
        }
        expression = target == &rule->text ? e->value : expression;
    }
    if (rule->name == NULL || rule->name[0] == '\0' || rule->text == NULL ||
        rule->text[0] == '\0') {
        (void) yaml_error(tree, node, "a rule needs \"name\" and \"rule\"");
        return false;
    }
    if (strncmp(rule->name, "c/", 2) == 0 || strncmp(rule->name, "sqlc/", 5) == 0) {
        (void) yaml_error(tree, node, "rule name \"%s\": \"c/\" and \"sqlc/\" are taken",
                          rule->name);
        return false;
    }
    locate(rule, text, expression);
    return true;
}

bool config_read_rules(yaml_tree *tree, slice text, const yaml_node_t *node, vec *out)
{
    if (node == NULL || node->type != YAML_SEQUENCE_NODE) {
        (void) yaml_error(tree, node, "rules must be a list");
        return false;
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        const yaml_node_t *item = yaml_item(tree, node, i);
        config_rule rule = { 0 };
        if (!read_rule(tree, text, item, &rule)) {
            return false;
        }
        for (size_t k = 0; k < out->count; k++) {
            if (strcmp(VEC_AT(out, config_rule, k)->name, rule.name) == 0) {
                (void) yaml_error(tree, item, "two rules are called \"%s\"", rule.name);
                return false;
            }
        }
        config_rule *added = VEC_ADD(tree->arena, out, config_rule);
        if (added == NULL) {
            tree->nomem = true;
            return false;
        }
        *added = rule;
    }
    return true;
}

bool config_read_rule_names(yaml_tree *tree, const yaml_node_t *node, vec *out)
{
    if (node == NULL || node->type != YAML_SEQUENCE_NODE) {
        (void) yaml_error(tree, node, "rules must be a list of names");
        return false;
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        const yaml_node_t *item = yaml_item(tree, node, i);
        config_rule_use *use = VEC_ADD(tree->arena, out, config_rule_use);
        if (use == NULL) {
            tree->nomem = true;
            return false;
        }
        if (!yaml_text(tree, item, "a rule's name", &use->name)) {
            return false;
        }
        use->line = (uint32_t) item->start_mark.line + 1;
        use->column = (uint32_t) item->start_mark.column + 1;
    }
    return true;
}
