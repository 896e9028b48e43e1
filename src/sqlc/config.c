/* The config reader: a table of keys per level says which are ours, which belong to other
 * generators and are skipped, and which do not exist. One thread. */
#include "base/prelude.h"

#include "sqlc/config.h"

#include <fcntl.h>

#include "base/file.h"
#include "sqlc/cname.h"
#include "sqlc/config_read.h"
#include "sqlc/config_rules.h"
#include "sqlc/lex.h"

/* Far above any config; protects against a path to something else. */
#define CONFIG_FILE_MAX ((size_t) 4 << 20)
#define RENAME_MAX      63u /* bytes; as long as names of the server */

/* All keys of a level: there are few enough to choose from. */
static void hint_keys(reader *r, diag *d, const key_rule *rules)
{
    char names[1024] = "";
    size_t len = 0;
    for (; rules->key != NULL && len < sizeof names; rules++) {
        if (rules->call == config_fixed) {
            continue; /* nobody needs to write it */
        }
        int more =
            snprintf(names + len, sizeof names - len, "%s%s", len == 0 ? "" : ", ", rules->key);
        len += more > 0 ? (size_t) more : 0;
    }
    diag_hint(r->tree.diags, d, "keys here are %s", names);
}

/* Apply one level's rules to a mapping. False: something was reported. Source: sqlc.md §1.2:
 * version 2 is decoded strictly, so a misspelt key is an error and never a silent default. */
bool config_level(reader *r, const yaml_node_t *node, const char *what, const key_rule *rules,
                  void *target)
{
    vec entries = { 0 };
    assert(node == NULL || rules[0].key != NULL);
    if (!yaml_entries(&r->tree, node, what, &entries)) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < entries.count; i++) {
        const yaml_entry *e = VEC_AT(&entries, yaml_entry, i);
        const key_rule *rule = rules;
        while (rule->key != NULL && strcmp(rule->key, e->key) != 0) {
            rule++;
        }
        void *member = (char *) target + rule->offset;
        if (rule->key == NULL) {
            diag *d = yaml_error(&r->tree, e->key_node, "unknown key \"%s\" in %s", e->key, what);
            hint_keys(r, d, rules);
            ok = false;
        } else if (rule->kind == KEY_TEXT) {
            ok = yaml_text(&r->tree, e->value, e->key, member) && ok;
        } else if (rule->kind == KEY_BOOL) {
            ok = yaml_bool(&r->tree, e->value, e->key, member) && ok;
        } else if (rule->kind == KEY_INT) {
            ok = yaml_int(&r->tree, e->value, e->key, member) && ok;
        } else if (rule->kind == KEY_TEXTS) {
            ok = yaml_texts(&r->tree, e->value, e->key, member) && ok;
        } else if (rule->kind == KEY_CALL) {
            ok = rule->call(r, e, member) && ok;
        }
    }
    return ok;
}

/* Letters, digits and underscores; no leading digit. Names with a leading underscore or two in a
 * row belong to the implementation in C++. */
bool config_identifier(const char *text, size_t max)
{
    size_t i = 0;
    for (; text[i] != '\0'; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool later = i > 0 && (lex_digit(c) || (c == '_' && text[i - 1] != '_'));
        if (!letter && !later) {
            return false;
        }
    }
    return i > 0 && i <= max;
}

/* A prefix must make valid C names with "_name" behind it. */
static bool is_prefix(const char *text)
{
    return config_identifier(text, CONFIG_PREFIX_MAX) && text[strlen(text) - 1] != '_';
}

/* rename: {"SQL name": C name}, for columns and tables alike. The values are used as C names as
 * they are, so they must be names. */
bool config_renames(reader *r, const yaml_entry *entry, void *target)
{
    config_c *c = target;
    vec entries = { 0 };
    if (!yaml_entries(&r->tree, entry->value, "rename", &entries)) {
        return false;
    }
    for (size_t i = 0; i < entries.count; i++) {
        const yaml_entry *e = VEC_AT(&entries, yaml_entry, i);
        config_rename *rename = VEC_ADD(r->tree.arena, &c->renames, config_rename);
        if (rename == NULL) {
            r->tree.nomem = true;
            return false;
        }
        rename->from = e->key;
        if (!yaml_text(&r->tree, e->value, e->key, &rename->to)) {
            return false;
        }
        if (!config_identifier(rename->to, RENAME_MAX) || cname_is_reserved(rename->to)) {
            (void) yaml_error(&r->tree, e->value, "rename: \"%s\" is no C name", rename->to);
            return false;
        }
    }
    return true;
}

/* See sqlc.md §8.4: "sqlc" takes nullable target columns into account, "strict" only sqlc.narg. */
static bool read_param_nullability(reader *r, const yaml_entry *entry, void *target)
{
    config_c *c = target;
    const char *text = NULL;
    if (!yaml_text(&r->tree, entry->value, entry->key, &text)) {
        return false;
    }
    c->strict_params = strcmp(text, "strict") == 0;
    if (!c->strict_params && strcmp(text, "sqlc") != 0) {
        (void) yaml_error(&r->tree, entry->value,
                          "param_nullability must be \"sqlc\" or \"strict\", not \"%s\"", text);
        return false;
    }
    return true;
}

/* Few enough that a call stays readable; 0: always a struct. */
static bool read_parameter_limit(reader *r, const yaml_entry *entry, void *target)
{
    config_c *c = target;
    if (!yaml_int(&r->tree, entry->value, entry->key, &c->query_parameter_limit)) {
        return false;
    }
    if (c->query_parameter_limit < 0 || c->query_parameter_limit > CONFIG_BY_VALUE_MAX) {
        (void) yaml_error(&r->tree, entry->value, "query_parameter_limit must be 0 to %d",
                          CONFIG_BY_VALUE_MAX);
        return false;
    }
    return true;
}

/* Options of codegen[].options and of gen.c. "package" is upstream's word for the prefix. */
static const key_rule C_RULES[] = {
#define FIXED(key)                     \
    {                                  \
        key, KEY_CALL, 0, config_fixed \
    }
    { "prefix", KEY_TEXT, offsetof(config_c, prefix), NULL },
    { "package", KEY_TEXT, offsetof(config_c, prefix), NULL },
    { "out", KEY_TEXT, offsetof(config_c, out), NULL },
    { "manifest", KEY_TEXT, offsetof(config_c, manifest), NULL },
    { "query_parameter_limit", KEY_CALL, 0, read_parameter_limit },
    { "emit_exact_table_names", KEY_BOOL, offsetof(config_c, emit_exact_table_names), NULL },
    { "emit_interface", KEY_BOOL, offsetof(config_c, emit_interface), NULL },
    { "emit_sql_as_comment", KEY_BOOL, offsetof(config_c, emit_sql_as_comment), NULL },
    { "omit_unused_structs", KEY_BOOL, offsetof(config_c, omit_unused_structs), NULL },
    { "omit_sqlc_version", KEY_BOOL, offsetof(config_c, omit_sqlc_version), NULL },
    { "inflection_exclude_table_names", KEY_TEXTS,
      offsetof(config_c, inflection_exclude_table_names), NULL },
    { "param_nullability", KEY_CALL, 0, read_param_nullability },
    { "rename", KEY_CALL, 0, config_renames },
    { "overrides", KEY_CALL, 0, config_overrides },
    { "share_rows", KEY_BOOL, offsetof(config_c, share_rows), NULL },
    FIXED("null_style"),
    FIXED("int_limit_params"),
    FIXED("result_format"),
    FIXED("schema_hash"),
    FIXED("cplusplus"),
    FIXED("header"),
    FIXED("runtime_header"),
    FIXED("emit_json"),
    FIXED("emit_prepared_queries"),
    FIXED("emit_exported_queries"),
    FIXED("emit_enum_valid_method"),
    FIXED("emit_all_enum_values"),
    FIXED("emit_methods_with_db_argument"),
    FIXED("output_models_file_name"),
    FIXED("output_querier_file_name"),
    FIXED("output_files_suffix"),
    { NULL, KEY_SKIP, 0, NULL },
#undef FIXED
};

/* What holds for keys that are not given. Members that are not named are false, 0 or empty. */
void config_defaults(config_c *c)
{
    *c = (config_c) { .manifest = "sqlc-manifest.json",
                      .query_parameter_limit = 1,
                      .emit_sql_as_comment = true };
}

/* What a single key cannot tell: required options and ranges. Errors stand at the generator's
 * block, because a missing key has no place of its own. */
static bool check_c(reader *r, const yaml_node_t *node, const config_c *c)
{
    if (c->out == NULL || c->out[0] == '\0') {
        (void) yaml_error(&r->tree, node, "the C generator needs \"out\", a folder");
        return false;
    }
    if (c->prefix == NULL || !is_prefix(c->prefix)) {
        diag *d = yaml_error(&r->tree, node,
                             "the C generator needs options.prefix, a short "
                             "identifier");
        diag_hint(r->tree.diags, d, "for example \"prefix: repo\" gives repo_get_author()");
        return false;
    }
    if (strchr(c->manifest, '/') != NULL || c->manifest[0] == '\0' || c->manifest[0] == '.') {
        (void) yaml_error(&r->tree, node, "manifest must be a plain file name");
        return false;
    }
    return true;
}

/* An sql entry while it is read. */
typedef struct sql_entry {
    config_set set;
    const char *engine;
    vec generators; /* of config_c */
    bool skip_flag; /* target of keys that are read and not used */
} sql_entry;

/* A sound generator joins its sql entry. NULL of VEC_ADD is noted here, so that the caller's
 * false means "reported" in every case. */
static bool add_generator(reader *r, sql_entry *entry, const yaml_node_t *node, const config_c *c)
{
    assert(c->manifest != NULL);
    if (!check_c(r, node, c)) {
        return false;
    }
    config_c *added = VEC_ADD(r->tree.arena, &entry->generators, config_c);
    r->tree.nomem = r->tree.nomem || added == NULL;
    if (added != NULL) {
        *added = *c;
    }
    return added != NULL;
}

/* gen.c: our own spelling; upstream sqlc refuses it, so codegen is the documented one. Our
 * options are spelled out in the block itself: "out" stands beside the others.
 *
 *     gen:
 *       c: {out: src/db, prefix: db} */
static bool read_gen_c(reader *r, const yaml_entry *entry, void *target)
{
    config_c c;
    config_defaults(&c);
    return config_level(r, entry->value, "gen.c", C_RULES, &c) &&
           add_generator(r, target, entry->value, &c);
}

/* Blocks of other generators are none of our business. The Go block in the same entry is
 * upstream's and stays readable for it. */
static bool read_gen(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "c", KEY_CALL, 0, read_gen_c }, { "go", KEY_SKIP, 0, NULL },
        { "json", KEY_SKIP, 0, NULL },    { "kotlin", KEY_SKIP, 0, NULL },
        { "python", KEY_SKIP, 0, NULL },  { NULL, KEY_SKIP, 0, NULL },
    };
    return config_level(r, entry->value, "gen", RULES, target);
}

/* An entry of codegen: before its options are understood. */
typedef struct codegen_entry {
    const char *plugin, *out;
    const yaml_node_t *options;
} codegen_entry;

/* Options are read after the plugin is known to be ours: those of others are opaque. */
static bool keep_options(reader *r, const yaml_entry *entry, void *target)
{
    (void) r;
    ((codegen_entry *) target)->options = entry->value;
    return true;
}

/* Ours by the name "c" or because its definition runs this program. */
static bool is_c_plugin(const reader *r, const char *name)
{
    bool found = strcmp(name, "c") == 0;
    for (size_t i = 0; i < r->c_plugins.count; i++) {
        found = found || strcmp(*VEC_AT(&r->c_plugins, const char *, i), name) == 0;
    }
    return found;
}

/* Generators by plugin; entries of other plugins are skipped. Source: sqlc.md §1.2. Options of
 * other plugins are never looked at.
 *
 *     codegen:
 *       - plugin: c
 *         out: src/db
 *         options: {prefix: db, query_parameter_limit: 2} */
static bool read_codegen(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "plugin", KEY_TEXT, offsetof(codegen_entry, plugin), NULL },
        { "out", KEY_TEXT, offsetof(codegen_entry, out), NULL },
        { "options", KEY_CALL, 0, keep_options },
        { NULL, KEY_SKIP, 0, NULL },
    };
    if (entry->value == NULL || entry->value->type != YAML_SEQUENCE_NODE) {
        (void) yaml_error(&r->tree, entry->value, "codegen must be a list");
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < yaml_count(entry->value); i++) {
        const yaml_node_t *node = yaml_item(&r->tree, entry->value, i);
        codegen_entry item = { 0 };
        if (!config_level(r, node, "codegen", RULES, &item)) {
            ok = false;
        } else if (item.plugin == NULL) {
            (void) yaml_error(&r->tree, node, "codegen entry without \"plugin\"");
            ok = false;
        } else if (is_c_plugin(r, item.plugin)) {
            config_c c;
            config_defaults(&c);
            c.out = item.out;
            ok = (item.options == NULL ||
                  config_level(r, item.options, "codegen options", C_RULES, &c)) &&
                 add_generator(r, target, node, &c) && ok;
        }
    }
    return ok;
}

/* ${NAME} of upper-case letters and underscores, from the environment; unset gives nothing.
 * Source: sqlc.md §1.2: no digits in names, and the token is never given away. */
static const char *expand_variables(reader *r, const char *text)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 1 << 16);
    while (*text != '\0') {
        size_t len =
            strncmp(text, "${", 2) == 0 ? strspn(text + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") : 0;
        if (len == 0 || text[2 + len] != '}') {
            buf_add_char(&b, *text++);
            continue;
        }
        char *name = arena_copy(r->tree.arena, (slice) { text + 2, len });
        const char *value =
            name == NULL || strcmp(name, "SQLC_AUTH_TOKEN") == 0 ? NULL : getenv(name);
        buf_add_str(&b, value == NULL ? "" : value);
        text += len + 3;
    }
    char *copy = b.failed ? NULL : arena_copy(r->tree.arena, buf_view(&b));
    r->tree.nomem = r->tree.nomem || copy == NULL;
    return copy;
}

/* The value of "database". */
typedef struct database {
    const char *uri;
    yaml_mark_t mark; /* of the URI, for errors of its server */
    bool managed;
} database;

static bool read_uri(reader *r, const yaml_entry *entry, void *target)
{
    database *db = target;
    db->mark = entry->value->start_mark;
    return yaml_text(&r->tree, entry->value, entry->key, &db->uri);
}

/* Only the server of the uri is used: the schema is applied to a database of our own there. */
bool config_database(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "uri", KEY_CALL, 0, read_uri },
        { "managed", KEY_BOOL, offsetof(database, managed), NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    database db = { 0 };
    if (!config_level(r, entry->value, "database", RULES, &db)) {
        return false;
    }
    if (db.uri == NULL && !db.managed) {
        (void) yaml_error(&r->tree, entry->key_node, "database needs \"uri\" or \"managed: true\"");
        return false;
    }
    const char *uri = db.uri == NULL ? NULL : expand_variables(r, db.uri);
    config_set *set = target;
    set->database_uri = uri != NULL && uri[0] != '\0' ? uri : NULL;
    set->uri_line = (uint32_t) db.mark.line + 1;
    set->uri_column = (uint32_t) db.mark.column + 1;
    return true;
}

/* Names of rules; whether they exist is asked by vet only. */
static bool read_rule_names(reader *r, const yaml_entry *entry, void *target)
{
    config_set *set = &((sql_entry *) target)->set;
    set->has_rules = true;
    return config_read_rule_names(&r->tree, entry->value, &set->rules);
}

/* Entries without C generator may be for any engine. Checked after the whole entry is read, so
 * that the order of its keys does not matter. */
static bool check_sql_entry(reader *r, const yaml_node_t *node, const sql_entry *entry)
{
    if (entry->engine == NULL) {
        (void) yaml_error(&r->tree, node, "sql entry without \"engine\": postgresql");
        return false;
    }
    if (entry->generators.count == 0) {
        return true; /* for other generators */
    }
    if (strcmp(entry->engine, "postgresql") != 0) {
        (void) yaml_error(&r->tree, node, "engine \"%s\" is not supported: only postgresql",
                          entry->engine);
        return false;
    }
    if (entry->set.queries.count == 0) {
        (void) yaml_error(&r->tree, node, "sql entry without \"queries\"");
        return false;
    }
    return true;
}

/* Without what makes no difference: "./" in front, '/' behind. */
static slice plain_folder(const char *path)
{
    slice s = { path, strlen(path) };
    while (slice_starts(s, SLICE("./")) && s.len > 2) {
        s = slice_sub(s, 2, s.len);
    }
    while (s.len > 1 && s.ptr[s.len - 1] == '/') {
        s.len--;
    }
    return s;
}

/* Two generators in one folder would overwrite models.h, and each would take away the files of the
 * other as stale. */
static bool check_out(reader *r, const yaml_node_t *node, const char *out)
{
    for (size_t i = 0; i < r->out->sets.count; i++) {
        const config_set *set = VEC_AT(&r->out->sets, config_set, i);
        if (slice_eq(plain_folder(set->c.out), plain_folder(out))) {
            diag *d = yaml_error(&r->tree, node, "\"out\" is the folder of another entry: %s", out);
            diag_hint(r->tree.diags, d,
                      "give each generator a folder of its own; the other one "
                      "stands at line %" PRIu32,
                      set->line);
            return false;
        }
    }
    return true;
}

bool config_add_set(reader *r, const yaml_node_t *node, const config_set *set, const config_c *c)
{
    if (!check_out(r, node, c->out)) {
        return false;
    }
    config_set *added = VEC_ADD(r->tree.arena, &r->out->sets, config_set);
    if (added == NULL) {
        r->tree.nomem = true;
        return false;
    }
    *added = *set;
    added->line = (uint32_t) node->start_mark.line + 1;
    added->column = (uint32_t) node->start_mark.column + 1;
    added->c = *c;
    return true;
}

/* One entry gives one set per C generator in it. The schema may be empty: queries over the
 * server's own catalogs need none.
 *
 *     sql:
 *       - engine: postgresql
 *         schema: db/migrations
 *         queries: [db/queries, db/more.sql] */
static bool read_sql_entry(reader *r, const yaml_node_t *node)
{
    static const key_rule RULES[] = {
        { "name", KEY_TEXT, offsetof(sql_entry, set.name), NULL },
        { "engine", KEY_TEXT, offsetof(sql_entry, engine), NULL },
        { "schema", KEY_TEXTS, offsetof(sql_entry, set.schema), NULL },
        { "queries", KEY_TEXTS, offsetof(sql_entry, set.queries), NULL },
        { "gen", KEY_CALL, 0, read_gen },
        { "codegen", KEY_CALL, 0, read_codegen },
        { "database", KEY_CALL, offsetof(sql_entry, set), config_database },
        { "analyzer", KEY_SKIP, 0, NULL },
        { "rules", KEY_CALL, 0, read_rule_names },
        { "strict_function_checks", KEY_BOOL, offsetof(sql_entry, skip_flag), NULL },
        { "strict_order_by", KEY_BOOL, offsetof(sql_entry, skip_flag), NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    sql_entry entry = { 0 };
    entry.set.name = "";
    if (!config_level(r, node, "sql entry", RULES, &entry) || !check_sql_entry(r, node, &entry)) {
        return false;
    }
    for (size_t i = 0; i < entry.generators.count; i++) {
        if (!config_add_set(r, node, &entry.set, VEC_AT(&entry.generators, config_c, i))) {
            return false;
        }
    }
    return true;
}

/* Every entry is looked at, so that one run reports all mistakes. */
static bool read_sql(reader *r, const yaml_entry *entry, void *target)
{
    (void) target;
    r->has_sql = true;
    if (entry->value == NULL || entry->value->type != YAML_SEQUENCE_NODE ||
        yaml_count(entry->value) == 0) {
        (void) yaml_error(&r->tree, entry->value, "sql must be a list with at least one entry");
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < yaml_count(entry->value); i++) {
        ok = read_sql_entry(r, yaml_item(&r->tree, entry->value, i)) && ok;
    }
    return ok;
}

/* What is wanted of a plugin's definition. */
typedef struct plugin_entry {
    const char *name, *cmd;
} plugin_entry;

/* The program of a plugin tells whether it is us. */
static bool read_process(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "cmd", KEY_TEXT, offsetof(plugin_entry, cmd), NULL },
        { "format", KEY_SKIP, 0, NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    return config_level(r, entry->value, "process", RULES, target);
}

/* Names of plugins that are this program. The program may be given with a folder, e.g.
 * ./build/sqlc-gen-c.
 *
 *     plugins:
 *       - name: mine
 *         process: {cmd: build/sqlc-gen-c} */
static bool read_plugins(reader *r, const yaml_entry *entry, void *target)
{
    static const key_rule RULES[] = {
        { "name", KEY_TEXT, offsetof(plugin_entry, name), NULL },
        { "env", KEY_SKIP, 0, NULL },
        { "process", KEY_CALL, 0, read_process },
        { "wasm", KEY_SKIP, 0, NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    (void) target;
    if (entry->value == NULL || entry->value->type != YAML_SEQUENCE_NODE) {
        (void) yaml_error(&r->tree, entry->value, "plugins must be a list");
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < yaml_count(entry->value); i++) {
        plugin_entry plugin = { 0 };
        ok = config_level(r, yaml_item(&r->tree, entry->value, i), "plugin", RULES, &plugin) && ok;
        const char *cmd = plugin.cmd == NULL ? "" : plugin.cmd;
        const char *slash = strrchr(cmd, '/');
        const char **name = NULL;
        if (plugin.name != NULL && strcmp(slash == NULL ? cmd : slash + 1, "sqlc-gen-c") == 0) {
            name = VEC_ADD(r->tree.arena, &r->c_plugins, const char *);
            r->tree.nomem = r->tree.nomem || name == NULL;
        }
        if (name != NULL) {
            *name = plugin.name;
        }
    }
    return ok;
}

static bool read_rules(reader *r, const yaml_entry *entry, void *target)
{
    (void) target;
    return config_read_rules(&r->tree, r->text, entry->value, &r->out->rules);
}

/* Target of the first pass over the root. */
typedef struct version_target {
    const char *version;
} version_target;

/* The two versions have other keys, so the version is looked for first, wherever it stands. */
static bool is_version_1(reader *r, const yaml_node_t *root)
{
    const yaml_node_pair_t *pair =
        root->type == YAML_MAPPING_NODE ? root->data.mapping.pairs.start : NULL;
    for (; pair != NULL && pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->tree.doc, pair->key);
        const yaml_node_t *value = yaml_document_get_node(&r->tree.doc, pair->value);
        if (key != NULL && value != NULL && key->type == YAML_SCALAR_NODE &&
            value->type == YAML_SCALAR_NODE &&
            strcmp((const char *) key->data.scalar.value, "version") == 0) {
            return strcmp((const char *) value->data.scalar.value, "1") == 0;
        }
    }
    return false;
}

/* Plugins first: codegen entries refer to them wherever they stand in the file. Two passes over
 * the same mapping. Both tables name every key, else the strict reader would refuse it. */
static bool read_root(reader *r, const yaml_node_t *root)
{
    static const key_rule FIRST[] = {
        { "version", KEY_TEXT, offsetof(version_target, version), NULL },
        { "plugins", KEY_CALL, 0, read_plugins },
        { "sql", KEY_SKIP, 0, NULL },
        { "rules", KEY_SKIP, 0, NULL },
        { "overrides", KEY_SKIP, 0, NULL },
        { "options", KEY_SKIP, 0, NULL },
        { "servers", KEY_SKIP, 0, NULL },
        { "cloud", KEY_SKIP, 0, NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    static const key_rule SECOND[] = {
        { "sql", KEY_CALL, 0, read_sql },   { "version", KEY_SKIP, 0, NULL },
        { "plugins", KEY_SKIP, 0, NULL },   { "rules", KEY_CALL, 0, read_rules },
        { "overrides", KEY_SKIP, 0, NULL }, { "options", KEY_SKIP, 0, NULL },
        { "servers", KEY_SKIP, 0, NULL },   { "cloud", KEY_SKIP, 0, NULL },
        { NULL, KEY_SKIP, 0, NULL },
    };
    version_target target = { 0 };
    if (is_version_1(r, root)) {
        config_version_1(r, root);
        return r->out->sets.count > 0;
    }
    if (!config_level(r, root, "the config", FIRST, &target)) {
        return false;
    }
    if (target.version == NULL || strcmp(target.version, "2") != 0) {
        diag *d = target.version == NULL
                      ? yaml_error(&r->tree, root, "missing version")
                      : yaml_error(&r->tree, root, "unknown version \"%s\"", target.version);
        diag_hint(r->tree.diags, d, "write: version: \"2\"");
        return false;
    }
    if (!config_level(r, root, "the config", SECOND, &target)) {
        return false;
    }
    if (!r->has_sql) {
        (void) yaml_error(&r->tree, root, "the config needs at least one entry under \"sql\"");
    } else if (r->out->sets.count == 0) {
        diag *d = yaml_error(&r->tree, root, "no entry under \"sql\" has a C generator");
        diag_hint(r->tree.diags, d,
                  "add: codegen: [{plugin: c, out: DIR, options: {prefix: NAME}}]");
    }
    return r->out->sets.count > 0;
}

/* *out is written only when nothing was reported. */
pgc_status config_parse(arena *mem, const char *path, slice text, diag_list *diags, config *out,
                        pgc_error *err)
{
    config result = { .path = path, .dir = "." };
    reader r = { .tree = { .path = path, .arena = mem, .diags = diags },
                 .text = text,
                 .out = &result };
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        result.dir = arena_copy(mem, (slice) { path, slash == path ? 1 : (size_t) (slash - path) });
        r.tree.nomem = result.dir == NULL;
    }
    size_t bad = text.len;
    for (size_t i = 0; i < text.len && bad == text.len; i++) {
        bad = text.ptr[i] == '\0' ? i : bad;
    }
    if (bad < text.len) {
        source_file file = { .path = path, .text = text };
        (void) diag_error(diags, &file, bad, "the file holds a NUL byte");
        return diag_status(diags, err);
    }
    TRY(yaml_tree_load(&r.tree, text, err));
    const yaml_node_t *root = yaml_root(&r.tree);
    if (r.tree.loaded && root == NULL) {
        diag *d = diag_error_at(diags, path, 1, 1, "the config is empty");
        diag_hint(diags, d, "\"sqlc-gen-c init\" writes one to start from");
    } else if (r.tree.loaded) {
        (void) read_root(&r, root);
    }
    yaml_tree_done(&r.tree);
    if (r.tree.nomem) {
        return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", path);
    }
    TRY(diag_status(diags, err));
    *out = result;
    return PGC_OK;
}

/* `out` is the plugin's caller's business: files are named below it. */
pgc_status config_parse_options(arena *mem, const char *path, slice text, diag_list *diags,
                                config_c *out, pgc_error *err)
{
    config unused = { .path = path, .dir = "." };
    config_c c;
    reader r = { .tree = { .path = path, .arena = mem, .diags = diags },
                 .text = text,
                 .out = &unused };
    config_defaults(&c);
    c.out = ".";
    TRY(yaml_tree_load(&r.tree, text.len == 0 ? SLICE("{}") : text, err));
    const yaml_node_t *root = yaml_root(&r.tree);
    if (r.tree.loaded && root == NULL) {
        (void) diag_error_at(diags, path, 1, 1, "the options are empty");
    } else if (r.tree.loaded && config_level(&r, root, "codegen options", C_RULES, &c)) {
        (void) check_c(&r, root, &c);
    }
    yaml_tree_done(&r.tree);
    if (r.tree.nomem) {
        return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", path);
    }
    TRY(diag_status(diags, err));
    *out = c;
    return PGC_OK;
}

/* Same names and the same refusal of two files as upstream. Source: sqlc.md §1.1. */
static const char *find_config(const env *sys, diag_list *diags)
{
    static const char *const NAMES[] = { "sqlc.yaml", "sqlc.yml", "sqlc.json" };
    bool has[3];
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        has[i] = file_exists(sys, AT_FDCWD, NAMES[i]);
    }
    if ((has[0] || has[1]) && has[2]) {
        diag *d = diag_error_at(diags, NAMES[2], 1, 1, "both sqlc.yaml and sqlc.json are here");
        diag_hint(diags, d, "choose one with -f FILE");
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (has[i]) {
            return NAMES[i];
        }
    }
    diag *d = diag_error_at(diags, NAMES[0], 1, 1, "no config file in this folder");
    diag_hint(diags, d, "give one with -f FILE, or write one with \"sqlc-gen-c init\"");
    return NULL;
}

/* A config that cannot be read is the user's mistake and gets a diagnostic with its path, like
 * all others. */
pgc_status config_load(const env *sys, arena *mem, const char *path, diag_list *diags, config *out,
                       pgc_error *err)
{
    const char *found = path == NULL ? find_config(sys, diags) : path;
    if (found == NULL) {
        return diag_status(diags, err);
    }
    AUTO(buf_auto) buf text;
    buf_init(&text, sys->alloc, CONFIG_FILE_MAX);
    pgc_error local = PGC_ZERO;
    pgc_status status = file_read(sys, AT_FDCWD, found, &text, &local);
    if (status == PGC_NOMEM) {
        return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", found);
    }
    if (status != PGC_OK) {
        (void) diag_error_at(diags, found, 1, 1, "%s", local.message);
        return diag_status(diags, err);
    }
    return config_parse(mem, found, buf_view(&text), diags, out, err);
}
