#ifndef PGC_QUERY_H
#define PGC_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include <pgc/alloc.h>
#include <pgc/error.h>
#include <pgc/types.h>

PGC_BEGIN_DECLS

/*
 * A typed query is three things: a constant descriptor (pgc_query), the values of one call
 * (pgc_args) and the rows of one answer (pgc_result read through pgc_reader). sqlc-gen-c writes the
 * descriptors; people may write them by hand.
 */

/** Type of a parameter or column. */
typedef struct pgc_type_ref {
    const char *name; /**< column or parameter name, for messages */
    const char *type; /**< type name as format_type() prints it without modifier, e.g. "vector" */
    uint32_t oid;     /**< built-in OID; 0 for extension and user types, whose OIDs differ */
} pgc_type_ref;

/** A composite type: what its fields must be. Constant, as pgc_query. */
typedef struct pgc_record_type {
    const char *name;           /**< for messages */
    const pgc_type_ref *fields; /**< field_count entries */
    uint16_t field_count;
} pgc_record_type;

#define PGC_QUERY_UNNAMED   1u /**< parse at each call: custom plan, works behind any pooler */
#define PGC_QUERY_READ_ONLY 2u /**< may be routed to a replica; may be cancelled half read */
#define PGC_QUERY_TEXT_ROWS 4u /**< a column's type has no binary form: all come as text */
#define PGC_QUERY_SESSION   8u /**< changes the session: a pool cleans it at release */
/** One plan for all values, made once per connection. Holds for calls on a pool, scope or set,
 * transactions of their own; on a connection and in a transaction the server chooses. */
#define PGC_QUERY_GENERIC 16u

/**
 * Constant facts about one query. The descriptor must outlive the results of its calls, columns
 * static storage; name and text of one that is made at run time need not live longer than that.
 */
typedef struct pgc_query {
    const char *name; /**< e.g. "GetAsset" */
    const char *sql;  /**< final text, one statement, $1… parameters, no trailing semicolon */
    uint64_t hash;    /**< of (sql, parameter types); names the prepared statement */
    uint32_t flags;   /**< PGC_QUERY_* */
    uint16_t param_count;
    uint16_t column_count;       /**< 0: no rows come back, or their shape is not checked */
    const pgc_type_ref *params;  /**< param_count entries */
    const pgc_type_ref *columns; /**< column_count entries */
    size_t row_size;             /**< bytes of the C row struct; sizes the result's first block */
} pgc_query;

#define PGC_ARGS_MAX 64u /**< parameters of one query; more means: use an array parameter */

/**
 * Values of one call. Lives on the stack; big values are borrowed, small ones are encoded inside.
 * Fields are read by the library only. Do not copy it: values point into scratch.
 */
typedef struct pgc_args {
    const pgc_alloc *alloc;
    struct pgc_args_chunk *heap; /**< encoded values that scratch has no room for */
    struct pgc_args_nest *nest;  /**< composite or array being built; NULL before the first */
    const char *reason;          /**< static text: why status is not PGC_OK */
    pgc_status status; /**< first failure; later adds do nothing; pgc_db_run() returns it */
    uint16_t count;
    uint16_t bad_index; /**< parameter of the first failure, from 0 */
    uint16_t scratch_used;
    const char *values[PGC_ARGS_MAX]; /**< NULL is SQL NULL */
    int32_t lengths[PGC_ARGS_MAX];    /**< bytes */
    uint8_t scratch[512];             /**< encoded scalars */
} pgc_args;

/**
 * Start an argument list. Parameters are added in order, $1 first; all values are sent in binary.
 *
 * @param alloc NULL for libc.
 *
 * Blocks: no. Thread-safe: one thread per list. Since: 0.1.
 */
PGC_API void pgc_args_init(pgc_args *args, const pgc_alloc *alloc);

/** Free what the list holds; the list may be started again. */
PGC_API void pgc_args_done(pgc_args *args);

/** Empty the list but keep its memory for the next values: for loops over rows. */
PGC_API void pgc_args_reset(pgc_args *args);

/**
 * State that the value added last must not be NULL; if it is, the list fails with PGC_INVALID.
 * For parameters of NOT NULL columns, so that a forgotten pointer is caught before the server.
 */
PGC_API void pgc_args_not_null(pgc_args *args);

/*
 * Adders. The first failure is kept in args->status and args->reason: PGC_NOMEM; PGC_LIMIT for more
 * than PGC_ARGS_MAX parameters; PGC_INVALID for a value that the server would refuse or damage
 * (over 1 GiB, text that is not UTF-8 or holds NUL, vector with no or too many dimensions or a
 * component that is not finite, numeric whose dscale hides digits). pgc_add_null() is SQL NULL of
 * whatever type. Text, bytes and JSON are borrowed until pgc_db_run() returns, everything else is
 * encoded at once. NULL pointers are SQL NULL.
 */
PGC_API void pgc_add_null(pgc_args *args);

#define X(name, type)                                        \
    PGC_API void pgc_add_##name(pgc_args *args, type value); \
    PGC_API void pgc_add_opt_##name(pgc_args *args, pgc_opt_##name value);
PGC_OPT_MAP(X)
#undef X

/* pgc_add_jsonb() puts a version byte in front, as do jsonpath and ltree, which may use it. */
#define X(name, type) PGC_API void pgc_add_##name(pgc_args *args, type value);
PGC_POINTER_MAP(X)
#undef X

/* Ranges: an empty one needs no bounds; an infinite bound is not looked at. */
#define X(name, type)                                                          \
    PGC_API void pgc_add_range_##name(pgc_args *args, pgc_range_##name value); \
    PGC_API void pgc_add_multirange_##name(pgc_args *args, pgc_multirange_##name value);
PGC_RANGE_MAP(X)
#undef X

#define PGC_OID_UNCHECKED 0xFFFFFFFFu /**< type OID that the server does not compare */

/*
 * Arrays. The server refuses an array whose element OID is another built-in type than the one it
 * expects. pgc_add_arr_x() sends the usual type of x: pgc_add_arr_text() text[], …_u32() oid[],
 * …_u64() xid8[], …_inet() inet[], …_bits() varbit[]. The _of forms send other types of the same
 * binary form: 1043 for varchar[], 1700 …; PGC_OID_UNCHECKED for enums and types of extensions,
 * whose OIDs differ between databases, and it is what vector[] and its like send anyway.
 */
#define X(name, type)                                                          \
    PGC_API void pgc_add_arr_##name(pgc_args *args, pgc_arr_##name value);     \
    PGC_API void pgc_add_arr_##name##_of(pgc_args *args, pgc_arr_##name value, \
                                         uint32_t element_oid);
PGC_ARRAY_MAP(X)
#undef X

/*
 * Values inside values, of any type and any nesting up to PGC_NEST_MAX. Each begin needs its end.
 * Between them the adders above add fields, elements or bounds instead of parameters.
 *
 *     pgc_add_record_begin(&args, &PAIR_TYPE);
 *     pgc_add_i32(&args, 7);
 *     pgc_add_text(&args, pgc_text_from("seven"));
 *     pgc_add_end(&args);
 */

/**
 * A composite value: its fields follow, in order, all of them.
 *
 * @param type their OIDs go to the server, which compares those of built-in types; 0 and NULL are
 *             not compared.
 *
 * Blocks: no. Thread-safe: one thread per list. Since: 0.1.
 */
PGC_API void pgc_add_record_begin(pgc_args *args, const pgc_record_type *type);

/**
 * An array: its elements follow.
 *
 * @param element_oid built-in OID, or PGC_OID_UNCHECKED.
 * @param ndim        dimensions, 0..PGC_DIMS_MAX; 0: one dimension from 1, as many as follow.
 * @param dims        ndim of them; copied. The product of the counts must be what follows.
 *
 * Blocks: no. Thread-safe: one thread per list. Since: 0.1.
 */
PGC_API void pgc_add_array_begin(pgc_args *args, uint32_t element_oid, uint32_t ndim,
                                 const pgc_dim *dims);

/**
 * A range of any subtype: its finite bounds follow, the lower one first.
 *
 * @param flags PGC_RANGE_*.
 *
 * Blocks: no. Thread-safe: one thread per list. Since: 0.1.
 */
PGC_API void pgc_add_range_begin(pgc_args *args, uint8_t flags);

/** A multirange of any subtype: its ranges follow. */
PGC_API void pgc_add_multirange_begin(pgc_args *args);

/** Ends what was begun last. PGC_INVALID in args->status when parts are missing or too many. */
PGC_API void pgc_add_end(pgc_args *args);

/** Rows of one answer with an arena for what is decoded from them. Opaque; free it once. */
typedef struct pgc_result pgc_result;

/** Free rows, decoded values and the handle. NULL is allowed. */
PGC_API void pgc_result_free(pgc_result *result);

/** Rows that came back. */
PGC_API size_t pgc_result_rows(const pgc_result *result);
/** Columns of each of them. */
PGC_API size_t pgc_result_columns(const pgc_result *result);

/** Rows that INSERT, UPDATE, DELETE, MERGE or SELECT reported; 0 when none were. */
PGC_API int64_t pgc_result_affected(const pgc_result *result);

/** Command tag, such as "INSERT 0 3"; "" when there is none. Lives as long as the result. */
PGC_API const char *pgc_result_tag(const pgc_result *result);

/** Zeroed memory that lives as long as the result; NULL when memory is exhausted. */
PGC_API void *pgc_result_alloc(pgc_result *result, size_t size);

/**
 * Room for `count` elements, such as the row structs of the result; as pgc_result_alloc(), but not
 * zeroed, which a loop that writes every element does not need.
 *
 * @param size bytes of an element.
 * @return aligned to 16; NULL when memory is exhausted or the product does not fit.
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API void *pgc_result_array(pgc_result *result, size_t count, size_t size);

PGC_END_DECLS

#include <pgc/reader.h> /* needs the types above */

#endif
