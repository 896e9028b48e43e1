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
    /* Unquoted "char" is SQL's character; the server's one-byte type needs quotes. */
    { "char", "bpchar" },
    { "character", "bpchar" },
    { "character varying", "varchar" },
    { "decimal", "numeric" },
    { "double precision", "float8" },
    /* Without a precision; sqlc drops the modifier before it gets here. */
    { "float", "float8" },
    { "int", "int4" },
    { "integer", "int4" },
    { "real", "float4" },
    /* No types but column definitions; sqlc keeps the words. */
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

#define SPELLING_MAX 256u   /* bytes; longer texts name no type */
#define SCHEMA_DOT   '\x1f' /* the dot between schema and name, so that names may hold dots */

/* A spelling taken apart. */
typedef struct parts {
    char name[SPELLING_MAX]; /* "schema", SCHEMA_DOT, "name", or the name alone */
    size_t len;
    bool quoted, array;
} parts;

/* At a quote: the quoted name with doubled quotes made single. Gives the place behind it; SIZE_MAX
 * when it does not end or does not fit. */
static size_t take_quoted(slice text, size_t at, parts *out)
{
    out->quoted = true;
    for (at++; at < text.len; at++) {
        bool quote = text.ptr[at] == '"';
        bool doubled = quote && at + 1 < text.len && text.ptr[at + 1] == '"';
        if (quote && !doubled) {
            return at + 1;
        }
        if (out->len + 1 >= SPELLING_MAX) {
            return SIZE_MAX;
        }
        out->name[out->len++] = text.ptr[at];
        at += doubled ? 1 : 0;
    }
    return SIZE_MAX;
}

/* At "(" or "[": the place behind the closing mark; SIZE_MAX when there is none. */
static size_t skip_group(slice text, size_t at)
{
    char close = text.ptr[at] == '(' ? ')' : ']';
    size_t end = slice_find(text, close, at);
    return end == SIZE_MAX ? SIZE_MAX : end + 1;
}

/* One character outside quotes: lower case, one blank between words. False: it does not fit. */
static bool take_plain(char c, parts *out)
{
    bool blank = isspace((unsigned char) c) != 0;
    if (blank && (out->len == 0 || out->name[out->len - 1] == ' ')) {
        return true;
    }
    bool extra = out->array && !blank; /* dimensions stand at the end */
    if (out->len + 1 >= SPELLING_MAX || extra || strchr(")]", c) != NULL) {
        return false;
    }
    out->name[out->len++] = blank ? ' ' : c == '.' ? SCHEMA_DOT : (char) tolower((unsigned char) c);
    return true;
}

/* Modifiers in parentheses are dropped, dimensions make an array. Quotes protect case, blanks and
 * dots, as in SQL. False: no spelling of a type.
 *
 *     "character varying(20)[]"   -> name "character varying", array
 *     "\"Odd \"\"One\"\".t\""     -> the quoted name, its dots and quotes kept */
static bool take_apart(slice text, parts *out)
{
    for (size_t at = 0; at < text.len && at != SIZE_MAX;) {
        char c = text.ptr[at];
        if (c == '"') {
            at = take_quoted(text, at, out);
        } else if (c == '(' || c == '[') {
            out->array = out->array || c == '[';
            at = skip_group(text, at);
        } else if (c == '\0' || !take_plain(c, out)) {
            return false;
        } else {
            at++;
        }
        if (at == SIZE_MAX) {
            return false;
        }
    }
    while (out->len > 0 && out->name[out->len - 1] == ' ') {
        out->len--;
    }
    out->name[out->len] = '\0';
    return out->len > 0;
}

/* SQL words win over user types of the same name only without quotes and without a schema, as in
 * the server's grammar. */
static const catalog_type *named(const catalog *cat, char *name, bool quoted)
{
    char *dot = strchr(name, SCHEMA_DOT);
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

/* Works on a copy on the stack; texts that do not fit are no type names. Several dimensions are
 * the same type as one. */
const catalog_type *catalog_type_by_spelling(const catalog *cat, slice spelling)
{
    parts p = { .len = 0 };
    if (!take_apart(spelling, &p)) {
        return NULL;
    }
    const catalog_type *type = named(cat, p.name, p.quoted);
    return type != NULL && p.array ? catalog_type_by_oid(cat, type->array_oid) : type;
}
