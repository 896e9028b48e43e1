/* Thin view of libpg_query's parse tree, the same for the PostgreSQL 15 and 17 grammars.
 *
 * The tree is a read-only copy in the caller's arena. A node has a kind (from the tag that
 * libpg_query writes), named members in the grammar's own spelling, or is a list or a scalar.
 * Members that hold a default value are absent: ask for them and get NULL, "", 0 or false. */
#ifndef SQLC_AST_H
#define SQLC_AST_H

#include <pgc/error.h>

#include "base/arena.h"

/* Node kinds that the analysis looks at: enum name, tag. Everything else is AST_OTHER. */
#define AST_KIND_MAP(X)                       \
    X(A_ARRAY, "A_ArrayExpr")                 \
    X(A_CONST, "A_Const")                     \
    X(A_EXPR, "A_Expr")                       \
    X(A_INDICES, "A_Indices")                 \
    X(A_INDIRECTION, "A_Indirection")         \
    X(A_STAR, "A_Star")                       \
    X(BOOL_EXPR, "BoolExpr")                  \
    X(BOOLEAN_TEST, "BooleanTest")            \
    X(CASE, "CaseExpr")                       \
    X(CASE_WHEN, "CaseWhen")                  \
    X(COALESCE, "CoalesceExpr")               \
    X(COLLATE, "CollateClause")               \
    X(COLUMN_REF, "ColumnRef")                \
    X(CTE, "CommonTableExpr")                 \
    X(DELETE, "DeleteStmt")                   \
    X(FUNC_CALL, "FuncCall")                  \
    X(GROUPING_FUNC, "GroupingFunc")          \
    X(GROUPING_SET, "GroupingSet")            \
    X(INSERT, "InsertStmt")                   \
    X(INTEGER, "Integer")                     \
    X(JOIN, "JoinExpr")                       \
    X(LIST, "List")                           \
    X(MERGE, "MergeStmt")                     \
    X(MIN_MAX, "MinMaxExpr")                  \
    X(MULTI_ASSIGN, "MultiAssignRef")         \
    X(NAMED_ARG, "NamedArgExpr")              \
    X(NULL_TEST, "NullTest")                  \
    X(PARAM_REF, "ParamRef")                  \
    X(RANGE_FUNCTION, "RangeFunction")        \
    X(RANGE_SUBSELECT, "RangeSubselect")      \
    X(RANGE_TABLE_FUNC, "RangeTableFunc")     \
    X(RANGE_TABLE_SAMPLE, "RangeTableSample") \
    X(RANGE_VAR, "RangeVar")                  \
    X(RES_TARGET, "ResTarget")                \
    X(ROW, "RowExpr")                         \
    X(SELECT, "SelectStmt")                   \
    X(SET_TO_DEFAULT, "SetToDefault")         \
    X(SORT_BY, "SortBy")                      \
    X(STRING, "String")                       \
    X(SUB_LINK, "SubLink")                    \
    X(TYPE_CAST, "TypeCast")                  \
    X(UPDATE, "UpdateStmt")                   \
    X(VALUE_FUNCTION, "SQLValueFunction")     \
    X(XML_EXPR, "XmlExpr")                    \
    X(XML_SERIALIZE, "XmlSerialize")

typedef enum ast_kind {
    AST_OTHER = 0, /* a tag that is not in the map */
    AST_BARE,      /* members without a tag: "alias", "typeName", "withClause" … */
    AST_ARRAY,     /* plain sequence: walk with ast_first() and ast_next() */
    AST_TEXT,
    AST_NUMBER,
    AST_TRUE,
    AST_NULL,
#define X(name, tag) AST_##name,
    AST_KIND_MAP(X)
#undef X
} ast_kind;

typedef struct ast ast;

/* Parse one statement; more than one is PGC_INVALID. *out is the statement's own node.
 * PGC_OK; PGC_INVALID with err->position when libpg_query rejects the text; PGC_LIMIT (nested too
 * deeply); PGC_NOMEM. */
pgc_status ast_parse(slice sql, arena *arena, const ast **out, pgc_error *err) PGC_MUST_CHECK;

/* AST_NULL for a NULL node. */
ast_kind ast_kind_of(const ast *node);
/* Member by name; NULL when absent. NULL nodes have no members. */
const ast *ast_get(const ast *node, const char *key);
/* Text member, or the text of a String member; NULL when absent. */
const char *ast_str(const ast *node, const char *key);
int64_t ast_int(const ast *node, const char *key, int64_t absent);
bool ast_flag(const ast *node, const char *key);
/* True when the text member equals value. */
bool ast_is(const ast *node, const char *key, const char *value);
/* Byte offset in the SQL text; -1 when unknown. The grammar leaves out the offset 0. */
int64_t ast_location(const ast *node);

/* Items of a sequence (also of a List node and of any node: its members). */
const ast *ast_first(const ast *list);
const ast *ast_next(const ast *item);
size_t ast_count(const ast *list);
const ast *ast_nth(const ast *list, size_t index);
const ast *ast_last(const ast *list);
/* Text of a String node; NULL for others. */
const char *ast_text(const ast *string_node);

/* Same tree apart from locations. */
bool ast_equal(const ast *a, const ast *b);

#endif
