/* Structs of options from callers of other versions. */
#include "base/prelude.h"

#include "base/options.h"

#include "tap.h"

typedef struct given {
    size_t struct_size;
    int64_t first, second;
} given;

static void older_structs_are_filled_with_zeroes(void)
{
    const given in = { offsetof(given, second), 7, 8 };
    given out = { 1, 2, 3 };
    CHECK_INT(options_take("options", &in, &out, sizeof out, NULL), PGC_OK);
    CHECK_INT(out.struct_size, sizeof out);
    CHECK_INT(out.first, 7);
    CHECK_INT(out.second, 0);
}

static void newer_structs_are_cut_when_they_ask_for_nothing_new(void)
{
    struct {
        given known;
        int64_t later;
        given behind;
    } in = { { sizeof in, 7, 8 }, 0, { 0, 0, 0 } };
    pgc_error err;
    struct {
        given known;
        int64_t guard;
    } out = { .guard = 5 };
    CHECK_INT(options_take_any("options", &in, &out.known, sizeof out.known, NULL), PGC_OK);
    CHECK_INT(out.known.struct_size, sizeof out.known);
    CHECK_INT(out.known.second, 8);
    CHECK_INT(out.guard, 5);
    in.later = 9;
    out.known.second = 6;
    CHECK_INT(options_take("view options", &in, &out.known, sizeof out.known, &err), PGC_INVALID);
    CHECK(strstr(err.message, "view options: struct_size is 56") == err.message);
    CHECK(strstr(err.message, "older than its caller's header") != NULL);
    CHECK_INT(out.known.second, 6);
}

/* An array is walked in the steps of its caller, not in ours. */
static void members_of_arrays_are_as_far_apart_as_their_caller_knows(void)
{
    const struct {
        size_t struct_size;
        int64_t first;
    } old[] = { { sizeof old[0], 7 }, { sizeof old[0], 8 }, { sizeof(given), 9 } };
    given out = { 1, 2, 3 };
    pgc_error err;
    CHECK_INT(options_take_at("thing", old, 1, &out, sizeof out, NULL), PGC_OK);
    CHECK_INT(out.first, 8);
    CHECK_INT(out.second, 0);
    CHECK_INT(out.struct_size, sizeof out);
    CHECK_INT(options_take_at("thing", old, 2, &out, sizeof out, &err), PGC_INVALID);
    CHECK_STR(err.message, "thing 2: struct_size is 24, that of the first one is 16");
    CHECK_INT(out.first, 8);
    const given unset[] = { { 0, 7, 8 }, { 0, 9, 9 } };
    CHECK_INT(options_take_at("thing", unset, 1, &out, sizeof out, &err), PGC_INVALID);
    CHECK_STR(err.message, "thing: struct_size is not set");
}

static void absent_options_are_defaults_where_they_may_be(void)
{
    given out = { 1, 2, 3 };
    pgc_error err;
    CHECK_INT(options_take("view options", NULL, &out, sizeof out, &err), PGC_INVALID);
    CHECK_STR(err.message, "view options: struct_size is not set");
    CHECK_INT(out.second, 3);
    CHECK_INT(options_take_any("view options", NULL, &out, sizeof out, NULL), PGC_OK);
    CHECK_INT(out.struct_size, sizeof out);
    CHECK_INT(out.first + out.second, 0);
}

/* Zero of a struct that was only cleared, and what lies in one that was not. */
static void a_size_never_set_is_refused(void)
{
    static const size_t SIZES[] = { 0, 1, sizeof(size_t) - 1, 4097, SIZE_MAX };
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
        const given in = { SIZES[i], 7, 8 };
        given out = { 1, 2, 3 };
        CHECK_INT(options_take("options", &in, &out, sizeof out, NULL), PGC_INVALID);
        CHECK_INT(options_take_any("options", &in, &out, sizeof out, NULL), PGC_INVALID);
        CHECK_INT(out.first, 2);
    }
}

TAP_MAIN(TAP("options: older structs are filled with zeroes", older_structs_are_filled_with_zeroes),
         TAP("options: newer structs are cut when they ask for nothing new",
             newer_structs_are_cut_when_they_ask_for_nothing_new),
         TAP("options: members of arrays are as far apart as their caller knows",
             members_of_arrays_are_as_far_apart_as_their_caller_knows),
         TAP("options: absent ones are defaults where they may be",
             absent_options_are_defaults_where_they_may_be),
         TAP("options: a size never set is refused", a_size_never_set_is_refused))
