/* Several messages in one round trip (libpq pipeline mode) and the answers that belong to them.
 * libpq does not say which command an answer is for: the steps are the queue of expectations. */
#ifndef PGC_EXCHANGE_H
#define PGC_EXCHANGE_H

#include <pgc/query.h>

#include "pgc/call.h"

typedef enum step_kind { STEP_PREPARE, STEP_DESCRIBE, STEP_CLOSE, STEP_QUERY, STEP_SYNC } step_kind;

typedef struct step {
    step_kind kind;
    bool aborted;     /* an earlier error of its group kept it from running */
    PGresult *result; /* the answer, also when it is an error; of STEP_SYNC only an error at
                         commit */
} step;

#define EXCHANGE_INLINE_STEPS 16u

typedef struct exchange {
    call_state call;
    pgc_status status; /* first failure to send; exchange_finish() returns it */
    step *steps;
    size_t count, cap;
    size_t answered; /* steps whose answer is complete */
    bool was_end;    /* the last thing read was the end mark of a command */
    bool hurry;      /* pieces have what is left of the deadline in all, not anew each */
    step inline_steps[EXCHANGE_INLINE_STEPS];
    pgc_error *err;
} exchange;

/* Values of one query as libpq takes them; all in binary. */
typedef struct query_params {
    size_t count;
    const Oid *types;
    const char *const *values;
    const int *lengths;
    bool text_rows; /* rows are wanted as text, not in binary */
} query_params;

/* One format code per value, all binary. */
extern const int EXCHANGE_ALL_BINARY[PGC_ARGS_MAX];

/* Start; exchange_done() must follow. err is where all later failures are told. */
void exchange_begin(exchange *ex, pgc_conn *conn, int64_t timeout_us, pgc_error *err);

/* Queue messages. Failures are kept; each returns the index of its step. Statement text is for
 * "parse and run in one go", a name for a prepared one. */
size_t exchange_prepare(exchange *ex, const char *name, const char *sql, const Oid *types,
                        size_t type_count);
size_t exchange_describe(exchange *ex, const char *name);
size_t exchange_text(exchange *ex, const char *sql, const query_params *params);
size_t exchange_named(exchange *ex, const char *name, const query_params *params);
/* Close a prepared statement, whether there is one or not; only where pq->sendClosePrepared is. */
size_t exchange_close(exchange *ex, const char *name);
/* End of a group: commits its implicit transaction. */
size_t exchange_sync(exchange *ex);

/* Take all answers. PGC_OK when every step has its answer, be it an error of the server; else the
 * connection is lost. per_step: the timeout counts anew after each step. */
pgc_status exchange_finish(exchange *ex, bool per_step) PGC_MUST_CHECK;
/* Take the answers up to that of the step `at`, while others may follow; the timeout counts from
 * now on, and anew after each step. */
pgc_status exchange_await(exchange *ex, size_t at) PGC_MUST_CHECK;
/* Drop the steps that were answered, with what nobody took of them: how many; later ones have
 * numbers that much smaller now. */
size_t exchange_forget(exchange *ex);
/* Take the answers in front of the step `at`, then have its rows come in pieces: up to `rows` at a
 * time where libpq can do that, else one by one. After a failure to send there is nothing to take.
 */
pgc_status exchange_stream(exchange *ex, size_t at, uint32_t rows) PGC_MUST_CHECK;
/* The next piece of the rows of the step `at`, to be cleared by the caller; NULL when there are no
 * more: then the step's own answer (command tag or error) is there. */
pgc_status exchange_piece(exchange *ex, size_t at, PGresult **piece_out) PGC_MUST_CHECK;
/* Judge an answer that just came: PGC_OK also for errors of the server that leave the session
 * intact. Others, and COPY, mark the connection as lost. */
pgc_status answer_check(const call_state *call, const PGresult *result, pgc_error *err)
    PGC_MUST_CHECK;
/* An answer's error as pgc_error, PGC_OK when it is none. What our own deadline caused is
 * PGC_TIMEOUT. */
pgc_status answer_status(const call_state *call, const PGresult *result, const char *what,
                         pgc_error *err) PGC_MUST_CHECK;
/* The server's error of a step as pgc_error, PGC_CANCELLED for aborted ones, PGC_OK otherwise. An
 * error that our own deadline caused is PGC_TIMEOUT. */
pgc_status exchange_status(const exchange *ex, size_t index, const char *what, pgc_error *err);
/* Take a step's answer: the caller clears it. */
PGresult *exchange_take(exchange *ex, size_t index);
void exchange_done(exchange *ex);

#endif
