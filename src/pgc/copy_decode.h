/* The rows of a binary COPY stream that arrives in pieces of any size. Knows nothing of
 * connections. */
#ifndef PGC_COPY_DECODE_H
#define PGC_COPY_DECODE_H

#include "base/buf.h"
#include "pgc/result.h"

/* What the readers see as the PGresult of one row. */
typedef struct copy_cells {
    size_t count;
    const pgc_query *query;
    const pgc_cell *row; /* v: the only row */
    pgc_cell v[];
} copy_cells;

typedef struct copy_decoder {
    const pgc_alloc *alloc;
    const char *name; /* of the COPY, for messages */
    size_t row_max_bytes;
    copy_cells *cells;
    pgc_result result; /* row 0 is the current row */
    pgc_reader reader;
    buf carry;   /* the beginning of what is not complete yet */
    char *piece; /* the piece being read, or the carry's bytes */
    size_t len, at;
    char *patched; /* byte behind the current row that was made NUL */
    char saved;    /* and what it was */
    int64_t rows;
    bool header, over; /* header: read; over: the trailer was read */
} copy_decoder;

typedef enum copy_step {
    COPY_ROW,  /* decoder->reader has the next row */
    COPY_MORE, /* feed the next piece */
    COPY_OVER  /* the trailer came */
} copy_step;

/* query names the columns and gives their number, > 0; both must outlive the decoder. */
pgc_status copy_decoder_init(copy_decoder *decoder, const pgc_query *query, size_t row_max_bytes,
                             const pgc_alloc *alloc, pgc_error *err) PGC_MUST_CHECK;
void copy_decoder_done(copy_decoder *decoder);
/* The next piece, when the one before has been read to its end. The bytes must live until then and
 * may be written to; bytes[len] must be writable, too. */
pgc_status copy_decoder_feed(copy_decoder *decoder, char *bytes, size_t len, pgc_error *err)
    PGC_MUST_CHECK;
/* The next step. PGC_PROTOCOL for a damaged stream, PGC_LIMIT for a row that is too long. */
pgc_status copy_decoder_next(copy_decoder *decoder, copy_step *step_out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
