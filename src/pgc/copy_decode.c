/* Binary COPY rows without copying them: a row that lies in one piece, as the server sends it, is
 * read where it stands. Invariant: lengths are checked against what is there before a cell is made;
 * behind each cell stands a NUL. Source: PostgreSQL manual, "COPY", binary format. One thread. */
#include "base/prelude.h"

#include "pgc/copy_decode.h"

#include "pgc/wire.h"

#define HEADER_BYTES    19u          /* signature, flags, length of the extension */
#define SIGNATURE_BYTES 11u          /* of them */
#define CRITICAL_FLAGS  0xFFFF0000u  /* what a reader must not ignore */
#define NO_ROW          ((size_t) 0) /* not complete yet */

static const char SIGNATURE[] = "PGCOPY\n\377\r\n";

/* The seam's functions for one row of ours in place of libpq's result. Readers do not ask them for
 * cells: they are given the row. */

static const copy_cells *cells_of(const PGresult *res)
{
    return (const copy_cells *) (const void *) res;
}

static Oid row_type(const PGresult *res, int column)
{
    return cells_of(res)->query->columns[column].oid;
}

static int row_one(const PGresult *res)
{
    (void) res;
    return 1;
}

static int row_columns(const PGresult *res)
{
    return (int) cells_of(res)->count;
}

static char *row_none(PGresult *res)
{
    (void) res;
    static char none[1];
    return none;
}

static const pq_ops ROW_OPS = {
    .ntuples = row_one,
    .nfields = row_columns,
    .binaryTuples = row_one,
    .ftype = row_type,
    .cmdTuples = row_none,
};

static size_t cells_size(size_t count)
{
    return sizeof(copy_cells) + count * sizeof(pgc_cell);
}

pgc_status copy_decoder_init(copy_decoder *decoder, const pgc_query *query, size_t row_max_bytes,
                             const pgc_alloc *alloc, pgc_error *err)
{
    assert(query->column_count > 0);
    assert(row_max_bytes > 0);
    copy_cells *cells = mem_new(alloc, cells_size(query->column_count));
    if (cells == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "copy %s", query->name);
    }
    cells->count = query->column_count;
    cells->query = query;
    cells->row = cells->v;
    *decoder = (copy_decoder) { .alloc = alloc,
                                .name = query->name,
                                .row_max_bytes = row_max_bytes,
                                .cells = cells,
                                .result = { .pq = &ROW_OPS,
                                            .res = (PGresult *) (void *) cells,
                                            .alloc = alloc,
                                            .query = query,
                                            .cells = &cells->row,
                                            .rows = 1,
                                            .columns = cells->count,
                                            .binary = true } };
    buf_init(&decoder->carry, alloc, SIZE_MAX / 2);
    return PGC_OK;
}

void copy_decoder_done(copy_decoder *decoder)
{
    if (decoder->cells != NULL) {
        arena_free(decoder->result.memory);
        buf_done(&decoder->carry);
        mem_free(decoder->alloc, decoder->cells, cells_size(decoder->cells->count));
        decoder->cells = NULL;
    }
}

/* A row that came in parts is put together behind what is there; otherwise nothing is copied. */
pgc_status copy_decoder_feed(copy_decoder *decoder, char *bytes, size_t len, pgc_error *err)
{
    assert(decoder->at == decoder->len);
    assert(decoder->patched == NULL);
    decoder->piece = bytes;
    decoder->len = len;
    decoder->at = 0;
    if (decoder->carry.len > 0) {
        buf_add(&decoder->carry, (slice) { bytes, len });
        TRY(buf_finish(&decoder->carry, err));
        decoder->piece = decoder->carry.ptr;
        decoder->len = decoder->carry.len;
    }
    return PGC_OK;
}

/* What is left of the piece waits for the next one. */
static pgc_status keep_rest(copy_decoder *decoder, pgc_error *err)
{
    buf *carry = &decoder->carry;
    size_t rest = decoder->len - decoder->at;
    if (decoder->piece == carry->ptr) {
        if (rest > 0) {
            memmove(carry->ptr, carry->ptr + decoder->at, rest);
        }
        carry->len = rest;
    } else if (rest > 0) {
        buf_add(carry, (slice) { decoder->piece + decoder->at, rest });
    }
    decoder->piece = NULL;
    decoder->len = decoder->at = 0;
    return buf_finish(carry, err);
}

static pgc_status damaged(const copy_decoder *decoder, const char *what, pgc_error *err)
{
    return pgc_error_set(err, PGC_PROTOCOL, "copy %s: row %" PRId64 ": damaged stream: %s",
                         decoder->name, decoder->rows + 1, what);
}

/* Bytes of the header, NO_ROW when it is not complete. Extensions are skipped, as asked for. */
static pgc_status read_header(copy_decoder *decoder, size_t *size_out, pgc_error *err)
{
    const uint8_t *bytes = (const uint8_t *) decoder->piece + decoder->at;
    size_t left = decoder->len - decoder->at;
    *size_out = NO_ROW;
    size_t known = left < SIGNATURE_BYTES ? left : SIGNATURE_BYTES;
    if (memcmp(bytes, SIGNATURE, known) != 0) {
        return damaged(decoder, "no signature of binary COPY", err);
    }
    if (left < HEADER_BYTES) {
        return PGC_OK;
    }
    if ((wire_u32(bytes + SIGNATURE_BYTES) & CRITICAL_FLAGS) != 0) {
        return damaged(decoder, "a flag that we do not know", err);
    }
    uint32_t extension = wire_u32(bytes + SIGNATURE_BYTES + 4);
    if (extension > decoder->row_max_bytes) {
        return damaged(decoder, "a header without end", err);
    }
    *size_out = left - HEADER_BYTES < extension ? NO_ROW : HEADER_BYTES + extension;
    return PGC_OK;
}

/* Cells of the row at `at`; *size_out NO_ROW when it is not complete. */
static pgc_status read_row(copy_decoder *decoder, size_t *size_out, pgc_error *err)
{
    char *row = decoder->piece + decoder->at;
    size_t left = decoder->len - decoder->at, at = 2;
    *size_out = NO_ROW;
    for (size_t i = 0; i < decoder->cells->count; i++) {
        if (left - at < 4) {
            return PGC_OK;
        }
        int32_t len = (int32_t) wire_u32((const uint8_t *) row + at);
        at += 4;
        if (len < -1) {
            return damaged(decoder, "a negative length", err);
        }
        size_t size = len < 0 ? 0 : (size_t) len;
        if (at + size > decoder->row_max_bytes) {
            return pgc_error_set(err, PGC_LIMIT, "copy %s: row %" PRId64 " is over %zu bytes",
                                 decoder->name, decoder->rows + 1, decoder->row_max_bytes);
        }
        if (left - at < size) {
            return PGC_OK;
        }
        decoder->cells->v[i] = (pgc_cell) { len, (const uint8_t *) row + at };
        at += size;
    }
    *size_out = at;
    return PGC_OK;
}

/* Readers promise a NUL behind texts. All lengths are read by now, so the byte behind a cell is
 * free, but for the one behind the row: that is put back. */
static void end_cells(copy_decoder *decoder, size_t size)
{
    char *end = decoder->piece + decoder->at + size;
    decoder->patched = end;
    decoder->saved = *end;
    for (size_t i = 0; i < decoder->cells->count; i++) {
        const pgc_cell *cell = &decoder->cells->v[i];
        if (cell->len >= 0) {
            decoder->piece[(const char *) cell->bytes - decoder->piece + cell->len] = '\0';
        }
    }
}

/* What the last row was read into may be used again. */
static void forget_row(copy_decoder *decoder)
{
    if (decoder->patched != NULL) {
        *decoder->patched = decoder->saved;
        decoder->patched = NULL;
    }
    if (decoder->result.memory != NULL) {
        arena_reset(decoder->result.memory);
    }
}

/* A tuple begins with its number of fields; -1 is the trailer. */
static pgc_status next_tuple(copy_decoder *decoder, copy_step *step_out, pgc_error *err)
{
    *step_out = COPY_MORE;
    if (decoder->len - decoder->at < 2) {
        return PGC_OK;
    }
    const uint8_t *bytes = (const uint8_t *) decoder->piece + decoder->at;
    int16_t fields = (int16_t) wire_u16(bytes);
    if (fields == -1) {
        decoder->at += 2;
        decoder->over = true;
        *step_out = COPY_OVER;
        return decoder->at == decoder->len ? PGC_OK : damaged(decoder, "bytes behind the end", err);
    }
    if (fields < 0 || (size_t) fields != decoder->cells->count) {
        return damaged(decoder, "another number of fields than expected", err);
    }
    size_t size;
    TRY(read_row(decoder, &size, err));
    if (size != NO_ROW) {
        end_cells(decoder, size);
        decoder->at += size;
        decoder->rows++;
        pgc_reader_init(&decoder->reader, &decoder->result, decoder->result.query);
        *step_out = COPY_ROW;
    }
    return PGC_OK;
}

pgc_status copy_decoder_next(copy_decoder *decoder, copy_step *step_out, pgc_error *err)
{
    forget_row(decoder);
    *step_out = COPY_MORE;
    if (decoder->over && decoder->at < decoder->len) {
        return damaged(decoder, "bytes behind the end", err);
    }
    if (decoder->over) {
        *step_out = COPY_OVER;
        return PGC_OK;
    }
    if (!decoder->header) {
        size_t size = NO_ROW;
        if (decoder->at < decoder->len) {
            TRY(read_header(decoder, &size, err));
        }
        decoder->header = size != NO_ROW;
        decoder->at += size;
    }
    if (decoder->header) {
        TRY(next_tuple(decoder, step_out, err));
    }
    return *step_out == COPY_MORE ? keep_rest(decoder, err) : PGC_OK;
}
