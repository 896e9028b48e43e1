/* The server's text forms, read by the readers of each type: what is taken, what is refused, and
 * that it is sent as the bytes of the binary form. */
#include "base/prelude.h"

#include "cell.h"
#include "decode.h"
#include "golden.h"
#include "oom.h"
#include "tap.h"

/* Reads a text cell and encodes the value, which must be of a type that encoders copy. */
static pgc_status read_text(const char *type, const char *text, const pgc_alloc *alloc,
                            pgc_args *args)
{
    pgc_reader reader;
    AUTO(result_auto) pgc_result *result = cell_result_as(true, text, strlen(text), alloc, NULL);
    pgc_args_init(args, NULL);
    if (result == NULL) {
        return PGC_NOMEM;
    }
    pgc_reader_init(&reader, result, NULL);
    decode_kind kind = decode_kind_of(type);
    decode_cell(kind, false, &reader, 0, 0);
    decode_echo(kind, &reader, 0, 0, args);
    return pgc_reader_finish(&reader, NULL);
}

/* Golden values whose text the server would print like that. */
static bool is_server_text(const golden *g)
{
    return strstr(g->text, "UTC") == NULL && strcmp(g->type, "bytes") != 0 &&
           strcmp(g->type, "text") != 0 && strncmp(g->type, "json", 4) != 0 &&
           strcmp(g->type, "bool") != 0 && strcmp(g->type, "arr_text") != 0 &&
           strcmp(g->text, "12:00+02") != 0 && strstr(g->text, "Infinity") == NULL;
}

static void golden_texts_have_golden_bytes(void)
{
    size_t checked = 0;
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        const golden *g = &GOLDEN[i];
        uint8_t bytes[256];
        pgc_args args;
        if (!is_server_text(g)) {
            continue;
        }
        size_t len = hex_bytes(g->hex, bytes, sizeof bytes);
        pgc_status status = read_text(g->type, g->text, NULL, &args);
        bool same = status == PGC_OK && args.status == PGC_OK && args.lengths[0] == (int32_t) len &&
                    memcmp(args.values[0], bytes, len) == 0;
        if (!CHECK(same)) {
            printf("# %s %s\n", g->type, g->text);
        }
        checked++;
        pgc_args_done(&args);
    }
    CHECK(checked > 40);
}

typedef struct typed_text {
    const char *type, *text;
} typed_text;

static const typed_text BAD_TEXTS[] = {
    { "bool", "true" },
    { "char", "ab" },
    { "char", "\\400" },
    { "char", "\\08x" },
    { "i16", "32768" },
    { "i32", "2147483648" },
    { "i32", "" },
    { "i32", "1 " },
    { "i64", "9223372036854775808" },
    { "u32", "4294967296" },
    { "u32", "-1" },
    { "u64", "18446744073709551616" },
    { "f32", "1e39" },
    { "f64", "inf" },
    { "f64", "1e999" },
    { "f64", "0x10" },
    { "f64", "1,5" },
    { "money", "$" },
    { "money", "$92233720368547758.08" },
    { "lsn", "16B374D848" },
    { "lsn", "1/123456789" },
    { "tid", "(1,65536)" },
    { "tid", "(4294967296,1)" },
    { "uuid", "0190163d" },
    { "date", "29.02.2024" },
    { "date", "2024-13-01" },
    { "date", "2024-00-01" },
    { "date", "0000-01-01 BC" },
    { "date", "9999999-01-01" },
    { "timestamp", "2024-01-01" },
    { "timestamp", "2024-01-01 00:00:00+00" },
    { "timestamp", "2024-01-01T00:00:00" },
    { "timestamp", "999999-01-01 00:00:00" },
    { "timestamptz", "2024-01-01 00:00:00" },
    { "timestamptz", "2024-01-01 00:60:00+00" },
    { "time", "24:00:01" },
    { "time", "12:34" },
    { "time", "12:34:56." },
    { "timetz", "12:34:56" },
    { "interval", "" },
    { "interval", "P" },
    { "interval", "1 fortnight" },
    { "interval", "1 day 1 " },
    { "interval", "3000000000 mons" },
    { "interval", "99999999999:00:00" },
    { "numeric", "1.2.3" },
    { "numeric", "" },
    { "bytes", "\\x0" },
    { "bytes", "\\xzz" },
    { "bytes", "a\\9" },
    { "bits", "102" },
    { "inet", "1.2.3" },
    { "inet", "1.2.3.256" },
    { "inet", "1.2.3.4/33" },
    { "inet", "::/129" },
    { "inet", "1:2:3:4:5:6:7" },
    { "inet", "1::2::3" },
    { "inet", "1:2:3:4:5:6:7:8:9" },
    { "inet", "::1.2.3" },
    { "macaddr", "08:00:2b:01:02" },
    { "macaddr", "08-00-2b-01-02-03" },
    { "point", "(1,2" },
    { "line", "{1,2}" },
    { "lseg", "[(1,2)]" },
    { "box", "(1,2),(3)" },
    { "circle", "<(1,2)>" },
    { "path", "[(1,2),(3,4))" },
    { "path", "[]" },
    { "polygon", "(1,2)" },
    { "vector", "[]" },
    { "vector", "[1,]" },
    { "vector", "[1" },
    { "vector", "1,2" },
    { "sparsevec", "{0:1}/5" },
    { "sparsevec", "{3:1,2:1}/5" },
    { "sparsevec", "{6:1}/5" },
    { "sparsevec", "{1:1}" },
    { "tsvector", "'a" },
    { "tsvector", "'a':0" },
    { "tsvector", "'a':16384" },
    { "tsvector", "'a'  'b'" },
    { "tsquery", "'a' &" },
    { "tsquery", "'a' 'b'" },
    { "tsquery", "( 'a'" },
    { "tsquery", "'a' )" },
    { "tsquery", "!" },
    { "tsquery", "'a' <99999> 'b'" },
    { "hstore", "\"a\"=>" },
    { "hstore", "\"a\"=>\"b\"," },
    { "hstore", "a=>b" },
    { "range_i32", "[1,5" },
    { "range_i32", "1,5)" },
    { "range_i32", "[1)" },
    { "range_i32", "[1,5)x" },
    { "range_i32", "[a,5)" },
    { "range_i32", "[1,2,3)" },
    { "multirange_i32", "[1,5)" },
    { "multirange_i32", "{[1,5)" },
    { "multirange_i32", "{[1,5),}" },
    { "arr_i32", "1,2" },
    { "arr_i32", "{1,2" },
    { "arr_i32", "{1,}" },
    { "arr_i32", "{1}}" },
    { "arr_i32", "{{1},2}" },
    { "arr_i32", "{1,{2}}" },
    { "arr_i32", "{{1,2},{3}}" },
    { "arr_i32", "{{{{{{{1}}}}}}}" },
    { "arr_i32", "[1:3]={1,2}" },
    { "arr_i32", "[2:1]={}" },
    { "arr_i32", "[1:1]={{1}}" },
    { "arr_i32", "[1:1]{1}" },
    { "arr_text", "{\"a}" },
    { "arr_text", "{a\\" },
};

static void other_texts_are_refused(void)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD_TEXTS); i++) {
        pgc_args args;
        if (!CHECK_INT(read_text(BAD_TEXTS[i].type, BAD_TEXTS[i].text, NULL, &args),
                       PGC_PROTOCOL)) {
            printf("# %s %s\n", BAD_TEXTS[i].type, BAD_TEXTS[i].text);
        }
        pgc_args_done(&args);
    }
}

/* No piece of a text form may be read behind its end, which the cell's own block shows. */
static void every_cut_of_a_text_is_survived(void)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        char text[64];
        size_t len = strlen(GOLDEN[i].text);
        if (!is_server_text(&GOLDEN[i]) || len >= sizeof text) {
            continue;
        }
        for (size_t cut = 0; cut < len; cut++) {
            pgc_args args;
            memcpy(text, GOLDEN[i].text, cut);
            text[cut] = '\0';
            pgc_status status = read_text(GOLDEN[i].type, text, NULL, &args);
            CHECK(status == PGC_OK || status == PGC_PROTOCOL);
            pgc_args_done(&args);
        }
    }
}

static void each_failed_allocation_is_reported(void)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        bool done = !is_server_text(&GOLDEN[i]);
        for (int fail_at = 1; !done; fail_at++) {
            oom_plan plan = { .fail_at = fail_at };
            const pgc_alloc alloc = oom_alloc(&plan);
            pgc_args args;
            pgc_status status = read_text(GOLDEN[i].type, GOLDEN[i].text, &alloc, &args);
            done = status == PGC_OK;
            CHECK(done || status == PGC_NOMEM);
            CHECK(!done || fail_at > 1);
            pgc_args_done(&args);
            CHECK_INT(plan.live + plan.bad_sizes, 0);
        }
    }
}

TAP_MAIN(TAP("golden texts are sent as golden bytes", golden_texts_have_golden_bytes),
         TAP("texts that the server would not print are refused", other_texts_are_refused),
         TAP("every cut of a text is survived", every_cut_of_a_text_is_survived),
         TAP("each failed allocation is reported", each_failed_allocation_is_reported))
