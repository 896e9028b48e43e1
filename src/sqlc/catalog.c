/* The catalog's lists, builder and look-ups.
 *
 * Each list grows by doubling in the arena and is sorted once by catalog_finish(); after that
 * nothing changes, so look-ups are safe from any thread. */
#include "base/prelude.h"

#include "sqlc/catalog.h"

typedef struct list {
    void *items; /* in the arena; an outgrown copy stays there */
    size_t count, cap;
} list;

struct catalog {
    arena *arena;
    bool failed;     /* an allocation failed: reported once, by catalog_finish() */
    list types;      /* by OID */
    list relations;  /* by OID */
    list functions;  /* by name, OID */
    list operators;  /* by name, OID */
    list casts;      /* by target, source */
    list schemas;    /* in order */
    list type_names; /* const catalog_type * by name, OID */
    list rel_names;  /* const catalog_relation * by name, OID */
};

/* A zeroed catalog is an empty one: every look-up of it finds nothing. */
catalog *catalog_new(arena *mem)
{
    catalog *cat = ARENA_NEW(mem, catalog);
    if (cat != NULL) {
        cat->arena = mem;
    }
    return cat;
}

arena *catalog_arena(const catalog *cat)
{
    return cat->arena;
}

/* Grows by doubling; the old block stays in the arena, which costs at most as much again. After
 * the first failure nothing is added any more, so the builder's callers need no checks of their
 * own and the status comes at the end. */
static void list_add(catalog *cat, list *l, const void *item, size_t size)
{
    assert(size > 0 && l->count <= l->cap);
    if (cat->failed) {
        return;
    }
    if (l->count == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 64;
        void *grown = arena_array(cat->arena, cap, size);
        if (grown == NULL) {
            cat->failed = true;
            return;
        }
        if (l->count > 0) {
            memcpy(grown, l->items, l->count * size);
        }
        l->items = grown;
        l->cap = cap;
    }
    memcpy((char *) l->items + l->count * size, item, size);
    l->count++;
}

void catalog_add_schema(catalog *cat, const char *schema)
{
    list_add(cat, &cat->schemas, &schema, sizeof schema);
}

void catalog_add_type(catalog *cat, const catalog_type *type)
{
    list_add(cat, &cat->types, type, sizeof *type);
}

void catalog_add_relation(catalog *cat, const catalog_relation *relation)
{
    list_add(cat, &cat->relations, relation, sizeof *relation);
}

/* Make room for one more item at the end of an array that belongs to an entry: capacity is the
 * next power of two. NULL when memory is gone. The entry stores no capacity: it follows from the
 * count, which keeps the structs small.
 *
 *     count 0 -> room for 1, 1 -> 2, 2 -> 4, 3 -> as it is, 4 -> 8 */
static void *entry_grow(catalog *cat, const void *items, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8 … */
    if (!full) {
        return (void *) (uintptr_t) items;
    }
    void *grown = arena_array(cat->arena, count > 0 ? count * 2 : 1, size);
    if (grown == NULL) {
        cat->failed = true;
        return NULL;
    }
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    return grown;
}

/* The cast drops const on purpose: the look-up hands out entries of our own list, which are
 * still being filled. */
void catalog_add_label(catalog *cat, uint32_t enum_oid, const char *label)
{
    catalog_type *type = (catalog_type *) (uintptr_t) catalog_type_by_oid(cat, enum_oid);
    if (cat->failed || type == NULL) {
        return;
    }
    const char **labels = entry_grow(cat, type->labels, type->label_count, sizeof *labels);
    if (labels != NULL) {
        labels[type->label_count++] = label;
        type->labels = labels;
    }
}

/* Columns come in attnum order from the loader; the list keeps that order, and so do the models. */
void catalog_add_column(catalog *cat, uint32_t relation_oid, const catalog_column *column)
{
    catalog_relation *relation =
        (catalog_relation *) (uintptr_t) catalog_relation_by_oid(cat, relation_oid);
    if (cat->failed || relation == NULL) {
        return;
    }
    catalog_column *columns =
        entry_grow(cat, relation->columns, relation->column_count, sizeof *columns);
    if (columns != NULL) {
        columns[relation->column_count++] = *column;
        relation->columns = columns;
    }
}

void catalog_override_null(catalog *cat, uint32_t relation_oid, size_t column, bool not_null)
{
    const catalog_relation *relation = catalog_relation_by_oid(cat, relation_oid);
    if (relation != NULL && column < relation->column_count) {
        catalog_column *found = &relation->columns[column];
        found->enforced = found->overridden ? found->enforced : found->not_null;
        found->not_null = not_null;
        found->overridden = true;
    }
}

/* Definitions come after the relations, because only user views have one. */
void catalog_set_view(catalog *cat, uint32_t relation_oid, const char *view_sql)
{
    catalog_relation *relation =
        (catalog_relation *) (uintptr_t) catalog_relation_by_oid(cat, relation_oid);
    if (relation != NULL) {
        relation->view_sql = view_sql;
    }
}

void catalog_add_function(catalog *cat, const catalog_function *function)
{
    list_add(cat, &cat->functions, function, sizeof *function);
}

void catalog_add_operator(catalog *cat, const catalog_operator *op)
{
    list_add(cat, &cat->operators, op, sizeof *op);
}

void catalog_add_cast(catalog *cat, const catalog_cast *cast)
{
    list_add(cat, &cat->casts, cast, sizeof *cast);
}

/* A subtraction would overflow for OIDs above 2^31. */
static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* For qsort() and bsearch(): OIDs are unique. */
static int type_order(const void *a, const void *b)
{
    return compare_u32(((const catalog_type *) a)->oid, ((const catalog_type *) b)->oid);
}

/* As for types. */
static int relation_order(const void *a, const void *b)
{
    return compare_u32(((const catalog_relation *) a)->oid, ((const catalog_relation *) b)->oid);
}

/* Overloads of a name become neighbours; the OID makes the order the same in every run. */
static int function_order(const void *a, const void *b)
{
    const catalog_function *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : compare_u32(x->oid, y->oid);
}

/* As for functions. */
static int operator_order(const void *a, const void *b)
{
    const catalog_operator *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : compare_u32(x->oid, y->oid);
}

/* By target first: the analysis asks for the casts to a type more often than for one pair. */
static int cast_order(const void *a, const void *b)
{
    const catalog_cast *x = a, *y = b;
    int by_target = compare_u32(x->target_oid, y->target_oid);
    return by_target != 0 ? by_target : compare_u32(x->source_oid, y->source_oid);
}

/* Pointers into the types' list, which no longer moves when this is sorted. */
static int type_name_order(const void *a, const void *b)
{
    const catalog_type *x = *(const catalog_type *const *) a;
    const catalog_type *y = *(const catalog_type *const *) b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : compare_u32(x->oid, y->oid);
}

/* As for the types' names. */
static int relation_name_order(const void *a, const void *b)
{
    const catalog_relation *x = *(const catalog_relation *const *) a;
    const catalog_relation *y = *(const catalog_relation *const *) b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : compare_u32(x->oid, y->oid);
}

/* qsort() must not see the NULL items of an empty list. */
static void list_sort(list *l, size_t size, int (*order)(const void *, const void *))
{
    if (l->count > 1) {
        qsort(l->items, l->count, size, order);
    }
}
/* The lists by name hold pointers into the lists by OID, so they come after the last sort. The
 * name lists point into the sorted lists, so those are sorted first and never touched again. */
pgc_status catalog_finish(catalog *cat, pgc_error *err)
{
    list_sort(&cat->types, sizeof(catalog_type), type_order);
    list_sort(&cat->relations, sizeof(catalog_relation), relation_order);
    list_sort(&cat->functions, sizeof(catalog_function), function_order);
    list_sort(&cat->operators, sizeof(catalog_operator), operator_order);
    list_sort(&cat->casts, sizeof(catalog_cast), cast_order);
    const catalog_type *types = cat->types.items;
    for (size_t i = 0; i < cat->types.count; i++) {
        const catalog_type *entry = &types[i];
        list_add(cat, &cat->type_names, &entry, sizeof entry);
    }
    const catalog_relation *relations = cat->relations.items;
    for (size_t i = 0; i < cat->relations.count; i++) {
        const catalog_relation *entry = &relations[i];
        list_add(cat, &cat->rel_names, &entry, sizeof entry);
    }
    list_sort(&cat->type_names, sizeof(catalog_type *), type_name_order);
    list_sort(&cat->rel_names, sizeof(catalog_relation *), relation_name_order);
    return cat->failed ? pgc_error_set(err, PGC_NOMEM, "build the catalog") : PGC_OK;
}

const catalog_type *catalog_type_by_oid(const catalog *cat, uint32_t oid)
{
    const catalog_type key = { .oid = oid };
    return cat->types.count == 0 ? NULL
                                 : bsearch(&key, cat->types.items, cat->types.count,
                                           sizeof(catalog_type), type_order);
}

const catalog_relation *catalog_relation_by_oid(const catalog *cat, uint32_t oid)
{
    const catalog_relation key = { .oid = oid };
    return cat->relations.count == 0 ? NULL
                                     : bsearch(&key, cat->relations.items, cat->relations.count,
                                               sizeof(catalog_relation), relation_order);
}

/* Place of a schema along the search path, lower is earlier; SIZE_MAX when not on it. Source:
 * PostgreSQL manual, "The Schema Search Path": pg_catalog is searched first unless the path
 * names it.
 *
 *     search_path = mine, public:   pg_catalog 0, mine 1, public 2, other SIZE_MAX */
static size_t schema_rank(const catalog *cat, const char *schema)
{
    if (strcmp(schema, "pg_catalog") == 0) {
        return 0;
    }
    const char *const *schemas = cat->schemas.items;
    for (size_t i = 0; i < cat->schemas.count; i++) {
        if (strcmp(schemas[i], schema) == 0) {
            return i + 1;
        }
    }
    return SIZE_MAX;
}

/* Rank of an entry for the wanted schema; SIZE_MAX: not acceptable. */
static size_t entry_rank(const catalog *cat, const char *wanted, const char *schema)
{
    if (wanted != NULL) {
        return strcmp(wanted, schema) == 0 ? 0 : SIZE_MAX;
    }
    return schema_rank(cat, schema);
}

/* Names are not unique: schemas may share them. The nearest schema of the path wins. Binary
 * search for the first entry of the name, then the best schema among its namesakes. */
const catalog_type *catalog_type_by_name(const catalog *cat, const char *schema, const char *name)
{
    assert(name != NULL && (cat->failed || cat->type_names.count == cat->types.count));
    const catalog_type *const *names = cat->type_names.items;
    const catalog_type *best = NULL;
    size_t best_rank = SIZE_MAX;
    size_t low = 0;
    for (size_t high = cat->type_names.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < cat->type_names.count && strcmp(names[low]->name, name) == 0; low++) {
        size_t rank = entry_rank(cat, schema, names[low]->schema);
        if (rank < best_rank) {
            best = names[low];
            best_rank = rank;
        }
    }
    return best;
}

/* As for types; pg_catalog comes before the path, as on the server. As for types; the two lists
 * differ in their element type only. */
const catalog_relation *catalog_relation_by_name(const catalog *cat, const char *schema,
                                                 const char *name)
{
    assert(name != NULL && (cat->failed || cat->rel_names.count == cat->relations.count));
    const catalog_relation *const *names = cat->rel_names.items;
    const catalog_relation *best = NULL;
    size_t best_rank = SIZE_MAX;
    size_t low = 0;
    for (size_t high = cat->rel_names.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < cat->rel_names.count && strcmp(names[low]->name, name) == 0; low++) {
        size_t rank = entry_rank(cat, schema, names[low]->schema);
        if (rank < best_rank) {
            best = names[low];
            best_rank = rank;
        }
    }
    return best;
}

/* Linear: tables have few columns and names are asked for one at a time. */
const catalog_column *catalog_column_by_name(const catalog_relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        if (strcmp(relation->columns[i].name, name) == 0) {
            return &relation->columns[i];
        }
    }
    return NULL;
}

/* Source: PostgreSQL manual, "System Columns". Index is -attnum - 1. Every table row has them,
 * so they are never NULL by themselves. */
static const catalog_column SYSTEM_COLUMNS[] = {
    { .name = "ctid", .attnum = -1, .type_oid = 27, .typmod = -1, .not_null = true },
    { .name = "xmin", .attnum = -2, .type_oid = 28, .typmod = -1, .not_null = true },
    { .name = "cmin", .attnum = -3, .type_oid = 29, .typmod = -1, .not_null = true },
    { .name = "xmax", .attnum = -4, .type_oid = 28, .typmod = -1, .not_null = true },
    { .name = "cmax", .attnum = -5, .type_oid = 29, .typmod = -1, .not_null = true },
    { .name = "tableoid", .attnum = -6, .type_oid = 26, .typmod = -1, .not_null = true },
};

const catalog_column *catalog_system_column(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(SYSTEM_COLUMNS); i++) {
        if (strcmp(SYSTEM_COLUMNS[i].name, name) == 0) {
            return &SYSTEM_COLUMNS[i];
        }
    }
    return NULL;
}

/* Negative numbers are system columns, in the order of the table above. */
const catalog_column *catalog_column_by_attnum(const catalog_relation *relation, int16_t attnum)
{
    if (attnum < 0) {
        return attnum >= -6 ? &SYSTEM_COLUMNS[-attnum - 1] : NULL;
    }
    for (size_t i = 0; i < relation->column_count; i++) {
        if (relation->columns[i].attnum == attnum) {
            return &relation->columns[i];
        }
    }
    return NULL;
}

/* Domains may stand on domains. */
uint32_t catalog_base_type(const catalog *cat, uint32_t oid)
{
    for (int level = 0; level < 32; level++) { /* domains over domains; bounded against bad data */
        const catalog_type *type = catalog_type_by_oid(cat, oid);
        if (type == NULL || type->kind != CATALOG_DOMAIN) {
            return oid;
        }
        oid = type->base_oid;
    }
    return oid;
}

/* Overloads lie side by side after the sort by name. The entries lie side by side because the
 * list is sorted by name. */
const catalog_function *catalog_functions(const catalog *cat, const char *name, size_t *count)
{
    assert(name != NULL && count != NULL);
    const catalog_function *all = cat->functions.items;
    size_t low = 0;
    for (size_t high = cat->functions.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(all[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < cat->functions.count && strcmp(all[end].name, name) == 0) {
        end++;
    }
    *count = end - low;
    return end > low ? &all[low] : NULL;
}

/* As for functions. */
const catalog_operator *catalog_operators(const catalog *cat, const char *name, size_t *count)
{
    assert(name != NULL && count != NULL);
    const catalog_operator *all = cat->operators.items;
    size_t low = 0;
    for (size_t high = cat->operators.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(all[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < cat->operators.count && strcmp(all[end].name, name) == 0) {
        end++;
    }
    *count = end - low;
    return end > low ? &all[low] : NULL;
}

/* The list is sorted by target first, because a source type is often not known. Also for targets
 * that the server knows no cast to: then *count is 0. */
const catalog_cast *catalog_casts_to(const catalog *cat, uint32_t target, size_t *count)
{
    const catalog_cast *all = cat->casts.items;
    size_t low = 0;
    for (size_t high = cat->casts.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].target_oid < target) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < cat->casts.count && all[end].target_oid == target) {
        end++;
    }
    *count = end - low;
    return end > low ? &all[low] : NULL;
}

/* Few casts share a target, so a walk will do. */
const catalog_cast *catalog_cast_find(const catalog *cat, uint32_t source, uint32_t target)
{
    size_t count = 0;
    const catalog_cast *casts = catalog_casts_to(cat, target, &count);
    for (size_t i = 0; i < count; i++) {
        if (casts[i].source_oid == source) {
            return &casts[i];
        }
    }
    return NULL;
}

const catalog_relation *catalog_all_relations(const catalog *cat, size_t *count)
{
    *count = cat->relations.count;
    return cat->relations.items;
}

const catalog_type *catalog_all_types(const catalog *cat, size_t *count)
{
    *count = cat->types.count;
    return cat->types.items;
}

const char *const *catalog_search_path(const catalog *cat, size_t *count)
{
    *count = cat->schemas.count;
    return cat->schemas.items;
}
