/* Options that other generators have and that can be only one way here. They are known, so that a
 * config that says the same as we do is taken, and one that wants something else is told why not
 * and what to do instead. */
#include "base/prelude.h"

#include "sqlc/config_read.h"

static const struct {
    const char *key, *value; /* NULL: no value of it means anything here */
    const char *why;
} FIXED[] = {
    { "null_style", "opt", "nullable values are pgc_opt structs, which cannot be dereferenced" },
    { "int_limit_params", "int8", "the server has bigint there; write LIMIT @n::integer" },
    { "result_format", "binary", "the runtime chooses text by itself where a type has no other" },
    { "schema_hash", "true", "check, verify and PREFIX_schema_check() need it" },
    { "cplusplus", "true", "the headers are C11 and C++17 alike" },
    { "header", NULL, "a header is called as its query file, and models.h" },
    { "runtime_header", NULL, "add the folder of <pgc/...> with -I" },
    { "emit_json", "false", "let the query make it: SELECT to_jsonb(t)" },
    { "emit_prepared_queries", "true",
      "statements are prepared once per connection; the pool's options and @unnamed say "
      "otherwise" },
    { "emit_exported_queries", "false", "the manifest has all texts, and so have the comments" },
    { "emit_enum_valid_method", "true", "every enum has PREFIX_NAME_is_valid()" },
    { "emit_all_enum_values", "true", "every enum has the array PREFIX_NAME_values" },
    { "emit_methods_with_db_argument", "true", "generated code has no state of its own" },
    { "output_models_file_name", NULL, "it is models.h, in the folder \"out\"" },
    { "output_querier_file_name", NULL, "it is interface.h, in the folder \"out\"" },
    { "output_files_suffix", NULL, "files are called as their query files" },
};

bool config_fixed(reader *r, const yaml_entry *entry, void *target)
{
    const char *text = NULL;
    (void) target;
    if (!yaml_text(&r->tree, entry->value, entry->key, &text)) {
        return false;
    }
    size_t i = 0;
    while (i < ARRAY_LEN(FIXED) && strcmp(FIXED[i].key, entry->key) != 0) {
        i++;
    }
    assert(i < ARRAY_LEN(FIXED));
    if (FIXED[i].value != NULL && strcmp(text, FIXED[i].value) == 0) {
        return true;
    }
    diag *d = FIXED[i].value == NULL
                  ? yaml_error(&r->tree, entry->key_node, "%s cannot be chosen", entry->key)
                  : yaml_error(&r->tree, entry->value, "%s is always %s, not \"%s\"", entry->key,
                               FIXED[i].value, text);
    diag_hint(r->tree.diags, d, "%s", FIXED[i].why);
    return false;
}
