/* The import when something below it fails: any file operation, the disk, the database, the helper.
 * It ends with one clear reason, breaks no invariant, and the next run does the rest. */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <pgc/cluster.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "importer.h"

#define FILES 3 /* of one import under a faulty file system */

static void pictures(const importer *self, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        char name[32];
        (void) snprintf(name, sizeof name, "%06u.png", i);
        importer_picture(self, name, 5000 + i);
    }
}

/* Every failure has a reason in one line; an import that ends early says why. */
static void check_is_clean(const importer *self)
{
    for (size_t i = 0; i < self->event_count; i++) {
        const importer_event *event = &self->events[i];
        bool told = event->reason[0] != '\0' && strchr(event->reason, '\n') == NULL;
        CHECK(event->outcome < IMPORT_SKIPPED || told);
    }
    CHECK(self->status == PGC_OK || self->err.message[0] != '\0');
    CHECK(self->status == PGC_OK || self->err.status == self->status);
}

/* File operations. */

/* One import with the fail_at-th call of a kind failing; true while there was such a call. */
static bool import_with_fault(importer *self, vfs_op op, uint64_t fail_at, int err)
{
    vfs_fault fault;
    vfs_fault_init(&fault);
    fault.op = op;
    fault.fail_at = fail_at;
    fault.err = err;
    importer_env.fs = &fault.ops;
    importer_run(self);
    importer_env.fs = vfs_os();
    check_is_clean(self);
    return fault.calls >= fail_at;
}

static void any_file_operation_may_fail(void)
{
    static const int ERRORS[] = { EIO, ENOSPC, EACCES, EMFILE, EROFS };
    static const vfs_op OPS[] = {
        VFS_openat,  VFS_open_beneath, VFS_pread,  VFS_write,    VFS_fsync, VFS_fstat,
        VFS_fstatat, VFS_mkdirat,      VFS_linkat, VFS_getdents, VFS_flock, VFS_close,
    };
    IMPORTER(self);
    uint32_t made = 0;
    unsigned runs = 0;
    unsigned failures = 0;
    self->options.jobs = 1;
    self->options.strategy = LUM_STRATEGY_CAS; /* folders are made in every run */
    for (size_t i = 0; i < ARRAY_LEN(OPS); i++) {
        uint64_t step = 1;
        for (uint64_t at = 1; at < 200; at += step, runs++) {
            pictures(self, made, FILES);
            made += FILES;
            if (!import_with_fault(self, OPS[i], at, ERRORS[runs % ARRAY_LEN(ERRORS)])) {
                break;
            }
            failures += self->status != PGC_OK || self->progress.outcomes[IMPORT_FAILED] > 0;
            step = at < 5 ? 1 : at / 2; /* later calls are of files that came before */
            char path[IMPORTER_PATH_SIZE];
            for (uint32_t old = made - FILES; old < made; old++) { /* only new ones cost time */
                char name[32];
                char keep[IMPORTER_PATH_SIZE + 32];
                (void) snprintf(name, sizeof name, "%06u.png", old);
                (void) snprintf(keep, sizeof keep, "%s-%06u.png", self->source, old);
                CHECK(rename(importer_path(self, name, path), keep) == 0);
            }
        }
    }
    (void) printf("# %u runs, %u of them with a failure to tell\n", runs, failures);
    CHECK(failures > runs / 3);
    /* All of them again, on a sound file system. */
    self->paths[0] = importer_library.source;
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_INT(self->progress.outcomes[IMPORT_FAILED], 0);
    importer_check(self, made);
    CHECK_ASK(self,
              "SELECT count(*) FROM import_intents WHERE state = 'received' AND owner_id = " OWNER,
              "0");
    self->paths[0] = self->source;
}

static void a_short_transfer_is_no_failure(void)
{
    IMPORTER(self);
    uint32_t made = 0;
    static const vfs_op OPS[] = { VFS_pread, VFS_write };
    for (size_t i = 0; i < ARRAY_LEN(OPS); i++) {
        for (uint64_t at = 1; at <= 4; at++) {
            pictures(self, made++, 1);
            (void) import_with_fault(self, OPS[i], at, 0);
            CHECK_STATUS(self->status, PGC_OK, &self->err);
            CHECK_INT(self->progress.outcomes[IMPORT_FAILED], 0);
            CHECK_INT(self->progress.outcomes[IMPORT_CREATED], 1);
        }
    }
    importer_check(self, made);
}

static void an_interrupted_call_is_made_again(void)
{
    IMPORTER(self);
    uint32_t made = 0;
    static const vfs_op OPS[] = { VFS_pread, VFS_write, VFS_flock };
    for (size_t i = 0; i < ARRAY_LEN(OPS); i++) {
        pictures(self, made++, 1);
        (void) import_with_fault(self, OPS[i], 1, EINTR);
        CHECK_STATUS(self->status, PGC_OK, &self->err);
        CHECK_INT(self->progress.outcomes[IMPORT_CREATED], 1);
    }
    importer_check(self, made);
}

/* Memory. */

static atomic_uint_fast64_t alloc_calls, alloc_fail_at;

static void *failing_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void) ctx;
    (void) old_size;
    return atomic_fetch_add(&alloc_calls, 1) + 1 == atomic_load(&alloc_fail_at)
               ? NULL
               : realloc(ptr, new_size);
}

static void plain_release(void *ctx, void *ptr, size_t size)
{
    (void) ctx;
    (void) size;
    free(ptr);
}

static void any_allocation_may_fail(void)
{
    static const pgc_alloc ALLOC = { NULL, failing_resize, plain_release };
    IMPORTER(self);
    uint32_t made = 0;
    uint64_t step = 1;
    unsigned failures = 0;
    self->options.jobs = 1;
    for (uint64_t at = 1; at < 400; at += step) {
        pictures(self, 700 + made++, 1);
        atomic_store(&alloc_calls, 0);
        atomic_store(&alloc_fail_at, at);
        importer_env.alloc = &ALLOC;
        importer_run(self);
        importer_env.alloc = env_default()->alloc;
        check_is_clean(self);
        CHECK(self->status == PGC_OK || self->status == PGC_NOMEM);
        failures += self->status != PGC_OK || self->progress.outcomes[IMPORT_FAILED] > 0;
        step = at < 20 ? 1 : at / 8;
        if (atomic_load(&alloc_calls) < at) {
            break;
        }
    }
    (void) printf("# %u imports, %u of them ran out of memory\n", made, failures);
    CHECK(failures > 5);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    importer_check(self, made);
}

/* The disk. */

static void a_full_disk_is_told_and_made_good(void)
{
    IMPORTER(self);
    char path[IMPORTER_PATH_SIZE];
    importer_picture(self, "first.png", 1);
    importer_run(self); /* makes the repository */
    CHECK_COUNTS(self, 1, 0, 0, 0);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", self->root, "tmpfs", 0, "size=3m") != 0) {
        TAP_SKIP("a small file system cannot be mounted here");
    }
    CHECK_ASK(self,
              "WITH gone AS (DELETE FROM assets WHERE owner_id = " OWNER " RETURNING 1)"
              " SELECT count(*) FROM gone",
              "1");
    for (uint32_t i = 0; i < 20; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "big%02u.png", i);
        CHECK(image_write(importer_path(self, name, path), 700, 700, 2000 + i));
    }
    self->options.jobs = 1;
    importer_run(self);
    check_is_clean(self);
    (void) printf("# %s (%s)\n", self->err.message, self->err.hint);
    CHECK_STATUS(self->status, PGC_IO, &self->err);
    CHECK(strstr(self->err.message, "No space left on device") != NULL);
    CHECK(strstr(self->err.hint, "same command again") != NULL);
    CHECK(self->progress.outcomes[IMPORT_CREATED] >= 1);
    CHECK(self->progress.outcomes[IMPORT_FAILED] >= 1);
    CHECK(self->progress.done < 21); /* it gave up */
    for (size_t i = 0; i < self->event_count; i++) {
        CHECK(self->events[i].outcome != IMPORT_FAILED ||
              strstr(self->events[i].reason, "No space left on device") != NULL);
    }
    importer_check(self, self->progress.outcomes[IMPORT_CREATED]);
    CHECK(mount("tmpfs", self->root, "tmpfs", MS_REMOUNT, "size=64m") == 0);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_INT(self->progress.outcomes[IMPORT_FAILED], 0);
    importer_check(self, 21);
    CHECK(umount2(self->root, MNT_DETACH) == 0);
}

static void an_absent_repository_is_told(void)
{
    IMPORTER(self);
    char away[IMPORTER_PATH_SIZE + 8];
    pictures(self, 100, 1);
    importer_run(self);
    (void) snprintf(away, sizeof away, "%s.away", self->root);
    CHECK(rename(self->root, away) == 0);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_IO, &self->err);
    CHECK(strstr(self->err.message, self->root) != NULL);
    CHECK(strstr(self->err.hint, "mounted") != NULL);
    CHECK(rename(away, self->root) == 0);
    importer_run(self);
    CHECK_COUNTS(self, 0, 1, 0, 0);
}

/* The database. */

/* End every other connection of the test database. */
static void connections_end(importer *self, const import_event *event)
{
    char text[64];
    (void) event;
    importer_ask(self,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                 text, sizeof text);
}

static void lost_connections_are_made_again(void)
{
    IMPORTER(self);
    pictures(self, 200, 12);
    self->options.jobs = 3;
    self->on_event = connections_end;
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_COUNTS(self, 12, 0, 0, 0);
    self->on_event = NULL;
    importer_run(self);
    CHECK_COUNTS(self, 0, 12, 0, 0);
    importer_check(self, 12);
}

/* A library on a server of its own, which can be stopped. */
typedef struct own_server {
    char dir[IMPORTER_PATH_SIZE];
    pgc_cluster *cluster;
    test_library library;
} own_server;

static own_server server;

static bool server_start(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    const pgc_cluster_options options = { .struct_size = sizeof options, .dir = server.dir };
    return CHECK_STATUS(pgc_cluster_open(&options, &server.cluster, &err), PGC_OK, &err);
}

/* Our users keep it in use: force. */
static void server_stop(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    CHECK_STATUS(pgc_cluster_stop(server.dir, true, &err), PGC_OK, &err);
}

static void stop_server_once(importer *self, const import_event *event)
{
    (void) event;
    self->on_event = NULL;
    server_stop();
}

static bool server_library_open(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    server.library.url = pgc_cluster_conninfo(server.cluster);
    return CHECK(test_library_open(&server.library, &err)) ||
           (printf("# %s\n", err.message), false);
}

static void server_run(importer *self)
{
    self->event_count = 0;
    self->progress = (import_progress) { 0 };
    pgc_error_clear(&self->err);
    import_progress progress = { 0 };
    self->status = import_run(server.library.library, server.library.session, &self->options,
                              &progress, &self->err);
    self->progress = progress;
}

static void a_stopped_database_ends_the_import(void)
{
    IMPORTER(self);
    tmpdir folder = tmpdir_make();
    REQUIRE(CHECK(folder.fd >= 0));
    CHECK(chmod(folder.path, 0711) == 0);
    (void) snprintf(server.dir, sizeof server.dir, "%s/pg", folder.path);
    (void) snprintf(server.library.home, sizeof server.library.home, "%s/home", folder.path);
    pictures(self, 300, 10);
    REQUIRE(server_start() && server_library_open());
    self->on_event = stop_server_once;
    self->options.database_wait_us = 300000;
    server_run(self);
    check_is_clean(self);
    (void) printf("# %s (%s)\n", self->err.message, self->err.hint);
    CHECK_STATUS(self->status, PGC_CONNECTION, &self->err);
    CHECK(strstr(self->err.message, "the database went away") != NULL);
    CHECK(strstr(self->err.hint, "same command again") != NULL);
    CHECK(self->progress.done < 10);
    test_library_close(&server.library);
    pgc_cluster_close(server.cluster);

    REQUIRE(server_start() && server_library_open());
    server_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_INT(self->progress.outcomes[IMPORT_FAILED], 0);
    pgc_error err;
    import_fsck found = { 0 };
    CHECK_STATUS(import_check(server.library.library, server.library.session, true, &found, &err),
                 PGC_OK, &err);
    CHECK_INT(found.assets, 10);
    CHECK_INT(found.rows_without_file + found.files_without_row, 0);
    test_library_close(&server.library);
    pgc_cluster_close(server.cluster);
    tmpdir_remove(&folder);
}

#define POISON                                                                                   \
    "ALTER TABLE assets ADD CONSTRAINT no_poison CHECK (original_filename <> 'poison.png') NOT " \
    "VALID;"
#define CURE "ALTER TABLE assets DROP CONSTRAINT no_poison;"

static void a_refused_row_leaves_nothing_behind(void)
{
    IMPORTER(self);
    char text[64];
    importer_picture(self, "poison.png", 400);
    importer_picture(self, "good.png", 401);
    importer_ask(self, POISON, text, sizeof text);
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_COUNTS(self, 1, 0, 0, 1);
    CHECK(importer_said(self, "/poison.png", IMPORT_FAILED, "no_poison"));
    importer_check(self, 1); /* neither original nor thumbnails are left */
    CHECK_ASK(self,
              "SELECT string_agg(state, ' ' ORDER BY state) FROM import_intents"
              " WHERE owner_id = " OWNER,
              "committed failed");
    CHECK_ASK(self, "SELECT count(*) FROM file_deletions WHERE owner_id = " OWNER, "0");
    importer_ask(self, CURE, text, sizeof text);
    importer_run(self);
    CHECK_COUNTS(self, 1, 1, 0, 0);
    importer_check(self, 2);
}

/* An import that died left an intent whose row the database refuses: it stays open, stops nobody,
 * and is finished when the cause is gone. */
static void recovery_goes_past_what_it_cannot_finish(void)
{
    IMPORTER(self);
    char text[64];
    pgc_error err;
    import_recovery done = { 7, 7 };
    importer_picture(self, "poison.png", 410);
    importer_picture(self, "good.png", 411);
    importer_run(self);
    CHECK_COUNTS(self, 2, 0, 0, 0);
    /* As a crash before TX B leaves it. */
    importer_ask(self,
                 "DELETE FROM assets WHERE owner_id = " OWNER ";"
                 "UPDATE import_intents SET state = 'received' WHERE owner_id = " OWNER ";" POISON,
                 text, sizeof text);
    CHECK_STATUS(
        import_recover(importer_library.library, self->session, TEST_MEDIA_HELPER, &done, &err),
        PGC_OK, &err);
    CHECK_INT(done.resumed, 1);
    CHECK_INT(done.unfinished, 1);
    importer_picture(self, "later.png", 412);
    self->paths[1] = NULL;
    importer_run(self);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK(importer_said(self, "/later.png", IMPORT_CREATED, ""));
    CHECK(importer_said(self, "/good.png", IMPORT_DUPLICATE, ""));
    CHECK(importer_said(self, "/poison.png", IMPORT_FAILED, "no_poison"));
    importer_ask(self, CURE, text, sizeof text);
    importer_run(self);
    CHECK_INT(self->progress.resumed, 1);
    CHECK_COUNTS(self, 0, 3, 0, 0);
    importer_check(self, 3);
}

/* What is done is kept for 30 days; what is open stays, however old it is. */
static void recovery_forgets_what_was_done_long_ago(void)
{
    IMPORTER(self);
    char text[64];
    importer_picture(self, "old.png", 420);
    importer_picture(self, "new.png", 421);
    importer_picture(self, "poison.png", 422);
    importer_run(self);
    importer_ask(self,
                 "DELETE FROM assets WHERE owner_id = " OWNER
                 " AND original_filename = 'poison.png';"
                 "UPDATE import_intents SET state = 'received' WHERE owner_id = " OWNER
                 " AND original_filename = 'poison.png';"
                 "UPDATE import_intents SET updated_at = now() - interval '31 days' WHERE "
                 "owner_id = " OWNER " AND original_filename <> 'new.png';" POISON,
                 text, sizeof text);
    importer_run(self);
    importer_ask(self,
                 "SELECT string_agg(original_filename || ' ' || state, ', ' ORDER BY "
                 "original_filename) FROM import_intents WHERE owner_id = " OWNER
                 " AND original_filename <> 'poison.png'",
                 text, sizeof text);
    CHECK_STR(text, "new.png committed");
    importer_ask(self,
                 "SELECT count(*) FROM import_intents WHERE owner_id = " OWNER
                 " AND state = 'received'",
                 text, sizeof text);
    CHECK_STR(text, "1");
    importer_ask(self, CURE, text, sizeof text);
}

/* The helper. */

static void an_absent_helper_ends_the_import(void)
{
    IMPORTER(self);
    pictures(self, 500, 2);
    self->options.helper_path = "/nonexistent/lumilio-media";
    importer_run(self);
    CHECK(self->status != PGC_OK);
    CHECK(strstr(self->err.message, "/nonexistent/lumilio-media") != NULL);
    self->options.helper_path = "/bin/true";
    importer_run(self);
    CHECK(self->status != PGC_OK);
    CHECK(strstr(self->err.message, "/bin/true") != NULL);
    importer_check(self, 0);
}

static unsigned helpers_killed;

/* Kill all children of this process that run the helper. */
static void helpers_kill(importer *self, const import_event *event)
{
    (void) event;
    (void) self;
    DIR *stream = opendir("/proc");
    for (const struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        char path[300];
        char text[256] = "";
        char ours[64];
        long pid = strtol(entry->d_name, NULL, 10); /* 0 for what is no process */
        (void) snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        (void) snprintf(ours, sizeof ours, " %ld ", (long) getpid());
        int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        bool known = fd >= 0 && read(fd, text, sizeof text - 1) > 0;
        const char *parent = known ? strstr(text, "(lumilio-media) ") : NULL; /* state, parent */
        if (parent != NULL && strncmp(parent + 17, ours, strlen(ours)) == 0) {
            CHECK(kill((pid_t) pid, SIGKILL) == 0);
            helpers_killed++;
        }
        fd_auto(&fd);
    }
    if (stream != NULL) {
        (void) closedir(stream);
    }
}

static void a_dying_helper_is_started_again(void)
{
    IMPORTER(self);
    pictures(self, 600, 6);
    self->options.jobs = 1;
    self->on_event = helpers_kill;
    importer_run(self);
    CHECK(helpers_killed >= 5);
    CHECK_STATUS(self->status, PGC_OK, &self->err);
    CHECK_COUNTS(self, 6, 0, 0, 0);
    importer_check(self, 6);
}

static const tap_case CASES[] = {
    TAP("files: any operation may fail, the next run makes it good", any_file_operation_may_fail),
    TAP("files: a short transfer is no failure", a_short_transfer_is_no_failure),
    TAP("files: an interrupted call is made again", an_interrupted_call_is_made_again),
    TAP("memory: any allocation may fail", any_allocation_may_fail),
    TAP("disk: an absent repository is told", an_absent_repository_is_told),
    TAP("database: lost connections are made again", lost_connections_are_made_again),
    TAP("database: stopped, it ends the import; the next run does the rest",
        a_stopped_database_ends_the_import),
    TAP("database: a refused row leaves nothing behind", a_refused_row_leaves_nothing_behind),
    TAP("recovery: goes past what it cannot finish", recovery_goes_past_what_it_cannot_finish),
    TAP("recovery: forgets what was done long ago", recovery_forgets_what_was_done_long_ago),
    TAP("helper: an absent one ends the import", an_absent_helper_ends_the_import),
    TAP("helper: a dying one is started again", a_dying_helper_is_started_again),
    /* Last: it leaves the common namespace of mounts. */
    TAP("disk: full is told, and made good with more room", a_full_disk_is_told_and_made_good),
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
