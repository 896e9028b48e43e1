/* The import on folders as they really are: odd names, damaged and hostile files, files that change
 * under the reader, many copies. What can be imported is, everything else has its reason, and the
 * sources stay as they were. Faults of disk, database and helper are in t-import-fault.c. */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#include "importer.h"

/* A file system on which something happens when a file is opened or read. */
static struct {
    vfs table;
    char path[IMPORTER_PATH_SIZE];     /* the file that it happens to */
    void (*on_open)(const char *path); /* before it is opened */
    void (*on_read)(const char *path); /* before the second read of any file */
    int refuse;                        /* errno for opening it; 0: none */
    unsigned reads;
} hook;

static bool is_hooked(const char *path)
{
    return hook.path[0] != '\0' && strcmp(path, hook.path) == 0;
}

static int hook_openat(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    (void) ctx;
    if (is_hooked(path) && hook.on_open != NULL) {
        void (*act)(const char *path) = hook.on_open;
        hook.on_open = NULL;
        act(path);
    }
    if (is_hooked(path) && hook.refuse != 0) {
        errno = hook.refuse;
        return -1;
    }
    return vfs_os()->openat(NULL, dir, path, flags, mode);
}

static ssize_t hook_pread(void *ctx, int fd, void *bytes, size_t count, off_t offset)
{
    (void) ctx;
    if (hook.on_read != NULL && ++hook.reads == 2) {
        void (*act)(const char *path) = hook.on_read;
        hook.on_read = NULL;
        act(hook.path);
    }
    return vfs_os()->pread(NULL, fd, bytes, count, offset);
}

/* From now on, until the next import is over. */
static void hook_set(const importer *self, const char *name)
{
    memset(&hook, 0, sizeof hook);
    hook.table = *vfs_os();
    hook.table.openat = hook_openat;
    hook.table.pread = hook_pread;
    (void) importer_path(self, name, hook.path);
    importer_env.fs = &hook.table;
}

static void hook_run(importer *self)
{
    importer_run(self);
    importer_env.fs = vfs_os();
    memset(&hook, 0, sizeof hook);
}

/* Number of files below a folder. */
static unsigned files_below(const char *folder)
{
    DIR *stream = opendir(folder);
    unsigned count = 0;
    for (const struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        char path[PATH_MAX];
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (lstat(path, &info) == 0) {
            count += S_ISDIR(info.st_mode) ? files_below(path) : 1;
        }
    }
    if (stream != NULL) {
        (void) closedir(stream);
    }
    return count;
}

static bool root_has(const importer *self, const char *path)
{
    char full[2 * IMPORTER_PATH_SIZE];
    struct stat info;
    (void) snprintf(full, sizeof full, "%s/%s", self->root, path);
    return lstat(full, &info) == 0;
}

/* Names. */

static void keeps_the_bytes_of_any_name(void)
{
    IMPORTER(self);
    char longest[256];
    char wide[256];
    memset(longest, 'x', 251);
    (void) snprintf(longest + 251, 5, ".png");
    for (size_t i = 0; i < 125; i++) {
        (void) snprintf(wide + 2 * i, 3, "\xc3\xbc");
    }
    (void) snprintf(wide + 250, 6, "1.png");
    importer_picture(self, "bad\xff\xfe name\xc3.png", 1);
    importer_picture(self, longest, 2);
    importer_picture(self, wide, 3);
    importer_picture(self, "-rf *?\"<>|:\\\n\x1b[31m.png", 4);
    importer_picture(self, ".hidden.png", 5);
    importer_picture(self, "no extension", 6);
    importer_picture(self, "wrong.jpg", 7);
    importer_picture(self, " .png", 8);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_COUNTS(self, 8, 0, 0, 0);
    importer_check(self, 8);
    /* The odd name is text in one column and the very bytes in the other. */
    CHECK_ASK(self,
              "SELECT original_filename FROM assets WHERE owner_id = " OWNER
              " AND filename_bytes = '\\x626164fffe206e616d65c32e706e67'",
              "bad\xef\xbf\xbd\xef\xbf\xbd name\xef\xbf\xbd.png");
    CHECK_ASK(self,
              "SELECT count(*) FROM assets WHERE filename_bytes IS NOT NULL AND owner_id = " OWNER,
              "1");
    CHECK_ASK(
        self,
        "SELECT count(*) FROM assets WHERE length(original_filename) = 255 AND owner_id = " OWNER,
        "1");
    CHECK_ASK(self,
              "SELECT count(*) FROM assets WHERE octet_length(original_filename) = 255"
              " AND owner_id = " OWNER,
              "2");
    /* On disk all names are safe: no controls, nothing that other systems refuse. */
    CHECK_ASK(self,
              "SELECT count(*) FROM assets WHERE owner_id = " OWNER
              " AND (file_path ~ '[\\x01-\\x1f\\x7f:*?\"<>|\\\\]' OR file_path ~ '/[.-]'"
              " OR octet_length(file_path) > 255)",
              "0");
    CHECK_ASK(self,
              "SELECT count(*) FROM assets WHERE file_path !~ '\\.png$' AND owner_id = " OWNER,
              "0");
    CHECK(root_has(self, "inbox/_hidden.png"));
    CHECK(root_has(self, "inbox/no extension.png"));
    CHECK(root_has(self, "inbox/wrong.png"));
}

static void equal_names_get_names_of_their_own(void)
{
    IMPORTER(self);
    for (uint32_t i = 0; i < 5; i++) {
        char name[32];
        (void) snprintf(name, sizeof name, "d%u", i);
        char path[IMPORTER_PATH_SIZE];
        CHECK(mkdir(importer_path(self, name, path), 0700) == 0);
        (void) snprintf(name, sizeof name, "d%u/same.png", i);
        importer_picture(self, name, 100 + i);
    }
    self->options.jobs = 4;
    importer_run(self);
    CHECK_COUNTS(self, 5, 0, 0, 0);
    CHECK(root_has(self, "inbox/same.png"));
    CHECK_ASK(self,
              "SELECT count(*) FROM assets WHERE owner_id = " OWNER
              " AND file_path = 'inbox/same_' || substr(file_hash, 8, 8) || '.png'",
              "4");
    CHECK_ASK(
        self,
        "SELECT count(*) FROM assets WHERE original_filename = 'same.png' AND owner_id = " OWNER,
        "5");
    importer_check(self, 5);
}

static void a_stray_file_is_never_replaced(void)
{
    IMPORTER(self);
    char path[2 * IMPORTER_PATH_SIZE];
    importer_picture(self, "first.png", 1);
    importer_run(self);
    (void) snprintf(path, sizeof path, "%s/inbox/taken.png", self->root);
    CHECK(image_save(path, "mine", 4));
    importer_picture(self, "taken.png", 2);
    importer_run(self);
    CHECK_COUNTS(self, 1, 1, 0, 0);
    struct stat info;
    CHECK(stat(path, &info) == 0);
    CHECK_INT(info.st_size, 4);
    CHECK(unlink(path) == 0);
    importer_check(self, 2);
}

/* Damaged and hostile files. */

static void empty_and_cut_files_fail_with_their_reason(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    image_bytes png = image_png(200, 100, 7);
    CHECK(image_save(importer_path(self, "empty.jpg", path), "", 0));
    CHECK(image_save(importer_path(self, "half.png", path), png.ptr, png.len / 2));
    CHECK(image_save(importer_path(self, "head.png", path), png.ptr, 40));
    CHECK(image_save(importer_path(self, "notes.jpg", path), "just text\n", 10));
    png.ptr[png.len / 2] ^= 0x55; /* a bit of the picture data: its checksum is wrong */
    CHECK(image_save(importer_path(self, "flipped.png", path), png.ptr, png.len));
    free(png.ptr);
    importer_picture(self, "good.png", 8);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK(importer_said(self, "/empty.jpg", IMPORT_FAILED, "empty"));
    CHECK(importer_said(self, "/half.png", IMPORT_FAILED, "PNG"));
    CHECK(importer_said(self, "/head.png", IMPORT_FAILED, "PNG"));
    CHECK(importer_said(self, "/flipped.png", IMPORT_FAILED, "chunk IDAT at byte 33"));
    CHECK(importer_said(self, "/flipped.png", IMPORT_FAILED, "import an undamaged copy"));
    CHECK(importer_said(self, "/notes.jpg", IMPORT_SKIPPED, "not a photo, video or recording"));
    CHECK(importer_said(self, "/good.png", IMPORT_CREATED, ""));
    importer_check(self, 1);
    CHECK_INT(files_below(self->root), 1 + 3 + 1); /* original, thumbnails, lock */
}

/* Cut copies of what make-media can make here: JPEG, WebP, HEIC, MP4 … */
static void cut_files_of_every_kind_fail_cleanly(void)
{
    IMPORTER(self);
    char folder[IMPORTER_PATH_SIZE];
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void) dup2(null, 1);
        (void) execl(TEST_BUILD_ROOT "/tests/make-media", "make-media", self->source,
                     (char *) NULL);
        _exit(127);
    }
    int status = 1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    DIR *stream = opendir(self->source);
    unsigned jpegs = 0;
    REQUIRE(CHECK(stream != NULL));
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        struct stat info;
        if (entry->d_name[0] != '.' &&
            stat(importer_path(self, entry->d_name, folder), &info) == 0 && info.st_size > 40) {
            CHECK(truncate(folder, info.st_size / 3) == 0);
            jpegs += strstr(entry->d_name, ".jpg") != NULL ? 1 : 0;
        }
    }
    (void) closedir(stream);
    CHECK(jpegs > 0);
    importer_picture(self, "good.png", 9);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK(importer_said(self, "/good.png", IMPORT_CREATED, ""));
    for (size_t i = 0; i < self->event_count; i++) {
        const importer_event *event = &self->events[i];
        if (strstr(event->path, ".jpg") != NULL) {
            CHECK(importer_said(self, event->path, IMPORT_FAILED, "JPEG"));
        }
        CHECK(event->outcome < IMPORT_SKIPPED || event->reason[0] != '\0');
        CHECK(strchr(event->reason, '\n') == NULL);
    }
    importer_check(self, self->progress.outcomes[IMPORT_CREATED]);
}

static void a_picture_bomb_is_refused(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    image_bytes bomb = image_png_bomb(30000, 30000);
    CHECK(bomb.len < 10000000);
    CHECK(image_save(importer_path(self, "bomb.png", path), bomb.ptr, bomb.len));
    free(bomb.ptr);
    importer_picture(self, "good.png", 10);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK(importer_said(self, "/bomb.png", IMPORT_FAILED, "30000"));
    CHECK(importer_said(self, "/good.png", IMPORT_CREATED, ""));
    importer_check(self, 1);
}

static void links_and_pipes_are_skipped(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    importer_picture(self, "real.png", 11);
    CHECK(symlink("real.png", importer_path(self, "link.png", path)) == 0);
    CHECK(symlink("absent", importer_path(self, "broken.png", path)) == 0);
    CHECK(symlink(".", importer_path(self, "round", path)) == 0);
    CHECK(mkfifo(importer_path(self, "pipe.png", path), 0600) == 0);
    importer_run(self);
    CHECK_COUNTS(self, 1, 0, 4, 0);
    CHECK(importer_said(self, "/link.png", IMPORT_SKIPPED, "symbolic link"));
    CHECK(importer_said(self, "/round", IMPORT_SKIPPED, "symbolic link"));
    CHECK(importer_said(self, "/pipe.png", IMPORT_SKIPPED, "named pipe"));
    importer_check(self, 1);
}

/* Files that change under the reader. */

static void act_remove(const char *path)
{
    CHECK(unlink(path) == 0);
}

static void act_link(const char *path)
{
    CHECK(unlink(path) == 0);
    CHECK(symlink("/etc/passwd", path) == 0);
}

static void act_pipe(const char *path)
{
    CHECK(unlink(path) == 0);
    CHECK(mkfifo(path, 0600) == 0);
}

static void act_append(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "more", 4) == 4);
    fd_auto(&fd);
}

static void act_cut(const char *path)
{
    CHECK(truncate(path, 100) == 0);
}

/* Between the walk and the opening, something becomes of "b.png"; "a.png" and "c.png" go in. */
static void becomes(importer *self, void (*on_open)(const char *), void (*on_read)(const char *),
                    import_outcome outcome, const char *words)
{
    importer_picture(self, "a.png", 1);
    importer_picture(self, "b.png", 2);
    importer_picture(self, "c.png", 3);
    hook_set(self, "b.png");
    hook.on_open = on_open;
    hook.on_read = on_read;
    if (on_read != NULL) { /* so that the second read is one of this file */
        self->paths[0] = hook.path;
    }
    hook_run(self);
    self->paths[0] = self->source;
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK(importer_said(self, "/b.png", outcome, words));
    importer_run(self);
    CHECK(importer_said(self, "/a.png", on_read != NULL ? IMPORT_CREATED : IMPORT_DUPLICATE, ""));
    CHECK(importer_said(self, "/c.png", on_read != NULL ? IMPORT_CREATED : IMPORT_DUPLICATE, ""));
}

static void a_file_that_vanishes_fails(void)
{
    IMPORTER(self);
    becomes(self, act_remove, NULL, IMPORT_FAILED, "No such file");
    importer_check(self, 2);
}

static void a_file_that_becomes_a_link_is_skipped(void)
{
    IMPORTER(self);
    becomes(self, act_link, NULL, IMPORT_SKIPPED, "symbolic link");
    importer_check(self, 2);
}

static void a_file_that_becomes_a_pipe_is_skipped(void)
{
    IMPORTER(self);
    becomes(self, act_pipe, NULL, IMPORT_SKIPPED, "not a regular file");
    importer_check(self, 2);
}

static void a_file_that_grows_while_read_fails(void)
{
    IMPORTER(self);
    becomes(self, NULL, act_append, IMPORT_FAILED, "changed while it was read");
}

static void a_file_that_is_cut_while_read_fails(void)
{
    IMPORTER(self);
    becomes(self, NULL, act_cut, IMPORT_FAILED, "changed while it was read");
}

static void a_file_deleted_while_read_fails(void)
{
    IMPORTER(self);
    becomes(self, NULL, act_remove, IMPORT_FAILED, "changed while it was read");
    importer_check(self, 2);
}

static void what_may_not_be_read_fails(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    CHECK(mkdir(importer_path(self, "closed", path), 0700) == 0);
    importer_picture(self, "closed/in.png", 12);
    importer_picture(self, "secret.png", 13);
    importer_picture(self, "open.png", 14);
    hook_set(self, "closed");
    hook.refuse = EACCES;
    hook_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_COUNTS(self, 2, 0, 0, 1);
    CHECK(importer_said(self, "/closed", IMPORT_FAILED, "Permission denied"));
    hook_set(self, "secret.png");
    hook.refuse = EACCES;
    hook_run(self);
    CHECK_COUNTS(self, 1, 1, 0, 1);
    CHECK(importer_said(self, "/secret.png", IMPORT_FAILED, "Permission denied"));
    importer_check(self, 3);
}

static void an_absent_path_fails(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    importer_picture(self, "here.png", 15);
    self->paths[0] = importer_path(self, "not here", path);
    self->paths[1] = self->source;
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_COUNTS(self, 1, 0, 0, 1);
    CHECK(importer_said(self, "/not here", IMPORT_FAILED, "No such file"));
}

/* Copies, owners, layouts. */

static void many_copies_are_one_asset(void)
{
    IMPORTER(self);
    for (uint32_t i = 0; i < 24; i++) {
        char name[32];
        (void) snprintf(name, sizeof name, "copy %02u.png", i);
        importer_picture(self, name, 500);
    }
    self->options.jobs = 8;
    importer_run(self);
    CHECK_COUNTS(self, 1, 23, 0, 0);
    CHECK_ASK(self, "SELECT count(*) FROM import_intents WHERE owner_id = " OWNER, "1");
    importer_check(self, 1);
    importer_run(self);
    CHECK_COUNTS(self, 0, 24, 0, 0);
}

static void owners_have_copies_of_their_own(void)
{
    IMPORTER(self);
    AUTO(importer_done) importer *other = calloc(1, sizeof *other);
    REQUIRE(CHECK(other != NULL) && importer_make(other, "second_owner"));
    importer_picture(self, "ours.png", 600);
    importer_run(self);
    other->paths[0] = self->source;
    importer_run(other);
    CHECK_COUNTS(self, 1, 0, 0, 0);
    CHECK_COUNTS(other, 1, 0, 0, 0);
    CHECK(root_has(self, "inbox/ours.png"));
    CHECK(root_has(other, "inbox/ours.png"));
    importer_check(self, 1);
    importer_check(other, 1);
}

static void layouts_follow_the_strategy(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    char want[256];
    const struct timespec times[2] = { { 0, UTIME_OMIT }, { 1563537600, 0 } }; /* 2019-07-19 */
    static const char *const NAMES[] = { "date.png", "flat.png", "cas.png" };
    for (uint32_t i = 0; i < 3; i++) {
        importer_picture(self, NAMES[i], 700 + i);
        CHECK(utimensat(AT_FDCWD, importer_path(self, NAMES[i], path), times, 0) == 0);
        self->paths[0] = path;
        self->options.strategy = (lum_strategy) i;
        importer_run(self);
        CHECK_COUNTS(self, 1, 0, 0, 0);
    }
    CHECK(root_has(self, "inbox/2019/07/date.png"));
    CHECK(root_has(self, "inbox/flat.png"));
    importer_ask(self,
                 "SELECT 'inbox/' || substr(h, 1, 2) || '/' || substr(h, 3, 2) || '/' ||"
                 " substr(h, 5, 2) || '/' || h || '.png' FROM (SELECT substr(file_hash, 8) AS h"
                 " FROM assets WHERE original_filename = 'cas.png' AND owner_id = " OWNER ") x",
                 want, sizeof want);
    CHECK(root_has(self, want));
    CHECK_ASK(self,
              "SELECT count(*) FROM assets WHERE taken_local = '2019-07-19 12:00'"
              " AND taken_source = 'mtime' AND owner_id = " OWNER,
              "3");
    importer_check(self, 3);
}

static void sources_stay_as_they_were(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    struct stat before[3];
    struct stat after;
    for (uint32_t i = 0; i < 3; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "s%u.png", i);
        importer_picture(self, name, 800 + i);
        CHECK(chmod(importer_path(self, name, path), 0400) == 0);
        CHECK(stat(path, &before[i]) == 0);
    }
    importer_run(self);
    CHECK_COUNTS(self, 3, 0, 0, 0);
    for (uint32_t i = 0; i < 3; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "s%u.png", i);
        CHECK(stat(importer_path(self, name, path), &after) == 0);
        CHECK_INT(after.st_ino, before[i].st_ino);
        CHECK_INT(after.st_size, before[i].st_size);
        CHECK_INT(after.st_mode, before[i].st_mode);
        CHECK_INT(after.st_nlink, 1);
        CHECK_INT(after.st_mtim.tv_nsec, before[i].st_mtim.tv_nsec);
        CHECK_INT(after.st_ctim.tv_sec, before[i].st_ctim.tv_sec);
        CHECK_INT(after.st_ctim.tv_nsec, before[i].st_ctim.tv_nsec);
        image_bytes want = image_png(40, 30, 800 + i);
        uint8_t got[8192];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK(read(fd, got, sizeof got) == (ssize_t) want.len);
        CHECK(memcmp(got, want.ptr, want.len) == 0);
        fd_auto(&fd);
        free(want.ptr);
    }
}

static void the_library_is_not_imported_into_itself(void)
{
    IMPORTER(self);
    importer_picture(self, "in.png", 900);
    importer_run(self);
    self->paths[0] = importer_library.home;
    importer_run(self);
    CHECK_COUNTS(self, 0, 0, 1, 0);
    CHECK_STR(self->events[0].reason, "the library itself");
    importer_check(self, 1);
}

static void trash_does_not_count_as_there(void)
{
    IMPORTER(self);
    pgc_error err;
    repo_asset_set set = PGC_ZERO;
    importer_picture(self, "again.png", 1000);
    importer_run(self);
    lum_actor actor = lum_session_actor(self->session);
    REQUIRE_OK(lum_asset_list(actor, NULL, (lum_page) { .limit = 10, .offset = 0 }, &set, &err),
               &err);
    pgc_uuid old = set.rows[0].asset_id;
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_delete(actor, old, &err), &err);
    importer_run(self);
    CHECK_COUNTS(self, 1, 0, 0, 0);
    importer_check(self, 2); /* both rows stand for the one file */
    CHECK_ASK(self, "SELECT count(DISTINCT file_path) FROM assets WHERE owner_id = " OWNER, "1");
}

/* Ending early, and side by side. */

static void stop_after_first(importer *self, const import_event *event)
{
    (void) event;
    __atomic_store_n(&self->stop, 1, __ATOMIC_RELAXED);
}

static void a_stop_finishes_what_is_begun(void)
{
    IMPORTER(self);
    for (uint32_t i = 0; i < 40; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "%02u.png", i);
        importer_picture(self, name, 1100 + i);
    }
    self->on_event = stop_after_first;
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK(self->progress.done >= 1);
    CHECK(self->progress.done < 40);
    CHECK_INT(self->progress.outcomes[IMPORT_FAILED], 0);
    CHECK_ASK(self,
              "SELECT count(*) FROM import_intents WHERE state = 'received' AND owner_id = " OWNER,
              "0");
    importer_check(self, self->progress.outcomes[IMPORT_CREATED]);
    uint64_t before = self->progress.outcomes[IMPORT_CREATED];
    self->on_event = NULL;
    self->stop = 0;
    importer_run(self);
    CHECK_COUNTS(self, 40 - before, before, 0, 0);
    importer_check(self, 40);
}

static void *run_in_thread(void *arg)
{
    importer_run(arg);
    return NULL;
}

static void two_imports_side_by_side_agree(void)
{
    IMPORTER(self);
    AUTO(importer_done) importer *twin = calloc(1, sizeof *twin);
    pgc_error err;
    pthread_t thread;
    REQUIRE(CHECK(twin != NULL));
    *twin = *self;
    twin->session = NULL;
    twin->options.arg = twin;
    twin->options.stop = &twin->stop;
    REQUIRE_OK(lum_session_open(lum_library_pool(importer_library.library), self->user_id,
                                &twin->session, &err),
               &err);
    for (uint32_t i = 0; i < 20; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "%02u.png", i);
        importer_picture(self, name, 1200 + i);
    }
    REQUIRE(CHECK_INT(pthread_create(&thread, NULL, run_in_thread, twin), 0));
    importer_run(self);
    (void) pthread_join(thread, NULL);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_STATUS(twin->status, PGC_OK, &twin->err);
    CHECK_INT(self->progress.outcomes[IMPORT_CREATED] + twin->progress.outcomes[IMPORT_CREATED],
              20);
    CHECK_INT(self->progress.outcomes[IMPORT_FAILED] + twin->progress.outcomes[IMPORT_FAILED], 0);
    importer_run(self); /* carries out what was queued for deletion */
    CHECK_COUNTS(self, 0, 20, 0, 0);
    importer_check(self, 20);
}

static const tap_case CASES[] = {
    TAP("names: bytes are kept, files on disk have safe names", keeps_the_bytes_of_any_name),
    TAP("names: equal ones of other content do not collide", equal_names_get_names_of_their_own),
    TAP("names: a stray file is never replaced", a_stray_file_is_never_replaced),
    TAP("files: empty and cut ones fail with their reason",
        empty_and_cut_files_fail_with_their_reason),
    TAP("files: cut ones of every kind fail cleanly", cut_files_of_every_kind_fail_cleanly),
    TAP("files: a picture of 900 megapixels is refused", a_picture_bomb_is_refused),
    TAP("files: links and pipes are skipped", links_and_pipes_are_skipped),
    TAP("change: a file that vanishes fails", a_file_that_vanishes_fails),
    TAP("change: a link swapped in is skipped", a_file_that_becomes_a_link_is_skipped),
    TAP("change: a pipe swapped in is skipped", a_file_that_becomes_a_pipe_is_skipped),
    TAP("change: growing while read fails", a_file_that_grows_while_read_fails),
    TAP("change: shrinking while read fails", a_file_that_is_cut_while_read_fails),
    TAP("change: deleting while read fails", a_file_deleted_while_read_fails),
    TAP("change: what may not be read fails, the rest goes in", what_may_not_be_read_fails),
    TAP("paths: an absent one fails, the rest goes in", an_absent_path_fails),
    TAP("content: many copies and eight threads make one asset", many_copies_are_one_asset),
    TAP("content: owners have copies of their own", owners_have_copies_of_their_own),
    TAP("content: one in the trash does not count", trash_does_not_count_as_there),
    TAP("layout: date, flat and cas", layouts_follow_the_strategy),
    TAP("sources: stay as they were", sources_stay_as_they_were),
    TAP("sources: the library is not imported into itself",
        the_library_is_not_imported_into_itself),
    TAP("stop: what is begun is finished, the next run does the rest",
        a_stop_finishes_what_is_begun),
    TAP("run: two imports side by side agree", two_imports_side_by_side_agree),
};

int main(void)
{
    if (!importer_library_open()) {
        (void) printf("Bail out! no library\n");
        return 1;
    }
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    test_library_remove(&importer_library);
    return code;
}
