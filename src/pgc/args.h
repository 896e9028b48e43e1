/* What the argument encoders share, and the check that callers of libpq make before they send. */
#ifndef PGC_ARGS_H
#define PGC_ARGS_H

#include <pgc/query.h>

/* The one check before args are sent: PGC_OK; or the list's first failure, or PGC_INVALID when the
 * number of values is not the query's, both naming query and parameter. args NULL: no values. */
pgc_status args_check(const pgc_args *args, const pgc_query *query, pgc_error *err) PGC_MUST_CHECK;

/* Record the first failure, of the parameter to be added next; reason is static text. */
void args_fail(pgc_args *args, pgc_status status, const char *reason) __attribute__((cold));
/* Room for the next parameter's `size` bytes, which the caller fills; NULL after a failure. */
uint8_t *args_room(pgc_args *args, size_t size);
/* The next parameter is borrowed: bytes stay where they are. False after a failure. */
bool args_borrow(pgc_args *args, const void *bytes, size_t len);

/* Values that scratch has no room for; data never moves once it belongs to a list. */
struct pgc_args_chunk {
    struct pgc_args_chunk *next;
    size_t size, used; /* bytes of data */
    uint8_t data[];
};

/* One value inside which others are added. */
typedef struct args_level {
    uint8_t kind;  /* of args_kind */
    uint8_t flags; /* of a range */
    bool has_null;
    size_t start;                /* where its bytes begin */
    size_t count;                /* parts so far */
    size_t want;                 /* parts it must have; SIZE_MAX: any number */
    const pgc_record_type *type; /* of a record; may be NULL */
} args_level;

/* A composite, array or range that is being built; the outermost becomes a parameter. */
struct pgc_args_nest {
    struct pgc_args_chunk *bytes; /* grows until the outermost value ends */
    size_t depth;                 /* 0: nothing is being built */
    bool last_null;               /* of the part added last */
    args_level levels[PGC_NEST_MAX];
};

static inline bool args_is_nested(const pgc_args *args)
{
    return args->nest != NULL && args->nest->depth > 0;
}

/* Append a value that is complete; the list has room. */
void args_append(pgc_args *args, const void *bytes, size_t len);
/* args_room(), args_borrow() and pgc_args_not_null() while something is being built. */
uint8_t *args_nest_room(pgc_args *args, size_t size);
bool args_nest_copy(pgc_args *args, const void *bytes, size_t len);
void args_nest_not_null(pgc_args *args);
/* Free what is being built. */
void args_nest_free(pgc_args *args);

#endif
