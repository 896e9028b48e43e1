/* Walking over the elements of an array, binary or text. */
#ifndef PGC_READER_ARRAY_H
#define PGC_READER_ARRAY_H

#include "pgc/value.h"

/* Where a walk stands. */
typedef struct array_walk {
    value_at at;
    size_t count;          /* elements */
    uint32_t ndim;         /* 0: empty */
    const pgc_dim *dims;   /* NULL: one dimension from 1, or none */
    uint8_t *nulls;        /* made by the first NULL element */
    value_rest left;       /* of a binary array */
    const pgc_cell *parts; /* of an array in text; NULL in binary */
    size_t at_most;        /* elements that the cell could hold */
} array_walk;

/* Header of an array; delimiter is that of the text form. False after a failure. */
bool array_start(array_walk *w, const value_at *at, cell c, char delimiter);
/* The element at index, in order; ptr NULL for NULL, which is also marked. */
bool array_next(array_walk *w, size_t index, cell *out);
/* Nothing may be left. */
bool array_end(array_walk *w);

#endif
