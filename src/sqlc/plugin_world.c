/* Upstream's catalog to ours. Upstream names types and we know them by OID, so each type that the
 * request names gets one: the true one of built-in types, a number of our own else. What a domain
 * or a composite is made of is not in the request: such a type is there, without C type. One thread
 * per arena. */
#include "base/prelude.h"

#include "sqlc/plugin_world.h"

#include <plugin.pb-c.h>

#include "base/ident.h"
#include "sqlc/plugin_request.h"

#define FIRST_TYPE_OID     (CATALOG_FIRST_USER_OID + 1u)
#define FIRST_RELATION_OID (1u << 24)
#define TYPES_MAX          8192u /* of a database's own, arrays counted */
#define COLUMNS_MAX        1600u /* of a table: the server's limit */

/* format_type() of built-in types that it does not call by their name in pg_type. */
static const struct {
    uint32_t oid;
    const char *spelling;
} SPELLINGS[] = {
    { 16, "boolean" },
    { 18, "\"char\"" },
    { 20, "bigint" },
    { 21, "smallint" },
    { 23, "integer" },
    { 700, "real" },
    { 701, "double precision" },
    { 1042, "character" },
    { 1043, "character varying" },
    { 1083, "time without time zone" },
    { 1114, "timestamp without time zone" },
    { 1184, "timestamp with time zone" },
    { 1266, "time with time zone" },
    { 1562, "bit varying" },
};

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "read the catalog of the request");
}

/* A type and the array over it. */
static void add_built_in(arena *mem, catalog *cat, const c_type_built_in *from)
{
    const char *spelling = from->name;
    for (size_t i = 0; i < ARRAY_LEN(SPELLINGS); i++) {
        spelling = SPELLINGS[i].oid == from->oid ? SPELLINGS[i].spelling : spelling;
    }
    catalog_type type = { .oid = from->oid,
                          .schema = "pg_catalog",
                          .name = from->name,
                          .spelling = spelling,
                          .kind = CATALOG_BASE,
                          .array_oid = from->array_oid,
                          .base_typmod = -1 };
    catalog_type array = { .oid = from->array_oid,
                           .schema = "pg_catalog",
                           .name = arena_printf(mem, "_%s", from->name),
                           .spelling = arena_printf(mem, "%s[]", spelling),
                           .kind = CATALOG_BASE,
                           .element_oid = from->oid,
                           .base_typmod = -1 };
    catalog_add_type(cat, &type);
    if (from->array_oid != 0 && array.name != NULL && array.spelling != NULL) {
        catalog_add_type(cat, &array);
    }
}

static void add_built_ins(arena *mem, catalog *cat)
{
    c_type_built_in type;
    for (size_t i = 0; c_type_next_built_in(i, &type); i++) {
        add_built_in(mem, cat, &type);
    }
}

/* An identifier taken apart. Upstream writes {pg_catalog, int4} for columns and {"",
 * pg_catalog.int4} for expressions. */
typedef struct type_name {
    slice schema; /* empty: none was given */
    const char *name;
} type_name;

static type_name split(const Plugin__Identifier *id)
{
    const char *schema = id == NULL ? "" : plugin_text(&id->schema);
    const char *name = id == NULL ? "" : plugin_text(&id->name);
    const char *dot = schema[0] == '\0' ? strrchr(name, '.') : NULL;
    if (dot != NULL) {
        return (type_name) { .schema = { name, (size_t) (dot - name) }, .name = dot + 1 };
    }
    return (type_name) { .schema = { schema, strlen(schema) }, .name = name };
}

/* Words only: a name of the user's keeps its capitals and signs, which spellings do not have. */
static bool is_spelling(const char *name)
{
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_ ");
    return plain > 0 && name[plain] == '\0';
}

/* pg_catalog is searched before all other schemas. */
static const catalog_type *find_built_in(const plugin_world *w, const type_name *t)
{
    if (t->schema.len > 0 && !slice_eq_str(t->schema, "pg_catalog")) {
        return NULL;
    }
    const catalog_type *type = catalog_type_by_name(w->built_in, "pg_catalog", t->name);
    if (type == NULL && is_spelling(t->name)) {
        type = catalog_type_by_spelling(w->built_in, (slice) { t->name, strlen(t->name) });
    }
    return type;
}

/* Types of the database come in pairs with their arrays. */
static const catalog_type *find_own(const plugin_world *w, const type_name *t)
{
    slice fallback = { w->default_schema, strlen(w->default_schema) };
    slice schema = t->schema.len > 0 ? t->schema : fallback;
    for (size_t i = 0; i < w->types.count; i += 2) {
        const catalog_type *type = VEC_AT(&w->types, catalog_type, i);
        if (strcmp(type->name, t->name) == 0 && slice_eq_str(schema, type->schema)) {
            return type;
        }
    }
    return NULL;
}

uint32_t plugin_type(const plugin_world *w, const Plugin__Identifier *id, bool array)
{
    type_name t = split(id);
    const catalog_type *type = find_built_in(w, &t);
    type = type == NULL ? find_own(w, &t) : type;
    return type == NULL ? 0 : array ? type->array_oid : type->oid;
}

/* format_type(): with its schema unless that is searched anyway. NULL: no memory. */
static char *own_spelling(const plugin_world *w, const char *schema, const char *name,
                          const char *behind)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 1 << 20);
    if (strcmp(schema, w->default_schema) != 0) {
        ident_add(&b, schema);
        buf_add_char(&b, '.');
    }
    ident_add(&b, name);
    buf_add_str(&b, behind);
    return b.failed ? NULL : arena_copy(w->arena, buf_view(&b));
}

/* A type of the database, unless it is known. like: what there is beside names and OIDs. */
static pgc_status add_own(plugin_world *w, const type_name *t, const catalog_type *like,
                          pgc_error *err)
{
    if (t->name[0] == '\0' || find_own(w, t) != NULL) {
        return PGC_OK;
    }
    if (w->types.count >= TYPES_MAX) {
        return pgc_error_set(err, PGC_INVALID, "read the request: more than %u types of its own",
                             TYPES_MAX / 2);
    }
    uint32_t oid = FIRST_TYPE_OID + (uint32_t) w->types.count;
    char *schema = t->schema.len > 0 ? arena_copy(w->arena, t->schema)
                                     : arena_strdup(w->arena, w->default_schema);
    catalog_type *type = VEC_ADD(w->arena, &w->types, catalog_type);
    catalog_type *array = VEC_ADD(w->arena, &w->types, catalog_type);
    if (schema == NULL || type == NULL || array == NULL) {
        return no_memory(err);
    }
    catalog_type *pair = VEC_AT(&w->types, catalog_type, w->types.count - 2);
    pair[0] = *like;
    pair[0].oid = oid;
    pair[0].schema = schema;
    pair[0].name = t->name;
    pair[0].spelling = own_spelling(w, schema, t->name, "");
    pair[0].array_oid = oid + 1;
    pair[0].base_typmod = -1;
    pair[1] = (catalog_type) { .oid = oid + 1,
                               .schema = schema,
                               .name = arena_printf(w->arena, "_%s", t->name),
                               .spelling = own_spelling(w, schema, t->name, "[]"),
                               .kind = CATALOG_BASE,
                               .element_oid = oid,
                               .base_typmod = -1 };
    bool whole = pair[0].spelling != NULL && pair[1].name != NULL && pair[1].spelling != NULL;
    return whole ? PGC_OK : no_memory(err);
}

/* No type of a value: upstream does not work out what polymorphic functions give. */
static bool is_pseudo(const type_name *t)
{
    static const char *const NAMES[] = { "any",
                                         "anyarray",
                                         "anycompatible",
                                         "anycompatiblearray",
                                         "anycompatiblemultirange",
                                         "anycompatiblenonarray",
                                         "anycompatiblerange",
                                         "anyelement",
                                         "anyenum",
                                         "anymultirange",
                                         "anynonarray",
                                         "anyrange",
                                         "record",
                                         "unknown",
                                         "void" };
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        found = found || strcmp(NAMES[i], t->name) == 0;
    }
    return found && (t->schema.len == 0 || slice_eq_str(t->schema, "pg_catalog"));
}

/* A type that only its users name: of an extension or a domain. */
static pgc_status add_named(plugin_world *w, const Plugin__Identifier *id, pgc_error *err)
{
    const catalog_type like = { .kind = CATALOG_BASE };
    type_name t = split(id);
    if (is_pseudo(&t) || find_built_in(w, &t) != NULL) {
        return PGC_OK;
    }
    return add_own(w, &t, &like, err);
}

static const char *comment_of(const ProtobufCBinaryData *text)
{
    return text->len == 0 ? NULL : plugin_text(text);
}

/* Enums and composites of a schema. */
static pgc_status add_declared(plugin_world *w, const Plugin__Schema *schema, pgc_error *err)
{
    const char *name = plugin_text(&schema->name);
    slice schema_name = { name, strlen(name) };
    for (size_t i = 0; i < schema->n_enums; i++) {
        const Plugin__Enum *from = schema->enums[i];
        const char **labels = ARENA_ARRAY(w->arena, from->n_vals + 1, const char *);
        if (labels == NULL) {
            return no_memory(err);
        }
        for (size_t k = 0; k < from->n_vals; k++) {
            labels[k] = plugin_text(&from->vals[k]);
        }
        const catalog_type like = { .kind = CATALOG_ENUM,
                                    .comment = comment_of(&from->comment),
                                    .labels = labels,
                                    .label_count = from->n_vals };
        const type_name t = { schema_name, plugin_text(&from->name) };
        TRY(add_own(w, &t, &like, err));
    }
    for (size_t i = 0; i < schema->n_composite_types; i++) {
        const catalog_type like = { .kind = CATALOG_COMPOSITE };
        const type_name t = { schema_name, plugin_text(&schema->composite_types[i]->name) };
        TRY(add_own(w, &t, &like, err));
    }
    return PGC_OK;
}

/* Types that columns of tables, results and parameters have. */
static pgc_status add_used(plugin_world *w, pgc_error *err)
{
    const Plugin__GenerateRequest *request = w->request;
    for (size_t s = 0; s < request->catalog->n_schemas; s++) {
        const Plugin__Schema *schema = request->catalog->schemas[s];
        for (size_t t = 0; t < schema->n_tables; t++) {
            for (size_t i = 0; i < schema->tables[t]->n_columns; i++) {
                TRY(add_named(w, schema->tables[t]->columns[i]->type, err));
            }
        }
    }
    for (size_t q = 0; q < request->n_queries; q++) {
        const Plugin__Query *query = request->queries[q];
        for (size_t i = 0; i < query->n_columns; i++) {
            TRY(add_named(w, query->columns[i]->type, err));
        }
        for (size_t i = 0; i < query->n_params; i++) {
            const Plugin__Column *column = query->params[i]->column;
            TRY(add_named(w, column == NULL ? NULL : column->type, err));
        }
    }
    return PGC_OK;
}

/* Everything counts as a table: the request does not say what is a view. */
static pgc_status add_table(plugin_world *w, const char *schema, const Plugin__Table *table,
                            uint32_t oid, pgc_error *err)
{
    const char *name = table->rel == NULL ? "" : plugin_text(&table->rel->name);
    if (table->n_columns > COLUMNS_MAX) {
        return pgc_error_set(err, PGC_INVALID, "read the request: table \"%s\" has %zu columns",
                             name, table->n_columns);
    }
    catalog_relation relation = { .oid = oid,
                                  .schema = schema,
                                  .name = name,
                                  .kind = 'r',
                                  .comment = comment_of(&table->comment),
                                  .column_count = table->n_columns };
    relation.columns = ARENA_ARRAY(w->arena, table->n_columns + 1, catalog_column);
    if (relation.columns == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        const Plugin__Column *from = table->columns[i];
        relation.columns[i] =
            (catalog_column) { .name = plugin_text(&from->name),
                               .attnum = (int16_t) (i + 1),
                               .type_oid = plugin_type(w, from->type, from->is_array),
                               .typmod = -1,
                               .not_null = from->not_null != 0,
                               .comment = comment_of(&from->comment) };
    }
    catalog_add_relation(w->cat, &relation);
    return PGC_OK;
}

static pgc_status add_tables(plugin_world *w, pgc_error *err)
{
    uint32_t oid = FIRST_RELATION_OID;
    for (size_t s = 0; s < w->request->catalog->n_schemas; s++) {
        const Plugin__Schema *schema = w->request->catalog->schemas[s];
        for (size_t t = 0; t < schema->n_tables; t++) {
            TRY(add_table(w, plugin_text(&schema->name), schema->tables[t], oid++, err));
        }
    }
    return PGC_OK;
}

pgc_status plugin_world_make(arena *mem, const Plugin__GenerateRequest *request, plugin_world *out,
                             pgc_error *err)
{
    plugin_world w = { .arena = mem, .request = request, .default_schema = "public" };
    if (request->catalog == NULL) {
        return pgc_error_set(err, PGC_INVALID, "read the request: it has no catalog");
    }
    if (request->catalog->default_schema.len > 0) {
        w.default_schema = plugin_text(&request->catalog->default_schema);
    }
    w.built_in = catalog_new(mem);
    w.cat = catalog_new(mem);
    if (w.built_in == NULL || w.cat == NULL) {
        return no_memory(err);
    }
    add_built_ins(mem, w.built_in);
    TRY(catalog_finish(w.built_in, err));
    for (size_t i = 0; i < request->catalog->n_schemas; i++) {
        TRY(add_declared(&w, request->catalog->schemas[i], err));
    }
    TRY(add_used(&w, err));
    add_built_ins(mem, w.cat);
    for (size_t i = 0; i < w.types.count; i++) {
        catalog_add_type(w.cat, VEC_AT(&w.types, catalog_type, i));
    }
    TRY(add_tables(&w, err));
    catalog_add_schema(w.cat, w.default_schema);
    TRY(catalog_finish(w.cat, err));
    *out = w;
    return PGC_OK;
}

/* Upstream leaves the schema out when it is the default one. */
const catalog_relation *plugin_relation(const plugin_world *w, const Plugin__Identifier *table)
{
    const char *schema = table == NULL ? "" : plugin_text(&table->schema);
    const char *name = table == NULL ? "" : plugin_text(&table->name);
    if (schema[0] != '\0' || name[0] == '\0') {
        return catalog_relation_by_name(w->cat, schema, name);
    }
    const catalog_relation *found = catalog_relation_by_name(w->cat, w->default_schema, name);
    return found != NULL ? found : catalog_relation_by_name(w->cat, "pg_catalog", name);
}
