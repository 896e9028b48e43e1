#ifndef PGC_ERROR_H
#define PGC_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <pgc/export.h>

PGC_BEGIN_DECLS

/** One line per status: name, number, text. Numbers are ABI: append, never reuse. */
#define PGC_STATUS_MAP(X)                                        \
    X(OK, 0, "success")                                          \
    X(NOMEM, 1, "out of memory")                                 \
    X(INVALID, 2, "invalid argument or data")                    \
    X(NOT_FOUND, 3, "no such row or object")                     \
    X(CONFLICT, 4, "conflict with existing or concurrent data")  \
    X(CONNECTION, 5, "connection lost or refused")               \
    X(TIMEOUT, 6, "deadline passed")                             \
    X(CANCELLED, 7, "cancelled")                                 \
    X(DENIED, 8, "not allowed")                                  \
    X(DB, 9, "other database error, see sqlstate")               \
    X(PROTOCOL, 10, "unexpected result shape or type")           \
    X(SCHEMA, 11, "database schema is not the one expected")     \
    X(LIMIT, 12, "a configured limit was reached")               \
    X(IO, 13, "file system error, see os_errno")                 \
    X(UNSUPPORTED, 14, "not supported by this server or system") \
    X(CLOSED, 15, "object is closed")                            \
    X(IN_DOUBT, 16, "whether the transaction was committed is not known")

/** Result of every function that can fail. Values from 1000 on belong to the domain above pgc. */
typedef enum pgc_status {
#define X(name, number, text) PGC_##name = number,
    PGC_STATUS_MAP(X)
#undef X
        PGC_STATUS_DOMAIN = 1000
} pgc_status;

/** What identifies a transaction when its outcome has to be asked for; id 0: not known. */
typedef struct pgc_xact {
    uint64_t id;        /**< pg_current_xact_id() */
    uint64_t system_id; /**< system identifier of its server; 0: not known */
    uint32_t timeline;  /**< of the write-ahead log when it wrote */
    int32_t pid;        /**< its server process */
    int64_t run;        /**< of the server: another one after each crash */
} pgc_xact;

/** What is known about the work of a failed call; decides whether it may simply be sent again. */
typedef enum pgc_outcome {
    PGC_OUTCOME_NONE = 0,      /**< the question does not arise: the server judged it, or we did */
    PGC_OUTCOME_NOT_RUN = 1,   /**< not sent, skipped, or rolled back: safe to send again */
    PGC_OUTCOME_CANCELLED = 2, /**< cancelled, and the server confirmed that: had no effect */
    PGC_OUTCOME_UNKNOWN = 3    /**< sent, and the answer was lost: it may have been done */
} pgc_outcome;

/**
 * Why a call failed. Caller-owned, no heap inside: copy it freely, nothing to free.
 * Texts are always NUL-terminated and may be cut.
 */
typedef struct pgc_error {
    pgc_status status;
    bool retry;          /**< running the whole transaction again may succeed */
    char sqlstate[6];    /**< five characters; "" when the server was not involved */
    int32_t position;    /**< 1-based character in the SQL text; 0 when unknown */
    int32_t os_errno;    /**< errno of the failed system call; 0 when none */
    char constraint[64]; /**< constraint the server named */
    char table[64];      /**< table the server named */
    char column[64];     /**< column the server named */
    char routine[64];    /**< server function that raised the error */
    char query[64];      /**< name of the typed query that failed */
    char message[512];   /**< "outer: inner: cause" */
    char detail[256];    /**< the server's DETAIL */
    char hint[256];      /**< the server's HINT or our way out */
    const char *file;    /**< static text: where the innermost message was set */
    int32_t line;
    pgc_outcome outcome; /**< may the work have been done all the same? */
    pgc_xact xact;       /**< with PGC_IN_DOUBT: the transaction, for pgc_tx_resolve() */
    char reserved[24];   /**< zero; room to grow without breaking compiled callers */
} pgc_error;

/**
 * Empty an error.
 *
 * @param err may be NULL.
 *
 * Blocks: no. Thread-safe: one thread per error. Since: 0.1.
 */
PGC_API void pgc_error_clear(pgc_error *err);

/** Set *err (skipped when NULL) and return status, so that `return pgc_error_set(…)` reads well. */
#define pgc_error_set(err, status, ...) \
    pgc_error_set_at((err), (status), __FILE__, __LINE__, __VA_ARGS__)

/**
 * What pgc_error_set() expands to.
 *
 * @param err    cleared, then filled; may be NULL.
 * @param status the status to store and return.
 * @param file   static text; kept as a pointer.
 * @param fmt    printf format of the message; cut at the size of pgc_error.message.
 * @return status.
 *
 * Blocks: no. Thread-safe: one thread per error. Since: 0.1.
 */
PGC_API pgc_status pgc_error_set_at(pgc_error *err, pgc_status status, const char *file,
                                    int32_t line, const char *fmt, ...) PGC_PRINTF(5, 6);

/**
 * Set an error from errno: stores os_errno and appends ": " and its text to the message.
 *
 * @param os_errno value of errno right after the failed call. ENOMEM gives PGC_NOMEM, EACCES and
 *                 EPERM give PGC_DENIED, all others PGC_IO.
 * @return the status stored.
 *
 * Blocks: no. Thread-safe: one thread per error. Since: 0.1.
 */
PGC_API pgc_status pgc_error_errno(pgc_error *err, int32_t os_errno, const char *fmt, ...)
    PGC_PRINTF(3, 4);

/**
 * Put "context: " in front of the message.
 *
 * @param err    may be NULL.
 * @param status what the failed call returned; PGC_OK makes this a no-op.
 * @return status unchanged.
 *
 * Blocks: no. Thread-safe: one thread per error. Since: 0.1.
 */
PGC_API pgc_status pgc_error_wrap(pgc_error *err, pgc_status status, const char *fmt, ...)
    PGC_PRINTF(3, 4);

/**
 * Set the hint: what the user can do about it.
 *
 * @param err may be NULL.
 *
 * Blocks: no. Thread-safe: one thread per error. Since: 0.1.
 */
PGC_API void pgc_error_hint(pgc_error *err, const char *fmt, ...) PGC_PRINTF(2, 3);

/**
 * Text of a status.
 *
 * @return static text; "unknown status" for numbers that pgc does not define.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API const char *pgc_status_text(pgc_status status);

PGC_END_DECLS

#endif
