/* The output folder: comparing, writing only what is different, listing differences; the manifest.
 */
#include "base/prelude.h"

#include "base/file.h"
#include "sqlc/manifest.h"
#include "sqlc/output.h"

#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

static void diff_of(const char *old, const char *fresh, const char *want)
{
    AUTO(buf_auto) buf out;
    output_change change = {
        .path = "x.c", .state = OUTPUT_DIFFERENT, .old = sqlc_text(old), .content = sqlc_text(fresh)
    };
    buf_init(&out, NULL, 1 << 16);
    output_diff(&change, &out);
    CHECK_STR(out.ptr, want);
}

static void differences_are_listed(void)
{
    diff_of("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\nX\nf\ng\nh\n",
            "--- a/x.c\n+++ b/x.c\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+X\n f\n g\n h\n");
    diff_of("", "a\n", "--- a/x.c\n+++ b/x.c\n@@ -1,0 +1,1 @@\n+a\n");
    diff_of("a\n", "", "--- a/x.c\n+++ b/x.c\n@@ -1,1 +1,0 @@\n-a\n");
    diff_of("a\na\n", "a\na\na\n", "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@\n a\n a\n+a\n");
    diff_of("a\nb\n", "a\nbb\n", "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n a\n-b\n+bb\n");
}

static void only_differences_are_written(void)
{
    tmpdir dir = tmpdir_make();
    sqlc_bench bench = sqlc_bench_make(NULL);
    pgc_error err = PGC_ZERO;
    vec files = { 0 };
    vec changes = { 0 };
    char out[128];
    char same[160];
    struct stat before;
    struct stat after;
    (void) snprintf(out, sizeof out, "%s/deep/out", dir.path);
    (void) snprintf(same, sizeof same, "%s/same.h", out);
    static const char *const NAMES[] = { "same.h", "new.h", "old.h" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        emit_file *file = VEC_ADD(bench.arena, &files, emit_file);
        REQUIRE(file != NULL);
        *file = (emit_file) { .name = NAMES[i], .content = SLICE("text\n") };
    }
    REQUIRE_OK(file_mkdirs(env_default(), dir.fd, "deep/out", 0755, false, &err), &err);
    REQUIRE_OK(
        file_write_atomic(env_default(), dir.fd, "deep/out/same.h", SLICE("text\n"), 0644, &err),
        &err);
    REQUIRE_OK(
        file_write_atomic(env_default(), dir.fd, "deep/out/old.h", SLICE("tex\n"), 0644, &err),
        &err);
    REQUIRE(stat(same, &before) == 0);
    REQUIRE_OK(output_compare(env_default(), bench.arena, out, "out", &files, &changes, &err),
               &err);
    REQUIRE(changes.count == 3);
    CHECK_INT(VEC_AT(&changes, output_change, 0)->state, OUTPUT_SAME);
    CHECK_INT(VEC_AT(&changes, output_change, 1)->state, OUTPUT_MISSING);
    CHECK_INT(VEC_AT(&changes, output_change, 2)->state, OUTPUT_DIFFERENT);
    CHECK_STR(VEC_AT(&changes, output_change, 2)->path, "out/old.h");
    REQUIRE_OK(output_write(env_default(), out, &changes, &err), &err);
    REQUIRE(stat(same, &after) == 0);
    CHECK_INT(after.st_ino, before.st_ino);
    changes = (vec) { 0 };
    REQUIRE_OK(output_compare(env_default(), bench.arena, out, "out", &files, &changes, &err),
               &err);
    for (size_t i = 0; i < changes.count; i++) {
        CHECK_INT(VEC_AT(&changes, output_change, i)->state, OUTPUT_SAME);
    }
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void full_disks_are_reported(void)
{
    tmpdir dir = tmpdir_make();
    sqlc_bench bench = sqlc_bench_make(NULL);
    vfs_fault fault;
    pgc_error err = PGC_ZERO;
    vec changes = { 0 };
    env broken = *env_default();
    vfs_fault_init(&fault);
    fault.op = VFS_write;
    fault.fail_at = 1;
    fault.err = ENOSPC;
    broken.fs = &fault.ops;
    output_change *change = VEC_ADD(bench.arena, &changes, output_change);
    REQUIRE(change != NULL);
    *change = (output_change) { .path = "out/a.h",
                                .full = arena_printf(bench.arena, "%s/a.h", dir.path),
                                .state = OUTPUT_MISSING,
                                .content = SLICE("x\n") };
    CHECK_INT(output_write(&broken, dir.path, &changes, &err), PGC_IO);
    CHECK(strstr(err.message, "out/a.h") != NULL);
    CHECK(!file_exists(env_default(), dir.fd, "a.h"));
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void manifests_come_back(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    AUTO(buf_auto) buf text;
    pgc_error err = PGC_ZERO;
    vec files = { 0 };
    manifest m = { .generator = "1", .options_hash = "2" };
    manifest back = { 0 };
    const ir_set set = { .prefix = "p", .schema_hash = "3" };
    source_file *file = VEC_ADD(bench.arena, &files, source_file);
    REQUIRE(file != NULL);
    *file = (source_file) { .path = "q/ö \"x\".sql", .text = SLICE("abc") };
    buf_init(&text, NULL, 1 << 20);
    REQUIRE_OK(manifest_add_inputs(&m, bench.arena, &files, &err), &err);
    REQUIRE_OK(manifest_write(&m, &set, &text, &err), &err);
    REQUIRE_OK(manifest_read(bench.arena, "m.json", buf_view(&text), &back, NULL, &err), &err);
    CHECK_STR(back.generator, "1");
    CHECK_STR(back.options_hash, "2");
    REQUIRE(back.inputs.count == 1);
    CHECK_STR(VEC_AT(&back.inputs, manifest_entry, 0)->path, "q/ö \"x\".sql");
    CHECK_STR(VEC_AT(&back.inputs, manifest_entry, 0)->sha256,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sqlc_bench_done(&bench);
}

static void bad_manifests_are_refused(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    manifest back = { 0 };
    pgc_error err = PGC_ZERO;
    CHECK_INT(manifest_read(bench.arena, "m.json", SLICE("{\n  \"a\": x"), &back, NULL, &err),
              PGC_INVALID);
    CHECK(strncmp(err.message, "m.json:2:", 9) == 0);
    CHECK_INT(manifest_read(bench.arena, "m.json", SLICE("[1]"), &back, NULL, &err), PGC_INVALID);
    CHECK_STR(err.message, "m.json:1:1: not a manifest of sqlc-gen-c");
    CHECK_INT(manifest_read(bench.arena, "m.json", SLICE(""), &back, NULL, &err), PGC_INVALID);
    CHECK_INT(manifest_read(bench.arena, "m.json",
                            SLICE("{\"generator\": \"1\", \"options_hash\": \"2\", \"inputs\": 7}"),
                            &back, NULL, &err),
              PGC_OK);
    CHECK_INT(back.inputs.count, 0);
    sqlc_bench_done(&bench);
}

static void options_that_matter_change_the_hash(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config_c a = { .prefix = "p", .out = "x", .query_parameter_limit = 1 };
    config_c b = a;
    const char *first = manifest_options_hash(bench.arena, &a);
    b.out = "y";
    CHECK_STR(manifest_options_hash(bench.arena, &b), first);
    b.query_parameter_limit = 2;
    const char *second = manifest_options_hash(bench.arena, &b);
    REQUIRE(first != NULL && second != NULL);
    CHECK(strcmp(first, second) != 0);
    sqlc_bench_done(&bench);
}

TAP_MAIN(TAP("differences are listed like a unified diff", differences_are_listed),
         TAP("only files that differ are written", only_differences_are_written),
         TAP("a full disk is reported with the file", full_disks_are_reported),
         TAP("a manifest can be read back", manifests_come_back),
         TAP("files that are no manifest are refused", bad_manifests_are_refused),
         TAP("the options' hash covers what changes the output",
             options_that_matter_change_the_hash))
