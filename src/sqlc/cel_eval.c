/* Evaluation of a parsed expression. Nothing is changed: values are built in the arena.
 * Thread-safe: yes, each call has its own state. */
#include "base/prelude.h"

#include "sqlc/cel_parts.h"

/* Nodes looked at in one evaluation: macros in macros end, whatever the rule says. */
#define STEP_MAX ((size_t) 5000000)

/* Variable of a macro. */
typedef struct cel_scope {
    slice name;
    cel_value value;
    const struct cel_scope *outer;
} cel_scope;

static pgc_status eval(cel_run *run, const cel_expr *e, cel_value *out);

const cel_entry *cel_find(const cel_value *map, slice key)
{
    assert(map->kind == CEL_MAP);
    for (size_t i = 0; i < map->count; i++) {
        if (slice_eq(map->v.entries[i].key, key)) {
            return &map->v.entries[i];
        }
    }
    return NULL;
}

static pgc_status eval_bool(cel_run *run, const cel_expr *e, bool *out)
{
    cel_value value;
    TRY(eval(run, e, &value));
    if (value.kind != CEL_BOOL) {
        return cel_fail(run->problem, e->at, "bool wanted, this is %s", cel_kind_name(value.kind));
    }
    *out = value.v.boolean;
    return PGC_OK;
}

static pgc_status eval_name(cel_run *run, const cel_expr *e, cel_value *out)
{
    for (const cel_scope *s = run->scope; s != NULL; s = s->outer) {
        if (slice_eq(s->name, e->name)) {
            *out = s->value;
            return PGC_OK;
        }
    }
    const cel_entry *entry = cel_find(run->variables, e->name);
    if (entry == NULL) {
        return cel_fail(run->problem, e->at, "\"%" SLICE_FMT "\" has no value here",
                        SLICE_ARG(e->name));
    }
    *out = entry->value;
    return PGC_OK;
}

/* a.b and has(a.b). */
static pgc_status eval_select(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value object;
    TRY(eval(run, e->args[0], &object));
    if (object.kind != CEL_MAP) {
        return cel_fail(run->problem, e->at, "%s has no fields", cel_kind_name(object.kind));
    }
    const cel_entry *entry = cel_find(&object, e->name);
    if (e->kind == EXPR_HAS) {
        *out = cel_bool(entry != NULL && !entry->unset);
        return PGC_OK;
    }
    if (entry == NULL) {
        return cel_fail(run->problem, e->at, "no field is called \"%" SLICE_FMT "\"",
                        SLICE_ARG(e->name));
    }
    *out = entry->value;
    return PGC_OK;
}

static pgc_status eval_index(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value object;
    cel_value index;
    TRY(eval(run, e->args[0], &object));
    TRY(eval(run, e->args[1], &index));
    if (object.kind == CEL_LIST && index.kind == CEL_INT) {
        int64_t i = index.v.integer;
        if (i < 0 || (uint64_t) i >= object.count) {
            return cel_fail(run->problem, e->at, "index %" PRId64 " of a list of %zu", i,
                            object.count);
        }
        *out = object.v.items[i];
        return PGC_OK;
    }
    if (object.kind == CEL_MAP && index.kind == CEL_STRING) {
        const cel_entry *entry = cel_find(&object, index.v.text);
        if (entry == NULL) {
            return cel_fail(run->problem, e->at, "no key \"%" SLICE_FMT "\"",
                            SLICE_ARG(index.v.text));
        }
        *out = entry->value;
        return PGC_OK;
    }
    return cel_fail(run->problem, e->at, "%s cannot be indexed by %s", cel_kind_name(object.kind),
                    cel_kind_name(index.kind));
}

static pgc_status eval_unary(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value value;
    TRY(eval(run, e->args[0], &value));
    if (e->name.ptr[0] == '!' && value.kind == CEL_BOOL) {
        *out = cel_bool(!value.v.boolean);
    } else if (e->name.ptr[0] == '-' && value.kind == CEL_DOUBLE) {
        *out = cel_double(-value.v.number);
    } else if (e->name.ptr[0] == '-' && value.kind == CEL_INT && value.v.integer != INT64_MIN) {
        *out = cel_int(-value.v.integer);
    } else {
        return cel_fail(run->problem, e->at, "\"%" SLICE_FMT "\" does not work on %s",
                        SLICE_ARG(e->name), cel_kind_name(value.kind));
    }
    return PGC_OK;
}

/* One side may decide alone: then a failure of the other one does not matter, in whichever order
 * they stand. Source: cel-spec, "Logical Operators". */
static pgc_status eval_logic(cel_run *run, const cel_expr *e, bool decides, cel_value *out)
{
    bool left = false;
    bool right = false;
    pgc_status status = eval_bool(run, e->args[0], &left);
    if (status == PGC_NOMEM || (status == PGC_OK && left == decides)) {
        *out = cel_bool(decides);
        return status;
    }
    cel_problem first = *run->problem;
    pgc_status second = eval_bool(run, e->args[1], &right);
    if (second != PGC_OK) {
        return second;
    }
    if (status != PGC_OK && right != decides) {
        *run->problem = first;
        return status;
    }
    *out = cel_bool(right);
    return PGC_OK;
}

static pgc_status eval_binary(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value a;
    cel_value b;
    if (slice_eq_str(e->name, "&&") || slice_eq_str(e->name, "||")) {
        return eval_logic(run, e, e->name.ptr[0] == '|', out);
    }
    TRY(eval(run, e->args[0], &a));
    TRY(eval(run, e->args[1], &b));
    return cel_binary(run, e, &a, &b, out);
}

static pgc_status eval_list(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value *items = ARENA_ARRAY(run->arena, e->arg_count + 1, cel_value);
    if (items == NULL) {
        return PGC_NOMEM;
    }
    for (size_t i = 0; i < e->arg_count; i++) {
        TRY(eval(run, e->args[i], &items[i]));
    }
    *out = cel_list(items, e->arg_count);
    return PGC_OK;
}

static pgc_status eval_map(cel_run *run, const cel_expr *e, cel_value *out)
{
    size_t count = e->arg_count / 2;
    cel_entry *entries = ARENA_ARRAY(run->arena, count + 1, cel_entry);
    if (entries == NULL) {
        return PGC_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        cel_value key;
        cel_value made = cel_map(entries, i);
        TRY(eval(run, e->args[2 * i], &key));
        TRY(eval(run, e->args[2 * i + 1], &entries[i].value));
        if (key.kind != CEL_STRING || cel_find(&made, key.v.text) != NULL) {
            return cel_fail(run->problem, e->args[2 * i]->at, "keys of a map are texts, each once");
        }
        entries[i].key = key.v.text;
    }
    *out = cel_map(entries, count);
    return PGC_OK;
}

static pgc_status eval_call(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value args[4];
    assert(e->arg_count <= ARRAY_LEN(args));
    for (size_t i = 0; i < e->arg_count; i++) {
        TRY(eval(run, e->args[i], &args[i]));
    }
    return e->fn->call(run, e->at, args, e->arg_count, out);
}

/* What a macro has found so far. */
typedef struct each {
    cel_value *kept; /* FILTER, MAP */
    size_t kept_count, true_count, seen_count;
    cel_problem problem; /* first failure of a condition */
    pgc_status status;
} each;

/* One element. all() and exists() go on after a failure: a later element may decide. */
static pgc_status eval_element(cel_run *run, const cel_expr *e, const cel_value *item, each *state)
{
    cel_scope scope = { .name = e->name, .value = *item, .outer = run->scope };
    bool condition = true;
    bool lenient = e->macro == MACRO_ALL || e->macro == MACRO_EXISTS;
    pgc_status status = PGC_OK;
    run->scope = &scope;
    if (e->macro != MACRO_MAP || e->arg_count == 3) {
        status = eval_bool(run, e->args[1], &condition);
    }
    if (status == PGC_OK && condition && e->macro == MACRO_MAP) {
        status = eval(run, e->args[e->arg_count - 1], &state->kept[state->kept_count++]);
    } else if (status == PGC_OK && condition && e->macro == MACRO_FILTER) {
        state->kept[state->kept_count++] = *item;
    }
    run->scope = scope.outer;
    if (status == PGC_INVALID && lenient && run->step_count < STEP_MAX) {
        state->problem = state->status == PGC_OK ? *run->problem : state->problem;
        state->status = status;
        return PGC_OK;
    }
    state->true_count += status == PGC_OK && condition ? 1 : 0;
    state->seen_count += status == PGC_OK ? 1 : 0;
    return status;
}

static pgc_status each_result(cel_run *run, const cel_expr *e, const each *state, cel_value *out)
{
    bool some_false = state->true_count < state->seen_count;
    bool decided = e->macro == MACRO_ALL ? some_false : state->true_count > 0;
    if (state->status != PGC_OK && !decided) {
        *run->problem = state->problem;
        return state->status;
    }
    switch (e->macro) {
    case MACRO_ALL:
        *out = cel_bool(!some_false);
        break;
    case MACRO_EXISTS:
        *out = cel_bool(state->true_count > 0);
        break;
    case MACRO_EXISTS_ONE:
        *out = cel_bool(state->true_count == 1);
        break;
    case MACRO_FILTER:
    case MACRO_MAP:
        *out = cel_list(state->kept, state->kept_count);
        break;
    }
    return PGC_OK;
}

/* Over the items of a list or the keys of a map. */
static pgc_status eval_each(cel_run *run, const cel_expr *e, cel_value *out)
{
    cel_value range;
    each state = { .status = PGC_OK };
    TRY(eval(run, e->args[0], &range));
    if (range.kind != CEL_LIST && range.kind != CEL_MAP) {
        return cel_fail(run->problem, e->at, "a list or a map wanted, this is %s",
                        cel_kind_name(range.kind));
    }
    state.kept = ARENA_ARRAY(run->arena, range.count + 1, cel_value);
    if (state.kept == NULL) {
        return PGC_NOMEM;
    }
    for (size_t i = 0; i < range.count; i++) {
        cel_value item =
            range.kind == CEL_LIST ? range.v.items[i] : cel_text(range.v.entries[i].key);
        TRY(eval_element(run, e, &item, &state));
    }
    return each_result(run, e, &state, out);
}

static pgc_status eval(cel_run *run, const cel_expr *e, cel_value *out)
{
    bool condition = false;
    if (++run->step_count > STEP_MAX) {
        return cel_fail(run->problem, e->at, "this takes too long");
    }
    switch (e->kind) {
    case EXPR_CONST:
        *out = e->value;
        return PGC_OK;
    case EXPR_NAME:
        return eval_name(run, e, out);
    case EXPR_SELECT:
    case EXPR_HAS:
        return eval_select(run, e, out);
    case EXPR_INDEX:
        return eval_index(run, e, out);
    case EXPR_UNARY:
        return eval_unary(run, e, out);
    case EXPR_BINARY:
        return eval_binary(run, e, out);
    case EXPR_COND:
        TRY(eval_bool(run, e->args[0], &condition));
        return eval(run, e->args[condition ? 1 : 2], out);
    case EXPR_CALL:
        return eval_call(run, e, out);
    case EXPR_LIST:
        return eval_list(run, e, out);
    case EXPR_MAP:
        return eval_map(run, e, out);
    case EXPR_EACH:
        return eval_each(run, e, out);
    }
    return cel_fail(run->problem, e->at, "unknown expression");
}

pgc_status cel_eval(arena *mem, const cel_expr *expr, const cel_value *variables, cel_value *out,
                    cel_problem *problem)
{
    cel_run run = { .arena = mem, .variables = variables, .problem = problem };
    cel_value value;
    assert(variables->kind == CEL_MAP);
    TRY(eval(&run, expr, &value));
    *out = value;
    return PGC_OK;
}
