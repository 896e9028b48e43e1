/* Dynamic parts of a query: text that its caller may leave out or exchange. They are written as
 * comments, so that the text stays valid SQL with every part in its first form. */
#ifndef SQLC_BLOCKS_H
#define SQLC_BLOCKS_H

#include "sqlc/source.h"

/* One decision of the caller. */
typedef struct block_choice {
    const char *name;    /* as written: of a parameter, a flag or a switch */
    bool is_switch;      /* else a block that is there or not */
    vec options;         /* of const char *: names of the texts of a switch, the default first */
    size_t option_count; /* 2 for blocks: there, left out */
    size_t stride;       /* variant = sum of option * stride */
    size_t at;           /* byte offset of its first mark in the file */
} block_choice;

/* Text that is there only while a choice has one option. */
typedef struct block_region {
    size_t choice, option;
    size_t start, end; /* bytes of the file */
    bool condition;    /* reads "true" when it is left out: a conjunct of WHERE */
} block_region;

/* A mark itself: never part of the SQL. */
typedef struct block_mark {
    size_t start, end;
} block_mark;

typedef struct query_blocks {
    vec choices;          /* of block_choice */
    vec regions;          /* of block_region */
    vec marks;            /* of block_mark */
    size_t variant_count; /* 1 without choices */
} query_blocks;

/* Find the parts of a query: @if, @switch, @optional. Mistakes go to diags (then *ok is false).
 * PGC_OK; PGC_NOMEM. */
pgc_status blocks_read(arena *arena, const query_source *query, diag_list *diags, query_blocks *out,
                       bool *ok, pgc_error *err) PGC_MUST_CHECK;
/* The query in one of its forms: what is not there is blank, so that every offset stays. */
pgc_status blocks_variant(arena *arena, const query_source *query, const query_blocks *blocks,
                          size_t variant, query_source *out, pgc_error *err) PGC_MUST_CHECK;

/* blocks_optional.c: regions of the conjuncts that hold parameter `name`. False: there is none, or
 * an OR beside it; *why then says so. */
bool blocks_find_conjuncts(arena *arena, const query_source *query, const char *name, vec *regions,
                           const char **why);
/* blocks_optional.c: parameter `name` stands in src from byte `from` on. */
bool blocks_hold_param(slice src, size_t from, const char *name);

#endif
