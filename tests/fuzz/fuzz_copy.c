/* The decoder of binary COPY on arbitrary bytes in pieces of any size. The first byte gives the
 * size of the pieces. Every row that is accepted is walked; cut in other pieces, the same stream
 * must give the same rows and the same end. */
#include "base/prelude.h"

#include "pgc/copy_decode.h"

#include "fuzz.h"

static const pgc_type_ref COLUMNS[] = { { "a", "integer", 23 },
                                        { "b", "text", 25 },
                                        { "c", "integer[]", 1007 } };
static const pgc_query SHAPE = { .name = "Fuzz", .column_count = 3, .columns = COLUMNS };

/* What came out of one reading. */
typedef struct outcome {
    uint64_t sum;
    int64_t rows;
    pgc_status status;
    bool over;
} outcome;

static void walk_row(pgc_reader *row, outcome *out)
{
    pgc_opt_i32 a = pgc_read_opt_i32(row, 0, 0);
    pgc_text b = pgc_read_opt_text(row, 0, 1);
    out->sum = out->sum * 31 + (a.has ? (uint32_t) a.v : 7);
    for (size_t i = 0; i < b.len; i++) {
        out->sum = out->sum * 31 + (uint8_t) b.ptr[i];
    }
    if (b.ptr != NULL && b.ptr[b.len] != '\0') {
        __builtin_trap();
    }
    pgc_arr_i32 c = pgc_read_opt_arr_i32(row, 0, 2);
    for (size_t i = 0; i < c.count; i++) {
        out->sum = out->sum * 31 + (uint32_t) c.v[i];
    }
    out->sum += pgc_reader_finish(row, NULL) == PGC_OK ? 1 : 0;
}

static void take_steps(copy_decoder *decoder, outcome *out)
{
    copy_step step = COPY_ROW;
    while (out->status == PGC_OK && step == COPY_ROW) {
        out->status = copy_decoder_next(decoder, &step, NULL);
        if (out->status == PGC_OK && step == COPY_ROW) {
            out->rows++;
            walk_row(&decoder->reader, out);
        }
    }
    out->over = out->status == PGC_OK && step == COPY_OVER;
}

/* Each piece lies in a block of its own, so that sanitizers see a step too far. */
static outcome read_stream(const uint8_t *data, size_t size, size_t piece_size)
{
    outcome out = { .status = PGC_OK };
    copy_decoder decoder;
    if (copy_decoder_init(&decoder, &SHAPE, 1 << 16, alloc_or_libc(NULL), NULL) != PGC_OK) {
        return out;
    }
    for (size_t at = 0; at < size && out.status == PGC_OK && !out.over;) {
        size_t len = size - at < piece_size ? size - at : piece_size;
        char *piece = malloc(len + 1);
        if (piece == NULL) {
            break;
        }
        memcpy(piece, data + at, len);
        piece[len] = '\0';
        at += len;
        out.status = copy_decoder_feed(&decoder, piece, len, NULL);
        take_steps(&decoder, &out);
        if (out.over && at < size) {
            out.status = PGC_PROTOCOL; /* as a longer piece would say */
        }
        free(piece);
    }
    copy_decoder_done(&decoder);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    outcome whole = read_stream(data + 1, size - 1, size);
    outcome parts = read_stream(data + 1, size - 1, (size_t) data[0] % 64 + 1);
    if (whole.rows != parts.rows || whole.sum != parts.sum || whole.status != parts.status) {
        __builtin_trap();
    }
    return 0;
}

/* The header, then two rows, one of NULLs; with and without the trailer. */
static const char STREAM[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                             "\0\3\0\0\0\4\0\0\0\7\0\0\0\2hi\0\0\0\34\0\0\0\1\0\0\0\0\0\0"
                             "\0\27\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\11"
                             "\0\3\377\377\377\377\377\377\377\377\377\377\377\377\377\377";

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const uint8_t pieces[] = { 0, 1, 4, 17, 63 };
    if (index >= 2 * ARRAY_LEN(pieces) || size < sizeof STREAM) {
        return 0;
    }
    size_t len = sizeof STREAM - 1 - (index % 2 == 0 ? 0 : 2);
    data[0] = pieces[index / 2];
    memcpy(data + 1, STREAM, len);
    return 1 + len;
}
