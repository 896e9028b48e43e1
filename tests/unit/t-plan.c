/* Which files are pending: the tables of the Atlas format. */
#include "base/prelude.h"

#include "base/buf.h"
#include "migrate/plan.h"

#include "tap.h"

/* Files and rows are written as words: "1 2c 3" = three files, 2 a checkpoint; rows "1 2p" = 2 is
 * partial. The answer is the list of pending versions, or the status. */
typedef struct scene {
    const char *files, *rows;
    migrate_order order;
    const char *baseline, *not_clean;
    bool allow_dirty;
    pgc_status status;
    const char *pending; /* also checked when out of order */
    const char *skipped;
} scene;

#define LINEAR MIGRATE_LINEAR
#define SKIP   MIGRATE_LINEAR_SKIP
#define NONLIN MIGRATE_NON_LINEAR

static const scene SCENES[] = {
    { "1 2 3", "", LINEAR, NULL, NULL, false, PGC_OK, "1 2 3", "" },
    { "1 2 3", "1", LINEAR, NULL, NULL, false, PGC_OK, "2 3", "" },
    { "1 2 3", "1 2 3", LINEAR, NULL, NULL, false, PGC_OK, "", "" },
    { "1 2 3", "", LINEAR, NULL, "x", false, PGC_CONFLICT, NULL, NULL },
    { "1 2 3", "", LINEAR, NULL, "x", true, PGC_OK, "1 2 3", "" },
    { "1 2 3", "", LINEAR, "2", "x", false, PGC_OK, "3", "" },
    { "1 2 3", "", LINEAR, "2", NULL, false, PGC_OK, "3", "" },
    { "1 2 3", "", LINEAR, "3", NULL, false, PGC_OK, "", "" },
    { "1 2 3", "", LINEAR, "9", NULL, false, PGC_NOT_FOUND, NULL, NULL },
    { "1 2c 3", "", LINEAR, "2", NULL, false, PGC_NOT_FOUND, NULL, NULL },
    { "", "", LINEAR, NULL, "x", false, PGC_CONFLICT, NULL, NULL },
    { "", "", LINEAR, NULL, NULL, false, PGC_OK, "", "" },
    { "1 2 3", "9", LINEAR, NULL, NULL, false, PGC_OK, "", "" },
    { "2 3", "1", LINEAR, NULL, NULL, false, PGC_OK, "2 3", "" },
    { "1 3", "1 2", LINEAR, NULL, NULL, false, PGC_OK, "3", "" },
    { "1 2", "1 2x", LINEAR, NULL, NULL, false, PGC_OK, "2", "" },
    { "1 2 3", "1 3", LINEAR, NULL, NULL, false, PGC_CONFLICT, "", "2" },
    { "1 2 3", "1 3", SKIP, NULL, NULL, false, PGC_OK, "", "" },
    { "1 2 3", "1 3", NONLIN, NULL, NULL, false, PGC_OK, "2", "" },
    { "1 2 3 4", "1 3", LINEAR, NULL, NULL, false, PGC_CONFLICT, "4", "2" },
    { "1 2 3 4", "1 3", NONLIN, NULL, NULL, false, PGC_OK, "2 4", "" },
    { "0 1 2", "1", LINEAR, NULL, NULL, false, PGC_OK, "2", "" },
    { "0 1 2", "1", NONLIN, NULL, NULL, false, PGC_OK, "2", "" },
    { "1 2 3", "1 2p", LINEAR, NULL, NULL, false, PGC_OK, "2 3", "" },
    { "1 2 3", "1 3p", LINEAR, NULL, NULL, false, PGC_CONFLICT, "3", "2" },
    { "1 2 3", "1 3p", NONLIN, NULL, NULL, false, PGC_OK, "2 3", "" },
    { "1 3", "1 2p", LINEAR, NULL, NULL, false, PGC_SCHEMA, NULL, NULL },
    { "", "1p", LINEAR, NULL, NULL, false, PGC_OK, "", "" },
    { "2c", "1p", LINEAR, NULL, NULL, false, PGC_OK, "", "" },
    { "1 2c 3 4c 5", "", LINEAR, NULL, NULL, false, PGC_OK, "4c 5", "" },
    { "1 2c 3 4c 5", "1", LINEAR, NULL, NULL, false, PGC_OK, "3 5", "" },
    { "1 2c 3 4c 5", "2", LINEAR, NULL, NULL, false, PGC_OK, "3 5", "" },
    { "1 2c 3 4c 5", "2p", LINEAR, NULL, NULL, false, PGC_OK, "2c 3 5", "" },
    { "1 2c 3 4c 5", "4p", LINEAR, NULL, NULL, false, PGC_OK, "4c 5", "" },
    { "10_y 1_x 2", "1", LINEAR, NULL, NULL, false, PGC_CONFLICT, "2", "10_y" },
};

static size_t words(const char *text, slice *out)
{
    size_t count = 0;
    for (slice rest = pgc_text_from(text); rest.ptr != NULL;) {
        slice word = slice_next(&rest, ' ');
        if (word.len > 0) {
            out[count++] = word;
        }
    }
    return count;
}

static void join(arena *mem, const migrate_file **files, size_t count, const char **out)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 1 << 12);
    buf_add_str(&text, "");
    for (size_t i = 0; i < count; i++) {
        slice stem = pgc_text_from(files[i]->name);
        stem.len -= 4;
        buf_printf(&text, "%s%" SLICE_FMT "%s", i > 0 ? " " : "", SLICE_ARG(stem),
                   files[i]->is_checkpoint ? "c" : "");
    }
    *out = arena_copy(mem, buf_view(&text));
}

static void check_scene(const scene *s)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    slice parts[16];
    migrate_embedded table[16];
    migrate_revision rows[16];
    size_t file_count = words(s->files, parts);
    for (size_t i = 0; i < file_count; i++) {
        bool checkpoint = slice_ends(parts[i], SLICE("c"));
        slice stem = slice_sub(parts[i], 0, parts[i].len - (checkpoint ? 1 : 0));
        const char *text = checkpoint ? "-- atlas:checkpoint\n" : "";
        const char *name = arena_printf(mem, "%" SLICE_FMT ".sql", SLICE_ARG(stem));
        table[i] = (migrate_embedded) { name, text, strlen(text) };
    }
    size_t row_count = words(s->rows, parts);
    for (size_t i = 0; i < row_count; i++) {
        char mark = parts[i].ptr[parts[i].len - 1];
        bool marked = mark == 'p' || mark == 'x';
        slice version = slice_sub(parts[i], 0, parts[i].len - (marked ? 1 : 0));
        rows[i] = (migrate_revision) { .version = arena_copy(mem, version),
                                       .description = "d",
                                       .applied = mark == 'p'   ? 1
                                                  : mark == 'x' ? 3
                                                                : 2,
                                       .total = 2 };
    }
    migrate_source source = { NULL, table, file_count };
    migrate_dir dir;
    REQUIRE_OK(migrate_dir_load(env_default(), &source, mem, &dir, NULL), NULL);
    migrate_plan plan = { .pending_count = 99 };
    migrate_plan_input input = { &dir,        rows,           row_count,   s->order,
                                 s->baseline, s->allow_dirty, s->not_clean };
    pgc_error err;
    pgc_error_clear(&err);
    CHECK_STATUS(migrate_plan_make(&input, mem, &plan, &err), s->status, &err);
    if (s->pending == NULL) {
        CHECK_INT(plan.pending_count, 99);
        return;
    }
    const char *pending = NULL;
    const char *skipped = NULL;
    join(mem, plan.pending, plan.pending_count, &pending);
    join(mem, plan.out_of_order, plan.out_of_order_count, &skipped);
    CHECK_STR(pending, s->pending);
    CHECK_STR(skipped, s->skipped);
    CHECK_INT(plan.baseline != NULL, s->baseline != NULL);
}

static void chooses_like_the_tables(void)
{
    for (size_t i = 0; i < ARRAY_LEN(SCENES); i++) {
        int before = tap_failures;
        check_scene(&SCENES[i]);
        if (tap_failures != before) {
            printf("# scene %zu: files \"%s\" rows \"%s\"\n", i, SCENES[i].files, SCENES[i].rows);
        }
    }
}

static void names_what_is_wrong(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    const migrate_embedded table[] = {
        { "1_a.sql", "", 0 }, { "2_b.sql", "", 0 }, { "3_c.sql", "", 0 }, { "4_d.sql", "", 0 }
    };
    migrate_source source = { NULL, table, 4 };
    migrate_dir dir;
    migrate_plan plan;
    pgc_error err;
    REQUIRE_OK(migrate_dir_load(env_default(), &source, mem, &dir, NULL), NULL);
    migrate_revision rows[2] = { { .version = "1" }, { .version = "4" } };
    migrate_plan_input input = { .dir = &dir, .rows = rows, .row_count = 2 };
    CHECK_INT(migrate_plan_make(&input, mem, &plan, &err), PGC_CONFLICT);
    CHECK_STR(err.message, "migration files 2_b.sql, 3_c.sql were added out of order");
    rows[1] = (migrate_revision) { .version = "5", .description = "e", .total = 1 };
    CHECK_INT(migrate_plan_make(&input, mem, &plan, &err), PGC_SCHEMA);
    CHECK_STR(err.message, "missing migration: revision \"5_e.sql\" is partially applied but "
                           "migration file was not found");
    input.row_count = 0;
    input.not_clean = "found table \"t\" in schema \"s\"";
    CHECK_INT(migrate_plan_make(&input, mem, &plan, &err), PGC_CONFLICT);
    CHECK_STR(err.message, "connected database is not clean: found table \"t\" in schema \"s\". "
                           "baseline version or allow-dirty is required");
}

TAP_MAIN(TAP("plan: chooses files as the format's tables say", chooses_like_the_tables),
         TAP("plan: messages name files and versions", names_what_is_wrong))
