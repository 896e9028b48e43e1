/* The walk of folders: what it finds, what it leaves out, what it survives. */
#include "base/prelude.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <pgc/error.h>

#include "base/buf.h"
#include "base/file.h"
#include "oom.h"
#include "tap.h"
#include "tmpdir.h"
#include "work/walk.h"

/* Everything the walk said, one line each: "f PATH", "s PATH", "x PATH", relative to the root. */
typedef struct record {
    buf lines;
    size_t root_len;
    size_t stop_after; /* files; 0: never */
    size_t files;
} record;

static tmpdir folder;
static char root[sizeof folder.path];

static void line(record *r, char kind, const char *path)
{
    buf_printf(&r->lines, "%c %s\n", kind, path + r->root_len + 1);
}

static pgc_status on_file(void *arg, const char *path, pgc_error *err)
{
    record *r = arg;
    line(r, 'f', path);
    r->files++;
    return r->files == r->stop_after ? pgc_error_set(err, PGC_CANCELLED, "enough") : PGC_OK;
}

static void on_skipped(void *arg, const char *path, const char *reason)
{
    (void) reason;
    line(arg, 's', path);
}

static void on_failed(void *arg, const char *path, const char *reason)
{
    (void) reason;
    line(arg, 'x', path);
}

static void make_file(const char *name)
{
    char path[PATH_MAX + 300];
    (void) snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    fd_auto(&fd);
}

static void make_folder(const char *name)
{
    char path[PATH_MAX + 300];
    (void) snprintf(path, sizeof path, "%s/%s", root, name);
    CHECK(mkdir(path, 0700) == 0);
}

static void set_up(void)
{
    folder = tmpdir_make();
    memcpy(root, folder.path, sizeof root);
}

static void tear_down(void)
{
    tmpdir_remove(&folder);
}

static pgc_status walk_record(const env *e, const char *path, walk_exclude exclude, record *r)
{
    const walk_sink sink = {
        .arg = r, .file = on_file, .skipped = on_skipped, .failed = on_failed
    };
    buf_init(&r->lines, NULL, 1 << 20);
    r->root_len = strlen(root);
    return walk_path(e, path, exclude, &sink, NULL);
}

static void check_lines(record *r, const char *want)
{
    buf_add(&r->lines, SLICE(""));
    CHECK_STR(r->lines.ptr != NULL ? r->lines.ptr : "", want);
    buf_done(&r->lines);
}

static void finds_files_in_byte_order(void)
{
    record r = { .stop_after = 0 };
    set_up();
    make_folder("b");
    make_folder("b/deep");
    make_file("b/deep/3.jpg");
    make_file("b/2.jpg");
    make_file("a.jpg");
    make_file("c.jpg");
    CHECK_STATUS(walk_record(env_default(), root, (walk_exclude) { 0, 0 }, &r), PGC_OK, NULL);
    check_lines(&r, "f a.jpg\nf c.jpg\nf b/2.jpg\nf b/deep/3.jpg\n");
    tear_down();
}

static void leaves_out_links_devices_and_droppings(void)
{
    record r = { .stop_after = 0 };
    char path[PATH_MAX + 16];
    set_up();
    make_file("x.jpg");
    make_file(".DS_Store");
    make_file("half.part");
    make_folder(".Trashes");
    make_file(".Trashes/gone.jpg");
    (void) snprintf(path, sizeof path, "%s/link.jpg", root);
    CHECK(symlink("x.jpg", path) == 0);
    (void) snprintf(path, sizeof path, "%s/loop", root);
    CHECK(symlink(".", path) == 0);
    (void) snprintf(path, sizeof path, "%s/pipe", root);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK_STATUS(walk_record(env_default(), root, (walk_exclude) { 0, 0 }, &r), PGC_OK, NULL);
    check_lines(&r, "s .DS_Store\ns .Trashes\ns half.part\ns link.jpg\ns loop\ns pipe\nf x.jpg\n");
    tear_down();
}

static void follows_a_link_that_the_caller_names(void)
{
    record r = { .stop_after = 0 };
    char path[PATH_MAX + 16];
    set_up();
    make_folder("real");
    make_file("real/1.jpg");
    (void) snprintf(path, sizeof path, "%s/link", root);
    CHECK(symlink("real", path) == 0);
    CHECK_STATUS(walk_record(env_default(), path, (walk_exclude) { 0, 0 }, &r), PGC_OK, NULL);
    check_lines(&r, "f link/1.jpg\n");
    tear_down();
}

static void never_enters_the_excluded_folder(void)
{
    record r = { .stop_after = 0 };
    struct stat info;
    char path[PATH_MAX + 16];
    set_up();
    make_folder("library");
    make_file("library/own.jpg");
    make_file("new.jpg");
    (void) snprintf(path, sizeof path, "%s/library", root);
    CHECK(stat(path, &info) == 0);
    CHECK_STATUS(walk_record(env_default(), root, (walk_exclude) { info.st_dev, info.st_ino }, &r),
                 PGC_OK, NULL);
    check_lines(&r, "f new.jpg\ns library\n");
    tear_down();
}

static void reports_what_is_absent_and_goes_on(void)
{
    record r = { .stop_after = 0 };
    char path[PATH_MAX + 16];
    set_up();
    (void) snprintf(path, sizeof path, "%s/nothing", root);
    CHECK_STATUS(walk_record(env_default(), path, (walk_exclude) { 0, 0 }, &r), PGC_OK, NULL);
    check_lines(&r, "x nothing\n");
    tear_down();
}

static void reports_an_unreadable_folder_and_goes_on(void)
{
    record r = { .stop_after = 0 };
    vfs_fault fault;
    vfs_fault_init(&fault);
    fault.op = VFS_openat;
    fault.fail_at = 2; /* the first folder below the root */
    fault.err = EACCES;
    env faulty = *env_default();
    faulty.fs = &fault.ops;
    set_up();
    make_folder("a");
    make_folder("b");
    make_file("a/1.jpg");
    make_file("b/2.jpg");
    CHECK_STATUS(walk_record(&faulty, root, (walk_exclude) { 0, 0 }, &r), PGC_OK, NULL);
    check_lines(&r, "x a\nf b/2.jpg\n");
    tear_down();
}

static void takes_names_of_255_bytes_and_invalid_utf8(void)
{
    record r = { .stop_after = 0 };
    char name[256];
    set_up();
    memset(name, 'n', 255);
    name[255] = '\0';
    make_file(name);
    make_file("bad\xff\xfe.jpg");
    CHECK_STATUS(walk_record(env_default(), root, (walk_exclude) { 0, 0 }, &r), PGC_OK, NULL);
    CHECK_INT(r.files, 2);
    buf_done(&r.lines);
    tear_down();
}

static void stops_when_the_sink_says_so(void)
{
    record r = { .stop_after = 1 };
    set_up();
    make_file("1.jpg");
    make_file("2.jpg");
    make_folder("3");
    CHECK_STATUS(walk_record(env_default(), root, (walk_exclude) { 0, 0 }, &r), PGC_CANCELLED,
                 NULL);
    check_lines(&r, "f 1.jpg\n");
    tear_down();
}

static void survives_every_failing_allocation(void)
{
    set_up();
    make_folder("a");
    make_file("a/1.jpg");
    make_file("2.jpg");
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
        record r = { .stop_after = 0 };
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        env e = *env_default();
        e.alloc = &alloc;
        complete = walk_record(&e, root, (walk_exclude) { 0, 0 }, &r) == PGC_OK;
        CHECK(!complete || r.files == 2);
        CHECK_INT(plan.live, 0);
        buf_done(&r.lines);
    }
    CHECK(complete);
    tear_down();
}

TAP_MAIN(TAP("walk: files come in byte order, folders after the files beside them",
             finds_files_in_byte_order),
         TAP("walk: links, devices and droppings of other programs are left out",
             leaves_out_links_devices_and_droppings),
         TAP("walk: a link that the caller names is followed",
             follows_a_link_that_the_caller_names),
         TAP("walk: the library itself is never entered", never_enters_the_excluded_folder),
         TAP("walk: an absent path is reported", reports_what_is_absent_and_goes_on),
         TAP("walk: an unreadable folder is reported and the rest walked",
             reports_an_unreadable_folder_and_goes_on),
         TAP("walk: names of 255 bytes and of invalid UTF-8 are found",
             takes_names_of_255_bytes_and_invalid_utf8),
         TAP("walk: the sink can stop it", stops_when_the_sink_says_so),
         TAP("walk: every failing allocation is an error and leaks nothing",
             survives_every_failing_allocation))
