/* The option "overrides": what the user knows better about columns or a type. Each entry is checked
 * here as far as no database is needed. One thread. */
#include "base/prelude.h"

#include "sqlc/config_read.h"

#include "sqlc/cname.h"

#define C_TYPE_MAX 127u /* bytes */

/* Words and stars, e.g. "unsigned int" or "struct money *": the text goes into the C code. */
static bool is_c_type(const char *text)
{
    size_t letters = 0;
    size_t i = 0;
    for (; text[i] != '\0'; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && strchr("0123456789 *", c) == NULL) {
            return false;
        }
        letters += letter ? 1 : 0;
    }
    return letters > 0 && i <= C_TYPE_MAX && strchr("0123456789 *", text[0]) == NULL;
}

/* "dir/file.h" or "<dir/file.h>". */
static bool is_header(const char *text)
{
    size_t len = strlen(text);
    bool angles = len > 2 && text[0] == '<' && text[len - 1] == '>';
    for (size_t i = angles ? 1 : 0; i < len - (angles ? 1 : 0); i++) {
        char c = text[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    strchr("_-+./", c) != NULL;
        if (!good) {
            return false;
        }
    }
    return len > 0 && len <= C_TYPE_MAX;
}

/* c_type: the name of a representation, or a mapping that says how the user's own type is read and
 * sent:
 *
 *     c_type: i64
 *     c_type: {type: money, header: money.h, decode: money_read, encode: money_add} */
static bool read_c_type(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "type", KEY_TEXT, offsetof(config_override, c_type), NULL },
        { "header", KEY_TEXT, offsetof(config_override, header), NULL },
        { "decode", KEY_TEXT, offsetof(config_override, decode), NULL },
        { "encode", KEY_TEXT, offsetof(config_override, encode), NULL },
        { "clone", KEY_TEXT, offsetof(config_override, clone), NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    config_override *o = target;
    if (entry->value == NULL || entry->value->type != YAML_MAPPING_NODE) {
        return yaml_text(&r->tree, entry->value, entry->key, &o->c_type);
    }
    if (!config_level(r, entry->value, "c_type", RULES, o)) {
        return false;
    }
    if (o->c_type == NULL || o->decode == NULL || o->encode == NULL) {
        diag *d = yaml_error(&r->tree, entry->value, "c_type needs type, decode and encode");
        diag_hint(r->tree.diags, d,
                  "decode and encode are C functions like pgc_read_i64() and "
                  "pgc_add_i64()");
        return false;
    }
    const char *const functions[] = { o->decode, o->encode, o->clone };
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (functions[i] != NULL && !config_identifier(functions[i], C_TYPE_MAX)) {
            (void) yaml_error(&r->tree, entry->value, "c_type: \"%s\" is no C function",
                              functions[i]);
            return false;
        }
    }
    if (!is_c_type(o->c_type)) {
        (void) yaml_error(&r->tree, entry->value, "c_type: \"%s\" is no C type", o->c_type);
        return false;
    }
    if (o->header != NULL && !is_header(o->header)) {
        (void) yaml_error(&r->tree, entry->value, "c_type: \"%s\" is no header", o->header);
        return false;
    }
    return true;
}

static bool read_nullable(reader *r, const yaml_entry *entry, void *target)
{
    config_override *o = target;
    o->has_nullable = yaml_bool(&r->tree, entry->value, entry->key, &o->nullable);
    return o->has_nullable;
}

/* "[catalog.][schema.]table.column": two to four parts. */
static size_t count_parts(const char *pattern)
{
    size_t count = 1;
    bool empty = pattern[0] == '\0' || pattern[0] == '.';
    for (const char *p = pattern; *p != '\0'; p++) {
        count += *p == '.' ? 1 : 0;
        empty = empty || (*p == '.' && (p[1] == '.' || p[1] == '\0'));
    }
    return empty ? 0 : count;
}

static bool check_override(reader *r, const yaml_node_t *node, const config_override *o)
{
    if ((o->column == NULL) == (o->db_type == NULL)) {
        (void) yaml_error(&r->tree, node, "an override needs one of \"column\" and \"db_type\"");
    } else if (o->column != NULL && (count_parts(o->column) < 2 || count_parts(o->column) > 4)) {
        diag *d = yaml_error(&r->tree, node, "override: \"%s\" names no column", o->column);
        diag_hint(r->tree.diags, d,
                  "write table.column or schema.table.column; * and ? stand for "
                  "any letters");
    } else if (o->c_type == NULL && !o->has_nullable) {
        (void) yaml_error(&r->tree, node, "an override needs \"c_type\" or \"nullable\"");
    } else if (o->db_type != NULL && o->c_type == NULL) {
        (void) yaml_error(&r->tree, node, "an override of a type needs \"c_type\"");
    } else {
        return true;
    }
    return false;
}

/* The list in its order: the first entry that fits a column counts.
 *
 *     overrides:
 *       - {column: "*.created_at", nullable: false}
 *       - {db_type: timestamptz, c_type: i64} */
bool config_overrides(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "column", KEY_TEXT, offsetof(config_override, column), NULL },
        { "db_type", KEY_TEXT, offsetof(config_override, db_type), NULL },
        { "c_type", KEY_CALL, 0, read_c_type },
        { "nullable", KEY_CALL, 0, read_nullable },
        { NULL, KEY_SKIP, 0, NULL },
    };
    config_c *c = target;
    if (entry->value == NULL || entry->value->type != YAML_SEQUENCE_NODE) {
        (void) yaml_error(&r->tree, entry->value, "overrides must be a list");
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < yaml_count(entry->value); i++) {
        const yaml_node_t *node = yaml_item(&r->tree, entry->value, i);
        config_override o = { 0 };
        if (!config_level(r, node, "override", RULES, &o) || !check_override(r, node, &o)) {
            ok = false;
            continue;
        }
        config_override *added = VEC_ADD(r->tree.arena, &c->overrides, config_override);
        if (added == NULL) {
            r->tree.nomem = true;
            return false;
        }
        o.line = (uint32_t) node->start_mark.line + 1;
        o.at = (uint32_t) node->start_mark.column + 1;
        *added = o;
    }
    return ok;
}
