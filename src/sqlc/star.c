/* Star expansion: every `*` of a target list becomes the columns that it means today.
 *
 * The visitor finds the stars of all query levels with the scope that they stand in; each becomes
 * an edit of the text at its location, the rest stays byte for byte. A star whose columns are not
 * certain is PGC_UNSUPPORTED, never a guess. Thread-safe per arena. */
#include "base/prelude.h"

#include "sqlc/prove.h"

#include "base/ident.h"
#include "sqlc/keyword.h"
#include "sqlc/lex.h"
#include "sqlc/scope.h"

#define EXPANDED_MAX (4u << 20) /* bytes of expanded SQL text */

/* Replace bytes [from, to) by text. Sorted by from. */
typedef struct edit {
    size_t from, to;
    const char *text;
    struct edit *next;
} edit;

typedef struct expander {
    slice sql;
    edit *edits;
    buf text; /* of one expansion at a time */
    pgc_status status;
    pgc_error *err;
} expander;

/* Errors count characters, the parser counts bytes. */
static int32_t characters_before(slice sql, size_t offset)
{
    int32_t count = 0;
    for (size_t i = 0; i < offset && i < sql.len; i++) {
        count += ((unsigned char) sql.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

/* The first problem is the one that people see. */
static void fail_at(expander *x, pgc_status status, size_t offset, const char *what)
{
    if (x->status != PGC_OK) {
        return;
    }
    x->status = pgc_error_set(x->err, status, "star expansion: %s", what);
    if (x->err != NULL) {
        x->err->position = characters_before(x->sql, offset) + 1;
    }
}

static void add_name(buf *b, const char *name)
{
    if (keyword_needs_quotes(name)) {
        ident_add_quoted(b, name);
    } else {
        buf_add_str(b, name);
    }
}

/* A name that stands for two columns cannot be written. */
static size_t count_name(const var *vars, size_t count, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += vars[i].name != NULL && strcmp(vars[i].name, name) == 0 ? 1 : 0;
    }
    return found;
}

/* The item's name in front of its columns; false when the name means more than one item. */
static bool add_qualifier(buf *b, const scope *s, const item *owner)
{
    if (owner == NULL || owner->name == NULL) {
        return false;
    }
    bool unique = scope_find_item(s, NULL, owner->name) == owner;
    if (!unique &&
        (owner->schema == NULL || scope_find_item(s, owner->schema, owner->name) != owner)) {
        return false;
    }
    if (!unique) {
        add_name(b, owner->schema);
        buf_add_char(b, '.');
    }
    add_name(b, owner->name);
    buf_add_char(b, '.');
    return true;
}

/* What one star stands for. */
typedef struct star {
    star_columns columns;
    slice prefix; /* what was written before the star: "t." */
} star;

/* t.* keeps what was written in front of the star, byte for byte, for every column. A bare * writes
 * a name in front only where two columns of FROM share theirs.
 * One column of a star; gives the problem, or NULL.
 *
 *     SELECT * FROM a JOIN b ON …   ->   a.id, name, b.id, size    (qualified where needed)
 *     SELECT t.* FROM t             ->   t.id, t.name              (as it was written) */
static const char *add_column(buf *b, const scope *s, const star *all, const var *v)
{
    if (v->name == NULL) {
        return "a column's name is not certain";
    }
    if (all->prefix.len > 0) {
        if (count_name(all->columns.vars, all->columns.count, v->name) != 1) {
            return "two columns have the same name; name them in the sub-select";
        }
        buf_add(b, all->prefix);
        add_name(b, v->name);
        return NULL;
    }
    if (count_name(s->vars, s->var_count, v->name) > 1) {
        if (v->owner != NULL && count_name(v->owner->vars, v->owner->var_count, v->name) != 1) {
            return "two columns have the same name; name them in the sub-select";
        }
        if (!add_qualifier(b, s, v->owner)) {
            return "a column cannot be told from another one of the same name";
        }
    }
    add_name(b, v->name);
    return NULL;
}

/* x->text instead of bytes [from, to). A level that is seen twice gives the same edit: the second
 * one is dropped. */
static void insert_edit(analysis *a, expander *x, size_t from, size_t to)
{
    const char *text = x->text.failed ? NULL : arena_copy(a->mem, buf_view(&x->text));
    a->failed = a->failed || text == NULL;
    edit **at = &x->edits;
    while (*at != NULL && (*at)->from < from) {
        at = &(*at)->next;
    }
    edit *e = *at != NULL && (*at)->from == from ? NULL : analysis_new(a, sizeof *e);
    if (e != NULL) {
        *e = (edit) { from, to, text, *at };
        *at = e;
    }
}

/* Skip blanks and comments behind a name: `t . *` is allowed. */
static size_t skip_blanks(slice sql, size_t at)
{
    for (;;) {
        while (at < sql.len && isspace((unsigned char) sql.ptr[at]) != 0) {
            at++;
        }
        if (at + 1 < sql.len && sql.ptr[at] == '-' && sql.ptr[at + 1] == '-') {
            size_t line_end = slice_find(sql, '\n', at);
            at = line_end == SIZE_MAX ? sql.len : line_end + 1;
        } else if (at + 1 < sql.len && sql.ptr[at] == '/' && sql.ptr[at + 1] == '*') {
            at += 2;
            while (at + 1 < sql.len && !(sql.ptr[at] == '*' && sql.ptr[at + 1] == '/')) {
                at++;
            }
            at += 2;
        } else {
            return at;
        }
    }
}

/* A quoted name ends at a quote that is not doubled. */
static size_t skip_identifier(slice sql, size_t at)
{
    if (at < sql.len && sql.ptr[at] == '"') {
        for (at++; at < sql.len; at++) {
            if (sql.ptr[at] == '"' && (at + 1 >= sql.len || sql.ptr[at + 1] != '"')) {
                return at + 1;
            }
            at += sql.ptr[at] == '"' ? 1 : 0;
        }
        return at;
    }
    while (at < sql.len && (isalnum((unsigned char) sql.ptr[at]) != 0 ||
                            strchr("_$", sql.ptr[at]) != NULL || (sql.ptr[at] & 0x80) != 0)) {
        at++;
    }
    return at;
}

/* End of the reference that starts at `at` and has `parts` names before its star; prefix is what
 * stands before the star. False when the text is not as the parser told. */
static bool find_star(slice sql, size_t at, size_t parts, size_t *end, slice *prefix)
{
    size_t start = at;
    for (size_t i = 0; i < parts; i++) {
        at = skip_blanks(sql, skip_identifier(sql, at));
        if (at >= sql.len || sql.ptr[at] != '.') {
            return false;
        }
        at = skip_blanks(sql, at + 1);
    }
    if (at >= sql.len || sql.ptr[at] != '*') {
        return false;
    }
    *end = at + 1;
    *prefix = slice_sub(sql, start, at);
    return true;
}

/* Every way out without an edit is a refusal. */
static void expand(analysis *a, expander *x, scope *s, const ast *ref)
{
    size_t from = (size_t) ast_location(ref), to = 0;
    if (ast_location(ref) < 0) {
        fail_at(x, PGC_UNSUPPORTED, 0, "TABLE name cannot be expanded; write SELECT");
        return;
    }
    star all = { .prefix = { "", 0 } };
    if (!find_star(x->sql, from, ast_count(ast_get(ref, "fields")) - 1, &to, &all.prefix)) {
        fail_at(x, PGC_UNSUPPORTED, from, "the star is not where the parser says");
        return;
    }
    if (!scope_star(s, ref, &all.columns)) {
        fail_at(x, PGC_UNSUPPORTED, from,
                "the columns of * are not certain; name them in the query");
        return;
    }
    if (all.columns.count == 0) {
        fail_at(x, PGC_UNSUPPORTED, from, "* stands for no column");
        return;
    }
    buf_reset(&x->text);
    for (size_t i = 0; i < all.columns.count; i++) {
        if (i > 0) {
            buf_add_str(&x->text, ", ");
        }
        const char *problem = add_column(&x->text, s, &all, &all.columns.vars[i]);
        if (problem != NULL) {
            fail_at(x, PGC_UNSUPPORTED, from, problem);
            return;
        }
    }
    insert_edit(a, x, from, to);
}

/* Behind the value: the star that belongs to the select list is outside of all brackets. */
static bool find_field_star(slice sql, size_t from, size_t *out)
{
    size_t at = from, depth = 0;
    bool dot = false;
    for (;;) {
        lex_token t = lex_skip(sql, &at);
        if (t.kind == LEX_END || t.kind == LEX_BAD) {
            return false;
        }
        if (depth == 0 && dot && lex_is_char(sql, t, '*')) {
            *out = t.start;
            return true;
        }
        bool opens = lex_is_char(sql, t, '(') || lex_is_char(sql, t, '[');
        bool closes = lex_is_char(sql, t, ')') || lex_is_char(sql, t, ']');
        if (closes && depth == 0) {
            return false;
        }
        depth += opens ? 1 : 0;
        depth -= closes ? 1 : 0;
        dot = lex_is_char(sql, t, '.');
    }
}

/* As the server does it: the value is written once per field. With `SELECT (f(x)).*` that calls the
 * function as often; LATERAL calls it once, with and without us.
 *
 *     (value).*  ->  (value).a, (value).b */
static void expand_fields(analysis *a, expander *x, const scope *s, const ast *target)
{
    const ast *expr = ast_get(target, "val");
    size_t from = ast_location(target) < 0 ? 0 : (size_t) ast_location(target);
    size_t end = 0;
    shape fields = shape_of_fields(a, s, expr);
    if (!find_field_star(x->sql, from, &end)) {
        fail_at(x, PGC_UNSUPPORTED, from, "the star is not where the parser says");
        return;
    }
    if (!fields.known || fields.count == 0) {
        fail_at(x, PGC_UNSUPPORTED, from,
                "the row type of (value).* is not certain; cast it, (value::type).*, or name the "
                "fields");
        return;
    }
    buf_reset(&x->text);
    for (size_t i = 0; i < fields.count; i++) {
        if (fields.columns[i].name == NULL) {
            fail_at(x, PGC_UNSUPPORTED, from, "a field's name is not certain; name the fields");
            return;
        }
        buf_add_str(&x->text, i > 0 ? ", " : "");
        buf_add(&x->text, slice_sub(x->sql, from, end));
        add_name(&x->text, fields.columns[i].name);
    }
    insert_edit(a, x, from, end + 1);
}

/* SELECT * inside EXISTS asks for rows, not for columns. */
static bool is_in_exists(const analysis *a, const ast *statement)
{
    for (const exists_query *e = a->exists; e != NULL; e = e->next) {
        if (e->select == statement) {
            return true;
        }
    }
    return false;
}

static void on_level(analysis *a, scope *s, const ast *statement, void *ctx)
{
    expander *x = ctx;
    if (is_in_exists(a, statement)) {
        return; /* which columns it has makes no difference */
    }
    const ast *targets =
        ast_get(statement, ast_kind_of(statement) == AST_SELECT ? "targetList" : "returningList");
    for (const ast *t = ast_first(targets); t != NULL && x->status == PGC_OK; t = ast_next(t)) {
        const ast *expr = ast_get(t, "val");
        if (is_star(expr)) {
            expand(a, x, s, expr);
        } else if (is_field_star(expr)) {
            expand_fields(a, x, s, t);
        }
    }
}

/* A byte that would run together with a name beside it: SELECT* FROM, u.*FROM. */
static bool joins_names(slice sql, size_t at)
{
    return at < sql.len && skip_identifier(slice_sub(sql, at, at + 1), 0) > 0;
}

/* The text with all edits but those around others. *again: there are such. */
static pgc_status apply_edits(const expander *x, arena *mem, slice *out, bool *again,
                              pgc_error *err)
{
    AUTO(buf_auto) buf result;
    buf_init(&result, NULL, EXPANDED_MAX);
    size_t at = 0;
    for (const edit *e = x->edits; e != NULL; e = e->next) {
        assert(e->from >= at && e->to > e->from && e->to <= x->sql.len);
        if (e->next != NULL && e->next->from < e->to) {
            *again = true; /* a star inside of the value comes first */
            continue;
        }
        buf_add(&result, slice_sub(x->sql, at, e->from));
        buf_add_str(&result, e->from > 0 && joins_names(x->sql, e->from - 1) ? " " : "");
        buf_add_str(&result, e->text);
        buf_add_str(&result, joins_names(x->sql, e->to) ? " " : "");
        at = e->to;
    }
    buf_add(&result, slice_sub(x->sql, at, x->sql.len));
    TRY(buf_finish(&result, err));
    slice text = buf_view(&result);
    const char *copy = arena_copy(mem, text);
    if (copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "star expansion");
    }
    *out = (slice) { copy, text.len };
    return PGC_OK;
}

/* One pass over the text. */
static pgc_status expand_once(const catalog *cat, slice sql, const ast *statement, arena *mem,
                              slice *out, bool *again, pgc_error *err)
{
    expander x = { .sql = sql, .err = err };
    buf_init(&x.text, NULL, EXPANDED_MAX);
    analysis a = { .cat = cat, .mem = mem, .visit = on_level, .visit_ctx = &x };
    (void) shape_of_statement(&a, NULL, NULL, statement);
    buf_done(&x.text);
    *again = false;
    if (a.failed) {
        return pgc_error_set(err, PGC_NOMEM, "star expansion");
    }
    TRY(x.status);
    if (x.edits == NULL) {
        *out = sql;
        return PGC_OK;
    }
    return apply_edits(&x, mem, out, again, err);
}

/* Each pass leaves fewer stars inside of values: the text has an end. */
pgc_status star_expand_given(const catalog *cat, slice sql, const ast *statement, arena *mem,
                             slice *out, pgc_error *err)
{
    bool again = false;
    assert(cat != NULL && mem != NULL && out != NULL && statement != NULL);
    TRY(expand_once(cat, sql, statement, mem, out, &again, err));
    while (again) {
        slice text = *out;
        TRY(ast_parse(text, mem, &statement, err));
        TRY(expand_once(cat, text, statement, mem, out, &again, err));
    }
    return PGC_OK;
}

pgc_status star_expand(const catalog *cat, slice sql, arena *mem, slice *out, pgc_error *err)
{
    const ast *statement = NULL;
    pgc_status status = ast_parse(sql, mem, &statement, err);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "star expansion");
    }
    return star_expand_given(cat, sql, statement, mem, out, err);
}
