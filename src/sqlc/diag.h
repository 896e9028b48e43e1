/* What the user gets to read: "file:line:col: message" with a hint, collected so that one run
 * reports every faulty query and not only the first. */
#ifndef SQLC_DIAG_H
#define SQLC_DIAG_H

#include <pgc/error.h>

#include "base/arena.h"
#include "base/slice.h"
#include "sqlc/vec.h"

/* A text file as read; path is what messages show. */
typedef struct source_file {
    const char *path; /* below the config's folder */
    slice text;       /* owned by the arena */
} source_file;

typedef struct diag {
    const char *path;      /* sorts first */
    uint32_t line, column; /* 1-based; 0: the file as a whole */
    bool warning;          /* does not fail the run */
    char sqlstate[6];      /* "" unless the server said it */
    const char *message;   /* without place and hint */
    const char *hint;      /* NULL: none */
    const char *excerpt;   /* the line, or what is around the place; NULL: not known */
    uint32_t caret;        /* characters of the excerpt before the place */
} diag;

typedef struct diag_list {
    arena *arena;
    vec items;          /* of diag, in the order found */
    size_t error_count; /* warnings not counted */
    bool failed;        /* memory ran out: some are missing */
} diag_list;

/* Line and column (in characters) of a byte offset, both 1-based. */
void source_position(slice text, size_t offset, uint32_t *line, uint32_t *column);

/* Add an error at a place given by line and column. The result may get a hint; NULL: no memory. */
diag *diag_error_at(diag_list *list, const char *path, uint32_t line, uint32_t column,
                    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
diag *diag_warning_at(diag_list *list, const char *path, uint32_t line, uint32_t column,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Add an error at a byte offset of a file. */
diag *diag_error(diag_list *list, const source_file *file, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
diag *diag_warning(diag_list *list, const source_file *file, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Add what the server said: message, hint or detail, SQLSTATE. */
diag *diag_server(diag_list *list, const source_file *file, size_t offset, const pgc_error *err);
/* Set the hint of the last result; d may be NULL. */
void diag_hint(diag_list *list, diag *d, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Add what another list holds, whose texts are in the same arena. PGC_OK; PGC_NOMEM. */
pgc_status diag_append(diag_list *list, const diag_list *from, pgc_error *err) PGC_MUST_CHECK;
/* By path, line and column: one order whatever step found what. */
void diag_sort(diag_list *list);
/* PGC_OK without errors, else PGC_INVALID (details are in the list) or PGC_NOMEM. */
pgc_status diag_status(const diag_list *list, pgc_error *err);

#endif
