/* atlas.sum: the vectors of the format, and damaged files. */
#include "base/prelude.h"

#include "migrate/sum.h"

#include "tap.h"

typedef struct text_file {
    const char *name, *content;
} text_file;

static migrate_dir load(arena *mem, const text_file *files, const char *sum)
{
    migrate_embedded table[8];
    size_t count = 0;
    for (; files[count].name != NULL; count++) {
        table[count] = (migrate_embedded) { files[count].name, files[count].content,
                                            strlen(files[count].content) };
    }
    if (sum != NULL) {
        table[count++] = (migrate_embedded) { MIGRATE_SUM_NAME, sum, strlen(sum) };
    }
    migrate_dir dir = { .file_count = 0 };
    migrate_source source = { NULL, table, count };
    pgc_error err;
    CHECK_STATUS(migrate_dir_load(env_default(), &source, mem, &dir, &err), PGC_OK, &err);
    return dir;
}

static void check_text(const text_file *files, const char *want)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf text;
    migrate_dir dir = load(mem, files, NULL);
    pgc_error err;
    buf_init(&text, NULL, 1 << 16);
    REQUIRE_OK(migrate_sum_write(&dir, &text, &err), &err);
    CHECK_STR(text.ptr, want);
}

#define NONE       \
    {              \
        NULL, NULL \
    }
#define ONE_TOTAL "h1:EwFxHpTpPAA4gN4s+sXpVQHgmUmwXjjIFJBiHEOGc1k="
#define ONE_ENTRY "h1:ihhQjTOFxT0roXVIDx95+OxLTYHE9xR4avoSYSQ/cDw="
#define NO_FILES  "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void sums_like_the_vectors(void)
{
    static const text_file A[] = {
        { "001_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\n" },
        { "000_extensions.sql", "CREATE EXTENSION IF NOT EXISTS pgcrypto;\n" },
        NONE
    };
    static const text_file B[] = { { "1.sql", "" }, { "2.sql", "" }, NONE };
    static const text_file C[] = { { "001_a.sql", "SELECT 1;\n" },
                                   { "002_b.sql", "-- atlas:sum ignore\n\nSELECT 2;\n" },
                                   { "003_c.sql", "SELECT 3;\n" },
                                   NONE };
    static const text_file D[] = { { "001_a.sql", "SELECT 1;\n" },
                                   { "003_c.sql", "SELECT 3;\n" },
                                   NONE };
    static const text_file E[] = { { "1_x.sql", "SELECT 1;\n" },
                                   { "10_y.sql", "SELECT 10;\n" },
                                   { "2.sql", "SELECT 2;\n" },
                                   NONE };
    static const text_file F[] = { { "001_a.sql", "SELECT 1;\r\n" }, NONE };
    static const text_file G[] = { { "001_a.sql", "SELECT 1;\n" }, { "X.SQL", "x" }, NONE };
    static const text_file H[] = { NONE };
    check_text(A, "h1:csrfizY5zAaWxcfKN11ledRJjP0fy4I2z9qGMWAr6Ms=\n"
                  "000_extensions.sql h1:3VOeYrPuwcQCiXa7s3vHbvobqJUDbMKnUpX/tKbwVB4=\n"
                  "001_users.sql h1:0MEJ5qID9o1r2Ii1FhvYlT7ctnqY+hQoxOBiG1o4/kw=\n");
    check_text(B, "h1:WSE2TZeHgmeweSYhEdJSyKnrcbR5YBxsdk0GJr5a7Hg=\n"
                  "1.sql h1:AFdxQZctfIidgWmKUfNgp8z9MTNAp0t9p4mNbwUH1pA=\n"
                  "2.sql h1:jDcrnEsfbK6IBoUPCB6Uq05oaDVtvRzZk3RiQoXdNvM=\n");
    check_text(C, "h1:Eb8nKQatjr9L/NsgoYSpYVw7ztGX4edMnG8mrSvD6CU=\n"
                  "001_a.sql h1:ihhQjTOFxT0roXVIDx95+OxLTYHE9xR4avoSYSQ/cDw=\n"
                  "003_c.sql h1:QsLtMl/TCh1Ffwc95zD2m2PtT+z1uh2i1GKcPjnw7ZA=\n");
    check_text(D, "h1:JLnkAUdn9JS7BGUpLJtD4O8/kjlh5X6XoN+zkmNa4Rs=\n"
                  "001_a.sql h1:ihhQjTOFxT0roXVIDx95+OxLTYHE9xR4avoSYSQ/cDw=\n"
                  "003_c.sql h1:kyYbz4qo/ZjJ725XbwbjaWUatgxG6MQQe0vbUdIYNBw=\n");
    check_text(E, "h1:kHXl2Kz2mmNt0bG+4XYvJzUcCQw/L93QZqXYOliJyYc=\n"
                  "10_y.sql h1:aOYRV1do4luUH+hqzq23RvJK+jXwff9xmzK3XjD3Mis=\n"
                  "1_x.sql h1:II7A0FTJpuHPhfkRYobATtZdILsL75mw6eP5VMmXRHk=\n"
                  "2.sql h1:EyZpgaVdsUY2sFc3cX/Rp2M5DrKpHa2hhxI52riren4=\n");
    check_text(F, "h1:GaSZVZYj7yGAC3UiZzchWy0OTK9EUQSbNuu3mlB1Vos=\n"
                  "001_a.sql h1:zQGBsgy15d7fFe6zbsYn+u6gERP4DsI7Kk+l8wQ+kSI=\n");
    check_text(G, ONE_TOTAL "\n001_a.sql " ONE_ENTRY "\n");
    check_text(H, NO_FILES "\n");
}

static void check_damage(const char *sum, pgc_status want, size_t line)
{
    static const text_file ONE[] = { { "001_a.sql", "SELECT 1;\n" }, NONE };
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_dir dir = load(mem, ONE, sum);
    migrate_sum_problem problem;
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status got = migrate_sum_validate(&dir, mem, &problem, &err);
    if (got != want) {
        printf("# sum: %s\n", sum == NULL ? "(none)" : sum);
    }
    CHECK_STATUS(got, want, &err);
    CHECK_INT(problem.line, line);
}

static void damaged_files_are_told_apart(void)
{
    check_damage(ONE_TOTAL "\n001_a.sql " ONE_ENTRY "\n", PGC_OK, 0);
    check_damage(ONE_TOTAL "\n001_a.sql " ONE_ENTRY, PGC_OK, 0);
    check_damage(ONE_TOTAL "\r\n001_a.sql " ONE_ENTRY "\r\n", PGC_OK, 0);
    check_damage(ONE_TOTAL "\n001_a.sql    " ONE_ENTRY "\n", PGC_OK, 0);
    check_damage("EwFxHpTpPAA4gN4s+sXpVQHgmUmwXjjIFJBiHEOGc1k=\n001_a.sql " ONE_ENTRY "\n", PGC_OK,
                 0);
    check_damage(NULL, PGC_NOT_FOUND, 0);
    check_damage("", PGC_CONFLICT, 0);
    check_damage("rubbish", PGC_CONFLICT, 0);
    check_damage("h1:csrfizY5zAaWxcfKN11ledRJjP0fy4I2z9qGMWAr6Ms=\n001_a.sql " ONE_ENTRY "\n",
                 PGC_CONFLICT, 0);
    check_damage(ONE_TOTAL "\n001_a.sql " ONE_ENTRY " \n", PGC_CONFLICT, 0);
    check_damage(ONE_TOTAL "\n\n001_a.sql " ONE_ENTRY "\n", PGC_INVALID, 0);
    check_damage(ONE_TOTAL "\n001_a.sql\n", PGC_INVALID, 0);
    check_damage("<<<<<<< ours\n" ONE_TOTAL "\n=======\n", PGC_INVALID, 0);
    check_damage(NO_FILES "\n", PGC_CONFLICT, 2);
}

/* The sum of one directory against the files of another. */
static void check_drift(const text_file *recorded, const text_file *actual,
                        const migrate_sum_problem *want)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf text;
    migrate_sum_problem problem;
    pgc_error err;
    buf_init(&text, NULL, 1 << 16);
    migrate_dir before = load(mem, recorded, NULL);
    REQUIRE_OK(migrate_sum_write(&before, &text, &err), &err);
    migrate_dir dir = load(mem, actual, text.ptr);
    CHECK_STATUS(migrate_sum_validate(&dir, mem, &problem, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.message, "checksum mismatch");
    CHECK_INT(problem.reason, want->reason);
    CHECK_INT(problem.line, want->line);
    CHECK_INT(problem.position, want->position);
    CHECK_STR(problem.file, want->file);
}

static void differences_are_located(void)
{
    static const text_file AC[] = { { "1_a.sql", "A" }, { "3_c.sql", "C" }, NONE };
    static const text_file AX[] = { { "1_a.sql", "A" }, { "3_c.sql", "X" }, NONE };
    static const text_file ABC[] = {
        { "1_a.sql", "A" }, { "2_b.sql", "B" }, { "3_c.sql", "C" }, NONE
    };
    static const text_file A[] = { { "1_a.sql", "A" }, NONE };
    /* 48 bytes for line 1; a line of 7 + 1 + 47 + 1 bytes for 1_a.sql. */
    check_drift(AC, AX, &(migrate_sum_problem) { MIGRATE_SUM_EDITED, 3, 104, "3_c.sql" });
    check_drift(AC, ABC, &(migrate_sum_problem) { MIGRATE_SUM_ADDED, 3, 104, "2_b.sql" });
    check_drift(AC, A, &(migrate_sum_problem) { MIGRATE_SUM_REMOVED, 3, 104, "3_c.sql" });
    check_drift(A, AC, &(migrate_sum_problem) { MIGRATE_SUM_ADDED, 3, 104, "3_c.sql" });
    check_drift(ABC, AC, &(migrate_sum_problem) { MIGRATE_SUM_REMOVED, 3, 104, "2_b.sql" });
}

static void no_files_need_no_sum(void)
{
    static const text_file EMPTY[] = { NONE };
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_dir dir = load(mem, EMPTY, NULL);
    CHECK_INT(migrate_sum_validate(&dir, mem, NULL, NULL), PGC_OK);
    dir = load(mem, EMPTY, NO_FILES "\n");
    CHECK_INT(migrate_sum_validate(&dir, mem, NULL, NULL), PGC_OK);
}

TAP_MAIN(TAP("sum: equals the vectors of the format", sums_like_the_vectors),
         TAP("sum: damaged files are told apart", damaged_files_are_told_apart),
         TAP("sum: the first difference is located", differences_are_located),
         TAP("sum: a directory without files needs none", no_files_need_no_sum))
