/* Decoding one value: what all decoders share, and the types of fixed size. Binary is loaded, text
 * is parsed. One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

#include "pgc/types_parse.h"

bool value_fail(const value_at *at, const char *reason)
{
    reader_fail(at->reader, at->row, at->column, PGC_PROTOCOL, reason);
    return false;
}

bool value_bad_text(const value_at *at)
{
    return value_fail(at, "came as text that is no value of its type");
}

void *value_alloc(const value_at *at, size_t count, size_t size)
{
    size_t bytes;
    if (!size_mul(count, size, &bytes)) {
        reader_fail(at->reader, at->row, at->column, PGC_NOMEM, "does not fit into memory");
        return NULL;
    }
    return reader_alloc(at->reader, at->row, at->column, bytes);
}

bool value_read(pgc_reader *reader, size_t row, size_t column, bool nullable, value_decode *decode,
                void *out)
{
    const value_at at = { reader, row, column };
    cell c = reader_cell(reader, row, column, nullable);
    return c.ptr != NULL && decode(&at, c, out);
}

bool value_take_cell(value_rest *b, cell *out)
{
    const uint8_t *word = value_take(b, 4);
    int32_t length = word == NULL ? -2 : (int32_t) wire_u32(word);
    if (length == -1) {
        *out = (cell) { NULL, 0 };
        return true;
    }
    const uint8_t *bytes = length < 0 ? NULL : value_take(b, (size_t) length);
    *out = (cell) { bytes, bytes == NULL ? 0 : (size_t) length };
    return bytes != NULL;
}

/* A value of the right length is taken as it is: the server checks what it stores, and what is out
 * of its range would be refused when sent back. */
#define X(name, type, size)                                  \
    bool value_##name(const value_at *at, cell c, void *out) \
    {                                                        \
        type value;                                          \
        if (value_is_text(at)) {                             \
            if (!parse_##name(value_text_of(c), &value)) {   \
                return value_bad_text(at);                   \
            }                                                \
        } else if (c.len != (size)) {                        \
            return value_fail(at, "has the wrong length");   \
        } else {                                             \
            value = pgc_load_##name(c.ptr);                  \
        }                                                    \
        memcpy(out, &value, sizeof value);                   \
        return true;                                         \
    }
PGC_FIXED_MAP(X)
#undef X

/* The slow paths: the inline readers have found no binary cell of the right length. */
#define X(name, type)                                                                 \
    VALUE_READER(type, pgc_slow_##name, value_##name, false)                          \
    pgc_opt_##name pgc_slow_opt_##name(pgc_reader *reader, size_t row, size_t column) \
    {                                                                                 \
        pgc_opt_##name value;                                                         \
        memset(&value, 0, sizeof value);                                              \
        value.has = !value_is_null(reader, row, column) &&                            \
                    value_read(reader, row, column, true, value_##name, &value.v);    \
        return value;                                                                 \
    }
PGC_OPT_MAP(X)
#undef X
