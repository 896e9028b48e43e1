/* Parts of the functions of one query, shared by the forms that they take: one call, an iterator, a
 * batch, COPY. */
#ifndef SQLC_EMIT_QUERY_H
#define SQLC_EMIT_QUERY_H

#include "sqlc/emit.h"

/* How the result reaches the caller. */
typedef enum result_form {
    RESULT_NONE,     /* :exec */
    RESULT_AFFECTED, /* :execrows */
    RESULT_COMMAND,  /* :execresult: the whole result, for its tag */
    RESULT_VALUE,    /* :one of a value that points nowhere */
    RESULT_SET
} result_form;
result_form query_form(const ir_query *q);

/* Parameters are function parameters, not a struct. */
bool query_by_value(const emitter *e, const ir_query *q);
/* Its values are added by a function of their own, because several functions send them. */
bool query_has_bind(const ir_query *q);

/* A list of C parameters or arguments. */
typedef struct emit_args {
    const char *items[24];
    size_t count;
} emit_args;
/* Append the query's parameters: declarations, or the names for a call. */
void emit_param_list(emitter *e, const ir_query *q, bool declare, emit_args *args);
/* The output before err, declared; NULL: there is none. */
const char *emit_out_param(emitter *e, const ir_query *q);
/* One of the functions that a query gives. */
typedef struct emit_function {
    const char *type;   /* what it returns */
    const char *suffix; /* of its name: "", "_open", … */
    emit_args args;
} emit_function;
/* "TYPE PREFIX_QUERY<suffix>(args)tail". */
void emit_signature(emitter *e, const ir_query *q, const emit_function *f, const char *tail);
/* The functions of each form; EMIT_FUNCTIONS_MAX at most. Returns their number. */
#define EMIT_FUNCTIONS_MAX 4u
emit_function emit_call_function(emitter *e, const ir_query *q);
size_t emit_iterator_functions(emitter *e, const ir_query *q, emit_function *out);
size_t emit_bulk_functions(emitter *e, const ir_query *q, emit_function *out);
size_t emit_batch_functions(emitter *e, const ir_query *q, emit_function *out);

/* emit_bind.c: the struct of parameters and the code that adds their values. */
void emit_params_struct(emitter *e, const ir_query *q);
void emit_param_comment(emitter *e, const ir_param *param);
/* Early returns for values that cannot be sent. from: "p->" or "". */
void emit_checks(emitter *e, const ir_query *q, const char *from);
/* Add one value. args: C expression of the list. */
void emit_add(emitter *e, const ir_type *type, bool nullable, const char *args, const char *value);
/* All values in order; args as for emit_add(). */
void emit_add_all(emitter *e, const ir_query *q, const char *args, const char *from);
/* Declares `status` and, with dynamic parts, `variant`. args: expression of a list, which is
 * started here. */
void emit_bind_call(emitter *e, const ir_query *q, const char *args);
/* The function QUERY_bind(), for queries that have one. */
void emit_bind(emitter *e, const ir_query *q);

/* emit_descriptor.c: the constants that the runtime works with. */
void emit_descriptor(emitter *e, const ir_query *q);
/* One line of a table of types. */
void emit_type_ref(emitter *e, const char *name, const ir_type *type);
/* Rows of :exec queries are not asked for. */
size_t emit_column_count(const ir_query *q);

/* emit_variant.c: which text of a query with dynamic parts is sent. Its fields of the parameters'
 * struct, its enums, the function QUERY_variant() and the call of it. */
void emit_choice_types(emitter *e, const ir_query *q);
void emit_choice_fields(emitter *e, const ir_query *q);
void emit_variant(emitter *e, const ir_query *q);
void emit_variant_call(emitter *e, const ir_query *q);

/* Whose the result is and when it is written: a line of a comment. */
void emit_result_doc(emitter *e, const ir_query *q);
/* The comment above a function. */
void emit_query_doc(emitter *e, const ir_query *q);
/* From `result` and `status` to the caller's outputs, to the end of the body. */
void emit_finish(emitter *e, const ir_query *q);

/* emit_iterator.c: open, next and close of a :many query. */
void emit_iterator_header(emitter *e, const ir_query *q);
void emit_iterator_source(emitter *e, const ir_query *q);

/* emit_bulk.c: many rows in one call. */
void emit_bulk_header(emitter *e, const ir_query *q);
void emit_bulk_source(emitter *e, const ir_query *q);

/* emit_interface.c: the table of all functions. For sets with queries. */
pgc_status emit_interface_header(emitter *e, pgc_error *err) PGC_MUST_CHECK;
void emit_interface_source(emitter *e);

/* emit_batch.c: add and take of a :batch query. */
void emit_batch_header(emitter *e, const ir_query *q);
void emit_batch_source(emitter *e, const ir_query *q);

#endif
