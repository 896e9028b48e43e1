/* Deep copies of values: what was copied lives on alone, and is sent as the same bytes. */
#include "base/prelude.h"

#include <pgc/clone.h>

#include "cell.h"
#include "decode.h"
#include "golden.h"
#include "tap.h"

/* A value of a type that points somewhere: read, copied in two passes, sent from the copy after the
 * result and the first value are gone. */
#define CLONE_CASE(kind_name, type, read, clone_one, add)                    \
    case kind_name: {                                                        \
        type value = read(reader, 0, 0);                                     \
        type measured = value;                                               \
        pgc_clone clone;                                                     \
        pgc_clone_init(&clone);                                              \
        clone_one(&clone, &measured);                                        \
        type *copy = (type *) pgc_clone_alloc(&clone, &value, sizeof value); \
        if (copy != NULL) {                                                  \
            size_t size = clone.size;                                        \
            clone_one(&clone, copy);                                         \
            CHECK(clone.size >= size);                                       \
        }                                                                    \
        pgc_result_free(result);                                             \
        CHECK(copy != NULL);                                                 \
        if (copy != NULL) {                                                  \
            add(args, *copy);                                                \
        }                                                                    \
        return copy;                                                         \
    }

/* Takes the result. NULL: the type points nowhere. */
static void *clone_and_add(decode_kind kind, pgc_result *result, pgc_reader *reader, pgc_args *args)
{
    switch (kind) {
#define X(name, type) \
    CLONE_CASE(DECODE_##name, type, pgc_read_##name, pgc_clone_##name, pgc_add_##name)
        PGC_POINTER_MAP(X)
#undef X
#define X(name, type)                                                                       \
    CLONE_CASE(DECODE_range_##name, pgc_range_##name, pgc_read_range_##name,                \
               pgc_clone_range_##name, pgc_add_range_##name)                                \
    CLONE_CASE(DECODE_multirange_##name, pgc_multirange_##name, pgc_read_multirange_##name, \
               pgc_clone_multirange_##name, pgc_add_multirange_##name)
        PGC_RANGE_MAP(X)
#undef X
#define X(name, type)                                                                        \
    CLONE_CASE(DECODE_arr_##name, pgc_arr_##name, pgc_read_arr_##name, pgc_clone_arr_##name, \
               pgc_add_arr_##name)
        PGC_ARRAY_MAP(X)
#undef X
#define X(name, type) case DECODE_##name:
        PGC_OPT_MAP(X)
#undef X
    case DECODE_COUNT:
        break;
    }
    pgc_result_free(result);
    return NULL;
}

/* Borrowed memory of encoders stays with the copy until the list is done. */
static void check_golden(const golden *g)
{
    uint8_t bytes[256];
    size_t len = hex_bytes(g->hex, bytes, sizeof bytes);
    if (strstr(g->text, "Infinity") != NULL) {
        bytes[7] = 0; /* a dscale that means nothing; we send none */
    }
    pgc_reader reader;
    pgc_args args;
    pgc_result *result = cell_result(bytes, len, NULL, NULL);
    REQUIRE(result != NULL);
    pgc_args_init(&args, NULL);
    pgc_reader_init(&reader, result, NULL);
    void *copy = clone_and_add(decode_kind_of(g->type), result, &reader, &args);
    if (copy != NULL) {
        bool same = args.status == PGC_OK && args.count == 1 && args.lengths[0] == (int32_t) len &&
                    memcmp(args.values[0], bytes, len) == 0;
        if (!CHECK(same)) {
            printf("# %s %s\n", g->type, g->text);
        }
    }
    pgc_args_done(&args);
    free(copy);
}

static void copies_live_on_alone(void)
{
    size_t pointing = 0;
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        check_golden(&GOLDEN[i]);
        pointing += strncmp(GOLDEN[i].type, "arr_", 4) == 0 ? 1 : 0;
    }
    CHECK(pointing > 10);
}

static void nulls_stay_null(void)
{
#define X(name, type)                                                        \
    {                                                                        \
        type value;                                                          \
        pgc_args args;                                                       \
        pgc_clone clone;                                                     \
        memset(&value, 0, sizeof value);                                     \
        pgc_clone_init(&clone);                                              \
        pgc_clone_##name(&clone, &value);                                    \
        type *copy = (type *) pgc_clone_alloc(&clone, &value, sizeof value); \
        REQUIRE(copy != NULL);                                               \
        pgc_clone_##name(&clone, copy);                                      \
        pgc_args_init(&args, NULL);                                          \
        pgc_add_##name(&args, *copy);                                        \
        CHECK(args.count == 1 && args.values[0] == NULL);                    \
        pgc_args_done(&args);                                                \
        free(copy);                                                          \
    }
    PGC_POINTER_MAP(X)
#undef X
}

static void sizes_that_do_not_fit_are_refused(void)
{
    pgc_clone clone;
    pgc_bytes huge = { (const uint8_t *) "", SIZE_MAX - 8 };
    pgc_vector vector = { (const float *) (const void *) "", 4 };
    pgc_clone_init(&clone);
    pgc_clone_vector(&clone, &vector);
    pgc_clone_bytes(&clone, &huge);
    CHECK(clone.overflowed);
    CHECK(pgc_clone_alloc(&clone, &huge, sizeof huge) == NULL);
}

static void items_of_any_type_are_copied(void)
{
    static const uint64_t items[] = { 7, 8, 9 };
    const uint64_t row = 1;
    pgc_clone clone;
    pgc_clone_init(&clone);
    CHECK(pgc_clone_items(&clone, items, 3, sizeof *items) == NULL);
    CHECK(pgc_clone_items(&clone, items, 0, sizeof *items) == NULL);
    CHECK(pgc_clone_items(&clone, NULL, 3, sizeof *items) == NULL);
    CHECK_INT(clone.size, sizeof items);
    void *block = pgc_clone_alloc(&clone, &row, sizeof row);
    REQUIRE(block != NULL);
    const uint64_t *copy = pgc_clone_items(&clone, items, 3, sizeof *items);
    REQUIRE(copy != NULL);
    CHECK(copy != items && memcmp(copy, items, sizeof items) == 0);
    CHECK_INT((uintptr_t) copy % 16, 0);
    CHECK(pgc_clone_items(&clone, items, SIZE_MAX, sizeof *items) == NULL && clone.overflowed);
    pgc_clone_free(block);
}

TAP_MAIN(TAP("items of any type are copied", items_of_any_type_are_copied),
         TAP("copies live on when the result is gone", copies_live_on_alone),
         TAP("NULLs stay NULL", nulls_stay_null),
         TAP("sizes that do not fit are refused", sizes_that_do_not_fit_are_refused))
