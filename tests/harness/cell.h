/* A result of one row and one column whose bytes lie in a block of exactly their size, so that
 * sanitizers and valgrind see a decoder reading one byte too far. No libpq memory is involved. */
#ifndef TEST_CELL_H
#define TEST_CELL_H

#include <stdlib.h>
#include <string.h>

#include "pgc/result.h"

typedef struct fake_cell {
    char *bytes;
    int len;
} fake_cell;

static inline const fake_cell *fake_cell_of(const PGresult *res)
{
    return (const fake_cell *) (const void *) res;
}

static inline int fake_one(const PGresult *res)
{
    (void) res;
    return 1;
}

static inline int fake_none(const PGresult *res)
{
    (void) res;
    return 0;
}

static inline int fake_length(const PGresult *res, int row, int column)
{
    (void) row;
    (void) column;
    return fake_cell_of(res)->len;
}

static inline char *fake_value(const PGresult *res, int row, int column)
{
    (void) row;
    (void) column;
    return fake_cell_of(res)->bytes;
}

static inline int fake_isnull(const PGresult *res, int row, int column)
{
    (void) row;
    (void) column;
    return fake_cell_of(res)->bytes == NULL;
}

static inline Oid fake_type(const PGresult *res, int column)
{
    (void) res;
    (void) column;
    return 0;
}

static inline void fake_clear(PGresult *res)
{
    fake_cell *c = (fake_cell *) (void *) res;
    if (c != NULL) {
        free(c->bytes);
        free(c);
    }
}

/* bytes NULL: SQL NULL. text: they came as text. Free with pgc_result_free(); NULL when memory is
 * exhausted. */
static inline pgc_result *cell_result_as(bool text, const void *bytes, size_t len,
                                         const pgc_alloc *alloc, const pgc_query *query)
{
    static const pq_ops ops = {
        .ntuples = fake_one,
        .nfields = fake_one,
        .binaryTuples = fake_one,
        .getlength = fake_length,
        .getvalue = fake_value,
        .getisnull = fake_isnull,
        .ftype = fake_type,
        .clear = fake_clear,
    };
    static const pq_ops text_ops = {
        .ntuples = fake_one,
        .nfields = fake_one,
        .binaryTuples = fake_none,
        .getlength = fake_length,
        .getvalue = fake_value,
        .getisnull = fake_isnull,
        .ftype = fake_type,
        .clear = fake_clear,
    };
    fake_cell *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    /* malloc(0) may give NULL, which means SQL NULL here: an empty value gets a byte it must not
     * look at. */
    c->bytes = bytes == NULL ? NULL : malloc(len == 0 ? 1 : len);
    c->len = bytes == NULL ? 0 : (int) len;
    if (c->bytes != NULL) {
        memcpy(c->bytes, bytes, len);
    }
    pgc_result *result = NULL;
    pgc_status status =
        result_new(text ? &text_ops : &ops, (PGresult *) (void *) c, alloc, query, &result, NULL);
    return status == PGC_OK ? result : NULL;
}

/* A binary cell. */
static inline pgc_result *cell_result(const void *bytes, size_t len, const pgc_alloc *alloc,
                                      const pgc_query *query)
{
    return cell_result_as(false, bytes, len, alloc, query);
}

/* Bytes of a hexadecimal text, blanks ignored; gives their number. */
static inline size_t hex_bytes(const char *hex, uint8_t *out, size_t size)
{
    size_t digits = 0;
    for (; *hex != '\0'; hex++) {
        const char *all = "0123456789abcdef";
        const char *at = strchr(all, *hex);
        if (*hex != ' ' && at != NULL && digits / 2 < size) {
            unsigned value = (unsigned) (at - all);
            out[digits / 2] = (uint8_t) (digits % 2 == 0 ? value << 4 : out[digits / 2] | value);
            digits++;
        }
    }
    return digits / 2;
}

#endif
