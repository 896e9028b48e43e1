/* Static analysis of one statement: star expansion, NULL claims, parameter facts.
 *
 * All three parse the text with libpg_query. A statement that libpg_query cannot parse (newer
 * grammar) is not an error for the provers: nothing is claimed and the reason says so. They never
 * reject what the server accepts. Results live in the caller's arena. err->position counts
 * characters of `sql` from 1. Thread-safe as long as each call has its own arena. */
#ifndef SQLC_PROVE_H
#define SQLC_PROVE_H

#include "base/arena.h"
#include "sqlc/catalog.h"

struct ast; /* see ast.h */

typedef struct null_claim {
    bool not_null;       /* proved: the server never sends NULL in this column */
    bool elems_not_null; /* arrays: proved, no element is NULL */
    const char *reason;  /* short text, never NULL: "assets.asset_id is NOT NULL" */
} null_claim;

/* Where a parameter stands first; later uses only fill what is still unknown. */
typedef enum param_context {
    PARAM_OTHER = 0,
    PARAM_TARGET,   /* INSERT value or SET target: not_null is the column's */
    PARAM_COMPARE,  /* operand of an operator, IN or BETWEEN beside a column */
    PARAM_ARGUMENT, /* function argument */
    PARAM_CAST,     /* $1::type */
    PARAM_LIMIT     /* LIMIT, OFFSET, FETCH FIRST */
} param_context;

typedef struct param_fact {
    const char *name;      /* proposed name; NULL: none */
    uint32_t table_oid;    /* column the parameter is attributed to; 0: none */
    int16_t attnum;        /* with table_oid */
    bool not_null;         /* by sqlc's rule for the context (sqlc.md §2.4) */
    bool array;            /* stands for many: = ANY($1), unnest($1) */
    bool equals_only;      /* every use is "column = $n" or IN: NULL would never match */
    param_context context; /* of the use that decided */
} param_fact;

/* Replace every `*` and `t.*` of target lists and RETURNING by explicit columns, at every level;
 * the rest of the text stays byte for byte. *out is sql itself when there is nothing to do.
 * PGC_OK; PGC_UNSUPPORTED (a star whose columns are not certain); PGC_INVALID (libpg_query rejects
 * the text, or a star names no FROM item); PGC_NOMEM. */
pgc_status star_expand(const catalog *cat, slice sql, arena *arena, slice *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The same with the tree of the text, as ast_parse() gave it: parsing is most of the work. */
pgc_status star_expand_given(const catalog *cat, slice sql, const struct ast *tree, arena *arena,
                             slice *out, pgc_error *err) PGC_MUST_CHECK;

/* Claims of the column_count result columns that the server describes. When our own count differs
 * nothing is claimed. PGC_OK; PGC_NOMEM. */
pgc_status prove_columns(const catalog *cat, slice sql, size_t column_count, arena *arena,
                         null_claim *claims, pgc_error *err) PGC_MUST_CHECK;

/* The same with what the caller guarantees about parameters: param_not_null[i] is true when the
 * generated function can never send NULL as $i+1. Without it every parameter may be NULL, and so
 * may `1 - (embedding <=> $1)`. */
typedef struct prove_input {
    slice sql;                  /* final text */
    const bool *param_not_null; /* param_count entries; NULL: all may be NULL */
    size_t param_count;
    const struct ast *tree; /* of sql, as ast_parse() gave it; NULL: it is parsed here */
} prove_input;
pgc_status prove_columns_given(const catalog *cat, const prove_input *input, size_t column_count,
                               arena *arena, null_claim *claims, pgc_error *err) PGC_MUST_CHECK;

/* Claims of the columns of a view, by its definition; relation->column_count of them. PGC_OK;
 * PGC_NOMEM. */
pgc_status prove_view(const catalog *cat, const catalog_relation *view, arena *arena,
                      null_claim *claims, pgc_error *err) PGC_MUST_CHECK;

/* What the server calls each of the column_count result columns; NULL entries are not known. When
 * our own count differs none is. PGC_OK; PGC_NOMEM. */
pgc_status prove_names(const catalog *cat, slice sql, size_t column_count, arena *arena,
                       const char **names, pgc_error *err) PGC_MUST_CHECK;

/* Facts about $1 … $param_count. PGC_OK; PGC_NOMEM. */
pgc_status prove_params(const catalog *cat, slice sql, size_t param_count, arena *arena,
                        param_fact *facts, pgc_error *err) PGC_MUST_CHECK;
/* The same with text, tree and number from input; the rest of it is not looked at. */
pgc_status prove_params_given(const catalog *cat, const prove_input *input, arena *arena,
                              param_fact *facts, pgc_error *err) PGC_MUST_CHECK;

#endif
