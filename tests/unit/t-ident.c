/* Names inside SQL text: which need quotes, how those are written, and texts with places for them.
 */
#include "base/prelude.h"

#include "base/ident.h"

#include "oom.h"
#include "tap.h"

static void plain_names_are_small_letters(void)
{
    static const char *const PLAIN[] = { "a", "_", "user_id", "a1", "select", "_1" };
    static const char *const OTHER[] = { "", "A", "aB", "1a", "a b", "a-b", "a\"", "\xc3\xa9" };
    for (size_t i = 0; i < ARRAY_LEN(PLAIN); i++) {
        CHECK(ident_is_plain(PLAIN[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(OTHER); i++) {
        CHECK(!ident_is_plain(OTHER[i]));
    }
}

static void names_are_quoted(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 1000);
    CHECK_STR(ident_quote("a", mem), "\"a\"");
    CHECK_STR(ident_quote("", mem), "\"\"");
    CHECK_STR(ident_quote("a\"; DROP", mem), "\"a\"\"; DROP\"");
    ident_add(&b, "plain");
    buf_add_char(&b, '.');
    ident_add(&b, "Not \"plain\"");
    buf_add_char(&b, '.');
    ident_add_quoted(&b, "plain");
    CHECK_STR(b.ptr, "plain.\"Not \"\"plain\"\"\".\"plain\"");
}

static void places_are_filled_in(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    CHECK_STR(ident_fill("@p@a, @p@b @", "@p@", "x.", mem), "x.a, x.b @");
    CHECK_STR(ident_fill("@p@@p@", "@p@", "", mem), "");
    CHECK_STR(ident_fill("@p@", "@p@", "@p@@p@", mem), "@p@@p@");
}

/* A name that does not fit leaves nothing of itself behind. */
static void too_long_a_name_fails_the_buffer(void)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 8);
    buf_add_str(&b, "ab");
    ident_add_quoted(&b, "\"\"\"");
    CHECK(b.failed);
    CHECK_STR(b.ptr, "ab");
}

static void survives_failing_allocations(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 0, 0);
        const char *quoted = mem == NULL ? NULL : ident_quote("a b", mem);
        const char *filled = quoted == NULL ? NULL : ident_fill("SELECT @p@", "@p@", quoted, mem);
        buf b;
        buf_init(&b, &alloc, 1000);
        ident_add(&b, "a b");
        complete = filled != NULL && !b.failed;
        if (complete) {
            CHECK_STR(filled, "SELECT \"a b\"");
            CHECK_STR(b.ptr, "\"a b\"");
        }
        buf_done(&b);
        arena_free(mem);
        CHECK_INT(plan.live, 0);
    }
}

TAP_MAIN(TAP("ident: plain names are small letters", plain_names_are_small_letters),
         TAP("ident: names are quoted", names_are_quoted),
         TAP("ident: places are filled in", places_are_filled_in),
         TAP("ident: a name too long fails the buffer", too_long_a_name_fails_the_buffer),
         TAP("ident: survives every failing allocation", survives_failing_allocations))
