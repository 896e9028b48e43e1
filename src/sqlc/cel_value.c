/* Values of CEL: equality, order, operators. Thread-safe: yes. */
#include "base/prelude.h"

#include <math.h>

#include "sqlc/cel_parts.h"

const char *cel_kind_name(cel_kind kind)
{
    static const char *const NAMES[] = { "null", "bool", "int", "double", "string", "list", "map" };
    return (size_t) kind < ARRAY_LEN(NAMES) ? NAMES[kind] : "nothing";
}

static bool is_number(const cel_value *v)
{
    return v->kind == CEL_INT || v->kind == CEL_DOUBLE;
}

/* Of an int and a double, exactly: a double cannot hold every int. */
static int compare_mixed(int64_t a, double b)
{
    if (b >= 9223372036854775808.0) {
        return -1;
    }
    if (b < -9223372036854775808.0) {
        return 1;
    }
    int64_t whole = (int64_t) b;
    if (a != whole) {
        return a < whole ? -1 : 1;
    }
    double rest = b - (double) whole;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

bool cel_compare(const cel_value *a, const cel_value *b, int *out)
{
    if ((a->kind == CEL_DOUBLE && isnan(a->v.number)) ||
        (b->kind == CEL_DOUBLE && isnan(b->v.number))) {
        return false;
    }
    if (a->kind == CEL_INT && b->kind == CEL_DOUBLE) {
        *out = compare_mixed(a->v.integer, b->v.number);
    } else if (a->kind == CEL_DOUBLE && b->kind == CEL_INT) {
        *out = -compare_mixed(b->v.integer, a->v.number);
    } else if (a->kind != b->kind) {
        return false;
    } else if (a->kind == CEL_INT) {
        *out = (a->v.integer > b->v.integer) - (a->v.integer < b->v.integer);
    } else if (a->kind == CEL_DOUBLE) {
        *out = (a->v.number > b->v.number) - (a->v.number < b->v.number);
    } else if (a->kind == CEL_STRING) {
        *out = slice_cmp(a->v.text, b->v.text);
    } else if (a->kind == CEL_BOOL) {
        *out = (int) a->v.boolean - (int) b->v.boolean;
    } else {
        return false;
    }
    return true;
}

/* Values of different kinds are not equal, which is no error; NaN equals nothing. */
bool cel_equal(const cel_value *a, const cel_value *b)
{
    int order = 1;
    if (a->kind == CEL_LIST && b->kind == CEL_LIST) {
        bool same = a->count == b->count;
        for (size_t i = 0; same && i < a->count; i++) {
            same = cel_equal(&a->v.items[i], &b->v.items[i]);
        }
        return same;
    }
    if (a->kind == CEL_MAP && b->kind == CEL_MAP) {
        bool same = a->count == b->count;
        for (size_t i = 0; same && i < a->count; i++) {
            const cel_entry *entry = cel_find(b, a->v.entries[i].key);
            same = entry != NULL && cel_equal(&a->v.entries[i].value, &entry->value);
        }
        return same;
    }
    if (a->kind == CEL_NULL && b->kind == CEL_NULL) {
        return true;
    }
    return cel_compare(a, b, &order) && order == 0;
}

/* Integers: what does not fit is an error. */
static pgc_status int_arithmetic(cel_run *run, const cel_expr *e, int64_t a, int64_t b,
                                 cel_value *out)
{
    int64_t value = 0;
    bool fails = false;
    char op = e->name.ptr[0];
    if ((op == '/' || op == '%') && b == 0) {
        return cel_fail(run->problem, e->at, "division by zero");
    }
    switch (op) {
    case '+':
        fails = __builtin_add_overflow(a, b, &value);
        break;
    case '-':
        fails = __builtin_sub_overflow(a, b, &value);
        break;
    case '*':
        fails = __builtin_mul_overflow(a, b, &value);
        break;
    default:
        fails = a == INT64_MIN && b == -1;
        value = fails ? 0 : op == '/' ? a / b : a % b;
        break;
    }
    *out = cel_int(value);
    return fails ? cel_fail(run->problem, e->at, "the result is no whole number of 64 bits")
                 : PGC_OK;
}

static pgc_status no_overload(cel_run *run, const cel_expr *e, const cel_value *a,
                              const cel_value *b)
{
    return cel_fail(run->problem, e->at, "\"%" SLICE_FMT "\" does not work on %s and %s",
                    SLICE_ARG(e->name), cel_kind_name(a->kind), cel_kind_name(b->kind));
}

/* Texts and lists are joined by "+". */
static pgc_status join(cel_run *run, const cel_value *a, const cel_value *b, cel_value *out)
{
    if (a->kind == CEL_STRING) {
        size_t len = a->v.text.len + b->v.text.len;
        char *text = arena_alloc(run->arena, len + 1);
        if (text == NULL) {
            return PGC_NOMEM;
        }
        memcpy(text, a->v.text.ptr, a->v.text.len);
        memcpy(text + a->v.text.len, b->v.text.ptr, b->v.text.len);
        *out = cel_text((slice) { text, len });
        return PGC_OK;
    }
    cel_value *items = ARENA_ARRAY(run->arena, a->count + b->count + 1, cel_value);
    if (items == NULL) {
        return PGC_NOMEM;
    }
    memcpy(items, a->v.items, a->count * sizeof *items);
    memcpy(items + a->count, b->v.items, b->count * sizeof *items);
    *out = cel_list(items, a->count + b->count);
    return PGC_OK;
}

static pgc_status arithmetic(cel_run *run, const cel_expr *e, const cel_value *a,
                             const cel_value *b, cel_value *out)
{
    char op = e->name.ptr[0];
    bool joined = op == '+' && (a->kind == CEL_STRING || a->kind == CEL_LIST);
    if (a->kind != b->kind || (!joined && !is_number(a))) {
        return no_overload(run, e, a, b);
    }
    if (joined) {
        return join(run, a, b, out);
    }
    if (a->kind == CEL_INT) {
        return int_arithmetic(run, e, a->v.integer, b->v.integer, out);
    }
    double x = a->v.number;
    double y = b->v.number;
    if (op == '%') {
        return no_overload(run, e, a, b);
    }
    *out = cel_double(op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y);
    return PGC_OK;
}

static pgc_status membership(cel_run *run, const cel_expr *e, const cel_value *a,
                             const cel_value *b, cel_value *out)
{
    bool found = false;
    if (b->kind == CEL_MAP) {
        found = a->kind == CEL_STRING && cel_find(b, a->v.text) != NULL;
    } else if (b->kind == CEL_LIST) {
        for (size_t i = 0; i < b->count; i++) {
            found = found || cel_equal(a, &b->v.items[i]);
        }
    } else {
        return no_overload(run, e, a, b);
    }
    *out = cel_bool(found);
    return PGC_OK;
}

static pgc_status ordering(cel_run *run, const cel_expr *e, const cel_value *a, const cel_value *b,
                           cel_value *out)
{
    int order = 0;
    bool less = e->name.ptr[0] == '<';
    bool or_equal = e->name.len == 2;
    if (!cel_compare(a, b, &order)) {
        if (is_number(a) && is_number(b)) {
            *out = cel_bool(false); /* NaN */
            return PGC_OK;
        }
        return no_overload(run, e, a, b);
    }
    *out = cel_bool((order == 0 && or_equal) || (less ? order < 0 : order > 0));
    return PGC_OK;
}

pgc_status cel_binary(cel_run *run, const cel_expr *e, const cel_value *a, const cel_value *b,
                      cel_value *out)
{
    switch (e->name.ptr[0]) {
    case '=':
        *out = cel_bool(cel_equal(a, b));
        return PGC_OK;
    case '!':
        *out = cel_bool(!cel_equal(a, b));
        return PGC_OK;
    case '<':
    case '>':
        return ordering(run, e, a, b, out);
    case 'i':
        return membership(run, e, a, b, out);
    default:
        return arithmetic(run, e, a, b, out);
    }
}
