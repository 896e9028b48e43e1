/* The common part of CEL, the Common Expression Language, in which vet rules are written: literals,
 * lists, maps, fields, indexes, all operators, the macros has, all, exists, exists_one, filter and
 * map, conversions and functions on text. Not in it: bytes, unsigned numbers, messages, time,
 * format(). Rules of evaluation are those of the language definition (cel-spec): integers do not
 * overflow silently, && and || are true or false when one side decides, whatever the other does. */
#ifndef SQLC_CEL_H
#define SQLC_CEL_H

#include <pgc/error.h>

#include "base/arena.h"

typedef enum cel_kind {
    CEL_NULL = 0,
    CEL_BOOL,
    CEL_INT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_LIST,
    CEL_MAP
} cel_kind;

typedef struct cel_value cel_value;
typedef struct cel_entry cel_entry;

struct cel_value {
    cel_kind kind;
    size_t count; /* LIST: items, MAP: entries */
    union {
        bool boolean;
        int64_t integer;
        double number;
        slice text;
        const cel_value *items;
        const cel_entry *entries;
    } v;
};

struct cel_entry {
    slice key;
    cel_value value;
    bool unset; /* a default stands here: the field reads so, has() says no */
};

/* A parsed expression. */
typedef struct cel_expr cel_expr;

/* What went wrong where. */
typedef struct cel_problem {
    size_t at; /* byte offset in the expression */
    char message[256];
} cel_problem;

/* Parse; names: the variables that may be used. PGC_OK; PGC_INVALID (see *problem); PGC_NOMEM. */
pgc_status cel_parse(arena *arena, slice text, const char *const *names, size_t name_count,
                     const cel_expr **out, cel_problem *problem) PGC_MUST_CHECK;
/* Evaluate; variables: a MAP. Values live in the arena. PGC_OK; PGC_INVALID (see *problem), also
 * when it takes too many steps; PGC_NOMEM. */
pgc_status cel_eval(arena *arena, const cel_expr *expr, const cel_value *variables, cel_value *out,
                    cel_problem *problem) PGC_MUST_CHECK;

/* "int", "string", … */
const char *cel_kind_name(cel_kind kind);
bool cel_equal(const cel_value *a, const cel_value *b);
/* Entry of a MAP; NULL: there is none. */
const cel_entry *cel_find(const cel_value *map, slice key);

static inline cel_value cel_bool(bool value)
{
    return (cel_value) { .kind = CEL_BOOL, .v.boolean = value };
}

static inline cel_value cel_int(int64_t value)
{
    return (cel_value) { .kind = CEL_INT, .v.integer = value };
}

static inline cel_value cel_double(double value)
{
    return (cel_value) { .kind = CEL_DOUBLE, .v.number = value };
}

static inline cel_value cel_text(slice text)
{
    return (cel_value) { .kind = CEL_STRING, .v.text = text };
}

static inline cel_value cel_list(const cel_value *items, size_t count)
{
    return (cel_value) { .kind = CEL_LIST, .count = count, .v.items = items };
}

static inline cel_value cel_map(const cel_entry *entries, size_t count)
{
    return (cel_value) { .kind = CEL_MAP, .count = count, .v.entries = entries };
}

#endif
