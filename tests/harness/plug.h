/* Requests as upstream's sqlc sends them to a plugin, written down in few words:
 *
 *     plug p = plug_make(NULL, "{\"prefix\": \"lib\"}");
 *     plug_table(&p, "authors", "author_id:bigserial!,name:text!,tags:text[]");
 *     plug_query(&p, "GetName :one", "SELECT name FROM authors WHERE author_id = $1",
 *                "name:text!@authors.name", "author_id:bigserial!@authors.author_id");
 *
 * A column is NAME:TYPE with "[]" for arrays, "!" for NOT NULL, "~" for sqlc.slice, "@[SCHEMA.]
 * TABLE.COLUMN" for its source; "%TABLE" alone is an embed. A dot in TYPE stays in its name, as in
 * upstream's expressions; '/' parts schema and name, as in upstream's columns. */
#ifndef TEST_PLUG_H
#define TEST_PLUG_H

#include <plugin.pb-c.h>

#include "sqlc/plugin.h"

#include "sqlc.h"
#include "tap.h"

#define PLUG_MAX 64 /* of anything in a list */

typedef struct plug {
    arena *arena; /* of the request */
    Plugin__GenerateRequest request;
    Plugin__Settings settings;
    Plugin__Catalog catalog;
    Plugin__Schema *schemas[4];
    Plugin__Query *queries[PLUG_MAX];
    const char *file; /* of the next query */
} plug;

static inline ProtobufCBinaryData plug_bytes(const char *text)
{
    return (ProtobufCBinaryData) { .len = strlen(text), .data = (uint8_t *) (uintptr_t) text };
}

/* The part before the first of `ends`, copied; *rest goes behind it. */
static inline const char *plug_cut(plug *p, const char **rest, const char *ends)
{
    size_t len = strcspn(*rest, ends);
    const char *part = arena_copy(p->arena, (slice) { *rest, len });
    *rest += len;
    return part;
}

static inline Plugin__Identifier *plug_identifier(plug *p, const char *schema, const char *name)
{
    Plugin__Identifier *id = ARENA_NEW(p->arena, Plugin__Identifier);
    plugin__identifier__init(id);
    id->schema = plug_bytes(schema);
    id->name = plug_bytes(name);
    return id;
}

static inline Plugin__Column *plug_column(plug *p, const char *spec)
{
    Plugin__Column *column = ARENA_NEW(p->arena, Plugin__Column);
    plugin__column__init(column);
    if (spec[0] == '%') {
        column->name = plug_bytes(spec + 1);
        column->embed_table = plug_identifier(p, "", spec + 1);
        return column;
    }
    column->name = plug_bytes(plug_cut(p, &spec, ":"));
    spec += *spec == ':' ? 1 : 0;
    const char *type = plug_cut(p, &spec, "[!~@");
    const char *slash = strchr(type, '/');
    column->type =
        slash == NULL
            ? plug_identifier(p, "", type)
            : plug_identifier(p, arena_copy(p->arena, (slice) { type, (size_t) (slash - type) }),
                              slash + 1);
    for (; *spec != '\0' && *spec != '@'; spec++) {
        column->is_array = column->is_array || *spec == '[';
        column->not_null = column->not_null || *spec == '!';
        column->is_sqlc_slice = column->is_sqlc_slice || *spec == '~';
    }
    const char *dot = *spec == '@' ? strrchr(spec, '.') : NULL;
    if (dot != NULL) {
        const char *table = arena_copy(p->arena, (slice) { spec + 1, (size_t) (dot - spec) - 1 });
        const char *schema = "";
        if (strchr(table, '.') != NULL) {
            schema = plug_cut(p, &table, ".");
            table++;
        }
        column->table = plug_identifier(p, schema, table);
        column->original_name = plug_bytes(dot + 1);
    }
    return column;
}

/* Columns parted by commas. */
static inline Plugin__Column **plug_columns(plug *p, const char *specs, size_t *count)
{
    Plugin__Column **columns = ARENA_ARRAY(p->arena, PLUG_MAX, Plugin__Column *);
    *count = 0;
    while (*specs != '\0' && *count < PLUG_MAX) {
        columns[(*count)++] = plug_column(p, plug_cut(p, &specs, ","));
        specs += *specs == ',' ? 1 : 0;
    }
    return columns;
}

static inline Plugin__Schema *plug_schema(plug *p, const char *name)
{
    for (size_t i = 0; i < p->catalog.n_schemas; i++) {
        if (strcmp((const char *) p->schemas[i]->name.data, name) == 0) {
            return p->schemas[i];
        }
    }
    Plugin__Schema *schema = ARENA_NEW(p->arena, Plugin__Schema);
    plugin__schema__init(schema);
    schema->name = plug_bytes(name);
    schema->tables = ARENA_ARRAY(p->arena, PLUG_MAX, Plugin__Table *);
    schema->enums = ARENA_ARRAY(p->arena, PLUG_MAX, Plugin__Enum *);
    schema->composite_types = ARENA_ARRAY(p->arena, PLUG_MAX, Plugin__CompositeType *);
    p->schemas[p->catalog.n_schemas++] = schema;
    return schema;
}

/* The schema of "schema.name", or public; *name goes behind it. */
static inline Plugin__Schema *plug_schema_of(plug *p, const char **name)
{
    const char *dot = strchr(*name, '.');
    const char *schema = dot == NULL ? "public" : plug_cut(p, name, ".");
    *name += dot == NULL ? 0 : 1;
    return plug_schema(p, schema);
}

static inline Plugin__Table *plug_table(plug *p, const char *name, const char *columns)
{
    Plugin__Schema *schema = plug_schema_of(p, &name);
    Plugin__Table *table = ARENA_NEW(p->arena, Plugin__Table);
    plugin__table__init(table);
    table->rel = plug_identifier(p, "", name);
    table->columns = plug_columns(p, columns, &table->n_columns);
    schema->tables[schema->n_tables++] = table;
    return table;
}

/* labels: parted by commas. */
static inline Plugin__Enum *plug_enum(plug *p, const char *name, const char *labels)
{
    Plugin__Schema *schema = plug_schema_of(p, &name);
    Plugin__Enum *type = ARENA_NEW(p->arena, Plugin__Enum);
    plugin__enum__init(type);
    type->name = plug_bytes(name);
    type->vals = ARENA_ARRAY(p->arena, PLUG_MAX, ProtobufCBinaryData);
    while (*labels != '\0') {
        type->vals[type->n_vals++] = plug_bytes(plug_cut(p, &labels, ","));
        labels += *labels == ',' ? 1 : 0;
    }
    schema->enums[schema->n_enums++] = type;
    return type;
}

static inline void plug_composite(plug *p, const char *name)
{
    Plugin__Schema *schema = plug_schema_of(p, &name);
    Plugin__CompositeType *type = ARENA_NEW(p->arena, Plugin__CompositeType);
    plugin__composite_type__init(type);
    type->name = plug_bytes(name);
    schema->composite_types[schema->n_composite_types++] = type;
}

static inline void plug_init(plug *p, arena *mem, const char *options)
{
    *p = (plug) { .arena = mem, .file = "a.sql" };
    plugin__generate_request__init(&p->request);
    plugin__settings__init(&p->settings);
    plugin__catalog__init(&p->catalog);
    p->settings.engine = plug_bytes("postgresql");
    p->catalog.default_schema = plug_bytes("public");
    p->request.plugin_options = plug_bytes(options);
}

/* annotation: "Name :cmd". */
static inline Plugin__Query *plug_query(plug *p, const char *annotation, const char *text,
                                        const char *columns, const char *params)
{
    Plugin__Query *query = ARENA_NEW(p->arena, Plugin__Query);
    size_t count = 0;
    plugin__query__init(query);
    query->name = plug_bytes(plug_cut(p, &annotation, " "));
    query->cmd = plug_bytes(*annotation == ' ' ? annotation + 1 : "");
    query->text = plug_bytes(text);
    query->filename = plug_bytes(p->file);
    query->columns = plug_columns(p, columns, &query->n_columns);
    query->comments = ARENA_ARRAY(p->arena, PLUG_MAX, ProtobufCBinaryData);
    Plugin__Column **list = plug_columns(p, params, &count);
    query->params = ARENA_ARRAY(p->arena, PLUG_MAX, Plugin__Parameter *);
    for (size_t i = 0; i < count; i++) {
        query->params[i] = ARENA_NEW(p->arena, Plugin__Parameter);
        plugin__parameter__init(query->params[i]);
        query->params[i]->number = (int32_t) i + 1;
        query->params[i]->column = list[i];
        query->n_params++;
    }
    p->queries[p->request.n_queries++] = query;
    return query;
}

static inline void plug_comment(Plugin__Query *query, const char *line)
{
    query->comments[query->n_comments++] = plug_bytes(line);
}

/* Bytes as on the wire, in the arena. */
static inline slice plug_pack(plug *p)
{
    p->request.settings = &p->settings;
    p->request.catalog = &p->catalog;
    p->catalog.schemas = p->schemas;
    p->request.queries = p->queries;
    size_t size = plugin__generate_request__get_packed_size(&p->request);
    uint8_t *bytes = arena_array(p->arena, size + 1, 1);
    (void) plugin__generate_request__pack(&p->request, bytes);
    return (slice) { (const char *) bytes, size };
}

#endif
