/* Reading a migration directory from disk and from the compiled-in table. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "migrate/directory.h"

#include "tap.h"

static char folder[64];

static void put(const char *name, const char *content)
{
    char path[256];
    pgc_error err;
    (void) snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_STATUS(
        file_write_atomic(env_default(), AT_FDCWD, path, pgc_text_from(content), 0644, &err),
        PGC_OK, &err);
}

static void begin(void)
{
    (void) snprintf(folder, sizeof folder, "/tmp/t-directory-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void end(void)
{
    CHECK_INT(file_remove_tree(env_default(), AT_FDCWD, folder, NULL), PGC_OK);
}

static void reads_a_folder_in_byte_order(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_source source = { folder, NULL, 0 };
    migrate_dir dir;
    pgc_error err;
    begin();
    put("2.sql", "B");
    put("10_y.sql", "Y");
    put("1_x.sql", "X");
    put("README.md", "-");
    put("upper.SQL", "-");
    put("atlas.sum", "sum");
    put(".7_h.sql", "hidden");
    CHECK_STATUS(migrate_dir_load(env_default(), &source, mem, &dir, &err), PGC_OK, &err);
    CHECK_INT(dir.file_count, 4);
    if (dir.file_count == 4) {
        CHECK_STR(dir.files[0].name, ".7_h.sql");
        CHECK_STR(dir.files[1].name, "10_y.sql");
        CHECK_STR(dir.files[2].name, "1_x.sql");
        CHECK_STR(dir.files[3].name, "2.sql");
        CHECK(slice_eq(dir.files[2].content, SLICE("X")));
    }
    CHECK(slice_eq(dir.sum_text, SLICE("sum")));
    CHECK_INT(migrate_dir_check(&dir, &err), PGC_INVALID);
    end();
}

static void a_missing_folder_is_named(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_source source = { "/nonexistent/migrations", NULL, 0 };
    migrate_dir dir;
    pgc_error err;
    CHECK_STATUS(migrate_dir_load(env_default(), &source, mem, &dir, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "/nonexistent/migrations") != NULL);
}

static void a_folder_named_like_a_file_is_an_error(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_source source = { folder, NULL, 0 };
    migrate_dir dir;
    pgc_error err;
    char path[128];
    begin();
    (void) snprintf(path, sizeof path, "%s/9_d.sql", folder);
    CHECK_INT(file_mkdirs(env_default(), AT_FDCWD, path, 0755, false, NULL), PGC_OK);
    CHECK(migrate_dir_load(env_default(), &source, mem, &dir, &err) != PGC_OK);
    CHECK(strstr(err.message, "9_d.sql") != NULL);
    end();
}

static void cuts_names(void)
{
    static const struct {
        const char *name, *version, *description;
    } CASES[] = {
        { "000_extensions.sql", "000", "extensions" },
        { "20260101120000.sql", "20260101120000", "" },
        { "1.a_sub.up.sql", "1.a", "sub.up" },
        { "2.10.x-20_description.sql", "2.10.x-20", "description" },
        { "3_a_b.sql", "3", "a_b" },
        { "_x.sql", "", "x" },
        { "1.sql", "1", "" },
        { ".sql", "", "" },
    };
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const char *version, *description;
        migrate_name_cut(CASES[i].name, mem, &version, &description);
        CHECK_STR(version, CASES[i].version);
        CHECK_STR(description, CASES[i].description);
    }
}

static void check_refused(const char *a, const char *b, const char *word)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    const migrate_embedded table[] = { { a, "", 0 }, { b, "", 0 } };
    migrate_source source = { NULL, table, 2 };
    migrate_dir dir;
    pgc_error err;
    REQUIRE_OK(migrate_dir_load(env_default(), &source, mem, &dir, &err), &err);
    CHECK_STATUS(migrate_dir_check(&dir, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, word) != NULL);
}

static void refuses_bad_names(void)
{
    check_refused("1_a.sql", "1_b.sql", "same version");
    check_refused("1.sql", "1_b.sql", "same version");
    check_refused("_a.sql", "1_b.sql", "no version");
    check_refused(".1_a.sql", "1_b.sql", "dot");
    check_refused("1_h1:a.sql", "2_b.sql", "h1:");
}

static void marks_checkpoints(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    static const char TEXT[] = "-- atlas:checkpoint v1\n\nSELECT 1;";
    const migrate_embedded table[] = { { "1.sql", TEXT, sizeof TEXT - 1 }, { "2.sql", "", 0 } };
    migrate_source source = { NULL, table, 2 };
    migrate_dir dir;
    REQUIRE_OK(migrate_dir_load(env_default(), &source, mem, &dir, NULL), NULL);
    CHECK(dir.files[0].is_checkpoint);
    CHECK(!dir.files[1].is_checkpoint);
    CHECK(migrate_dir_find(&dir, "2") == &dir.files[1]);
    CHECK(migrate_dir_find(&dir, "3") == NULL);
}

/* Every file operation fails once; the load must report it and leave nothing open. */
static void survives_failing_reads(void)
{
    begin();
    put("1.sql", "A");
    put("2.sql", "B");
    put("atlas.sum", "x");
    bool complete = false;
    for (uint64_t fail_at = 1; !complete && fail_at < 200; fail_at++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
        vfs_fault fault;
        vfs_fault_init(&fault);
        fault.op = VFS_OP_COUNT;
        fault.fail_at = fail_at;
        fault.err = EIO;
        env e = *env_default();
        e.fs = &fault.ops;
        migrate_source source = { folder, NULL, 0 };
        migrate_dir dir = { .file_count = 77 };
        pgc_error err;
        pgc_status status = migrate_dir_load(&e, &source, mem, &dir, &err);
        complete = fault.calls < fail_at;
        CHECK(status == PGC_OK ? dir.file_count == 2 : dir.file_count == 77);
        CHECK(!complete || status == PGC_OK);
    }
    CHECK(complete);
    end();
}

TAP_MAIN(TAP("directory: reads a folder in byte order", reads_a_folder_in_byte_order),
         TAP("directory: a missing folder is named", a_missing_folder_is_named),
         TAP("directory: a folder named *.sql is an error", a_folder_named_like_a_file_is_an_error),
         TAP("directory: names are cut into version and description", cuts_names),
         TAP("directory: names that confuse the table are refused", refuses_bad_names),
         TAP("directory: checkpoints are marked", marks_checkpoints),
         TAP("directory: survives every failing file operation", survives_failing_reads))
