/* Random queries over the tables of prove_fixture.h: typed expressions, joins of every kind nested
 * in every way, sub-selects, grouping sets, window functions. The same seed gives the same text. */
#ifndef TEST_PROVE_RANDOM_H
#define TEST_PROVE_RANDOM_H

#include "base/arena.h"

#include "random.h"

typedef struct random_column {
    const char *name; /* with its alias */
    char type;        /* i int, t text, b bool, z timestamptz, j jsonb, a text[] */
} random_column;

#define RANDOM_COLUMNS 64

typedef struct random_scope {
    const struct random_scope *outer;
    random_column columns[RANDOM_COLUMNS];
    size_t count;
} random_scope;

typedef struct random_sql {
    arena *mem;
    uint64_t state;
    unsigned alias;
} random_sql;

static const char *random_expr(random_sql *r, const random_scope *s, char type, int depth);
static const char *random_condition(random_sql *r, const random_scope *s, int depth);
static const char *random_select(random_sql *r, const random_scope *outer, random_scope *out,
                                 int depth);

static inline size_t pick(random_sql *r, size_t limit)
{
    return random_below(&r->state, limit);
}

#define PICK(r, list) ((list)[pick((r), sizeof(list) / sizeof((list)[0]))])

static const char *random_format(random_sql *r, const char *format, const char *x, const char *y,
                                 const char *z)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 1 << 20);
    for (const char *c = format; *c != '\0'; c++) {
        const char *value = *c == '1' ? x : *c == '2' ? y : *c == '3' ? z : NULL;
        if (c[0] == '$' && c[1] != '\0') {
            continue;
        }
        if (c > format && c[-1] == '$' && value != NULL) {
            buf_add_str(&b, value);
        } else {
            buf_add_char(&b, *c);
        }
    }
    return arena_copy(r->mem, buf_view(&b));
}

static const char *random_literal(random_sql *r, char type)
{
    static const char *const ints[] = { "(0)::int", "1", "2", "NULL::int" };
    static const char *const texts[] = { "''::text", "'a'::text", "'small'::text", "NULL::text" };
    static const char *const bools[] = { "true", "false", "NULL::bool" };
    static const char *const stamps[] = { "now()", "'infinity'::timestamptz", "NULL::timestamptz" };
    static const char *const jsons[] = { "'{}'::jsonb", "'null'::jsonb", "'{\"a\": 1}'::jsonb" };
    static const char *const arrays[] = { "'{}'::text[]", "'{NULL}'::text[]", "ARRAY['a']",
                                          "NULL::text[]" };
    return type == 'i'   ? PICK(r, ints)
           : type == 't' ? PICK(r, texts)
           : type == 'b' ? PICK(r, bools)
           : type == 'z' ? PICK(r, stamps)
           : type == 'j' ? PICK(r, jsons)
                         : PICK(r, arrays);
}

static const char *random_column_of(random_sql *r, const random_scope *s, char type)
{
    const char *found = NULL;
    size_t seen = 0;
    for (; s != NULL; s = pick(r, 3) == 0 ? s->outer : NULL) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->columns[i].type == type && pick(r, ++seen) == 0) {
                found = s->columns[i].name;
            }
        }
    }
    return found;
}

/* Templates per result type: the letters behind the bar are the types of $1, $2, $3. */
static const struct {
    char type;
    const char *format, *args;
} RANDOM_CALLS[] = {
    { 'i', "($1 + $2)", "ii" },
    { 'i', "(- $1)", "i" },
    { 'i', "length($1)", "t" },
    { 'i', "cardinality($1)", "a" },
    { 'i', "array_length($1, 1)", "a" },
    { 'i', "($1::int %% $2::int)", "ii" },
    { 'i', "extract(year FROM $1)::int", "z" },
    { 'i', "extract(day FROM $1)::int", "z" },
    { 'i', "array_position($1, $2)", "at" },
    { 'i', "num_nulls($1, $2)", "ti" },
    { 'i', "greatest($1, $2)", "ii" },
    { 'i', "nullif($1, $2)", "ii" },
    { 't', "($1 || $2)", "tt" },
    { 't', "lower($1)", "t" },
    { 't', "concat($1, $2)", "ti" },
    { 't', "($1)::text", "i" },
    { 't', "($1)::text", "j" },
    { 't', "($1 ->> 'a')", "j" },
    { 't', "maybe($1)", "t" },
    { 't', "substring($1, 1, 1)", "t" },
    { 't', "substring($1 FROM 'a')", "t" },
    { 't', "to_char($1, 'YYYY')", "z" },
    { 't', "($1)[1]", "a" },
    { 't', "array_to_string($1, ',')", "a" },
    { 't', "least($1, $2)", "tt" },
    { 'z', "($1 + interval '1 day')", "z" },
    { 'z', "date_trunc('day', $1)", "z" },
    { 'j', "($1 -> 'a')", "j" },
    { 'j', "to_jsonb($1)", "t" },
    { 'j', "jsonb_build_object('a', $1)", "i" },
    { 'a', "ARRAY[$1, $2]::text[]", "tt" },
    { 'a', "($1 || $2)", "aa" },
    { 'a', "array_append($1, $2)", "at" },
    { 'a', "array_remove($1, NULL)", "a" },
    { 'a', "string_to_array($1, ',')", "t" },
    { 'a', "($1)[1:$2]", "ai" },
    { 'b', "($1 IS NOT NULL)", "t" },
    { 'b', "($1 = $2)", "ii" },
    { 'b', "($1 = $2)", "tt" },
    { 'b', "($1 <> $2)", "ii" },
    { 'b', "($1 < $2)", "zz" },
    { 'b', "($1 IS NULL)", "i" },
    { 'b', "($1 IN ($2, $3))", "iii" },
    { 'b', "($1 NOT IN ($2))", "tt" },
    { 'b', "($1 BETWEEN $2 AND $3)", "iii" },
    { 'b', "($1 NOT BETWEEN $2 AND $3)", "iii" },
    { 'b', "($1 LIKE $2)", "tt" },
    { 'b', "($1 IS DISTINCT FROM $2)", "ii" },
    { 'b', "($1 IS NOT DISTINCT FROM $2)", "tt" },
    { 'b', "($1 = ANY ($2))", "ta" },
    { 'b', "($1 <> ALL ($2))", "ta" },
    { 'b', "(($1, $2) = ($3, 'a'))", "iti" },
    { 'b', "(($1, $2) < ($3, 'a'))", "iti" },
    { 'b', "(($1, $2) <> ($3, 'a'))", "iti" },
    { 'b', "(($1, $2) IS NOT NULL)", "it" },
    { 'b', "($1 AND $2)", "bb" },
    { 'b', "($1 OR $2)", "bb" },
    { 'b', "(NOT $1)", "b" },
    { 'b', "($1 IS TRUE)", "b" },
    { 'b', "($1 IS NOT TRUE)", "b" },
    { 'b', "($1 IS FALSE)", "b" },
    { 'b', "($1 IS NOT FALSE)", "b" },
    { 'b', "($1 IS NOT UNKNOWN)", "b" },
};

static const char *random_call(random_sql *r, const random_scope *s, char type, int depth)
{
    size_t index = 0, seen = 0;
    for (size_t i = 0; i < sizeof RANDOM_CALLS / sizeof RANDOM_CALLS[0]; i++) {
        if (RANDOM_CALLS[i].type == type && pick(r, ++seen) == 0) {
            index = i;
        }
    }
    const char *args[3] = { "", "", "" };
    for (size_t i = 0; RANDOM_CALLS[index].args[i] != '\0'; i++) {
        args[i] = random_expr(r, s, RANDOM_CALLS[index].args[i], depth + 1);
    }
    return random_format(r, RANDOM_CALLS[index].format, args[0], args[1], args[2]);
}

/* One table, sub-select or function with its alias; its columns join the scope. */
static const char *random_item(random_sql *r, random_scope *s, const random_scope *lateral,
                               int depth)
{
    static const struct {
        const char *name, *columns;
    } tables[] = {
        { "people", "iid tname temail zjoined iboss bactive tnick" },
        { "assets", "iid iowner ttitle iwidth ztaken zadded jmeta atags" },
        { "thumbs", "iid iasset tkind tpath" },
        { "nothing", "iid tlabel textra" },
        { "links", "ia ib" },
        { "asset_thumbs", "iid ttitle tkind iwidth" },
        { "parent", "iid ix iy" },
        { "guarded", "iid tnote tother" },
        { "generate_series(1, 2)", "ix" },
        { "unnest('{a,NULL}'::text[])", "tx" },
        { "(VALUES (1, 'a'), (NULL, NULL))", "iu tv" },
    };
    const char *alias = arena_printf(r->mem, "q%u", ++r->alias);
    if (depth < 2 && pick(r, 4) == 0) {
        random_scope inner = { .count = 0 };
        const char *text = random_select(r, lateral, &inner, depth + 1);
        for (size_t i = 0; i < inner.count && s->count < RANDOM_COLUMNS; i++) {
            s->columns[s->count++] =
                (random_column) { arena_printf(r->mem, "%s.%s", alias, inner.columns[i].name),
                                  inner.columns[i].type };
        }
        return arena_printf(r->mem, "%s(%s) %s", lateral != NULL ? "LATERAL " : "", text, alias);
    }
    size_t table = pick(r, sizeof tables / sizeof tables[0]);
    slice names = { tables[table].columns, strlen(tables[table].columns) };
    AUTO(buf_auto) buf list;
    buf_init(&list, NULL, 4096);
    while (names.ptr != NULL && s->count < RANDOM_COLUMNS) {
        slice name = slice_next(&names, ' ');
        buf_printf(&list, "%s%.*s", list.len > 0 ? ", " : "", (int) name.len - 1, name.ptr + 1);
        s->columns[s->count++] = (random_column) {
            arena_printf(r->mem, "%s.%.*s", alias, (int) name.len - 1, name.ptr + 1), name.ptr[0]
        };
    }
    bool plain = strchr(tables[table].name, '(') == NULL;
    return plain ? arena_printf(r->mem, "%s %s", tables[table].name, alias)
                 : arena_printf(r->mem, "%s %s(%s)", tables[table].name, alias, list.ptr);
}

static const char *random_int_between(random_sql *r, const random_scope *s, size_t first,
                                      size_t end)
{
    random_scope part = { .count = 0 };
    for (size_t i = first; i < end; i++) {
        part.columns[part.count++] = s->columns[i];
    }
    return random_column_of(r, &part, 'i');
}

/* FULL JOIN needs an equality of both sides; the others take anything. right: index of the first
 * column of the right side. */
static const char *random_on(random_sql *r, const random_scope *s, size_t right, bool full)
{
    random_scope here = *s;
    here.outer = NULL;
    const char *x = random_int_between(r, s, 0, right);
    const char *y = random_int_between(r, s, right, s->count);
    if (full || pick(r, 4) != 0) {
        return x != NULL && y != NULL ? arena_printf(r->mem, "%s = %s", x, y) : "true";
    }
    return random_condition(r, &here, 2);
}

static const char *random_from(random_sql *r, random_scope *s, int depth)
{
    static const char *const kinds[] = { "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN" };
    const char *text = random_item(r, s, NULL, depth);
    for (size_t joins = pick(r, 4); joins > 0; joins--) {
        const char *kind = PICK(r, kinds);
        bool full = kind[0] == 'F';
        if (pick(r, 4) == 0) { /* a join on the right side */
            random_scope inner = { .count = 0 };
            const char *left = random_item(r, &inner, NULL, depth);
            const char *inside = PICK(r, kinds);
            size_t middle = inner.count;
            const char *right = random_item(r, &inner, NULL, depth);
            const char *on = random_on(r, &inner, middle, inside[0] == 'F');
            middle = s->count;
            for (size_t i = 0; i < inner.count && s->count < RANDOM_COLUMNS; i++) {
                s->columns[s->count++] = inner.columns[i];
            }
            const char *outside = random_on(r, s, middle, full);
            text = arena_printf(r->mem, "%s %s (%s %s %s ON %s) ON %s", text, kind, left, inside,
                                right, on, outside);
            continue;
        }
        random_scope before = *s;
        bool lateral = (kind[0] == 'J' || kind[0] == 'L') && pick(r, 2) == 0;
        const char *right = random_item(r, s, lateral ? &before : NULL, depth);
        const char *on = random_on(r, s, before.count, full);
        text = arena_printf(r->mem, "%s %s %s ON %s", text, kind, right, on);
    }
    return text;
}

static const char *random_condition(random_sql *r, const random_scope *s, int depth)
{
    if (depth < 2 && pick(r, 6) == 0) {
        static const char *const tests[] = { "$1 IN ($2)", "$1 NOT IN ($2)", "EXISTS ($2)",
                                             "$1 = ANY ($2)", "$1 < ALL ($2)" };
        random_scope inner = { .outer = s };
        const char *from = random_from(r, &inner, 2);
        const char *column = random_expr(r, &inner, 'i', 3);
        const char *query = arena_printf(r->mem, "SELECT %s FROM %s", column, from);
        return random_format(r, PICK(r, tests), random_expr(r, s, 'i', 3), query, "");
    }
    return random_call(r, s, 'b', depth);
}

static const char *random_scalar(random_sql *r, const random_scope *s, char type)
{
    random_scope inner = { .outer = s };
    if (pick(r, 4) == 0) {
        return arena_printf(r->mem, "(SELECT %s)", random_expr(r, &inner, type, 3));
    }
    const char *from = random_from(r, &inner, 2);
    const char *expr = random_expr(r, &inner, type, 3);
    if (type == 'i' && pick(r, 2) == 0) {
        static const char *const calls[] = { "count($1)", "sum($1)::int", "max($1)",
                                             "coalesce(max($1), 0)" };
        return arena_printf(r->mem, "(SELECT %s FROM %s)",
                            random_format(r, PICK(r, calls), expr, "", ""), from);
    }
    return arena_printf(r->mem, "(SELECT %s FROM %s LIMIT 1)", expr, from);
}

static const char *random_expr(random_sql *r, const random_scope *s, char type, int depth)
{
    size_t choice = pick(r, 20);
    const char *column = random_column_of(r, s, type);
    if (depth > 3 || choice < 7) {
        return column != NULL && pick(r, 5) != 0 ? column : random_literal(r, type);
    }
    if (choice < 9) {
        return random_format(r, "coalesce($1, $2)", random_expr(r, s, type, depth + 1),
                             random_expr(r, s, type, depth + 1), "");
    }
    if (choice < 11) {
        const char *condition = random_condition(r, s, depth + 1);
        const char *yes = random_expr(r, s, type, depth + 1);
        return pick(r, 4) != 0 ? random_format(r, "CASE WHEN $1 THEN $2 ELSE $3 END", condition,
                                               yes, random_expr(r, s, type, depth + 1))
                               : random_format(r, "CASE WHEN $1 THEN $2 END", condition, yes, "");
    }
    if (choice == 11 && depth < 2) {
        return random_scalar(r, s, type);
    }
    return random_call(r, s, type, depth);
}

static const char *random_aggregate(random_sql *r, const random_scope *s, char *type)
{
    static const struct {
        const char *format;
        char of, type;
    } list[] = {
        { "count($1)", 't', 'i' },         { "sum($1)::int", 'i', 'i' },
        { "max($1)", 't', 't' },           { "array_agg($1)", 't', 'a' },
        { "bool_and($1)", 'b', 'b' },      { "string_agg($1, ',')", 't', 't' },
        { "to_jsonb(max($1))", 't', 'j' }, { "min($1)", 'z', 'z' },
    };
    size_t index = pick(r, sizeof list / sizeof list[0]);
    *type = list[index].type;
    const char *call =
        random_format(r, list[index].format, random_expr(r, s, list[index].of, 2), "", "");
    bool filter = pick(r, 4) == 0 && strchr(list[index].format, ':') == NULL &&
                  strncmp(list[index].format, "to_", 3) != 0;
    return filter ? arena_printf(r->mem, "%s FILTER (WHERE %s)", call, random_condition(r, s, 2))
                  : call;
}

static const char *random_window(random_sql *r, const random_scope *s)
{
    static const char *const calls[] = { "row_number()",
                                         "sum($1)::int",
                                         "lag($1)",
                                         "lead($1, 1, $2)",
                                         "first_value($1)",
                                         "max($1)",
                                         "CASE WHEN $1 IS NOT NULL THEN first_value($1)" };
    static const char *const frames[] = {
        "", " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
        " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW"
    };
    const char *call = PICK(r, calls);
    const char *order = random_expr(r, s, 'i', 3);
    const char *text =
        random_format(r, call, random_expr(r, s, 'i', 3), random_expr(r, s, 'i', 3), "");
    const char *cast = strstr(text, "::int");
    bool has_cast = cast != NULL && cast[5] == '\0' && strstr(call, "::int") != NULL;
    if (has_cast) {
        text = arena_copy(r->mem, (slice) { text, (size_t) (cast - text) });
    }
    return arena_printf(r->mem, "%s OVER (ORDER BY %s%s)%s%s", text, order, PICK(r, frames),
                        call[0] == 'C' ? " ELSE 0 END" : "", has_cast ? "::int" : "");
}

/* Adds one target; `index` makes its name. */
static void random_target(random_sql *r, buf *targets, random_scope *out, const char *expr,
                          char type)
{
    const char *name = arena_printf(r->mem, "c%zu", out->count);
    buf_printf(targets, "%s%s AS %s", targets->len > 0 ? ", " : "", expr, name);
    out->columns[out->count++] = (random_column) { name, type };
}

static const char *random_groups(random_sql *r, const random_scope *s, buf *targets,
                                 random_scope *out)
{
    static const char *const kinds[] = { "$1, $2",
                                         "$1, $2",
                                         "ROLLUP ($1, $2)",
                                         "CUBE ($1, $2)",
                                         "$1, ROLLUP ($2)",
                                         "GROUPING SETS (($1), ($2))",
                                         "GROUPING SETS (($1), ())" };
    const char *first = random_call(r, s, 't', 3), *second = random_call(r, s, 'i', 3);
    const char *kind = PICK(r, kinds);
    random_target(r, targets, out, first, 't');
    if (strstr(kind, "$2") != NULL) {
        random_target(r, targets, out, second, 'i');
    }
    if (pick(r, 3) == 0) {
        random_target(r, targets, out, random_format(r, "coalesce($1, 'none')", first, "", ""),
                      't');
    }
    for (size_t i = pick(r, 3) + 1; i > 0; i--) {
        char type = 'i';
        const char *call = random_aggregate(r, s, &type);
        random_target(r, targets, out, call, type);
    }
    const char *having =
        pick(r, 3) == 0 ? random_format(r, " HAVING $1 IS NOT NULL", first, "", "") : "";
    return arena_printf(r->mem, " GROUP BY %s%s", random_format(r, kind, first, second, ""),
                        having);
}

static const char *random_select(random_sql *r, const random_scope *outer, random_scope *out,
                                 int depth)
{
    static const char types[] = "iittbzja";
    random_scope s = { .outer = outer };
    AUTO(buf_auto) buf targets;
    buf_init(&targets, NULL, 1 << 20);
    const char *from = random_from(r, &s, depth);
    const char *where =
        pick(r, 2) == 0 ? random_format(r, " WHERE $1", random_condition(r, &s, 0), "", "") : "";
    const char *tail = "";
    size_t mode = pick(r, 10);
    if (mode < 2) {
        tail = random_groups(r, &s, &targets, out);
    } else {
        for (size_t i = pick(r, 4) + 1; i > 0; i--) {
            char type = types[pick(r, sizeof types - 1)];
            const char *expr = mode == 2          ? random_aggregate(r, &s, &type)
                               : pick(r, 10) == 0 ? random_window(r, &s)
                                                  : NULL;
            type = expr != NULL && mode != 2 ? 'i' : type;
            random_target(r, &targets, out, expr != NULL ? expr : random_expr(r, &s, type, depth),
                          type);
        }
    }
    return arena_printf(r->mem, "SELECT %s FROM %s%s%s", targets.ptr, from, where, tail);
}

/* A whole statement. */
static const char *random_statement(random_sql *r)
{
    static const char *const sets[] = { "UNION ALL", "UNION", "INTERSECT", "EXCEPT" };
    random_scope out = { .count = 0 };
    if (pick(r, 8) == 0) {
        const char *left = random_scalar(r, NULL, 't'), *right = random_scalar(r, NULL, 't');
        return arena_printf(r->mem, "%s %s %s", left, PICK(r, sets), right);
    }
    const char *text = random_select(r, NULL, &out, 0);
    return pick(r, 4) == 0 ? arena_printf(r->mem,
                                          "WITH w AS (%s) SELECT w.*, p.* FROM w LEFT JOIN "
                                          "people p ON p.id = 1",
                                          text)
                           : text;
}

#endif
