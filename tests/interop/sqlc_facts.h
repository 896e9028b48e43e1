/* What an analysis says about queries, read from the JSON of either compiler into one form: name,
 * command, parameters, result columns, row type. Spellings of types are evened out by rule, so that
 * what still differs is a difference of meaning. All texts live in the arena of the facts. */
#ifndef TEST_SQLC_FACTS_H
#define TEST_SQLC_FACTS_H

#include <unistd.h>

#include <jansson.h>

#include "base/slice.h"
#include "sqlc/vec.h"

#include "tap.h"

typedef struct sqlc_value {
    const char *name;
    const char *type; /* "embed assets" for a nested row */
    const char *null; /* "nullable", "not null" */
} sqlc_value;

typedef struct sqlc_query {
    const char *name;
    const char *command; /* without colon */
    const char *row;     /* "none", "scalar", "own", "shared", "model TABLE" */
    vec params;          /* of sqlc_value, by number */
    vec columns;         /* of sqlc_value; none when the command gives no rows */
} sqlc_query;

typedef struct sqlc_facts {
    arena *mem;
    slice schema; /* text of the DDL, for its domains */
    vec queries;  /* of sqlc_query */
} sqlc_facts;

/* A new element; a test without memory has nothing to say. */
static inline void *facts_grow(arena *mem, vec *list, size_t size)
{
    void *item = vec_add(mem, list, size);
    if (item == NULL) {
        puts("Bail out! no memory");
        _exit(1);
    }
    return item;
}

#define FACTS_ADD(mem, list, type) ((type *) facts_grow((mem), (list), sizeof(type)))

static inline const char *facts_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static inline const char *facts_null(bool nullable)
{
    return nullable ? "nullable" : "not null";
}

static inline bool facts_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The type below a domain of the schema ("title" is "text"), or the name itself. */
static inline const char *facts_below_domain(const sqlc_facts *f, const char *name)
{
    const char *ddl = arena_printf(f->mem, "CREATE DOMAIN %s AS ", name);
    const char *at = ddl == NULL ? NULL : strstr(f->schema.ptr, ddl);
    if (at == NULL) {
        return name;
    }
    at += strlen(ddl);
    size_t len = 0;
    while (facts_word(at[len])) {
        len++;
    }
    const char *base = arena_copy(f->mem, (slice) { at, len });
    return strncmp(at + len, "[]", 2) == 0 ? arena_printf(f->mem, "%s[]", base) : base;
}

/* What the grammar and format_type() call the same. */
static inline const char *facts_alias(const char *name)
{
    static const char *const PAIRS[][2] = {
        { "int2", "smallint" },
        { "int4", "integer" },
        { "int", "integer" },
        { "serial", "integer" },
        { "int8", "bigint" },
        { "bigserial", "bigint" },
        { "bool", "boolean" },
        { "float4", "real" },
        { "float8", "double precision" },
        { "varchar", "character varying" },
        { "bpchar", "character" },
        { "varbit", "bit varying" },
        { "time", "time without time zone" },
        { "timetz", "time with time zone" },
        { "timestamp", "timestamp without time zone" },
        { "timestamptz", "timestamp with time zone" },
    };
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        if (strcmp(PAIRS[i][0], name) == 0) {
            return PAIRS[i][1];
        }
    }
    return name;
}

/* One spelling of a type: without quotes, without the schemas that need no naming, below domains.
 */
static inline const char *facts_type(const sqlc_facts *f, const char *name, bool array)
{
    char *plain = arena_strdup(f->mem, name);
    size_t len = 0;
    for (const char *c = name; *c != '\0'; c++) {
        if (*c != '"') {
            plain[len++] = *c;
        }
    }
    array = array || (len > 2 && strncmp(plain + len - 2, "[]", 2) == 0);
    if (len > 2 && plain[len - 1] == ']') {
        len -= 2;
    }
    plain[len] = '\0';
    const char *base = strncmp(plain, "pg_catalog.", 11) == 0 ? plain + 11
                       : strncmp(plain, "public.", 7) == 0    ? plain + 7
                                                              : plain;
    base = facts_alias(facts_below_domain(f, facts_alias(base)));
    return array ? arena_printf(f->mem, "%s[]", base) : base;
}

static inline sqlc_value *facts_add(sqlc_facts *f, vec *list, const char *name, const char *type,
                                    bool nullable)
{
    sqlc_value *v = FACTS_ADD(f->mem, list, sqlc_value);
    name = name[0] == '\0' || strcmp(name, "?column?") == 0 ? "(unnamed)" : name;
    *v = (sqlc_value) { arena_strdup(f->mem, name), arena_strdup(f->mem, type),
                        facts_null(nullable) };
    return v;
}

static inline bool facts_has_rows(const char *command)
{
    return strcmp(command, "one") == 0 || strcmp(command, "many") == 0 ||
           strcmp(command, "batchone") == 0 || strcmp(command, "batchmany") == 0;
}

/* --- ours: generate --json --- */

static inline const json_t *facts_our_row(const json_t *root, const json_t *row)
{
    static const char *const LISTS[] = { "models", "shared" };
    for (size_t l = 0; json_is_string(row) && l < 2; l++) {
        size_t i = 0;
        const json_t *one = NULL;
        json_array_foreach(json_object_get(root, LISTS[l]), i, one)
        {
            if (strcmp(facts_text(one, "name"), json_string_value(row)) == 0) {
                return one;
            }
        }
    }
    return row;
}

static inline const char *facts_our_kind(sqlc_facts *f, const json_t *row)
{
    const char *kind = facts_text(row, "kind");
    if (strcmp(kind, "model") == 0) {
        return arena_printf(f->mem, "model %s", facts_text(row, "table"));
    }
    return row == NULL ? "none" : strcmp(kind, "query") == 0 ? "own" : arena_strdup(f->mem, kind);
}

static inline void facts_our_columns(sqlc_facts *f, sqlc_query *q, const json_t *root,
                                     const json_t *row)
{
    size_t i = 0;
    const json_t *field = NULL;
    json_array_foreach(json_object_get(row, "fields"), i, field)
    {
        const json_t *embed = json_object_get(field, "embed");
        bool nullable = json_is_true(json_object_get(field, "nullable"));
        const char *name = facts_text(field, "column");
        if (embed != NULL) { /* absence of the row is more than upstream can say */
            const char *table = facts_text(facts_our_row(root, embed), "table");
            facts_add(f, &q->columns, table, arena_printf(f->mem, "embed %s", table), nullable);
            continue;
        }
        facts_add(f, &q->columns, name, facts_type(f, facts_text(field, "type"), false), nullable);
    }
}

static inline void facts_read_ours(sqlc_facts *f, const json_t *root)
{
    size_t i = 0;
    const json_t *query = NULL;
    json_array_foreach(json_object_get(root, "queries"), i, query)
    {
        sqlc_query *q = FACTS_ADD(f->mem, &f->queries, sqlc_query);
        const json_t *row = facts_our_row(root, json_object_get(query, "row"));
        q->name = arena_strdup(f->mem, facts_text(query, "name"));
        q->command = arena_strdup(f->mem, facts_text(query, "command"));
        q->row = facts_our_kind(f, row);
        size_t k = 0;
        const json_t *p = NULL;
        json_array_foreach(json_object_get(query, "params"), k, p)
        {
            facts_add(f, &q->params, facts_text(p, "sql_name"),
                      facts_type(f, facts_text(p, "type"), false),
                      json_is_true(json_object_get(p, "nullable")));
        }
        facts_our_columns(f, q, root, row);
    }
}

/* --- theirs: the built-in generator "json" --- */

static inline const char *facts_their_type(sqlc_facts *f, const json_t *column)
{
    const json_t *type = json_object_get(column, "type");
    const char *schema = facts_text(type, "schema");
    const char *name = facts_text(type, "name");
    bool array = json_is_true(json_object_get(column, "is_array")) ||
                 json_is_true(json_object_get(column, "is_sqlc_slice"));
    return facts_type(f, schema[0] == '\0' ? name : arena_printf(f->mem, "%s.%s", schema, name),
                      array);
}

static inline sqlc_value *facts_their_value(sqlc_facts *f, vec *list, const json_t *column)
{
    const char *embed = facts_text(json_object_get(column, "embed_table"), "name");
    bool nullable = !json_is_true(json_object_get(column, "not_null"));
    if (embed[0] != '\0') {
        return facts_add(f, list, embed, arena_printf(f->mem, "embed %s", embed), false);
    }
    return facts_add(f, list, facts_text(column, "name"), facts_their_type(f, column), nullable);
}

/* Every column is the table's, in order, of that type and as nullable. */
static inline bool facts_is_table(sqlc_facts *f, const json_t *columns, const json_t *table)
{
    const json_t *own = json_object_get(table, "columns");
    bool same = json_array_size(columns) == json_array_size(own);
    for (size_t i = 0; same && i < json_array_size(own); i++) {
        const json_t *a = json_array_get(columns, i);
        const json_t *b = json_array_get(own, i);
        same = strcmp(facts_text(a, "name"), facts_text(b, "name")) == 0 &&
               strcmp(facts_their_type(f, a), facts_their_type(f, b)) == 0 &&
               json_equal(json_object_get(a, "not_null"), json_object_get(b, "not_null")) &&
               strcmp(facts_text(json_object_get(a, "table"), "name"),
                      facts_text(json_object_get(table, "rel"), "name")) == 0;
    }
    return same;
}

/* The row type by upstream's rule (docs of its Go generator), because its JSON leaves that to
 * generators. */
static inline const char *facts_their_kind(sqlc_facts *f, const json_t *root, const char *command,
                                           const json_t *columns)
{
    if (!facts_has_rows(command)) {
        return "none";
    }
    const json_t *first = json_array_get(columns, 0);
    if (json_array_size(columns) == 1 && !json_is_object(json_object_get(first, "embed_table"))) {
        return "scalar";
    }
    size_t s = 0;
    const json_t *schema = NULL;
    json_array_foreach(json_object_get(json_object_get(root, "catalog"), "schemas"), s, schema)
    {
        size_t t = 0;
        const json_t *table = NULL;
        bool builtin = strcmp(facts_text(schema, "name"), "pg_catalog") == 0 ||
                       strcmp(facts_text(schema, "name"), "information_schema") == 0;
        json_array_foreach(json_object_get(schema, "tables"), t, table)
        {
            if (!builtin && facts_is_table(f, columns, table)) {
                return arena_printf(f->mem, "model %s",
                                    facts_text(json_object_get(table, "rel"), "name"));
            }
        }
    }
    return "own";
}

static inline void facts_read_theirs(sqlc_facts *f, const json_t *root)
{
    size_t i = 0;
    const json_t *query = NULL;
    json_array_foreach(json_object_get(root, "queries"), i, query)
    {
        sqlc_query *q = FACTS_ADD(f->mem, &f->queries, sqlc_query);
        const json_t *columns = json_object_get(query, "columns");
        q->name = arena_strdup(f->mem, facts_text(query, "name"));
        q->command = arena_strdup(f->mem, facts_text(query, "cmd"));
        q->command += q->command[0] == ':' ? 1 : 0;
        q->row = facts_their_kind(f, root, q->command, columns);
        size_t k = 0;
        const json_t *p = NULL;
        json_array_foreach(json_object_get(query, "params"), k, p)
        {
            facts_their_value(f, &q->params, json_object_get(p, "column"));
        }
        for (k = 0; facts_has_rows(q->command) && k < json_array_size(columns); k++) {
            facts_their_value(f, &q->columns, json_array_get(columns, k));
        }
    }
}

#endif
