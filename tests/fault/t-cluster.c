/* The private cluster between processes, under kill -9 at any moment, and when the system says no.
 */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <pgc/cluster.h>
#include <pgc/conn.h>

#include "base/proc.h"

#include "live.h"
#include "oom.h"
#include "tap.h"
#include "tmpdir.h"

static void close_auto(pgc_cluster **cluster)
{
    pgc_cluster_close(*cluster);
    *cluster = NULL;
}

#define CLUSTER(name) AUTO(close_auto) pgc_cluster *name = NULL

static pgc_status open_in(const char *dir, pgc_cluster **out, pgc_error *err)
{
    pgc_cluster_options options = { .struct_size = sizeof options, .dir = dir };
    return pgc_cluster_open(&options, out, err);
}

static void path_in(const tmpdir *t, const char *name, char *out, size_t size)
{
    (void) snprintf(out, size, "%s/%s", t->path, name);
}

/* A connection to the cluster's server; NULL after a diagnostic line. */
static pgc_conn *connect_as(const pgc_cluster *cluster, const char *user)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_conn_options options = { .struct_size = sizeof options,
                                 .conninfo = pgc_cluster_conninfo(cluster),
                                 .user = user };
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return conn;
}

/* True when the server answers. */
static bool answers(const pgc_cluster *cluster)
{
    AUTO(live_close) pgc_conn *conn = connect_as(cluster, NULL);
    char text[16];
    return conn != NULL && strcmp(live_text(conn, "SELECT '7'", text, sizeof text), "7") == 0;
}

static pgc_cluster_info inspect(const char *dir)
{
    pgc_error err;
    pgc_cluster_info info = { .exists = false };
    (void) CHECK_STATUS(pgc_cluster_inspect(dir, &info, &err), PGC_OK, &err);
    return info;
}

static int entries_with(const char *dir, const char *prefix)
{
    int count = 0;
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 ? 1 : 0;
    }
    if (folder != NULL) {
        (void) closedir(folder);
    }
    return count;
}

/* Waits for a child; its exit code, or 128 + signal. */
static int reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A child that opens the cluster, tells through a pipe that it has, and closes it when told. */
typedef struct other_user {
    pid_t pid;
    int from, to;
} other_user;

static other_user start_user(const char *dir)
{
    int up[2];
    int down[2];
    other_user user = { .pid = -1 };
    if (pipe2(up, O_CLOEXEC) != 0 || pipe2(down, O_CLOEXEC) != 0) {
        return user;
    }
    user.pid = fork();
    if (user.pid == 0) {
        pgc_cluster *cluster = NULL;
        char byte = open_in(dir, &cluster, NULL) == PGC_OK && answers(cluster) ? 'y' : 'n';
        (void) close(down[1]);
        bool told = write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) == 1;
        pgc_cluster_close(cluster);
        _exit(told ? 0 : 1);
    }
    (void) close(up[1]);
    (void) close(down[0]);
    user.from = up[0];
    user.to = down[1];
    return user;
}

static bool user_is_in(const other_user *user)
{
    char byte = 0;
    return read(user->from, &byte, 1) == 1 && byte == 'y';
}

static void user_leaves(other_user *user)
{
    CHECK_INT(write(user->to, "q", 1), 1); /* users started later hold the pipe open */
    (void) close(user->to);
    CHECK_INT(reap(user->pid), 0);
    (void) close(user->from);
}

/* The cluster opens, answers and stops; nothing half made is left. */
static void check_healthy(const char *dir)
{
    pgc_error err;
    CLUSTER(cluster);
    REQUIRE_OK(open_in(dir, &cluster, &err), &err);
    CHECK(answers(cluster));
    CHECK_INT(entries_with(dir, "data.new-"), 0);
    close_auto(&cluster);
    CHECK(!inspect(dir).running);
}

static void first_starts_and_last_stops(void)
{
    tmpdir t = tmpdir_make();
    char dir[128];
    pgc_error err;
    path_in(&t, "a/b", dir, sizeof dir);
    CHECK(!inspect(dir).exists);
    CHECK(!file_exists(env_default(), AT_FDCWD, dir));
    other_user user = start_user(dir);
    REQUIRE(user_is_in(&user));
    CLUSTER(cluster);
    REQUIRE_OK(open_in(dir, &cluster, &err), &err);
    CHECK(!pgc_cluster_started(cluster));
    user_leaves(&user);
    CHECK(answers(cluster));
    pgc_cluster_info info = inspect(dir);
    CHECK(info.exists && info.running && info.pid > 1 && info.users == 1);
    CHECK(info.major >= 15 && info.major <= 18);
    close_auto(&cluster);
    info = inspect(dir);
    CHECK(info.exists && !info.running && info.pid == 0 && info.users == 0);
    REQUIRE_OK(open_in(dir, &cluster, &err), &err);
    CHECK(pgc_cluster_started(cluster));
    close_auto(&cluster);
    tmpdir_remove(&t);
}

static void settings_are_safe(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    char text[64];
    CLUSTER(cluster);
    REQUIRE_OK(open_in(t.path, &cluster, &err), &err);
    AUTO(live_close) pgc_conn *conn = connect_as(cluster, NULL);
    REQUIRE(conn != NULL);
    static const char *const WANT[][2] = {
        { "SHOW fsync", "on" },
        { "SHOW full_page_writes", "on" },
        { "SHOW data_checksums", "on" },
        { "SHOW listen_addresses", "" },
        { "SHOW server_encoding", "UTF8" },
        { "SHOW timezone", "UTC" },
        { "SHOW random_page_cost", "1.1" },
        { "SHOW lc_messages", "C" },
        { "SELECT datcollate FROM pg_database WHERE datname = 'template1'", "C" },
        { "SELECT upper('\xC3\xA4') = '\xC3\x84'", "t" },
        { "SELECT 'B' < 'a'", "t" },
        { "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'peer'", "0" },
    };
    for (size_t i = 0; i < ARRAY_LEN(WANT); i++) {
        CHECK_STR(live_text(conn, WANT[i][0], text, sizeof text), WANT[i][1]);
    }
    struct stat info;
    CHECK(fstatat(t.fd, "socket", &info, 0) == 0 && (info.st_mode & 0777) == 0700);
    CHECK(fstatat(t.fd, "data", &info, 0) == 0 && (info.st_mode & 0777) == 0700);
    live_close(&conn);
    conn = NULL;
    close_auto(&cluster);
    tmpdir_remove(&t);
}

static void databases_and_logins_are_made(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    char text[64];
    CLUSTER(first);
    CLUSTER(second);
    REQUIRE_OK(open_in(t.path, &first, &err), &err);
    AUTO(live_close) pgc_conn *admin = connect_as(first, NULL);
    REQUIRE(admin != NULL && live_do(admin, "CREATE ROLE app LOGIN; CREATE ROLE other LOGIN"));
    const char *const roles[] = { "app", NULL };
    pgc_cluster_options options = {
        .struct_size = sizeof options, .dir = t.path, .database = "library", .login_roles = roles
    };
    REQUIRE_OK(pgc_cluster_open(&options, &second, &err), &err);
    AUTO(live_close) pgc_conn *conn = connect_as(second, "app");
    REQUIRE(conn != NULL);
    CHECK_STR(live_text(conn, "SELECT current_database()", text, sizeof text), "library");
    /* No map leads to this role, and there is no password either. */
    AUTO(live_close) pgc_conn *none = connect_as(second, "other");
    CHECK(none == NULL);
    options.database = "no\"good";
    pgc_cluster *third = NULL;
    CHECK_STATUS(pgc_cluster_open(&options, &third, &err), PGC_INVALID, &err);
    const char *const bad[] = { "a\"b", NULL };
    options.database = NULL;
    options.login_roles = bad;
    CHECK_STATUS(pgc_cluster_open(&options, &third, &err), PGC_INVALID, &err);
    CHECK(answers(first));
    live_close(&conn);
    live_close(&admin);
    conn = admin = NULL;
    close_auto(&second);
    close_auto(&first);
    tmpdir_remove(&t);
}

static void strangers_are_kept_out(void)
{
    if (geteuid() != 0) {
        TAP_SKIP("only root can become a stranger");
    }
    tmpdir t = tmpdir_make();
    pgc_error err;
    CLUSTER(cluster);
    REQUIRE_OK(open_in(t.path, &cluster, &err), &err);
    pid_t pid = fork();
    if (pid == 0) {
        bool changed = setgid(65534) == 0 && setuid(65534) == 0;
        _exit(changed && connect_as(cluster, NULL) == NULL ? 0 : 1);
    }
    CHECK_INT(reap(pid), 0);
    close_auto(&cluster);
    tmpdir_remove(&t);
}

static void two_at_once_make_one(void)
{
    tmpdir t = tmpdir_make();
    other_user users[3];
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        users[i] = start_user(t.path);
    }
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        CHECK(user_is_in(&users[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        user_leaves(&users[i]);
    }
    CHECK(!inspect(t.path).running);
    check_healthy(t.path);
    tmpdir_remove(&t);
}

static void a_killed_user_is_no_user(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    other_user user = start_user(t.path);
    REQUIRE(user_is_in(&user));
    CHECK_INT(kill(user.pid, SIGKILL), 0);
    CHECK_INT(reap(user.pid), 128 + SIGKILL);
    pgc_cluster_info info = inspect(t.path);
    CHECK(info.running && info.users == 0);
    CLUSTER(cluster);
    REQUIRE_OK(open_in(t.path, &cluster, &err), &err);
    CHECK(!pgc_cluster_started(cluster));
    close_auto(&cluster);
    CHECK(!inspect(t.path).running);
    tmpdir_remove(&t);
}

static void a_killed_server_is_started_again(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    char text[16];
    CLUSTER(first);
    CLUSTER(second);
    REQUIRE_OK(open_in(t.path, &first, &err), &err);
    pgc_conn *conn = connect_as(first, NULL);
    REQUIRE(conn != NULL && live_do(conn, "CREATE TABLE t AS SELECT 7 AS n"));
    CHECK_INT(kill(inspect(t.path).pid, SIGKILL), 0);
    REQUIRE_OK(open_in(t.path, &second, &err), &err);
    CHECK(pgc_cluster_started(second));
    pgc_conn_close(conn);
    conn = connect_as(second, NULL);
    CHECK(conn != NULL);
    CHECK_STR(live_text(conn, "SELECT n FROM t", text, sizeof text), "7");
    pgc_conn_close(conn);
    close_auto(&second);
    CHECK(inspect(t.path).running);
    close_auto(&first);
    CHECK(!inspect(t.path).running);
    tmpdir_remove(&t);
}

/* Writes a postmaster.pid that names a living process, the way a killed server leaves one. */
static void leave_pid_file(const char *dir, pid_t pid)
{
    char text[512];
    char path[160];
    (void) snprintf(path, sizeof path, "%s/data/postmaster.pid", dir);
    (void) snprintf(text, sizeof text,
                    "%d\n%s/data\n1700000000\n5432\n%s/socket\n\n1 1\nready   \n", (int) pid, dir,
                    dir);
    pgc_error err;
    const char *content = pid == 0 ? "" : text;
    (void) CHECK_STATUS(file_write_atomic(env_default(), AT_FDCWD, path,
                                          (slice) { content, strlen(content) }, 0600, &err),
                        PGC_OK, &err);
    (void) snprintf(path, sizeof path, "%s/socket/.s.PGSQL.5432.lock", dir);
    (void) CHECK_STATUS(file_write_atomic(env_default(), AT_FDCWD, path,
                                          (slice) { content, strlen(content) }, 0600, &err),
                        PGC_OK, &err);
}

static void stale_pid_files_do_not_matter(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    CLUSTER(other);
    check_healthy(t.path);
    leave_pid_file(t.path, getpid()); /* a living process of ours */
    CHECK(!inspect(t.path).running);
    check_healthy(t.path);
    leave_pid_file(t.path, 1); /* somebody else's */
    check_healthy(t.path);
    leave_pid_file(t.path, 0); /* cut by a full disk */
    check_healthy(t.path);
    /* A server, but of another data directory. */
    tmpdir u = tmpdir_make();
    REQUIRE_OK(open_in(u.path, &other, &err), &err);
    leave_pid_file(t.path, inspect(u.path).pid);
    check_healthy(t.path);
    CHECK(answers(other));
    close_auto(&other);
    tmpdir_remove(&u);
    tmpdir_remove(&t);
}

static void killed_at_each_crash_point(void)
{
#ifdef LUM_CRASH_POINTS
    static const char *const POINTS[] = { "cluster.initdb", "cluster.made",    "cluster.named",
                                          "cluster.start",  "cluster.started", "cluster.up" };
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        tmpdir t = tmpdir_make();
        pgc_error err;
        char variable[64];
        int code = -1;
        (void) snprintf(variable, sizeof variable, "LUMILIO_CRASH_AT=%s", POINTS[i]);
        const char *const argv[] = { "/proc/self/exe", "open", t.path, NULL };
        const char *const vars[] = { variable, NULL };
        proc_options options = { .argv = argv, .env_vars = vars, .out_fd = 1, .err_fd = 2 };
        CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_OK, &err);
        if (!CHECK_INT(code, 128 + SIGKILL)) {
            printf("# at %s\n", POINTS[i]);
        }
        check_healthy(t.path);
        tmpdir_remove(&t);
    }
#else
    TAP_SKIP("built without crash points");
#endif
}

/* Kills a process that makes a cluster after a random time, which covers initdb and start. */
static void killed_at_any_moment(void)
{
    const clock_ops *clock = clock_os();
    for (int round = 0; round < 8; round++) {
        tmpdir t = tmpdir_make();
        uint32_t wait_us = 0;
        REQUIRE(clock->random(clock->ctx, &wait_us, sizeof wait_us));
        wait_us %= 1200000;
        pid_t pid = fork();
        if (pid == 0) {
            pgc_cluster *cluster = NULL;
            _exit(open_in(t.path, &cluster, NULL) == PGC_OK ? 0 : 1);
        }
        clock->sleep_us(clock->ctx, wait_us);
        (void) kill(pid, SIGKILL);
        int code = reap(pid);
        CHECK(code == 0 || code == 128 + SIGKILL);
        int before = tap_failures;
        check_healthy(t.path);
        if (tap_failures != before) {
            printf("# killed after %" PRIu32 " us\n", wait_us);
        }
        tmpdir_remove(&t);
    }
}

static void kept_servers_stay(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    CLUSTER(cluster);
    pgc_cluster_options options = { .struct_size = sizeof options,
                                    .dir = t.path,
                                    .keep_running = true };
    REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
    CHECK_STATUS(pgc_cluster_stop(t.path, false, &err), PGC_CONFLICT, &err);
    CHECK(strstr(err.message, t.path) != NULL);
    close_auto(&cluster);
    CHECK(inspect(t.path).running);
    REQUIRE_OK(open_in(t.path, &cluster, &err), &err);
    close_auto(&cluster);
    CHECK(inspect(t.path).running);
    REQUIRE_OK(pgc_cluster_stop(t.path, false, &err), &err);
    CHECK(!inspect(t.path).running);
    REQUIRE_OK(pgc_cluster_stop(t.path, false, &err), &err);
    check_healthy(t.path);
    REQUIRE_OK(open_in(t.path, &cluster, &err), &err);
    REQUIRE_OK(pgc_cluster_stop(t.path, true, &err), &err);
    CHECK(!inspect(t.path).running);
    close_auto(&cluster);
    tmpdir_remove(&t);
}

static void throw_away_leaves_nothing(void)
{
    tmpdir t = tmpdir_make();
    char dir[128];
    pgc_error err;
    path_in(&t, "gone", dir, sizeof dir);
    pgc_cluster_options options = { .struct_size = sizeof options, .dir = dir, .throw_away = true };
    for (int round = 0; round < 2; round++) {
        CLUSTER(cluster);
        REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
        CHECK(answers(cluster));
        close_auto(&cluster);
        CHECK(!file_exists(env_default(), AT_FDCWD, dir));
    }
    tmpdir_remove(&t);
}

static void long_and_odd_paths(void)
{
    tmpdir t = tmpdir_make();
    char dir[512];
    pgc_error err;
    (void) snprintf(dir, sizeof dir, "%s/%0120d/it's, \"$HOME\" and \xC3\xA4", t.path, 0);
    CLUSTER(cluster);
    CLUSTER(again);
    pgc_cluster_options options = { .struct_size = sizeof options, .dir = dir, .throw_away = true };
    if (geteuid() == 0) {
        CHECK_INT(chmod(t.path, 0711), 0);
    }
    mode_t old = umask(022);
    (void) umask(old & (mode_t) ~0011);
    CHECK_STATUS(file_mkdirs(env_default(), AT_FDCWD, dir, 0711, false, &err), PGC_OK, &err);
    (void) umask(old);
    REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
    CHECK(answers(cluster));
    REQUIRE_OK(pgc_cluster_open(&options, &again, &err), &err);
    CHECK_STR(pgc_cluster_conninfo(again), pgc_cluster_conninfo(cluster));
    close_auto(&again);
    close_auto(&cluster);
    CHECK(!file_exists(env_default(), AT_FDCWD, dir));
    tmpdir_remove(&t);
}

static void hidden_folders_have_a_far_home(void)
{
    if (geteuid() != 0) {
        TAP_SKIP("only root's servers run as another user");
    }
    tmpdir t = tmpdir_make(); /* 0700 and root's, like a home folder */
    char dir[128];
    char link[160];
    char home[256] = "";
    pgc_error err;
    path_in(&t, "library", dir, sizeof dir);
    path_in(&t, "library/server", link, sizeof link);
    pgc_cluster_options options = { .struct_size = sizeof options, .dir = dir, .throw_away = true };
    CLUSTER(cluster);
    CLUSTER(again);
    REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
    CHECK(answers(cluster));
    CHECK(readlink(link, home, sizeof home - 1) > 0);
    CHECK(strstr(home, "/var/lib/") == home);
    CHECK_INT(entries_with(home, "belongs-to"), 1);
    CHECK(inspect(dir).running);
    REQUIRE_OK(pgc_cluster_open(&options, &again, &err), &err);
    CHECK(!pgc_cluster_started(again));
    close_auto(&again);
    close_auto(&cluster);
    CHECK(!file_exists(env_default(), AT_FDCWD, dir));
    CHECK(!file_exists(env_default(), AT_FDCWD, home));
    tmpdir_remove(&t);
}

static void a_lost_socket_is_made_again(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    CLUSTER(cluster);
    CLUSTER(other);
    pgc_cluster_options options = { .struct_size = sizeof options,
                                    .dir = t.path,
                                    .keep_running = true };
    REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
    CHECK_INT(unlinkat(t.fd, "socket/.s.PGSQL.5432", 0), 0);
    CHECK_STATUS(open_in(t.path, &other, &err), PGC_CONNECTION, &err);
    CHECK(strstr(err.message, ".s.PGSQL.5432") != NULL);
    close_auto(&cluster);
    REQUIRE_OK(open_in(t.path, &other, &err), &err);
    CHECK(answers(other));
    close_auto(&other);
    CHECK(!inspect(t.path).running);
    tmpdir_remove(&t);
}

static void a_server_that_cannot_start_says_why(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    check_healthy(t.path);
    int fd = openat(t.fd, "data/postgresql.conf", O_WRONLY | O_APPEND | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "no_such_setting = 5\n", 20) == 20);
    fd_auto(&fd);
    pgc_cluster *cluster = NULL;
    CHECK_STATUS(open_in(t.path, &cluster, &err), PGC_DB, &err);
    CHECK(strstr(err.message, "no_such_setting") != NULL);
    CHECK(strstr(err.message, t.path) != NULL);
    CHECK_INT(inspect(t.path).users, 0);
    tmpdir_remove(&t);
}

static void other_versions_and_other_things_are_named(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    pgc_cluster *cluster = NULL;
    CHECK_INT(mkdirat(t.fd, "data", 0700), 0);
    CHECK_STATUS(open_in(t.path, &cluster, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "/data is not a data directory") != NULL);
    REQUIRE_OK(file_write_atomic(env_default(), t.fd, "data/PG_VERSION", SLICE("12\n"), 0600, &err),
               &err);
    CHECK_STATUS(open_in(t.path, &cluster, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "postgresql-12") != NULL);
    CHECK_INT(inspect(t.path).major, 12);
    pgc_cluster_options options = { .struct_size = sizeof options,
                                    .dir = t.path,
                                    .bin_dir = t.path };
    CHECK_STATUS(pgc_cluster_open(&options, &cluster, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, t.path) != NULL);
    /* A program of an older header is served: of what it does not know there is none. */
    options.struct_size = offsetof(pgc_cluster_options, throw_away);
    CHECK_STATUS(pgc_cluster_open(&options, &cluster, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, t.path) != NULL);
    options.struct_size = offsetof(pgc_cluster_options, bin_dir);
    CHECK_STATUS(pgc_cluster_open(&options, &cluster, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "postgresql-12") != NULL);
    options.struct_size = 1;
    CHECK_STATUS(pgc_cluster_open(&options, &cluster, &err), PGC_INVALID, &err);
    struct {
        pgc_cluster_options known;
        int64_t wish;
    } newer = { { .struct_size = sizeof newer, .dir = t.path }, 1 };
    CHECK_STATUS(pgc_cluster_open(&newer.known, &cluster, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "is older than its caller's header") != NULL);
    CHECK_STATUS(pgc_cluster_inspect(NULL, NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_cluster_stop(NULL, false, &err), PGC_INVALID, &err);
    CHECK(cluster == NULL);
    pgc_cluster_close(NULL);
    tmpdir_remove(&t);
}

static void a_file_in_the_way_is_named(void)
{
    tmpdir t = tmpdir_make();
    char dir[128];
    pgc_error err;
    pgc_cluster *cluster = NULL;
    REQUIRE_OK(file_write_atomic(env_default(), t.fd, "plain", SLICE("x"), 0600, &err), &err);
    path_in(&t, "plain/library", dir, sizeof dir);
    CHECK_STATUS(open_in(dir, &cluster, &err), PGC_IO, &err);
    CHECK(strstr(err.message, "/plain") != NULL);
    tmpdir_remove(&t);
}

/* Mounts an own small file system on t; false when we may not. */
static bool mount_small(const tmpdir *t, const char *options, unsigned long flags)
{
    return mount("tmpfs", t->path, "tmpfs", flags, options) == 0;
}

static void a_read_only_disk_is_named(void)
{
    tmpdir t = tmpdir_make();
    char dir[128];
    pgc_error err;
    pgc_cluster *cluster = NULL;
    if (!mount_small(&t, "size=1m,mode=0755", MS_RDONLY)) {
        tmpdir_remove(&t);
        TAP_SKIP("mounting is not allowed here");
    }
    path_in(&t, "library", dir, sizeof dir);
    CHECK_STATUS(open_in(dir, &cluster, &err), PGC_IO, &err);
    CHECK_INT(err.os_errno, EROFS);
    CHECK(strstr(err.message, dir) != NULL);
    CHECK_INT(umount2(t.path, MNT_DETACH), 0);
    tmpdir_remove(&t);
}

static void a_full_disk_is_named(void)
{
    tmpdir t = tmpdir_make();
    char dir[128];
    pgc_error err;
    pgc_cluster *cluster = NULL;
    if (!mount_small(&t, "size=20m,mode=0755", 0)) {
        tmpdir_remove(&t);
        TAP_SKIP("mounting is not allowed here");
    }
    path_in(&t, "library", dir, sizeof dir);
    CHECK_STATUS(open_in(dir, &cluster, &err), PGC_IO, &err);
    CHECK_INT(err.os_errno, ENOSPC);
    CHECK(strstr(err.message, dir) != NULL);
    CHECK_INT(entries_with(dir, "data"), 0);
    CHECK_INT(umount2(t.path, MNT_DETACH), 0);
    tmpdir_remove(&t);
}

/* Fills the file system that holds path with one file. */
static void fill_disk(const char *path)
{
    static const char block[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    for (size_t size = sizeof block; size > 0; size /= 2) {
        while (write(fd, block, size) == (ssize_t) size) {
        }
    }
    fd_auto(&fd);
}

static void a_cluster_survives_a_full_disk(void)
{
    tmpdir t = tmpdir_make();
    char dir[128];
    char filler[128];
    pgc_error err;
    pgc_cluster *cluster = NULL;
    if (!mount_small(&t, "size=300m,mode=0755", 0)) {
        tmpdir_remove(&t);
        TAP_SKIP("mounting is not allowed here");
    }
    path_in(&t, "library", dir, sizeof dir);
    path_in(&t, "filler", filler, sizeof filler);
    check_healthy(dir);
    fill_disk(filler);
    CHECK_STATUS(open_in(dir, &cluster, &err), PGC_IO, &err);
    CHECK_INT(err.os_errno, ENOSPC);
    if (!CHECK(strstr(err.message, t.path) != NULL)) {
        printf("# %s\n", err.message);
    }
    CHECK_INT(unlink(filler), 0);
    check_healthy(dir);
    CHECK_INT(umount2(t.path, MNT_DETACH), 0);
    tmpdir_remove(&t);
}

static void a_busy_cluster_times_out(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    pgc_cluster *cluster = NULL;
    check_healthy(t.path);
    AUTO(fd_auto) int lock = openat(t.fd, "control.lock", O_RDWR | O_CLOEXEC);
    CHECK_INT(vfs_os()->flock(NULL, lock, 2 /* LOCK_EX */), 0);
    pgc_cluster_options options = { .struct_size = sizeof options,
                                    .dir = t.path,
                                    .start_timeout_us = 1000 };
    CHECK_STATUS(pgc_cluster_open(&options, &cluster, &err), PGC_TIMEOUT, &err);
    CHECK_INT(inspect(t.path).users, 1);
    tmpdir_remove(&t);
}

static void each_failed_allocation_is_survived(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    CLUSTER(keeper);
    REQUIRE_OK(open_in(t.path, &keeper, &err), &err);
    bool complete = false;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_cluster_options options = { .struct_size = sizeof options,
                                        .dir = t.path,
                                        .alloc = &alloc };
        CLUSTER(cluster);
        pgc_status status = pgc_cluster_open(&options, &cluster, &err);
        complete = status == PGC_OK && plan.calls < fail_at;
        CHECK(status == PGC_OK || cluster == NULL);
        close_auto(&cluster);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
        REQUIRE(fail_at < 2000);
    }
    CHECK(answers(keeper));
    close_auto(&keeper);
    CHECK(!inspect(t.path).running);
    tmpdir_remove(&t);
}

/* Crash points are read once per process: those that shall die are started anew as
 * "t-fault-cluster open DIR". */
int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "open") == 0) {
        pgc_cluster *cluster = NULL;
        bool opened = open_in(argv[2], &cluster, NULL) == PGC_OK;
        pgc_cluster_close(cluster);
        return opened ? 0 : 1;
    }
    /* Dozens of servers are made: on a disk most of the time would go into syncing it. */
    struct statvfs room;
    if (statvfs("/dev/shm", &room) == 0 && access("/dev/shm", W_OK) == 0 &&
        room.f_bavail * room.f_frsize > UINT64_C(1) << 30) {
        (void) setenv("TMPDIR", "/dev/shm", 0);
    }
    static const tap_case CASES[] = {
        TAP("cluster: the first user starts it, the last one stops it",
            first_starts_and_last_stops),
        TAP("cluster: settings are safe", settings_are_safe),
        TAP("cluster: databases and logins are made", databases_and_logins_are_made),
        TAP("cluster: strangers are kept out", strangers_are_kept_out),
        TAP("cluster: several openers at once make one", two_at_once_make_one),
        TAP("cluster: a killed user is no user", a_killed_user_is_no_user),
        TAP("cluster: a killed server is started again", a_killed_server_is_started_again),
        TAP("cluster: stale pid files do not matter", stale_pid_files_do_not_matter),
        TAP("cluster: killed at each crash point", killed_at_each_crash_point),
        TAP("cluster: killed at any moment of making", killed_at_any_moment),
        TAP("cluster: kept servers stay until stopped", kept_servers_stay),
        TAP("cluster: throw-away leaves nothing", throw_away_leaves_nothing),
        TAP("cluster: long and odd paths", long_and_odd_paths),
        TAP("cluster: folders hidden from the server's user", hidden_folders_have_a_far_home),
        TAP("cluster: a lost socket is made again", a_lost_socket_is_made_again),
        TAP("cluster: a server that cannot start says why", a_server_that_cannot_start_says_why),
        TAP("cluster: other versions and other things are named",
            other_versions_and_other_things_are_named),
        TAP("cluster: a file in the way is named", a_file_in_the_way_is_named),
        TAP("cluster: a read-only disk is named", a_read_only_disk_is_named),
        TAP("cluster: a full disk is named", a_full_disk_is_named),
        TAP("cluster: survives a full disk", a_cluster_survives_a_full_disk),
        TAP("cluster: a busy one times out", a_busy_cluster_times_out),
        TAP("cluster: each failed allocation is survived", each_failed_allocation_is_survived),
    };
    return tap_run(CASES, ARRAY_LEN(CASES));
}
