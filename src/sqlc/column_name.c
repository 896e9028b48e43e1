/* How the server names a result column that has no AS.
 *
 * Star expansion of an outer query has to write these names, so a grammar node that we do not know
 * gives NULL (not certain), never a guess. Source: the server's behaviour, as its manual describes
 * in "SELECT", output names. Pure functions. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* A name and how much it is worth: a cast's type name gives way to a column or function name. */
typedef struct named {
    const char *name;
    int strength; /* 0 none, 1 weak, 2 strong, -1 not known */
} named;

static named name_of(analysis *a, const scope *s, const ast *expr);

/* A name that nothing gives way to; without one the column's name is not known. */
static named strong(const char *name)
{
    return (named) { name, name != NULL ? 2 : -1 };
}

/* The last field counts; subscripts leave the name of what they look into. */
static named name_of_indirection(analysis *a, const scope *s, const ast *expr)
{
    const char *field = NULL;
    for (const ast *i = ast_first(ast_get(expr, "indirection")); i != NULL; i = ast_next(i)) {
        field = ast_text(i) != NULL ? ast_text(i) : field;
    }
    return field != NULL ? strong(field) : name_of(a, s, ast_get(expr, "arg"));
}

/* A scalar sub-select lends the name of its only column. */
static named name_of_sub_link(analysis *a, const scope *s, const ast *expr)
{
    const char *type = ast_str(expr, "subLinkType");
    if (type == NULL) {
        return (named) { NULL, -1 };
    }
    if (strcmp(type, "EXISTS_SUBLINK") == 0) {
        return strong("exists");
    }
    if (strcmp(type, "ARRAY_SUBLINK") == 0) {
        return strong("array");
    }
    if (strcmp(type, "EXPR_SUBLINK") == 0) {
        shape rows =
            shape_of_statement(a, s, s != NULL ? s->ctes : NULL, ast_get(expr, "subselect"));
        return strong(rows.known && rows.count == 1 ? rows.columns[0].name : NULL);
    }
    return (named) { NULL, 0 };
}

/* Variants with a precision have the same names. */
static named name_of_value_function(const ast *expr)
{
    static const struct {
        const char *op, *name;
    } names[] = {
        { "SVFOP_CURRENT_DATE", "current_date" },
        { "SVFOP_CURRENT_TIME", "current_time" },
        { "SVFOP_CURRENT_TIME_N", "current_time" },
        { "SVFOP_CURRENT_TIMESTAMP", "current_timestamp" },
        { "SVFOP_CURRENT_TIMESTAMP_N", "current_timestamp" },
        { "SVFOP_LOCALTIME", "localtime" },
        { "SVFOP_LOCALTIME_N", "localtime" },
        { "SVFOP_LOCALTIMESTAMP", "localtimestamp" },
        { "SVFOP_LOCALTIMESTAMP_N", "localtimestamp" },
        { "SVFOP_CURRENT_ROLE", "current_role" },
        { "SVFOP_CURRENT_USER", "current_user" },
        { "SVFOP_USER", "user" },
        { "SVFOP_SESSION_USER", "session_user" },
        { "SVFOP_CURRENT_CATALOG", "current_catalog" },
        { "SVFOP_CURRENT_SCHEMA", "current_schema" },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (ast_is(expr, "op", names[i].op)) {
            return strong(names[i].name);
        }
    }
    return (named) { NULL, -1 };
}

/* A cast or CASE names the column only when the inside has no name of its own.
 *
 *     a::text -> a (a column is stronger),   1::text -> text,   CASE … END::text -> case */
static named weak_over(named inner, const char *name)
{
    if (inner.strength < 0 || inner.strength > 1 || name == NULL) {
        return inner;
    }
    return (named) { name, 1 };
}

static named name_of_xml(const ast *expr)
{
    static const struct {
        const char *op, *name;
    } names[] = {
        { "IS_XMLCONCAT", "xmlconcat" }, { "IS_XMLELEMENT", "xmlelement" },
        { "IS_XMLFOREST", "xmlforest" }, { "IS_XMLPARSE", "xmlparse" },
        { "IS_XMLPI", "xmlpi" },         { "IS_XMLROOT", "xmlroot" },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (ast_is(expr, "op", names[i].op)) {
            return strong(names[i].name);
        }
    }
    return (named) { NULL, 0 };
}

/* Kinds with a fixed name, or none at all. */
static bool fixed_name(const ast *expr, named *out)
{
    static const struct {
        ast_kind kind;
        const char *name;
    } names[] = {
        { AST_COALESCE, "coalesce" },
        { AST_A_ARRAY, "array" },
        { AST_ROW, "row" },
        { AST_GROUPING_FUNC, "grouping" },
        { AST_XML_SERIALIZE, "xmlserialize" },
        { AST_A_CONST, NULL },
        { AST_PARAM_REF, NULL },
        { AST_BOOL_EXPR, NULL },
        { AST_BOOLEAN_TEST, NULL },
        { AST_NULL_TEST, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].kind == ast_kind_of(expr)) {
            *out = (named) { names[i].name, names[i].name != NULL ? 2 : 0 };
            return true;
        }
    }
    return false;
}

/* Kinds that are not listed are not known, and so is the name. */
static named name_of(analysis *a, const scope *s, const ast *expr)
{
    named fixed;
    if (fixed_name(expr, &fixed)) {
        return fixed;
    }
    ast_kind kind = ast_kind_of(expr);
    if (kind == AST_COLUMN_REF) {
        return strong(last_name(ast_get(expr, "fields")));
    }
    if (kind == AST_FUNC_CALL) {
        return strong(last_name(ast_get(expr, "funcname")));
    }
    if (kind == AST_A_INDIRECTION) {
        return name_of_indirection(a, s, expr);
    }
    if (kind == AST_A_EXPR) {
        return ast_is(expr, "kind", "AEXPR_NULLIF") ? strong("nullif") : (named) { NULL, 0 };
    }
    if (kind == AST_TYPE_CAST) {
        return weak_over(name_of(a, s, ast_get(expr, "arg")),
                         last_name(ast_get(ast_get(expr, "typeName"), "names")));
    }
    if (kind == AST_COLLATE) {
        return name_of(a, s, ast_get(expr, "arg"));
    }
    if (kind == AST_SUB_LINK) {
        return name_of_sub_link(a, s, expr);
    }
    if (kind == AST_CASE) {
        const ast *otherwise = ast_get(expr, "defresult");
        named inner = otherwise != NULL ? name_of(a, s, otherwise) : (named) { NULL, 0 };
        return weak_over(inner, "case");
    }
    if (kind == AST_MIN_MAX) {
        return strong(ast_is(expr, "op", "IS_LEAST") ? "least" : "greatest");
    }
    if (kind == AST_VALUE_FUNCTION) {
        return name_of_value_function(expr);
    }
    return kind == AST_XML_EXPR ? name_of_xml(expr) : (named) { NULL, -1 };
}

/*     count(*) -> count, a.b -> b, x::text -> x or text, CASE … -> case, 1 + 1 -> ?column? */
const char *name_of_expr(analysis *a, const scope *s, const ast *expr)
{
    named n = name_of(a, s, expr);
    return n.strength < 0 ? NULL : n.strength == 0 ? "?column?" : n.name;
}
