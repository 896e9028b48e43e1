/* Directives: where they count and where they do not. */
#include "base/prelude.h"

#include "base/arena.h"
#include "migrate/directive.h"

#include "tap.h"

/* The header's txmode, "(none)" when no directive counts. */
static void check_txmode(const char *content, const char *want)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    slice found = SLICE("(none)");
    (void) migrate_header_find(pgc_text_from(content), SLICE("txmode"), &found);
    if (!slice_eq_str(found, want)) {
        printf("# in: %s\n", content);
    }
    CHECK_STR(arena_copy(mem, found), want);
}

static void header_counts_only_when_set_apart(void)
{
    check_txmode("-- atlas:txmode none\n\nSELECT 1;", "none");
    check_txmode("-- note\n-- atlas:txmode none\n\nSELECT 1;", "none");
    check_txmode("# atlas:txmode none\n \t\nSELECT 1;", "none");
    check_txmode("-- atlas:txmode none\nSELECT 1;", "(none)");
    check_txmode("\n-- atlas:txmode none\n\nSELECT 1;", "(none)");
    check_txmode(" -- atlas:txmode none\n\nSELECT 1;", "(none)");
    check_txmode("SELECT 1;\n-- atlas:txmode none\n\n", "(none)");
    check_txmode("-- atlas:txmode none\r\n\r\nSELECT 1;", "(none)");
    check_txmode("\xEF\xBB\xBF-- atlas:txmode none\n\nSELECT 1;", "(none)");
    check_txmode("-- atlas:txmode none\n", "none");
    check_txmode("-- atlas:txmode none", "(none)");
    check_txmode("", "(none)");
}

static void parses_one_line(void)
{
    static const struct {
        const char *line, *prefix, *name, *argument; /* name NULL: no directive */
    } CASES[] = {
        { "-- atlas:txmode none", "-- ", "txmode", "none" },
        { "-- note atlas:txmode none", "-- note ", "txmode", "none" },
        { "atlas:a b atlas:c d", "atlas:a b ", "c", "d" },
        { "-- atlas:a atlas:", "-- ", "a", "atlas:" },
        { "-- atlas:nolint", "-- ", "nolint", "" },
        { "-- atlas:nolint   x y ", "-- ", "nolint", "x y " },
        { "-- atlas:a\tb", "-- ", "a", "" },
        { "-- atlas:a b\tc", "-- ", "a", "b" },
        { "\t-- atlas:a b", NULL, NULL, NULL },
        { "-- atlas: a", NULL, NULL, NULL },
        { "-- ATLAS:a", NULL, NULL, NULL },
        { "x\natlas:a", NULL, NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
        migrate_directive got;
        bool is = migrate_directive_parse(pgc_text_from(CASES[i].line), &got);
        CHECK_INT(is, CASES[i].name != NULL);
        if (is && CASES[i].name != NULL) {
            CHECK_STR(arena_copy(mem, got.prefix), CASES[i].prefix);
            CHECK_STR(arena_copy(mem, got.name), CASES[i].name);
            CHECK_STR(arena_copy(mem, got.argument), CASES[i].argument);
        }
    }
}

static void sum_ignore_is_exact(void)
{
    CHECK(migrate_directive_sum_ignored(SLICE("-- atlas:sum ignore\nx")));
    CHECK(migrate_directive_sum_ignored(SLICE("atlas:sum ignore")));
    CHECK(!migrate_directive_sum_ignored(SLICE("-- atlas:sum ignore ")));
    CHECK(!migrate_directive_sum_ignored(SLICE("-- atlas:sum")));
    CHECK(!migrate_directive_sum_ignored(SLICE("\n-- atlas:sum ignore")));
}

static void finds_directives_without_effect(void)
{
    CHECK_INT(migrate_directive_lost(SLICE("-- atlas:txmode none\n\nSELECT 1;"), SLICE("txmode")),
              0);
    CHECK_INT(migrate_directive_lost(SLICE("-- atlas:txmode none\nSELECT 1;"), SLICE("txmode")), 1);
    CHECK_INT(migrate_directive_lost(SLICE("SELECT 1;\n  -- atlas:txmode none\n"), SLICE("txmode")),
              2);
    CHECK_INT(migrate_directive_lost(SLICE("-- about atlas:txmode none\nS;"), SLICE("txmode")), 0);
    CHECK_INT(migrate_directive_lost(SLICE(""), SLICE("txmode")), 0);
}

static void counts_repeats(void)
{
    slice first = SLICE("");
    CHECK_INT(migrate_header_find(SLICE("-- atlas:txmode none\n-- atlas:txmode file\n\n"),
                                  SLICE("txmode"), &first),
              2);
    CHECK(slice_eq(first, SLICE("none")));
}

TAP_MAIN(TAP("directive: a header counts only when set apart", header_counts_only_when_set_apart),
         TAP("directive: a line is cut into prefix, name and argument", parses_one_line),
         TAP("directive: sum ignore must be exact", sum_ignore_is_exact),
         TAP("directive: one that has no effect is found", finds_directives_without_effect),
         TAP("directive: repeats are counted", counts_repeats))
