/* Version 1 of the config, which names packages instead of generators. Each package of a PostgreSQL
 * database becomes a set: its name is the prefix, its path the folder. One thread. */
#include "base/prelude.h"

#include "sqlc/config_read.h"

/* A package while it is read. */
typedef struct package {
    config_set set;
    const char *engine, *path;
    config_c c;
    bool skip_flag; /* target of keys that are read and not used */
    const char *skipped;
} package;

#define SKIP(key)              \
    {                          \
        key, KEY_SKIP, 0, NULL \
    }
#define IGNORED_BOOL(key)                                 \
    {                                                     \
        key, KEY_BOOL, offsetof(package, skip_flag), NULL \
    }
#define IGNORED_TEXT(key)                               \
    {                                                   \
        key, KEY_TEXT, offsetof(package, skipped), NULL \
    }

/* Every key of upstream; those that only Go has are checked and not used. */
static const key_rule PACKAGE_RULES[] = {
    { "name", KEY_TEXT, offsetof(package, set.name), NULL },
    { "path", KEY_TEXT, offsetof(package, path), NULL },
    { "engine", KEY_TEXT, offsetof(package, engine), NULL },
    { "schema", KEY_TEXTS, offsetof(package, set.schema), NULL },
    { "queries", KEY_TEXTS, offsetof(package, set.queries), NULL },
    { "database", KEY_CALL, offsetof(package, set), config_database },
    { "emit_interface", KEY_BOOL, offsetof(package, c.emit_interface), NULL },
    { "emit_exact_table_names", KEY_BOOL, offsetof(package, c.emit_exact_table_names), NULL },
    { "omit_unused_structs", KEY_BOOL, offsetof(package, c.omit_unused_structs), NULL },
    { "query_parameter_limit", KEY_INT, offsetof(package, c.query_parameter_limit), NULL },
    SKIP("analyzer"),
    SKIP("overrides"),
    SKIP("rules"),
    IGNORED_BOOL("emit_json_tags"),
    IGNORED_BOOL("json_tags_id_uppercase"),
    IGNORED_BOOL("emit_db_tags"),
    IGNORED_BOOL("emit_prepared_queries"),
    IGNORED_BOOL("emit_empty_slices"),
    IGNORED_BOOL("emit_exported_queries"),
    IGNORED_BOOL("emit_result_struct_pointers"),
    IGNORED_BOOL("emit_params_struct_pointers"),
    IGNORED_BOOL("emit_methods_with_db_argument"),
    IGNORED_BOOL("emit_pointers_for_null_types"),
    IGNORED_BOOL("emit_enum_valid_method"),
    IGNORED_BOOL("emit_all_enum_values"),
    IGNORED_BOOL("strict_function_checks"),
    IGNORED_BOOL("strict_order_by"),
    IGNORED_TEXT("json_tags_case_style"),
    IGNORED_TEXT("sql_package"),
    IGNORED_TEXT("sql_driver"),
    IGNORED_TEXT("output_batch_file_name"),
    IGNORED_TEXT("output_db_file_name"),
    IGNORED_TEXT("output_models_file_name"),
    IGNORED_TEXT("output_querier_file_name"),
    IGNORED_TEXT("output_copyfrom_file_name"),
    IGNORED_TEXT("output_files_suffix"),
    IGNORED_TEXT("build_tags"),
    { NULL, KEY_SKIP, 0, NULL },
};

/* "db" of "internal/db". */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The prefix is all that a package's name must be good for. */
static bool check_package(reader *r, const yaml_node_t *node, package *p)
{
    if (p->path == NULL || p->path[0] == '\0') {
        (void) yaml_error(&r->tree, node, "package without \"path\"");
        return false;
    }
    p->c.out = p->path;
    p->c.prefix = p->set.name != NULL && p->set.name[0] != '\0' ? p->set.name : base_name(p->path);
    p->set.name = p->c.prefix;
    size_t len = strlen(p->c.prefix);
    if (!config_identifier(p->c.prefix, CONFIG_PREFIX_MAX) || p->c.prefix[len - 1] == '_') {
        diag *d = yaml_error(&r->tree, node, "package \"%s\": the name is no prefix of C names",
                             p->c.prefix);
        diag_hint(r->tree.diags, d, "version 2 of the config has options.prefix");
        return false;
    }
    if (p->set.queries.count == 0) {
        (void) yaml_error(&r->tree, node, "package without \"queries\"");
        return false;
    }
    if (p->c.query_parameter_limit < 0 || p->c.query_parameter_limit > CONFIG_BY_VALUE_MAX) {
        (void) yaml_error(&r->tree, node, "query_parameter_limit must be 0 to %d",
                          CONFIG_BY_VALUE_MAX);
        return false;
    }
    return true;
}

/* Target of the root: what packages share. */
typedef struct root_target {
    const char *version;
    config_c shared;
    const yaml_entry *packages;
} root_target;

static bool keep_packages(reader *r, const yaml_entry *entry, void *target)
{
    (void) r;
    *(const yaml_entry **) target = entry;
    return true;
}

void config_version_1(reader *r, const yaml_node_t *root)
{
    static const key_rule RULES[] = {
        { "version", KEY_TEXT, offsetof(root_target, version), NULL },
        { "packages", KEY_CALL, offsetof(root_target, packages), keep_packages },
        { "rename", KEY_CALL, offsetof(root_target, shared), config_renames },
        SKIP("overrides"),
        SKIP("rules"),
        SKIP("cloud"),
        { NULL, KEY_SKIP, 0, NULL },
    };
    root_target target = { 0 };
    config_defaults(&target.shared);
    if (!config_level(r, root, "the config", RULES, &target)) {
        return;
    }
    const yaml_node_t *list = target.packages == NULL ? NULL : target.packages->value;
    if (list == NULL || list->type != YAML_SEQUENCE_NODE || yaml_count(list) == 0) {
        (void) yaml_error(&r->tree, root, "packages must be a list with at least one entry");
        return;
    }
    for (size_t i = 0; i < yaml_count(list); i++) {
        const yaml_node_t *node = yaml_item(&r->tree, list, i);
        package p = { .c = target.shared };
        if (!config_level(r, node, "package", PACKAGE_RULES, &p)) {
            continue;
        }
        bool ours = p.engine == NULL || strcmp(p.engine, "postgresql") == 0;
        if (ours && check_package(r, node, &p)) {
            (void) config_add_set(r, node, &p.set, &p.c);
        }
    }
    if (r->tree.diags->error_count == 0 && r->out->sets.count == 0) {
        (void) yaml_error(&r->tree, root, "no package is for postgresql");
    }
}
