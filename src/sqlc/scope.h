/* Inside of the static analysis: scopes, relations and values of one statement.
 *
 * A query level is a scope: the leaves of its FROM tree (one per relation, numbered from left to
 * right), the joins over them (each covers a contiguous run of leaves), the named items that
 * references go through, and the variables that `*` means. Values are claims with a reason; nothing
 * known is the zero value. All memory is the analysis' arena; one thread per analysis. */
#ifndef SQLC_SCOPE_H
#define SQLC_SCOPE_H

#include "sqlc/ast.h"
#include "sqlc/catalog.h"
#include "sqlc/prove.h"

#define ANALYSE_DEPTH_MAX  200u    /* nested queries and expressions */
#define ANALYSE_STEPS_MAX  500000u /* expression nodes looked at, then nothing more is claimed */
#define ANALYSE_ROUNDS_MAX 64u     /* of a fixed point: recursive CTE, outer-join reduction */

/* What is known about a value. type_oid 0: not known; OID_UNKNOWN: an untyped literal. */
typedef struct value {
    bool not_null;       /* proved: never NULL */
    bool elems_not_null; /* arrays: proved, no element is NULL */
    uint32_t type_oid;
    const char *reason; /* for people; never NULL */
} value;

typedef struct column {
    const char *name;   /* NULL: we cannot tell how the server calls it */
    value value;        /* as its relation gives it, before outer joins above */
    bool refined;       /* a condition of this query level rejects NULL here */
    uint32_t table_oid; /* source of a plain column; 0: an expression */
    int16_t attnum;
} column;

/* Shape of a relation. Not known: a function or a grammar that we do not understand. */
typedef struct shape {
    bool known;   /* false: nothing may be said */
    bool one_row; /* exactly one row for certain */
    column *columns;
    size_t count;
} shape;

/* One relation of a FROM tree. */
typedef struct leaf {
    size_t number;                    /* position among the scope's leaves */
    const char *name;                 /* alias or name; NULL: none */
    const catalog_relation *relation; /* NULL: not a table or view */
    shape shape;                      /* a copy of its own: conditions mark it */
    struct leaf *next;
} leaf;

/* Leaves [first, middle) stand left, [middle, end) right. */
typedef struct join {
    size_t first, middle, end;
    char type; /* as written: i, l, r, f */
    bool nulls_left, nulls_right;
    const ast *quals;             /* of ON; NULL: USING or none */
    const struct var_pair *pairs; /* of USING and NATURAL */
    struct join *next;
} join;

typedef struct item item;

/* A column that a name means: one of a leaf, or two merged by USING. */
typedef struct var {
    const char *name;               /* as references spell it */
    leaf *leaf;                     /* NULL: a merged one */
    size_t index;                   /* in leaf->shape.columns */
    const join *merged;             /* join that merged two; NULL: plain */
    const struct var *left, *right; /* of a merged one */
    const item *owner;              /* whose name qualifies it; NULL for a merged one */
} var;

typedef struct var_pair {
    const var *left, *right;
    const struct var_pair *next;
} var_pair;

/* A name of the FROM clause. */
struct item {
    const char *schema; /* only of tables without alias */
    const char *name;   /* alias or name; NULL: cannot be referred to */
    bool known;         /* its columns are certain */
    bool hidden;        /* behind the alias of a join */
    var *vars;          /* in the order of `*` */
    size_t var_count;
    leaf *leaf; /* NULL: alias of a join */
    item *next;
};

typedef struct cte {
    const char *name; /* hides tables of the same name */
    shape shape;
    const struct cte *next; /* the ones seen earlier and outside */
} cte;

/* Something that cannot be NULL while an expression is looked at. */
typedef struct fact {
    const leaf *leaf; /* a column … */
    size_t index;
    const ast *expr; /* … or an expression of this scope */
    const struct fact *next;
} fact;

typedef struct grouping {
    bool aggregated;     /* GROUP BY, HAVING or an aggregate */
    bool never_empty;    /* every group has a row */
    bool sets;           /* GROUPING SETS, ROLLUP, CUBE */
    bool plain_columns;  /* all group expressions are column references */
    const ast **common;  /* expressions that are in every set */
    const ast **partial; /* expressions that some set leaves out */
    size_t common_count, partial_count;
} grouping;

typedef struct scope {
    const struct scope *parent; /* of the query around; NULL: outermost */
    item *items;                /* names of FROM, from left to right */
    leaf *leaves;               /* relations, the last one first */
    join *joins;                /* the inner ones behind the outer ones */
    size_t leaf_count;
    var *vars; /* what a bare `*` means */
    size_t var_count;
    bool complete;          /* vars are final */
    bool opaque;            /* an item of unknown shape: names that we miss may be its */
    const cte *ctes;        /* visible here */
    const fact *facts;      /* where we look: WHERE's, and those of the CASE branch */
    const fact *base_facts; /* of every row: what is known of a column in another row */
    grouping group;         /* filled by scope_group() */
    bool single_set; /* one set-returning call in the whole target list: nothing pads its rows */
    const ast *statement; /* the node of this level */
} scope;

/* A query that EXISTS asks. */
typedef struct exists_query {
    const ast *select;
    const struct exists_query *next;
} exists_query;

typedef struct analysis analysis;

/* Called once for every query level, when its FROM is known. */
typedef void analysis_visit(analysis *a, scope *s, const ast *statement, void *ctx);

struct analysis {
    const catalog *cat;
    arena *mem;
    bool failed;                       /* memory is gone: the result is worthless */
    unsigned steps, depth, view_depth; /* against ANALYSE_…_MAX */
    const bool *param_not_null;        /* per parameter; NULL: all may be NULL */
    size_t param_count;
    analysis_visit *visit; /* NULL: none */
    void *visit_ctx;
    const exists_query *exists; /* innermost first */
    struct visited *visited;    /* statements that visit() has seen */
    struct view_memo *views;    /* shapes of views seen so far */
};

/* scope.c: names to variables to values. */
void *analysis_new(analysis *a, size_t size);
void *analysis_array(analysis *a, size_t count, size_t size);
/* Reason texts; on lack of memory a fixed text and a->failed. */
const char *analysis_text(analysis *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
value value_unknown(const char *reason);
value value_of_var(analysis *a, const scope *s, const var *v);
/* True when rows of the leaf may be made of NULLs by a join of the scope. */
bool leaf_nulled(const scope *s, const leaf *l);
typedef struct lookup {
    const scope *scope;                  /* where it was found; NULL: not found */
    const var *var;                      /* NULL: a whole row or a system column */
    const item *item;                    /* whose column or row it is */
    const catalog_column *system_column; /* NULL: not one */
    bool whole_row;                      /* the name of an item alone */
} lookup;
/* Column reference to what it names. False: not found or not certain. */
const item *scope_find_item(const scope *s, const char *schema, const char *name);
bool scope_find(analysis *a, const scope *s, const ast *column_ref, lookup *out);
value value_of_lookup(analysis *a, const lookup *found);
bool scope_has_fact(const scope *s, const leaf *l, size_t index);

/* from.c: build the scope of a FROM clause. */
/* With the CTEs and the outer scope that sub-selects see. */
void scope_add_from(analysis *a, scope *s, const ast *from_list);
/* Target table of a data-modifying statement; NULL when it is not known. */
leaf *scope_add_target(analysis *a, scope *s, const ast *range_var);
/* Variables of all items so far become what `*` and bare names mean. */
void scope_complete(analysis *a, scope *s);
shape shape_of_relation(analysis *a, const catalog_relation *relation);
/* Fields of a row type: names and types, every one nullable for that reason. */
shape shape_of_row_type(analysis *a, const catalog_relation *relation, const char *reason);

/* from_function.c */
shape shape_of_function(analysis *a, scope *s, const ast *range_function);
/* Fields of a call outside of FROM, all nullable; not known unless it gives a row. */
shape shape_of_call_row(analysis *a, const scope *s, const ast *call);

/* refine.c: what conditions say about columns. */
/* WHERE, then ON of all joins, to a fixed point. */
void scope_refine(analysis *a, scope *s, const ast *where);
/* Facts that hold where the condition is true, in front of `facts`. */
const fact *facts_when_true(analysis *a, const scope *s, const ast *condition, const fact *facts);
/* Facts that hold where the condition is false or unknown. */
const fact *facts_when_not_true(analysis *a, const scope *s, const ast *condition,
                                const fact *facts);

/* resolve.c: which functions, operators and casts a call may mean. */
typedef struct verdict {
    bool known;          /* at least one candidate, all of them trusted */
    bool strict;         /* all are strict */
    bool total;          /* none can give NULL for arguments that are not NULL */
    uint32_t result_oid; /* 0: they differ or depend on the arguments */
} verdict;
verdict resolve_operator(const analysis *a, const ast *name, uint32_t left, uint32_t right);
/* An operator of that name exists that is neither the server's nor a known extension's. */
bool operator_is_own(const analysis *a, const char *name);
/* Candidates of a call by name and arguments. */
#define RESOLVE_ARGS_MAX 16u
typedef struct call_args {
    size_t count;
    uint32_t types[RESOLVE_ARGS_MAX]; /* 0: not known */
    bool named;                       /* by name: positions mean nothing */
    bool variadic;                    /* the last one is an array for VARIADIC */
} call_args;
typedef struct candidates {
    const catalog_function *items[64]; /* overloads that may be meant */
    size_t count;
    bool overflow; /* more than fit: nothing is claimed */
} candidates;
void resolve_function(const analysis *a, const ast *name, const call_args *args, candidates *out);
/* All come with the server or a known extension. */
bool candidates_trusted(const candidates *found);
bool candidates_kind(const candidates *found, char kind);
uint32_t candidates_result(const analysis *a, const candidates *found, const call_args *args);
/* True when a cast of a value that is not NULL cannot give NULL. */
bool resolve_cast(const analysis *a, uint32_t source, uint32_t target);
bool cast_is_strict(const analysis *a, uint32_t source, uint32_t target);
const catalog_type *type_of_name(const analysis *a, const ast *type_name);
uint32_t array_of(const analysis *a, uint32_t element);
uint32_t element_of(const analysis *a, uint32_t array);

/* function_rules.c: facts about functions by name. */
typedef enum function_rule {
    RULE_STRICT,    /* not NULL when all arguments are not NULL */
    RULE_ALWAYS,    /* never NULL */
    RULE_FIRST,     /* not NULL when the first argument is not NULL */
    RULE_FIRST_TWO, /* … the first two */
    RULE_ANY,       /* not NULL when any argument is not NULL */
    RULE_NEVER      /* may be NULL whatever the arguments are */
} function_rule;
function_rule rule_of_function(const catalog_function *function);
typedef enum aggregate_rule {
    AGGREGATE_ALWAYS, /* count and its like */
    AGGREGATE_ANY,    /* not NULL for any row, whatever its value */
    AGGREGATE_STRICT, /* not NULL when a row with arguments that are not NULL exists */
    AGGREGATE_NEVER
} aggregate_rule;
aggregate_rule rule_of_aggregate(const char *name);
/* Functions in FROM whose only column is not NULL for every row. */
bool rule_rows_not_null(const char *name, size_t arg_count);

/* expr.c, call.c: value of an expression. */
value value_of_expr(analysis *a, const scope *s, const ast *expr);
value value_of_call(analysis *a, const scope *s, const ast *call);
/* Parts that other files need. */
value value_of_sub_select(analysis *a, const scope *s, const ast *select);
const char *last_name(const ast *names);
bool call_is_aggregate(const analysis *a, const ast *call);
/* Values of arguments; types for the resolver. */
void call_arguments(analysis *a, const scope *s, const ast *call, call_args *args, value *values);
/* Aggregate calls inside the node that are not inside sub-selects. With a scope: only those that
 * certainly belong to it (an aggregate over columns of an outer query is the outer query's). */
bool has_aggregate(analysis *a, const scope *s, const ast *node);
/* Calls that return sets inside the node, 2 for more; what is not known counts. */
size_t count_set_returning(const analysis *a, const ast *node);

/* group.c */
void scope_group(analysis *a, scope *s, const ast *select);
/* 1: group expression of every set, -1: NULL in some rows, 0: neither. */
int group_role(analysis *a, const scope *s, const ast *expr);

/* select.c: columns of statements. */
shape shape_of_statement(analysis *a, const scope *outer, const cte *ctes, const ast *statement);
shape shape_of_targets(analysis *a, const scope *s, const ast *targets);
/* What `*` or `t.*` of a target list stands for. */
typedef struct star_columns {
    const scope *scope; /* where the variables are looked at: an outer one for LATERAL t.* */
    const var *vars;
    size_t count;
} star_columns;
/* False when not certain. */
bool scope_star(const scope *s, const ast *column_ref, star_columns *out);
bool is_star(const ast *column_ref);

/* A variable as a result column, with the table that it comes from. */
column column_of_var(analysis *a, const scope *s, const var *v);

/* fields.c: inside of composite values and arrays. */
value value_of_indirection(analysis *a, const scope *s, const ast *expr);
/* What (value).* stands for; not known when the row type is not certain. */
shape shape_of_fields(analysis *a, const scope *s, const ast *expr);
bool is_field_star(const ast *expr);
bool is_any_star(const ast *expr);

/* column_name.c: how the server calls a result column; NULL when not known. */
const char *name_of_expr(analysis *a, const scope *s, const ast *expr);

#endif
