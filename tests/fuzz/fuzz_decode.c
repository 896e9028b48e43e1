/* Every reader of binary cells on arbitrary bytes, and the text parsers of values. The first byte
 * chooses the reader, its highest bit the nullable form. What a reader accepts must be whole: the
 * value is walked to its last element, and encoding it again must not fail. */
#include "base/prelude.h"

#include "cell.h"
#include "decode.h"
#include "fuzz.h"
#include "golden.h"

static volatile uint64_t fuzz_sum; /* keeps the walks from being optimised away */

static void walk_bytes(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fuzz_sum += ((const uint8_t *) bytes)[i];
    }
}

/* Read with the opt form, walk all memory that the value points to, and send it back. */
#define WALK_SCALAR(name)                                         \
    case DECODE_##name: {                                         \
        pgc_opt_##name value = pgc_read_opt_##name(reader, 0, 0); \
        pgc_add_opt_##name(args, value);                          \
        break;                                                    \
    }
#define WALK_ARRAY(name)                                                \
    case DECODE_arr_##name: {                                           \
        pgc_arr_##name value = pgc_read_opt_arr_##name(reader, 0, 0);   \
        walk_bytes(value.v, value.count * sizeof value.v[0]);           \
        walk_bytes(value.nulls, value.nulls == NULL ? 0 : value.count); \
        pgc_add_arr_##name(args, value);                                \
        break;                                                          \
    }

static void walk_numeric(pgc_reader *reader)
{
    char text[64];
    pgc_numeric value = pgc_read_opt_numeric(reader, 0, 0);
    walk_bytes(value.digits, value.digit_count * sizeof(uint16_t));
    fuzz_sum += pgc_numeric_format(&value, text, sizeof text);
    fuzz_sum += pgc_numeric_to_double(&value) > 0;
}

static void walk_texts(pgc_reader *reader)
{
    pgc_arr_text value = pgc_read_opt_arr_text(reader, 0, 0);
    for (size_t i = 0; i < value.count; i++) {
        walk_bytes(value.v[i].ptr, value.v[i].len);
    }
}

static void walk_lent(decode_kind kind, pgc_reader *reader)
{
    pgc_text text = kind == DECODE_jsonb  ? pgc_read_opt_jsonb(reader, 0, 0)
                    : kind == DECODE_json ? pgc_read_opt_json(reader, 0, 0)
                                          : pgc_read_opt_text(reader, 0, 0);
    walk_bytes(text.ptr, text.len);
}

static void walk_vector(decode_kind kind, pgc_reader *reader)
{
    if (kind == DECODE_vector) {
        pgc_vector value = pgc_read_opt_vector(reader, 0, 0);
        walk_bytes(value.v, value.dim * sizeof(float));
    } else {
        pgc_halfvec value = pgc_read_opt_halfvec(reader, 0, 0);
        walk_bytes(value.v, value.dim * sizeof(uint16_t));
    }
}

static void walk(decode_kind kind, pgc_reader *reader, pgc_args *args)
{
    switch (kind) {
        WALK_SCALAR(bool)
        WALK_SCALAR(i16)
        WALK_SCALAR(i32)
        WALK_SCALAR(i64)
        WALK_SCALAR(u32)
        WALK_SCALAR(f32)
        WALK_SCALAR(f64)
        WALK_SCALAR(uuid)
        WALK_SCALAR(timestamptz)
        WALK_SCALAR(timestamp)
        WALK_SCALAR(date)
        WALK_SCALAR(time)
        WALK_SCALAR(interval)
        WALK_ARRAY(bool)
        WALK_ARRAY(i16)
        WALK_ARRAY(i32)
        WALK_ARRAY(i64)
        WALK_ARRAY(f32)
        WALK_ARRAY(f64)
        WALK_ARRAY(uuid)
        WALK_ARRAY(timestamptz)
    case DECODE_arr_text:
        walk_texts(reader);
        break;
    case DECODE_numeric:
        walk_numeric(reader);
        break;
    case DECODE_vector:
    case DECODE_halfvec:
        walk_vector(kind, reader);
        break;
    case DECODE_bytes: {
        pgc_bytes bytes = pgc_read_opt_bytes(reader, 0, 0);
        walk_bytes(bytes.ptr, bytes.len);
        break;
    }
    case DECODE_text:
    case DECODE_json:
    case DECODE_jsonb:
        walk_lent(kind, reader);
        break;
    case DECODE_COUNT:
        break;
    }
}

/* False when reader and encoder disagree. */
static bool decode(decode_kind kind, bool nullable, const uint8_t *bytes, size_t size)
{
    AUTO(result_auto) pgc_result *result = cell_result(bytes, size, NULL, NULL);
    if (result == NULL) {
        return false;
    }
    pgc_reader reader;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_reader_init(&reader, result, NULL);
    if (nullable) {
        walk(kind, &reader, &args);
    } else {
        decode_cell(kind, false, &reader, 0, 0);
    }
    bool ok = args.status == PGC_OK;
    pgc_args_done(&args);
    pgc_error err;
    pgc_status status = pgc_reader_finish(&reader, &err);
    return ok && (status == PGC_OK || status == PGC_PROTOCOL);
}

/* What parses must print, and what is printed must parse to the same text. */
static bool parse_texts(const uint8_t *bytes, size_t size)
{
    const pgc_text text = { (const char *) bytes, size };
    pgc_uuid uuid;
    if (pgc_uuid_parse(text, &uuid)) {
        char printed[PGC_UUID_TEXT_SIZE];
        pgc_uuid_format(&uuid, printed);
        if (!pgc_uuid_parse(pgc_text_from(printed), &uuid)) {
            return false;
        }
    }
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    pgc_numeric value;
    static char first[1 << 18], second[1 << 18];
    if (!pgc_numeric_parse(text, digits, &value)) {
        return true;
    }
    size_t len = pgc_numeric_format(&value, first, sizeof first);
    if (!pgc_numeric_parse((pgc_text) { first, len }, digits, &value)) {
        return false;
    }
    (void) pgc_numeric_format(&value, second, sizeof second);
    return strcmp(first, second) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    unsigned kind = data[0] & 0x7F;
    bool ok = kind < DECODE_COUNT
                  ? decode((decode_kind) kind, (data[0] & 0x80) != 0, data + 1, size - 1)
                  : parse_texts(data + 1, size - 1);
    if (!ok) {
        __builtin_trap();
    }
    return 0;
}

static const char *const TEXTS[] = {
    "-12345.678",
    "1e10",
    "1.50E-3",
    ".5",
    "NaN",
    "-Infinity",
    "0.00",
    "99999999999999999999",
    "0190163d-8694-739b-aea5-966c26f8ad91",
};

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    if (index < 2 * ARRAY_LEN(GOLDEN)) {
        const golden *g = &GOLDEN[index / 2];
        data[0] = (uint8_t) ((unsigned) decode_kind_of(g->type) | (index % 2 == 0 ? 0 : 0x80u));
        return 1 + hex_bytes(g->hex, data + 1, size - 1);
    }
    index -= 2 * ARRAY_LEN(GOLDEN);
    if (index >= ARRAY_LEN(TEXTS)) {
        return 0;
    }
    data[0] = DECODE_COUNT;
    size_t len = strlen(TEXTS[index]);
    memcpy(data + 1, TEXTS[index], len);
    return 1 + len;
}
