/* Staging: copies with a hash, names that replace nothing, and every failing system call. */
#include "base/prelude.h"

#include <lumilio/status.h>
#include <sys/stat.h>

#include "base/file.h"
#include "image.h"
#include "oom.h"
#include "tap.h"
#include "tmpdir.h"
#include "work/stage.h"

#define HELLO_HASH "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static tmpdir folder;
static pgc_error err;

/* The test folder with a source "hello" in it. */
static void set_up(void)
{
    char path[96];
    folder = tmpdir_make();
    (void) snprintf(path, sizeof path, "%s/hello", folder.path);
    CHECK(image_save(path, "hello", 5));
    pgc_error_clear(&err);
}

static void source_path(const char *name, char out[static 96])
{
    (void) snprintf(out, 96, "%s/%s", folder.path, name);
}

/* Open and stage "hello" in an environment. */
static pgc_status stage_hello(const env *e, staged_file *out)
{
    char path[96];
    int source = -1;
    struct stat info;
    source_path("hello", path);
    pgc_status status = stage_open_source(e, path, &source, &info, &err);
    if (status == PGC_OK) {
        status = stage_copy(e, source, &info, folder.fd, out, &err);
    }
    fd_auto(&source);
    return status;
}

static void copies_bytes_and_knows_their_hash(void)
{
    staged_file staged = { .fd = -1 };
    char bytes[8] = "";
    set_up();
    REQUIRE_OK(stage_hello(env_default(), &staged), &err);
    CHECK_STR(staged.hash, HELLO_HASH);
    CHECK_STR(stage_hash_hex(staged.hash), &HELLO_HASH[7]);
    CHECK_INT(staged.size, 5);
    CHECK_INT(pread(staged.fd, bytes, sizeof bytes, 0), 5);
    CHECK_STR(bytes, "hello");
    stage_close(env_default(), &staged);
    CHECK_INT(staged.fd, -1);
    tmpdir_remove(&folder);
}

static void a_staged_copy_has_no_name(void)
{
    staged_file staged = { .fd = -1 };
    struct stat info;
    set_up();
    REQUIRE_OK(stage_hello(env_default(), &staged), &err);
    CHECK(fstat(staged.fd, &info) == 0);
    CHECK_INT(info.st_nlink, 0);
    stage_close(env_default(), &staged);
    tmpdir_remove(&folder);
}

static void gives_a_name_below_new_folders(void)
{
    staged_file staged = { .fd = -1 };
    set_up();
    REQUIRE_OK(stage_hello(env_default(), &staged), &err);
    CHECK_STATUS(stage_link(env_default(), staged.fd, folder.fd, "inbox/2019/07/a.txt", &err),
                 PGC_OK, &err);
    CHECK(file_exists(env_default(), folder.fd, "inbox/2019/07/a.txt"));
    CHECK_STATUS(stage_sync_folder(env_default(), folder.fd, "inbox/2019/07/a.txt", &err), PGC_OK,
                 &err);
    stage_close(env_default(), &staged);
    tmpdir_remove(&folder);
}

static void never_replaces_a_file(void)
{
    staged_file staged = { .fd = -1 };
    char path[96];
    char bytes[8] = "";
    set_up();
    source_path("taken", path);
    CHECK(image_save(path, "mine", 4));
    REQUIRE_OK(stage_hello(env_default(), &staged), &err);
    CHECK_STATUS(stage_link(env_default(), staged.fd, folder.fd, "taken", &err), PGC_CONFLICT,
                 &err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(fd, bytes, sizeof bytes), 4);
    CHECK_STR(bytes, "mine");
    fd_auto(&fd);
    stage_close(env_default(), &staged);
    tmpdir_remove(&folder);
}

static void never_leaves_the_repository(void)
{
    staged_file staged = { .fd = -1 };
    char link[96];
    set_up();
    source_path("way-out", link);
    CHECK(symlink("/tmp", link) == 0);
    REQUIRE_OK(stage_hello(env_default(), &staged), &err);
    CHECK(stage_link(env_default(), staged.fd, folder.fd, "way-out/escaped", &err) != PGC_OK);
    CHECK(stage_link(env_default(), staged.fd, folder.fd, "../escaped", &err) != PGC_OK);
    CHECK(!file_exists(env_default(), AT_FDCWD, "/tmp/escaped"));
    stage_close(env_default(), &staged);
    tmpdir_remove(&folder);
}

static void says_what_is_wrong_with_a_source(void)
{
    char path[96];
    int fd = -1;
    struct stat info;
    set_up();
    source_path("absent", path);
    CHECK_STATUS(stage_open_source(env_default(), path, &fd, &info, &err), LUM_SOURCE_CHANGED,
                 &err);
    source_path("link", path);
    CHECK(symlink("hello", path) == 0);
    CHECK_STATUS(stage_open_source(env_default(), path, &fd, &info, &err), LUM_NOT_MEDIA, &err);
    CHECK(strstr(err.message, "link") != NULL);
    source_path("pipe", path);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK_STATUS(stage_open_source(env_default(), path, &fd, &info, &err), LUM_NOT_MEDIA, &err);
    CHECK_STATUS(stage_open_source(env_default(), folder.path, &fd, &info, &err), LUM_NOT_MEDIA,
                 &err);
    CHECK_INT(fd, -1);
    tmpdir_remove(&folder);
}

static void notices_a_source_that_changes(void)
{
    staged_file staged = { .fd = -1 };
    char path[96];
    int source = -1;
    struct stat info;
    set_up();
    source_path("hello", path);
    REQUIRE_OK(stage_open_source(env_default(), path, &source, &info, &err), &err);
    CHECK(image_save(path, "hello again", 11));
    CHECK_STATUS(stage_copy(env_default(), source, &info, folder.fd, &staged, &err),
                 LUM_SOURCE_CHANGED, &err);
    CHECK_INT(staged.fd, -1);
    fd_auto(&source);
    tmpdir_remove(&folder);
}

static void hashes_big_files_in_blocks(void)
{
    enum { SIZE = 700001 }; /* more than two blocks */
    char path[96];
    char hash[STAGE_HASH_SIZE];
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    int64_t size = 0;
    uint8_t *bytes = malloc(SIZE);
    set_up();
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t) (i * 31 + i / 257);
    }
    source_path("big", path);
    CHECK(image_save(path, bytes, SIZE));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_STATUS(stage_hash_fd(env_default(), fd, hash, &size, &err), PGC_OK, &err);
    CHECK(sha256_of(bytes, SIZE, digest));
    sha256_hex(digest, hex);
    CHECK_STR(stage_hash_hex(hash), hex);
    CHECK_INT(size, SIZE);
    fd_auto(&fd);
    free(bytes);
    tmpdir_remove(&folder);
}

/* One failing call at a time, of every kind: an error, no descriptor left, nothing in the folder.
 */
static void every_failing_call_is_an_error(void)
{
    static const int ERRORS[] = { EIO, ENOSPC, EACCES };
    set_up();
    for (size_t i = 0; i < ARRAY_LEN(ERRORS); i++) {
        bool complete = false;
        for (uint64_t fail_at = 1; !complete && fail_at < 100; fail_at++) {
            staged_file staged = { .fd = -1 };
            vfs_fault fault;
            vfs_fault_init(&fault);
            fault.op = VFS_OP_COUNT;
            fault.fail_at = fail_at;
            fault.err = ERRORS[i];
            env e = *env_default();
            e.fs = &fault.ops;
            pgc_status status = stage_hello(&e, &staged);
            if (status == PGC_OK) {
                status = stage_link(&e, staged.fd, folder.fd, "out/named", &err);
            }
            complete = fault.calls < fail_at;
            CHECK(!complete || status == PGC_OK);
            CHECK(status == PGC_OK || err.message[0] != '\0');
            stage_close(env_default(), &staged);
            CHECK(file_remove_tree(env_default(), folder.fd, "out", NULL) == PGC_OK);
        }
        CHECK(complete);
    }
    tmpdir_remove(&folder);
}

static void short_reads_and_writes_are_completed(void)
{
    static const vfs_op OPS[] = { VFS_pread, VFS_write };
    set_up();
    for (size_t i = 0; i < ARRAY_LEN(OPS); i++) {
        staged_file staged = { .fd = -1 };
        vfs_fault fault;
        vfs_fault_init(&fault);
        fault.op = OPS[i];
        fault.fail_at = 1;
        fault.err = 0; /* one byte instead of all */
        fault.sticky = true;
        env e = *env_default();
        e.fs = &fault.ops;
        CHECK_STATUS(stage_hello(&e, &staged), PGC_OK, &err);
        CHECK_STR(staged.hash, HELLO_HASH);
        stage_close(env_default(), &staged);
    }
    tmpdir_remove(&folder);
}

static void every_failing_allocation_is_an_error(void)
{
    bool complete = false;
    set_up();
    for (int fail_at = 1; !complete && fail_at < 100; fail_at++) {
        staged_file staged = { .fd = -1 };
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        env e = *env_default();
        e.alloc = &alloc;
        pgc_status status = stage_hello(&e, &staged);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        CHECK_INT(plan.live, 0);
        stage_close(env_default(), &staged);
    }
    CHECK(complete);
    tmpdir_remove(&folder);
}

TAP_MAIN(TAP("stage: a copy has the bytes and their hash", copies_bytes_and_knows_their_hash),
         TAP("stage: a copy has no name, so a crash removes it", a_staged_copy_has_no_name),
         TAP("stage: a name is given below folders that are made", gives_a_name_below_new_folders),
         TAP("stage: a name that is taken is a conflict", never_replaces_a_file),
         TAP("stage: no path leads out of the repository", never_leaves_the_repository),
         TAP("stage: absent, linked and odd sources are told apart",
             says_what_is_wrong_with_a_source),
         TAP("stage: a source that changes while it is read is noticed",
             notices_a_source_that_changes),
         TAP("stage: big files are hashed in blocks", hashes_big_files_in_blocks),
         TAP("stage: every failing system call is an error", every_failing_call_is_an_error),
         TAP("stage: short reads and writes are completed", short_reads_and_writes_are_completed),
         TAP("stage: every failing allocation is an error", every_failing_allocation_is_an_error))
