/* The server process of a private cluster: finding, starting, stopping. postmaster.pid is the
 * source; it may be left over from a server that was killed, and its process id may belong to
 * another program by now, so the process itself is asked as well. A server that we started is our
 * child: it is reaped wherever its end is looked for. One thread per cluster handle. */
#include "base/prelude.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/crash.h"
#include "base/proc.h"
#include "pgc/cluster_parts.h"

#define PID_FILE         "data/postmaster.pid"
#define KEEP_FILE        "keep-running"
#define LOG_FILE         "server.log"
#define LOG_SIZE_MAX     (INT64_C(16) << 20) /* an older log than this is put aside at a start */
#define LOG_TAIL_MAX     8192
#define COMMAND_LINE_MAX 16384
#define DISK_FULL_BYTES  (UINT64_C(16) << 20) /* one segment of the write-ahead log */

/* Lines of postmaster.pid (PostgreSQL: src/include/utils/pidfile.h). */
enum { LINE_PID, LINE_DATA, LINE_TIME, LINE_PORT, LINE_SOCKET, LINE_HOST, LINE_SHM, LINE_STATUS };
#define LINE_COUNT 8

/* True when path names the data directory of this cluster or nothing at all: a moved folder leaves
 * its server running under the old name. */
static bool may_be_data(const pgc_cluster *c, const char *path)
{
    const vfs *fs = c->e.fs;
    struct stat theirs;
    struct stat ours;
    if (fs->fstatat(fs->ctx, AT_FDCWD, path, &theirs, 0) != 0) {
        return true;
    }
    return fs->fstatat(fs->ctx, c->home_fd, "data", &ours, 0) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Looks for "postgres" and "-D DATA" in a command line whose arguments end with NUL. */
static bool command_is_ours(const pgc_cluster *c, slice command)
{
    slice rest = command;
    slice program = slice_next(&rest, '\0');
    if (!slice_ends(program, SLICE("postgres")) && !slice_ends(program, SLICE("postmaster"))) {
        return false;
    }
    while (rest.ptr != NULL) {
        if (slice_eq_str(slice_next(&rest, '\0'), "-D")) {
            return rest.ptr != NULL && may_be_data(c, rest.ptr);
        }
    }
    return false;
}

/* Reads /proc/PID/name. */
static pgc_status read_proc(const pgc_cluster *c, pid_t pid, const char *name, buf *out)
{
    char path[64];
    (void) snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, name);
    return file_read(&c->e, AT_FDCWD, path, out, NULL);
}

/* True for a process that has ended but whose parent has not looked yet. */
static bool is_zombie(const pgc_cluster *c, pid_t pid)
{
    AUTO(buf_auto) buf stat;
    buf_init(&stat, c->e.alloc, 4096);
    if (read_proc(c, pid, "stat", &stat) != PGC_OK || stat.len == 0) {
        return false;
    }
    /* "PID (name) STATE …", and the name may hold anything. */
    const char *end = (const char *) memrchr(stat.ptr, ')', stat.len);
    return end != NULL && (strncmp(end, ") Z", 3) == 0 || strncmp(end, ") X", 3) == 0);
}

/* True when the process lives and is the server of this data directory. */
static bool is_postmaster(const pgc_cluster *c, pid_t pid)
{
    (void) waitpid(pid, NULL, WNOHANG); /* our own child that has ended must not look alive */
    if (!proc_alive(pid)) {
        return false;
    }
    AUTO(buf_auto) buf command;
    buf_init(&command, c->e.alloc, COMMAND_LINE_MAX);
    pgc_status status = read_proc(c, pid, "cmdline", &command);
    if (status != PGC_OK) {
        return status != PGC_LIMIT && proc_alive(pid); /* hidden from us: take its word */
    }
    if (command.len == 0) {
        return !is_zombie(c, pid); /* ending: its memory is gone, its files are still open */
    }
    return command_is_ours(c, buf_view(&command));
}

/* A file that was cut short leaves the rest of *out as it was: not ready, no socket. */
static void read_pid_file(slice text, cluster_postmaster *out)
{
    slice lines[LINE_COUNT] = { 0 };
    slice rest = text;
    for (size_t i = 0; i < LINE_COUNT && rest.ptr != NULL; i++) {
        lines[i] = slice_trim(slice_next(&rest, '\n'));
    }
    int64_t pid = 0;
    if (slice_to_i64(lines[LINE_PID], &pid) && pid > 1 && pid <= INT32_MAX) {
        out->pid = (pid_t) pid;
    }
    out->ready = slice_eq_str(lines[LINE_STATUS], "ready");
    if (lines[LINE_SOCKET].len < sizeof out->socket) {
        (void) snprintf(out->socket, sizeof out->socket, "%" SLICE_FMT,
                        SLICE_ARG(lines[LINE_SOCKET]));
    }
}

/* What the file says, whether true or not. */
static pgc_status read_postmaster(const pgc_cluster *c, cluster_postmaster *out, pgc_error *err)
{
    *out = (cluster_postmaster) { .pid = 0 };
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, 8192);
    pgc_status status = file_read(&c->e, c->home_fd, PID_FILE, &text, err);
    if (status == PGC_OK) {
        read_pid_file(buf_view(&text), out);
    }
    return status == PGC_NOT_FOUND ? PGC_OK : status;
}

/* No server is not an error: the pid is 0 then. */
pgc_status cluster_find_postmaster(const pgc_cluster *c, cluster_postmaster *out, pgc_error *err)
{
    cluster_postmaster found;
    TRY(read_postmaster(c, &found, err));
    if (found.pid != 0 && !is_postmaster(c, found.pid)) {
        found = (cluster_postmaster) { .pid = 0 };
    }
    *out = found;
    return PGC_OK;
}

/* Removes what a killed server left and what the next one would trip over: PostgreSQL itself takes
 * any living process of that id for the server, and an empty file for one being written. */
static pgc_status clear_stale(const pgc_cluster *c, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    cluster_postmaster found;
    TRY(read_postmaster(c, &found, err));
    if ((found.pid == 0 || proc_alive(found.pid)) &&
        fs->unlinkat(fs->ctx, c->home_fd, PID_FILE, 0) != 0 && errno != ENOENT) {
        return pgc_error_errno(err, errno, "remove stale %s/" PID_FILE, c->home);
    }
    static const char *const SOCKETS[] = { ".s.PGSQL." CLUSTER_PORT,
                                           ".s.PGSQL." CLUSTER_PORT ".lock" };
    for (size_t i = 0; i < ARRAY_LEN(SOCKETS); i++) {
        char path[256];
        (void) snprintf(path, sizeof path, "%s/%s", c->socket, SOCKETS[i]);
        if (fs->unlinkat(fs->ctx, AT_FDCWD, path, 0) != 0 && errno != ENOENT) {
            return pgc_error_errno(err, errno, "remove stale socket %s", path);
        }
    }
    return PGC_OK;
}

/* A server on its way up. */
typedef struct launch {
    pid_t pid;
    int log_fd;
    off_t log_start; /* size of the log before this start */
} launch;

/* The server appends through our descriptor, so the file may belong to root. It is looked at for
 * its size only here: a server that runs for months keeps its log. */
static pgc_status open_log(const pgc_cluster *c, launch *start, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    struct stat info;
    if (fs->fstatat(fs->ctx, c->home_fd, LOG_FILE, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        info.st_size > LOG_SIZE_MAX) {
        (void) fs->renameat2(fs->ctx, c->home_fd, LOG_FILE, c->home_fd, LOG_FILE ".1", 0);
    }
    int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;
    start->log_fd = fs->openat(fs->ctx, c->home_fd, LOG_FILE, flags, 0600);
    if (start->log_fd < 0 || fs->fstat(fs->ctx, start->log_fd, &info) != 0) {
        return pgc_error_errno(err, errno, "open %s/" LOG_FILE, c->home);
    }
    start->log_start = info.st_size;
    return PGC_OK;
}

/* What decides who can reach the server stands on the command line, where no settings file and no
 * ALTER SYSTEM can change it. A session of its own keeps the terminal's signals away. */
static pgc_status spawn_server(const pgc_cluster *c, launch *start, pgc_error *err)
{
    char program[PATH_MAX];
    char socket_setting[256];
    (void) snprintf(program, sizeof program, "%s/postgres", c->bin);
    (void) snprintf(socket_setting, sizeof socket_setting, "unix_socket_directories=%s", c->socket);
    const char *const argv[] = {
        program,
        "-D",
        c->data,
        "-c",
        "listen_addresses=",
        "-c",
        socket_setting,
        "-c",
        "port=" CLUSTER_PORT,
        NULL,
    };
    const char *const vars[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
    proc_options options = {
        .argv = argv,
        .env_vars = vars,
        .dir = "/",
        .user = c->switch_user,
        .out_fd = start->log_fd,
        .err_fd = start->log_fd,
        .new_session = true,
    };
    return proc_spawn(&c->e, &options, &start->pid, err);
}

/* What the server has logged since its start, the last part of it. */
static slice read_tail(const pgc_cluster *c, const launch *start, char *bytes, size_t size)
{
    const vfs *fs = c->e.fs;
    struct stat info;
    if (fs->fstat(fs->ctx, start->log_fd, &info) != 0) {
        return SLICE("");
    }
    off_t from = info.st_size - (off_t) size;
    from = from < start->log_start ? start->log_start : from;
    ssize_t got = fs->pread(fs->ctx, start->log_fd, bytes, size, from);
    return (slice) { bytes, got > 0 ? (size_t) got : 0 };
}

/* The log lies on the same disk as the data: when it is full, the reason may be missing there. */
static bool disk_is_full(const pgc_cluster *c)
{
    struct statvfs room;
    return c->e.fs->fstatvfs(c->e.fs->ctx, c->home_fd, &room) == 0 &&
           (uint64_t) room.f_bavail * room.f_frsize < DISK_FULL_BYTES;
}

/* The server ended before it was ready. PGC_OK: trying again may help, because children of a killed
 * server still hold its memory, or because another process was faster. */
static pgc_status explain_end(const pgc_cluster *c, const launch *start, pgc_error *err)
{
    char bytes[LOG_TAIL_MAX];
    char lines[320];
    slice tail = read_tail(c, start, bytes, sizeof bytes);
    cluster_postmaster other;
    TRY(cluster_find_postmaster(c, &other, err));
    static const char IN_USE[] = "is still in use";
    bool in_use = tail.len > 0 && memmem(tail.ptr, tail.len, IN_USE, strlen(IN_USE)) != NULL;
    if ((other.pid != 0 || in_use) && cluster_pause(c)) {
        return PGC_OK;
    }
    if (disk_is_full(c)) {
        return pgc_error_errno(err, ENOSPC, "start server of %s", c->data);
    }
    cluster_last_lines(tail, lines, sizeof lines);
    return pgc_error_set(err, PGC_DB, "server of %s did not start: %s", c->data, lines);
}

/* waitpid() also answers for a process that is not our child any more, because the host program
 * ignores SIGCHLD: then asking for its existence decides. */
static bool has_ended(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) != 0 || !proc_alive(pid);
}

/* Waits until the server is ready or gone; *ready tells which. */
static pgc_status await_ready(const pgc_cluster *c, const launch *start, bool *ready,
                              pgc_error *err)
{
    for (;;) {
        bool ended = has_ended(start->pid);
        cluster_postmaster found;
        TRY(read_postmaster(c, &found, err));
        if (!ended && found.pid == start->pid && found.ready) {
            *ready = true;
            return PGC_OK;
        }
        if (ended) {
            *ready = false;
            return explain_end(c, start, err);
        }
        if (!cluster_pause(c)) {
            return pgc_error_set(err, PGC_TIMEOUT,
                                 "server of %s is still starting (recovering from a crash?), see "
                                 "%s/" LOG_FILE,
                                 c->data, c->home);
        }
    }
}

/* PGC_OK means that it is worth looking again, not that the server runs. */
static pgc_status launch_once(pgc_cluster *c, pgc_error *err)
{
    launch start = { .log_fd = -1 };
    bool ready = false;
    TRY(cluster_socket_dir(c, err));
    TRY(clear_stale(c, err));
    TRY(cluster_write_settings(c, err));
    pgc_status status = open_log(c, &start, err);
    if (status == PGC_OK) {
        CRASH_POINT("cluster.start");
        status = spawn_server(c, &start, err);
    }
    if (status == PGC_OK) {
        CRASH_POINT("cluster.started");
        status = await_ready(c, &start, &ready, err);
    }
    if (start.log_fd >= 0) {
        (void) c->e.fs->close(c->e.fs->ctx, start.log_fd);
    }
    c->started = c->started || ready;
    return status;
}

/* Looks, starts, looks again: ends when somebody's server is ready, ours or another one's. */
pgc_status cluster_start(pgc_cluster *c, pgc_error *err)
{
    assert(c->control_fd >= 0);
    assert(c->bin != NULL);
    for (;;) {
        cluster_postmaster found;
        TRY(cluster_find_postmaster(c, &found, err));
        if (found.pid == 0) {
            TRY(launch_once(c, err));
            continue;
        }
        if (found.ready) {
            c->socket = arena_strdup(c->arena, found.socket);
            return c->socket == NULL ? pgc_error_set(err, PGC_NOMEM, "open cluster") : PGC_OK;
        }
        if (!cluster_pause(c)) {
            return pgc_error_set(err, PGC_TIMEOUT, "server %d of %s is starting or stopping",
                                 (int) found.pid, c->data);
        }
    }
}

/* Waits for the end of the process, not for the removal of its pid file: only then are its files
 * closed and its memory free. */
pgc_status cluster_shut_down(const pgc_cluster *c, pgc_error *err)
{
    assert(c->control_fd >= 0);
    cluster_postmaster found;
    TRY(cluster_find_postmaster(c, &found, err));
    if (found.pid == 0) {
        return PGC_OK;
    }
    assert(found.pid > 1);
    /* Fast: roll back what runs, write a checkpoint. What is thrown away needs none. */
    if (kill(found.pid, c->throw_away ? SIGQUIT : SIGINT) != 0 && errno != ESRCH) {
        return pgc_error_errno(err, errno, "stop server %d of %s", (int) found.pid, c->data);
    }
    while (is_postmaster(c, found.pid)) {
        if (!cluster_pause(c)) {
            return pgc_error_set(err, PGC_TIMEOUT, "server %d of %s does not stop", (int) found.pid,
                                 c->data);
        }
    }
    (void) c->e.fs->unlinkat(c->e.fs->ctx, c->home_fd, KEEP_FILE, 0);
    return PGC_OK;
}

/* The file holds the server's process id, so that it means nothing after a restart. */
static void keep_text(pid_t pid, char *text, size_t size)
{
    (void) snprintf(text, size, "%d\n", (int) pid);
}

bool cluster_kept(const pgc_cluster *c)
{
    cluster_postmaster found;
    char wanted[32];
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, 64);
    if (cluster_find_postmaster(c, &found, NULL) != PGC_OK || found.pid == 0 ||
        file_read(&c->e, c->home_fd, KEEP_FILE, &text, NULL) != PGC_OK) {
        return false;
    }
    keep_text(found.pid, wanted, sizeof wanted);
    return slice_eq_str(buf_view(&text), wanted);
}

pgc_status cluster_keep(const pgc_cluster *c, pgc_error *err)
{
    cluster_postmaster found;
    char text[32];
    TRY(cluster_find_postmaster(c, &found, err));
    keep_text(found.pid, text, sizeof text);
    slice content = { text, strlen(text) };
    return file_write_atomic(&c->e, c->home_fd, KEEP_FILE, content, 0600, err);
}
