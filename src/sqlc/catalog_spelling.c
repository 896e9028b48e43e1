/* From what people write for a type to the type: SQL names, pg_type names, format_type() texts.
 *
 * One table of SQL spellings; everything else is a name with an optional schema. No state. */
#include "base/prelude.h"

#include "sqlc/catalog.h"

/* Spellings that are not names in pg_type. Source: PostgreSQL manual, "Data Types", table 8.1, and
 * sqlc's own words ("serial", "integer" for LIMIT). */
static const struct {
    const char *spelling, *name;
} SPELLINGS[] = {
    { "bigint", "int8" },
    { "bigserial", "int8" },
    { "bit varying", "varbit" },
    { "boolean", "bool" },
    { "char", "bpchar" },
    { "character", "bpchar" },
    { "character varying", "varchar" },
    { "decimal", "numeric" },
    { "double precision", "float8" },
    { "float", "float8" },
    { "int", "int4" },
    { "integer", "int4" },
    { "real", "float4" },
    { "serial", "int4" },
    { "serial2", "int2" },
    { "serial4", "int4" },
    { "serial8", "int8" },
    { "smallint", "int2" },
    { "smallserial", "int2" },
    { "time with time zone", "timetz" },
    { "time without time zone", "time" },
    { "timestamp with time zone", "timestamptz" },
    { "timestamp without time zone", "timestamp" },
};

#define SPELLING_MAX 256u /* bytes; longer texts name no type */

/* Lower case unless quoted, one blank between words, "(…)" dropped, quotes dropped.
 * False when it does not fit. */
static bool normalise(slice text, char out[static SPELLING_MAX], bool *quoted)
{
    size_t len = 0;
    bool in_quotes = false;
    int depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"') {
            in_quotes = !in_quotes;
            *quoted = true;
            continue;
        }
        if (!in_quotes && (c == '(' || c == ')')) {
            depth += c == '(' ? 1 : -1;
            continue;
        }
        bool blank = !in_quotes && isspace((unsigned char) c) != 0;
        if (depth > 0 || (blank && (len == 0 || out[len - 1] == ' '))) {
            continue;
        }
        if (len + 1 >= SPELLING_MAX) {
            return false;
        }
        out[len++] = blank ? ' ' : in_quotes ? c : (char) tolower((unsigned char) c);
    }
    while (len > 0 && out[len - 1] == ' ') {
        len--;
    }
    out[len] = '\0';
    return !in_quotes && depth == 0 && len > 0;
}

/* A SQL spelling wins over a type of that name unless it is quoted: "char" is another type. */
static const catalog_type *named(const catalog *cat, char *name, bool quoted)
{
    char *dot = strchr(name, '.');
    const char *schema = NULL;
    if (dot != NULL) {
        *dot = '\0';
        schema = name;
        name = dot + 1;
    }
    if (!quoted && (schema == NULL || strcmp(schema, "pg_catalog") == 0)) {
        for (size_t i = 0; i < ARRAY_LEN(SPELLINGS); i++) {
            if (strcmp(SPELLINGS[i].spelling, name) == 0) {
                return catalog_type_by_name(cat, "pg_catalog", SPELLINGS[i].name);
            }
        }
    }
    return catalog_type_by_name(cat, schema, name);
}

/* Works on a copy on the stack; texts that do not fit are no type names. */
const catalog_type *catalog_type_by_spelling(const catalog *cat, slice spelling)
{
    char name[SPELLING_MAX];
    bool quoted = false;
    if (!normalise(spelling, name, &quoted)) {
        return NULL;
    }
    bool array = false;
    size_t len = strlen(name);
    while (len > 2 && name[len - 1] == ']') { /* dimensions do not make another type */
        char *open = strrchr(name, '[');
        if (open == NULL) {
            return NULL;
        }
        *open = '\0';
        len = strlen(name);
        array = true;
    }
    const catalog_type *type = named(cat, name, quoted);
    return type != NULL && array ? catalog_type_by_oid(cat, type->array_oid) : type;
}
