/* Every reader on arbitrary bytes, binary and text, and the text parsers of values. The first byte
 * chooses the reader, the lowest bits of the second one the nullable form and the format. What a
 * reader accepts is sent back: if the encoder takes it, reading those bytes and sending them again
 * must give the same bytes. Encoding walks a value to its last byte. */
#include "base/prelude.h"

#include "cell.h"
#include "decode.h"
#include "fuzz.h"
#include "golden.h"

#define FLAG_NOT_NULL 1u
#define FLAG_TEXT     2u

/* Choices behind the readers of decode.h. */
#define NESTED_FIRST DECODE_COUNT
#define NESTED_COUNT 4
#define TEXT_PARSERS (NESTED_FIRST + NESTED_COUNT)
#define KIND_COUNT   (TEXT_PARSERS + 1)

static volatile uint64_t fuzz_sum; /* keeps the walks from being optimised away */

static void walk_bytes(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fuzz_sum += ((const uint8_t *) bytes)[i];
    }
}

static bool was_read(const pgc_reader *reader)
{
    pgc_error err;
    pgc_status status = pgc_reader_finish(reader, &err);
    if (status != PGC_OK && status != PGC_PROTOCOL) {
        __builtin_trap();
    }
    return status == PGC_OK;
}

/* Binary bytes that our encoder made: they must be read, and encoded to themselves. */
static bool comes_back(decode_kind kind, const char *bytes, int32_t len)
{
    AUTO(result_auto) pgc_result *result = cell_result(bytes, (size_t) len, NULL, NULL);
    if (result == NULL) {
        return false;
    }
    pgc_reader reader;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_reader_init(&reader, result, NULL);
    decode_echo(kind, &reader, 0, 0, &args);
    bool same = was_read(&reader) && args.status == PGC_OK && args.count == 1 &&
                args.values[0] != NULL && args.lengths[0] == len &&
                memcmp(args.values[0], bytes, (size_t) len) == 0;
    pgc_args_done(&args);
    return same;
}

/* False when reader and encoder disagree. */
static bool decode(decode_kind kind, unsigned flags, const uint8_t *bytes, size_t size)
{
    AUTO(result_auto)
    pgc_result *result = cell_result_as((flags & FLAG_TEXT) != 0, bytes, size, NULL, NULL);
    if (result == NULL) {
        return false;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    if ((flags & FLAG_NOT_NULL) != 0) {
        decode_cell(kind, false, &reader, 0, 0);
        return was_read(&reader) || true;
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    decode_echo(kind, &reader, 0, 0, &args);
    bool ok = true;
    if (was_read(&reader) && args.status == PGC_OK) {
        ok = args.count == 1 && comes_back(kind, args.values[0], args.lengths[0]);
    }
    pgc_args_done(&args);
    return ok;
}

/* Opens whatever is in a cell, as all kinds of nested values, and walks over it. */
static void walk_nested(unsigned kind, pgc_reader *outer, size_t row, size_t column, int depth)
{
    pgc_reader inner;
    bool open = kind == 0   ? pgc_read_opt_record(outer, row, column, NULL, &inner)
                : kind == 1 ? pgc_read_opt_array(outer, row, column, &inner)
                : kind == 2 ? pgc_read_opt_range(outer, row, column, &inner)
                            : pgc_read_opt_multirange(outer, row, column, &inner);
    for (size_t i = 0; open && i < inner.row_count; i++) {
        for (size_t j = 0; j < inner.columns; j++) {
            pgc_text text = pgc_read_opt_text(&inner, i, j);
            walk_bytes(text.ptr, text.len);
            if (depth < 3) {
                walk_nested((kind + i + j + 1) % NESTED_COUNT, &inner, i, j, depth + 1);
            }
        }
    }
}

static void decode_nested(unsigned kind, unsigned flags, const uint8_t *bytes, size_t size)
{
    AUTO(result_auto)
    pgc_result *result = cell_result_as((flags & FLAG_TEXT) != 0, bytes, size, NULL, NULL);
    if (result != NULL) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, NULL);
        walk_nested(kind, &reader, 0, 0, 0);
        (void) was_read(&reader);
    }
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
    fuzz_sum += pgc_numeric_to_double(&value) > 0;
    if (!pgc_numeric_parse((pgc_text) { first, len }, digits, &value)) {
        return false;
    }
    (void) pgc_numeric_format(&value, second, sizeof second);
    return strcmp(first, second) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    unsigned kind = data[0] % KIND_COUNT;
    bool ok = true;
    if (kind < NESTED_FIRST) {
        ok = decode((decode_kind) kind, data[1], data + 2, size - 2);
    } else if (kind < TEXT_PARSERS) {
        decode_nested(kind - NESTED_FIRST, data[1], data + 2, size - 2);
    } else {
        ok = parse_texts(data + 2, size - 2);
    }
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

/* Text forms that seed the fuzzing of parsers: type and text. */
static const golden TEXT_SEEDS[] = {
#define SEED(type, text) \
    {                    \
        type, text, NULL \
    }
    { "date", "2024-02-29", NULL },
    { "date", "0044-03-15 BC", NULL },
    { "timestamp", "2024-02-29 12:34:56.789012", NULL },
    { "timestamptz", "2024-02-29 12:34:56.7+05:30", NULL },
    { "time", "12:34:56.5", NULL },
    { "timetz", "12:34:56-08:30", NULL },
    { "interval", "-1 years -2 mons +3 days -04:05:06.000007", NULL },
    { "interval", "@ 1 year 2 mons 3 hours 4.5 secs ago", NULL },
    { "interval", "P1Y2M3DT4H5M6.7S", NULL },
    { "money", "-$1,234.56", NULL },
    { "lsn", "16/B374D848", NULL },
    { "tid", "(7,9)", NULL },
    { "f32", "1.5e-10", NULL },
    { "f64", "-Infinity", NULL },
    { "numeric", "-12345678.000123", NULL },
    { "bytes", "\\x00ff", NULL },
    { "bytes", "a\\\\b\\001", NULL },
    { "char", "\\377", NULL },
    { "uuid", "0190163d-8694-739b-aea5-966c26f8ad91", NULL },
    { "inet", "192.168.1.5/24", NULL },
    { "inet", "2001:db8::ff00:42:8329/64", NULL },
    { "inet", "::ffff:1.2.3.4", NULL },
    { "macaddr", "08:00:2b:01:02:03", NULL },
    { "macaddr8", "08:00:2b:01:02:03:04:05", NULL },
    { "bits", "1010101011", NULL },
    { "point", "(1,2.5)", NULL },
    { "line", "{1,2,3}", NULL },
    { "lseg", "[(1,2),(3,4)]", NULL },
    { "box", "(3,4),(1,2)", NULL },
    { "circle", "<(1,2),3>", NULL },
    { "path", "[(1,2),(3,4)]", NULL },
    { "polygon", "((1,2),(3,4),(5,6))", NULL },
    { "vector", "[1,2.5,-3]", NULL },
    { "halfvec", "[1,2.5,-3]", NULL },
    { "sparsevec", "{1:1,3:-2.5}/5", NULL },
    { "tsvector", "'a':1A,3 'b' 'it''s':7", NULL },
    { "tsquery", "'a' & !( 'b' | 'c':*AB ) <2> 'd'", NULL },
    { "hstore", "\"a\"=>\"1\", \"b\"=>NULL", NULL },
    { "range_i32", "[1,5)", NULL },
    { "range_numeric", "(,1.50]", NULL },
    { "range_timestamp", "[\"2024-01-01 00:00:00\",)", NULL },
    { "multirange_i64", "{[1,3),[5,7)}", NULL },
    { "arr_i32", "{1,NULL,3}", NULL },
    { "arr_i32", "[2:3][0:1]={{1,2},{3,4}}", NULL },
    { "arr_text", "{a,\"b c\",\"\\\"\",NULL,\"NULL\"}", NULL },
    { "arr_box", "{(1,1),(0,0);(2,2),(1,1)}", NULL },
    { "arr_range_i32", "{\"[1,5)\",empty}", NULL },
};

/* Bytes at data for the reader of a type. */
static size_t seed_head(const char *type, unsigned flags, uint8_t *data)
{
    data[0] = (uint8_t) decode_kind_of(type);
    data[1] = (uint8_t) flags;
    return 2;
}

static size_t seed_text(const char *text, uint8_t *data)
{
    memcpy(data, text, strlen(text));
    return strlen(text);
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const nested[] = {
        "00000002 00000017 00000004 00000001 00000019 ffffffff",
        "00000001 00000001 00000017 00000002 00000001 00000004 00000001 ffffffff",
        "02 00000004 00000001 00000004 00000005",
        "00000001 00000011 02 00000004 00000001 00000004 00000005",
    };
    static const char *const nested_texts[] = { "(1,\"a \"\"b\"\"\",,\"{1,2}\")",
                                                "{\"(1,a)\",NULL}", "[a,\"b c\")",
                                                "{[1,3),(5,7]}" };
    if (index < 2 * ARRAY_LEN(GOLDEN)) {
        const golden *g = &GOLDEN[index / 2];
        size_t head = seed_head(g->type, index % 2, data);
        return head + hex_bytes(g->hex, data + head, size - head);
    }
    index -= 2 * ARRAY_LEN(GOLDEN);
    if (index < ARRAY_LEN(TEXT_SEEDS)) {
        size_t head = seed_head(TEXT_SEEDS[index].type, FLAG_TEXT, data);
        return head + seed_text(TEXT_SEEDS[index].text, data + head);
    }
    index -= ARRAY_LEN(TEXT_SEEDS);
    if (index < ARRAY_LEN(nested) + ARRAY_LEN(nested_texts)) {
        bool text = index >= ARRAY_LEN(nested);
        data[0] = (uint8_t) (NESTED_FIRST + index % NESTED_COUNT);
        data[1] = text ? FLAG_TEXT : 0;
        return 2 + (text ? seed_text(nested_texts[index % NESTED_COUNT], data + 2)
                         : hex_bytes(nested[index], data + 2, size - 2));
    }
    index -= ARRAY_LEN(nested) + ARRAY_LEN(nested_texts);
    if (index >= ARRAY_LEN(TEXTS)) {
        return 0;
    }
    data[0] = TEXT_PARSERS;
    data[1] = 0;
    return 2 + seed_text(TEXTS[index], data + 2);
}
