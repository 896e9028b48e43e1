/* Plans of queries as values for rules. Statements are prepared and explained, never executed, some
 * hundred in each round trip. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/vet.h"

#include <jansson.h>

#include "base/json_auto.h"
#include "sqlc/describe_query.h"
#include "sqlc/json_text.h"

/* For one statement. */
#define EXPLAIN_TIMEOUT_US ((int64_t) 60 * 1000000)

/* "Node Type" is node_type in rules. NULL: no memory. */
static const char *field_name(arena *mem, const char *key)
{
    char *name = arena_strdup(mem, key);
    for (char *c = name; c != NULL && *c != '\0'; c++) {
        *c = (char) (*c == ' ' || *c == '-' ? '_' : *c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    }
    return name;
}

/* Fields that upstream's message of a plan has: they read as zero when the server leaves them out.
 * Source: sqlc.md §4.3. */
typedef struct field_default {
    const char *name;
    cel_kind kind;
} field_default;

static const field_default PLAN_FIELDS[] = {
    { "node_type", CEL_STRING },
    { "parent_relationship", CEL_STRING },
    { "relation_name", CEL_STRING },
    { "schema", CEL_STRING },
    { "alias", CEL_STRING },
    { "parallel_aware", CEL_BOOL },
    { "async_capable", CEL_BOOL },
    { "startup_cost", CEL_DOUBLE },
    { "total_cost", CEL_DOUBLE },
    { "plan_rows", CEL_INT },
    { "plan_width", CEL_INT },
    { "output", CEL_LIST },
    { "plans", CEL_LIST },
    { "shared_hit_blocks", CEL_INT },
    { "shared_read_blocks", CEL_INT },
    { "shared_dirtied_blocks", CEL_INT },
    { "shared_written_blocks", CEL_INT },
    { "local_hit_blocks", CEL_INT },
    { "local_read_blocks", CEL_INT },
    { "local_dirtied_blocks", CEL_INT },
    { "local_written_blocks", CEL_INT },
    { "temp_read_blocks", CEL_INT },
    { "temp_written_blocks", CEL_INT },
    { "sort_key", CEL_LIST },
    { "join_type", CEL_STRING },
    { "inner_unique", CEL_BOOL },
    { "hash_cond", CEL_STRING },
    { "index_name", CEL_STRING },
    { "scan_direction", CEL_STRING },
    { "index_cond", CEL_STRING },
};

static bool convert(arena *mem, json_t *json, cel_value *out);

/* A plan node gets the fields that it lacks. */
static bool convert_object(arena *mem, json_t *json, cel_value *out)
{
    const char *key = NULL;
    json_t *item = NULL;
    bool plan = json_object_get(json, "Node Type") != NULL;
    size_t count = 0;
    cel_entry *entries =
        ARENA_ARRAY(mem, json_object_size(json) + ARRAY_LEN(PLAN_FIELDS), cel_entry);
    if (entries == NULL) {
        return false;
    }
    json_object_foreach(json, key, item)
    {
        const char *name = field_name(mem, key);
        if (name == NULL || !convert(mem, item, &entries[count].value)) {
            return false;
        }
        /* Costs are doubles in rules, also whole ones; %.2f of the server reads as a real. */
        entries[count++].key = (slice) { name, strlen(name) };
    }
    *out = cel_map(entries, count);
    for (size_t i = 0; plan && i < ARRAY_LEN(PLAN_FIELDS); i++) {
        slice name = { PLAN_FIELDS[i].name, strlen(PLAN_FIELDS[i].name) };
        if (cel_find(out, name) == NULL) {
            cel_value absent = { .kind = PLAN_FIELDS[i].kind };
            absent.v.text = absent.kind == CEL_STRING ? SLICE("") : absent.v.text;
            entries[count++] = (cel_entry) { .key = name, .value = absent, .unset = true };
        }
    }
    out->count = count;
    return true;
}

static bool convert_array(arena *mem, json_t *json, cel_value *out)
{
    size_t count = json_array_size(json);
    cel_value *items = ARENA_ARRAY(mem, count + 1, cel_value);
    for (size_t i = 0; items != NULL && i < count; i++) {
        if (!convert(mem, json_array_get(json, i), &items[i])) {
            return false;
        }
    }
    *out = cel_list(items, count);
    return items != NULL;
}

/* False: no memory. jansson bounds the depth. */
static bool convert(arena *mem, json_t *json, cel_value *out)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return convert_object(mem, json, out);
    case JSON_ARRAY:
        return convert_array(mem, json, out);
    case JSON_STRING:
        *out = cel_text((slice) { arena_strdup(mem, json_string_value(json)),
                                  strlen(json_string_value(json)) });
        return out->v.text.ptr != NULL;
    case JSON_INTEGER:
        *out = cel_int(json_integer_value(json));
        return true;
    case JSON_REAL:
        *out = cel_double(json_real_value(json));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = cel_bool(json_is_true(json));
        return true;
    case JSON_NULL:
    default:
        *out = (cel_value) { .kind = CEL_NULL };
        return true;
    }
}

pgc_status vet_plan_value(arena *mem, const vet_ask *ask, cel_value *out, pgc_error *err)
{
    json_error_t problem;
    if (ask->status != PGC_OK) {
        if (err != NULL) {
            *err = *ask->error;
        }
        return ask->status;
    }
    AUTO(json_auto)
    json_t *root =
        ask->plan.ptr == NULL ? NULL : json_loadb(ask->plan.ptr, ask->plan.len, 0, &problem);
    if (root == NULL && ask->plan.ptr != NULL && json_text_no_memory(&problem, true)) {
        return pgc_error_set(err, PGC_NOMEM, "read a plan");
    }
    json_t *first = json_array_get(root, 0);
    if (!json_is_object(first) || json_object_get(first, "Plan") == NULL) {
        return pgc_error_set(err, PGC_INVALID, "no plan: this is no query to the planner");
    }
    return convert(mem, first, out) ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "read a plan");
}

/* Types as they are sent at run time. */
static const uint32_t *declared(arena *mem, const ir_query *query, const ir_variant *text)
{
    uint32_t *oids = ARENA_ARRAY(mem, text->param_count + 1, uint32_t);
    for (size_t i = 0; oids != NULL && i < text->param_count; i++) {
        const ir_param *param = &query->params[text->params == NULL ? i : text->params[i]];
        oids[i] = query->bulk_sql != NULL ? param->array_oid : param->type.oid;
    }
    return oids;
}

/* A text becomes two items: it is prepared, and then explained by its name. */
static pgc_status add_items(arena *mem, const vet_ask *ask, size_t ordinal, describe_item *items,
                            pgc_error *err)
{
    const ir_variant *text = ask->text;
    const uint32_t *oids = declared(mem, ask->query, text);
    const char *name = arena_printf(mem, "sqlc_vet_%zu", ordinal);
    const char *sql =
        name == NULL ? NULL
                     : describe_plan_text(mem, "VERBOSE, COSTS, SETTINGS, BUFFERS, FORMAT JSON",
                                          name, text->param_count);
    if (oids == NULL || sql == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "explain query \"%s\"", ask->query->name);
    }
    items[0] = (describe_item) {
        .name = name, .sql = text->sql.ptr, .param_oids = oids, .param_count = text->param_count
    };
    items[1] = (describe_item) { .sql = sql, .keep_text = true };
    return PGC_OK;
}

/* A statement that was refused has no plan: then the first of the two errors is the one to tell. */
static void take_items(vet_ask *ask, const describe_item *items)
{
    const describe_item *told = items[0].status != PGC_OK ? &items[0] : &items[1];
    ask->status = told->status;
    ask->error = told->error;
    ask->plan = told->status == PGC_OK ? told->text : (slice) { 0 };
}

/* Statuses that say nothing about a text. That one takes too long does. */
static bool is_fatal(pgc_status status)
{
    return status != PGC_TIMEOUT && describe_is_fatal(status);
}

/* A plan is kept with its statement, so a text that is asked for in both ways is prepared twice.
 * The setting goes back in the same round trip. */
pgc_status vet_explain(arena *mem, pgc_conn *conn, const vec *asks, bool no_seq_scan,
                       size_t *ordinal, pgc_error *err)
{
    size_t first = no_seq_scan ? 1 : 0;
    size_t count = 2 * asks->count + 2 * first;
    describe_item *items = ARENA_ARRAY(mem, count + 1, describe_item);
    if (items == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "explain the queries");
    }
    if (no_seq_scan) {
        items[0] = (describe_item) { .sql = "SET enable_seqscan = off" };
        items[count - 1] = (describe_item) { .sql = "RESET enable_seqscan" };
    }
    for (size_t i = 0; i < asks->count; i++) {
        const vet_ask *ask = *VEC_AT(asks, vet_ask *, i);
        TRY(add_items(mem, ask, (*ordinal)++, &items[first + 2 * i], err));
    }
    TRY(conn_describe_many(conn, items, count, EXPLAIN_TIMEOUT_US, mem, err));
    for (size_t i = 0; i < count; i++) {
        bool setting = no_seq_scan && (i == 0 || i == count - 1);
        if (is_fatal(items[i].status) || (setting && items[i].status != PGC_OK)) {
            if (err != NULL) {
                *err = *items[i].error;
            }
            return pgc_error_wrap(err, items[i].status, "explain the queries");
        }
    }
    for (size_t i = 0; i < asks->count; i++) {
        take_items(*VEC_AT(asks, vet_ask *, i), &items[first + 2 * i]);
    }
    return PGC_OK;
}

bool vet_plan_has_filter(const cel_value *plan, const char *node_type)
{
    if (plan == NULL || plan->kind != CEL_MAP) {
        return false;
    }
    const cel_entry *type = cel_find(plan, SLICE("node_type"));
    const cel_entry *below = cel_find(plan, SLICE("plans"));
    bool found = type != NULL && type->value.kind == CEL_STRING &&
                 slice_eq_str(type->value.v.text, node_type) &&
                 cel_find(plan, SLICE("filter")) != NULL;
    for (size_t i = 0; below != NULL && below->value.kind == CEL_LIST && i < below->value.count;
         i++) {
        found = found || vet_plan_has_filter(&below->value.v.items[i], node_type);
    }
    return found;
}
