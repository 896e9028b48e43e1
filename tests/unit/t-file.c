/* Whole-file helpers: replacement under every failure, folders, trees, links. */
#include "base/prelude.h"

#include <dirent.h>

#include "base/file.h"

#include "oom.h"
#include "tap.h"
#include "tmpdir.h"

static env env_with(const vfs *fs)
{
    env e = *env_default();
    e.fs = fs;
    return e;
}

/* Content of a file, "?" when it cannot be read; static memory. */
static const char *content(int dir, const char *name)
{
    static char text[256];
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, sizeof text);
    pgc_status status = file_read(env_default(), dir, name, &b, NULL);
    (void) snprintf(text, sizeof text, "%s", status == PGC_OK ? buf_view(&b).ptr : "?");
    return text;
}

static int entries(int dir)
{
    int count = 0;
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file_dir reader;
    file_entry entry = { NULL, 0 };
    file_dir_init(&reader, env_default(), fd);
    while (file_dir_next(&reader, &entry, NULL) == PGC_OK && entry.name != NULL) {
        count++;
    }
    fd_auto(&fd);
    return count;
}

static void write_then_read(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    const env *e = env_default();
    REQUIRE_OK(file_write_atomic(e, t.fd, "a", SLICE("one"), 0600, &err), &err);
    CHECK_STR(content(t.fd, "a"), "one");
    REQUIRE_OK(file_write_atomic(e, t.fd, "a", SLICE(""), 0600, &err), &err);
    CHECK_STR(content(t.fd, "a"), "");
    char path[128];
    (void) snprintf(path, sizeof path, "%s/a", t.path);
    REQUIRE_OK(file_write_atomic(e, AT_FDCWD, path, SLICE("two"), 0600, &err), &err);
    CHECK_STR(content(t.fd, "a"), "two");
    CHECK_INT(entries(t.fd), 1);
    CHECK(file_exists(e, t.fd, "a"));
    CHECK(!file_exists(e, t.fd, "b"));
    tmpdir_remove(&t);
}

static void read_reports_absence_and_size(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    const env *e = env_default();
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 8);
    CHECK_STATUS(file_read(e, t.fd, "none", &b, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "none") != NULL);
    REQUIRE_OK(file_write_atomic(e, t.fd, "fits", SLICE("1234567"), 0600, &err), &err);
    REQUIRE_OK(file_write_atomic(e, t.fd, "over", SLICE("12345678"), 0600, &err), &err);
    REQUIRE_OK(file_read(e, t.fd, "fits", &b, &err), &err);
    CHECK_STR(b.ptr, "1234567");
    buf_reset(&b);
    buf_add_str(&b, "x");
    CHECK_STATUS(file_read(e, t.fd, "over", &b, &err), PGC_LIMIT, &err);
    CHECK_STR(b.ptr, "x");
    CHECK_STATUS(file_read(e, AT_FDCWD, t.path, &b, &err), PGC_IO, &err);
    CHECK_INT(err.os_errno, EISDIR);
    tmpdir_remove(&t);
}

static void read_survives_failed_allocations(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    REQUIRE_OK(file_write_atomic(env_default(), t.fd, "a", SLICE("hello"), 0600, &err), &err);
    bool complete = false;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        AUTO(buf_auto) buf b;
        buf_init(&b, &alloc, 1 << 20);
        pgc_status status = file_read(env_default(), t.fd, "a", &b, &err);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        buf_done(&b);
        CHECK_INT(plan.live, 0);
    }
    tmpdir_remove(&t);
}

/* One replacement with the n-th call failing; false when the plan was never reached. */
static bool replace_with_fault(int dir, uint64_t fail_at, int os_errno, bool sticky)
{
    vfs_fault fault;
    vfs_fault_init(&fault);
    fault.fail_at = fail_at;
    fault.err = os_errno;
    fault.sticky = sticky;
    env e = env_with(&fault.ops);
    pgc_error err;
    pgc_status status = file_write_atomic(&e, dir, "a", SLICE("new"), 0600, &err);
    const char *now = content(dir, "a");
    CHECK(strcmp(now, "old") == 0 || strcmp(now, "new") == 0);
    if (status == PGC_OK) {
        CHECK_STR(now, "new");
    } else {
        CHECK(strstr(err.message, "replace a") != NULL);
        CHECK_INT(err.os_errno, os_errno);
    }
    if (!sticky) {
        CHECK_INT(entries(dir), 1); /* no temporary file stays behind */
    }
    return fault.calls >= fail_at;
}

static void failure_at_each_call_leaves_old_or_new(void)
{
    for (int sticky = 0; sticky < 2; sticky++) {
        bool reached = true;
        uint64_t rounds = 0;
        for (uint64_t fail_at = 1; reached; fail_at++, rounds++) {
            tmpdir t = tmpdir_make();
            pgc_error err;
            REQUIRE_OK(file_write_atomic(env_default(), t.fd, "a", SLICE("old"), 0600, &err), &err);
            reached = replace_with_fault(t.fd, fail_at, ENOSPC, sticky == 1);
            tmpdir_remove(&t);
        }
        CHECK(rounds >= 7);
    }
}

static void short_and_interrupted_writes_go_on(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    vfs_fault fault;
    vfs_fault_init(&fault);
    fault.op = VFS_write;
    fault.fail_at = 1;
    fault.sticky = true;
    fault.err = 0;
    env e = env_with(&fault.ops);
    REQUIRE_OK(file_write_atomic(&e, t.fd, "a", SLICE("byte by byte"), 0600, &err), &err);
    CHECK_STR(content(t.fd, "a"), "byte by byte");
    CHECK_INT(fault.per_op[VFS_write], 12);
    vfs_fault_init(&fault);
    fault.op = VFS_write;
    fault.fail_at = 1;
    fault.err = EINTR;
    REQUIRE_OK(file_write_atomic(&e, t.fd, "a", SLICE("again"), 0600, &err), &err);
    CHECK_STR(content(t.fd, "a"), "again");
    vfs_fault_init(&fault);
    fault.op = VFS_read;
    fault.fail_at = 1;
    fault.err = EINTR;
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 100);
    REQUIRE_OK(file_read(&e, t.fd, "a", &b, &err), &err);
    CHECK_STR(b.ptr, "again");
    tmpdir_remove(&t);
}

static void missing_randomness_and_bad_paths_fail(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    clock_fake fake;
    clock_fake_init(&fake, 0, 1);
    fake.random_fails = true;
    env e = *env_default();
    e.clock = &fake.ops;
    CHECK_STATUS(file_write_atomic(&e, t.fd, "a", SLICE("x"), 0600, &err), PGC_IO, &err);
    e = *env_default();
    CHECK_STATUS(file_write_atomic(&e, t.fd, "none/a", SLICE("x"), 0600, &err), PGC_IO, &err);
    CHECK_STATUS(file_write_atomic(&e, t.fd, "sub/", SLICE("x"), 0600, &err), PGC_IO, &err);
    CHECK_INT(entries(t.fd), 0);
    tmpdir_remove(&t);
}

static void access_is_exact(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    struct stat info;
    mode_t old = umask(077);
    file_access access = { .mode = 0644, .own = geteuid() == 0, .uid = 65534, .gid = 65534 };
    pgc_status status = file_write_atomic_as(env_default(), t.fd, "a", SLICE("x"), &access, &err);
    (void) umask(old);
    REQUIRE_OK(status, &err);
    REQUIRE(fstatat(t.fd, "a", &info, 0) == 0);
    CHECK_INT(info.st_mode & 07777, 0644);
    CHECK_INT(info.st_uid, access.own ? 65534 : geteuid());
    for (int op = 0; op < 2; op++) {
        vfs_fault fault;
        vfs_fault_init(&fault);
        fault.op = op == 0 ? VFS_fchmod : VFS_fchown;
        fault.fail_at = 1;
        env e = env_with(&fault.ops);
        access.own = true;
        status = file_write_atomic_as(&e, t.fd, "b", SLICE("x"), &access, &err);
        CHECK(status == PGC_IO || status == PGC_DENIED);
        CHECK_INT(entries(t.fd), 1);
    }
    tmpdir_remove(&t);
}

static void mkdirs_makes_chains(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    const env *e = env_default();
    REQUIRE_OK(file_mkdirs(e, t.fd, "a//b/c/", 0700, true, &err), &err);
    CHECK(file_exists(e, t.fd, "a/b/c"));
    REQUIRE_OK(file_mkdirs(e, t.fd, "a/b/c", 0700, true, &err), &err);
    char path[128];
    (void) snprintf(path, sizeof path, "%s/x/y", t.path);
    REQUIRE_OK(file_mkdirs(e, AT_FDCWD, path, 0700, true, &err), &err);
    CHECK(file_exists(e, t.fd, "x/y"));
    REQUIRE_OK(file_write_atomic(e, t.fd, "plain", SLICE("x"), 0600, &err), &err);
    CHECK_STATUS(file_mkdirs(e, t.fd, "plain/sub", 0700, false, &err), PGC_IO, &err);
    CHECK_INT(err.os_errno, ENOTDIR);
    CHECK(strstr(err.message, "plain") != NULL);
    CHECK_STATUS(file_mkdirs(e, t.fd, "", 0700, false, &err), PGC_IO, &err);
    vfs_fault fault;
    vfs_fault_init(&fault);
    fault.op = VFS_fsync;
    fault.fail_at = 2;
    env faulty = env_with(&fault.ops);
    CHECK_STATUS(file_mkdirs(&faulty, t.fd, "p/q", 0700, true, &err), PGC_IO, &err);
    CHECK_STATUS(file_mkdirs(&faulty, t.fd, "r/s", 0700, false, &err), PGC_OK, &err);
    CHECK_INT(fault.per_op[VFS_fsync], 2);
    tmpdir_remove(&t);
}

static void trees_are_removed_but_links_not_followed(void)
{
    tmpdir t = tmpdir_make();
    tmpdir other = tmpdir_make();
    pgc_error err;
    const env *e = env_default();
    REQUIRE_OK(file_write_atomic(e, other.fd, "keep", SLICE("x"), 0600, &err), &err);
    REQUIRE_OK(file_mkdirs(e, t.fd, "tree/a/b", 0700, false, &err), &err);
    for (int i = 0; i < 300; i++) {
        char name[64];
        (void) snprintf(name, sizeof name, "tree/a/file-%d", i);
        int fd = openat(t.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        fd_auto(&fd);
    }
    CHECK_INT(symlinkat(other.path, t.fd, "tree/a/b/link"), 0);
    CHECK_INT(symlinkat(other.path, t.fd, "link"), 0);
    REQUIRE_OK(file_remove_tree(e, t.fd, "tree", &err), &err);
    REQUIRE_OK(file_remove_tree(e, t.fd, "link", &err), &err);
    REQUIRE_OK(file_remove_tree(e, t.fd, "absent", &err), &err);
    CHECK_INT(entries(t.fd), 0);
    CHECK_STR(content(other.fd, "keep"), "x");
    tmpdir_remove(&t);
    tmpdir_remove(&other);
}

static void removal_reports_each_failure(void)
{
    bool reached = true;
    for (uint64_t fail_at = 1; reached; fail_at++) {
        tmpdir t = tmpdir_make();
        pgc_error err;
        REQUIRE_OK(file_mkdirs(env_default(), t.fd, "tree/a", 0700, false, &err), &err);
        REQUIRE_OK(file_write_atomic(env_default(), t.fd, "tree/a/f", SLICE("x"), 0600, &err),
                   &err);
        vfs_fault fault;
        vfs_fault_init(&fault);
        fault.fail_at = fail_at;
        env e = env_with(&fault.ops);
        pgc_status status = file_remove_tree(&e, t.fd, "tree", &err);
        reached = fault.calls >= fail_at;
        CHECK(status != PGC_OK || !file_exists(env_default(), t.fd, "tree"));
        CHECK(status == PGC_OK || strstr(err.message, "tree") != NULL);
        tmpdir_remove(&t);
    }
}

TAP_MAIN(TAP("file: write then read", write_then_read),
         TAP("file: read reports absence and size", read_reports_absence_and_size),
         TAP("file: read survives failed allocations", read_survives_failed_allocations),
         TAP("file: failure at each call leaves old or new",
             failure_at_each_call_leaves_old_or_new),
         TAP("file: short and interrupted transfers go on", short_and_interrupted_writes_go_on),
         TAP("file: missing randomness and bad paths fail", missing_randomness_and_bad_paths_fail),
         TAP("file: mode and owner are exact", access_is_exact),
         TAP("file: mkdirs makes chains", mkdirs_makes_chains),
         TAP("file: trees go, links are not followed", trees_are_removed_but_links_not_followed),
         TAP("file: removal reports each failure", removal_reports_each_failure))
