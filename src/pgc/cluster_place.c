/* Where a private cluster lives: the home folder, who owns it, its locks, the folder of the socket.
 * Everything that the server touches belongs to the server's system user; as root that is another
 * user than ours, and a closed parent such as /root would hide the caller's folder from it.
 * One thread per cluster handle. */
#include "base/prelude.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>

#include "base/proc.h"
#include "base/sha256.h"
#include "pgc/cluster_parts.h"

#define LABEL_FILE  "belongs-to"
#define HOME_LINK   "server"
#define FAR_HOMES   "/var/lib/lumilio" /* homes of folders that the server's user cannot reach */
#define USERS_LOCK  "users.lock"
#define SOCKET_MAX  107 /* bytes of a path in sockaddr_un, without NUL */
#define SOCKET_FILE "/.s.PGSQL." CLUSTER_PORT
#define HASH_CHARS  16
#define PAUSE_US    10000

/* Microseconds until the opener's patience ends; never negative. */
int64_t cluster_time_left(const pgc_cluster *c)
{
    int64_t left = c->deadline_us - c->e.clock->mono_us(c->e.clock->ctx);
    return left > 0 ? left : 0;
}

/* Short against a start (150 ms), long against the work of looking again. Lock files and pid
 * files give no event to wait for across users and file systems. */
bool cluster_pause(const pgc_cluster *c)
{
    if (cluster_time_left(c) == 0) {
        return false;
    }
    c->e.clock->sleep_us(c->e.clock->ctx, PAUSE_US);
    return true;
}

/* Marks the descriptor as closed, so that every path of failure may call it. */
static void close_fd(const pgc_cluster *c, int *fd)
{
    if (*fd >= 0) {
        (void) c->e.fs->close(c->e.fs->ctx, *fd);
        *fd = -1;
    }
}

/* One text for all small strings of a cluster. */
static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "open cluster");
}

/* Absolute path of an open folder. */
static pgc_status path_of(pgc_cluster *c, int fd, const char **out, pgc_error *err)
{
    char link[64];
    char path[PATH_MAX];
    (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const vfs *fs = c->e.fs;
    ssize_t len = fs->readlinkat(fs->ctx, AT_FDCWD, link, path, sizeof path);
    if (len <= 0 || (size_t) len == sizeof path) {
        return pgc_error_errno(err, len < 0 ? errno : ENAMETOOLONG, "find path of folder %s",
                               c->dir);
    }
    *out = arena_copy(c->arena, (slice) { path, (size_t) len });
    return *out == NULL ? no_memory(err) : PGC_OK;
}

/* Who runs the server: we, or "postgres" when we are root. */
static pgc_status find_users(pgc_cluster *c, pgc_error *err)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[4096];
    uid_t uid = geteuid();
    if (uid == 0) {
        (void) getpwnam_r(CLUSTER_SUPERUSER, &entry, text, sizeof text, &found);
    } else {
        (void) getpwuid_r(uid, &entry, text, sizeof text, &found);
    }
    if (found == NULL && uid == 0) {
        return pgc_error_set(err, PGC_NOT_FOUND,
                             "started as root, and there is no system user \"" CLUSTER_SUPERUSER
                             "\" to run PostgreSQL as: install the package postgresql");
    }
    if (found == NULL) {
        return pgc_error_set(err, PGC_NOT_FOUND,
                             "user id %u has no name on this system, PostgreSQL needs one",
                             (unsigned) uid);
    }
    c->system_user = arena_strdup(c->arena, entry.pw_name);
    c->switch_user = uid == 0 ? c->system_user : NULL;
    c->access =
        (file_access) { .mode = 0600, .own = uid == 0, .uid = entry.pw_uid, .gid = entry.pw_gid };
    return c->system_user == NULL ? no_memory(err) : PGC_OK;
}

/* True when the server's user can enter the folder; parents decide as much as the folder does. */
static pgc_status can_reach(const pgc_cluster *c, const char *path, bool *out, pgc_error *err)
{
    const char *const argv[] = { "test", "-x", path, NULL };
    const char *const vars[] = { "PATH=/usr/bin:/bin", NULL }; /* ours may hold a password */
    proc_options options = { .argv = argv, .env_vars = vars, .user = c->switch_user };
    int code = 1;
    TRY(proc_run(&c->e, &options, &code, err));
    *out = code == 0;
    return PGC_OK;
}

/* Nothing to do unless the server runs as another user. */
static pgc_status give(const pgc_cluster *c, int fd, const char *path, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    if (c->access.own && fs->fchown(fs->ctx, fd, c->access.uid, c->access.gid) != 0) {
        return pgc_error_errno(err, errno, "give folder %s to user %s", path, c->system_user);
    }
    return PGC_OK;
}

/* Says in a far home whose it is: when somebody removes the caller's folder by hand, the data stays
 * behind, and only a person can tell whether it is still wanted. */
static pgc_status label_far_home(const pgc_cluster *c, pgc_error *err)
{
    char path[PATH_MAX];
    char text[PATH_MAX + 64];
    (void) snprintf(path, sizeof path, "%s/" LABEL_FILE, c->home);
    (void) snprintf(text, sizeof text, "PostgreSQL data of %s\n", c->dir);
    slice content = { text, strlen(text) };
    return file_write_atomic(&c->e, AT_FDCWD, path, content, 0600, err);
}

/* Home of a folder behind a closed parent, linked from there. */
static pgc_status make_far_home(pgc_cluster *c, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    if (!sha256_of(c->dir, strlen(c->dir), digest)) {
        return no_memory(err);
    }
    sha256_hex(digest, hex);
    c->home = arena_printf(c->arena, FAR_HOMES "/cluster-%.*s", HASH_CHARS, hex);
    if (c->home == NULL) {
        return no_memory(err);
    }
    TRY(file_mkdirs(&c->e, AT_FDCWD, c->home, 0700, true, err));
    int parent = fs->openat(fs->ctx, AT_FDCWD, FAR_HOMES, O_RDONLY | O_DIRECTORY, 0);
    int home = fs->openat(fs->ctx, AT_FDCWD, c->home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    pgc_status status = PGC_OK;
    if (parent < 0 || home < 0 || fs->fchmod(fs->ctx, parent, 0755) != 0) {
        status = pgc_error_errno(err, errno, "make folder %s", c->home);
    } else {
        status = give(c, home, c->home, err);
    }
    close_fd(c, &parent);
    close_fd(c, &home);
    TRY(status);
    bool reached = false;
    TRY(can_reach(c, c->home, &reached, err));
    if (!reached) {
        return pgc_error_set(err, PGC_DENIED, "user %s can reach neither %s nor %s", c->system_user,
                             c->dir, c->home);
    }
    TRY(label_far_home(c, err));
    if (fs->symlinkat(fs->ctx, c->home, c->dir_fd, HOME_LINK) != 0 && errno != EEXIST) {
        return pgc_error_errno(err, errno, "link %s/" HOME_LINK, c->dir);
    }
    return PGC_OK;
}

/* A folder that is closed to the server's user is given to it when that is all it takes; when a
 * parent is closed, giving does not help and is taken back. */
static pgc_status choose_home(pgc_cluster *c, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    bool reached = c->switch_user == NULL;
    if (!reached) {
        TRY(can_reach(c, c->dir, &reached, err));
    }
    if (!reached) {
        struct stat info;
        if (fs->fstat(fs->ctx, c->dir_fd, &info) != 0) {
            return pgc_error_errno(err, errno, "inspect folder %s", c->dir);
        }
        TRY(give(c, c->dir_fd, c->dir, err));
        TRY(can_reach(c, c->dir, &reached, err));
        if (!reached) {
            (void) fs->fchown(fs->ctx, c->dir_fd, info.st_uid, info.st_gid);
            return make_far_home(c, err);
        }
    }
    c->home = c->dir;
    return PGC_OK;
}

/* The link wins over everything: once a home was chosen, a change of the parents' modes must not
 * lead to a second cluster. */
static pgc_status resolve_home(pgc_cluster *c, bool create, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    char target[PATH_MAX];
    ssize_t len = fs->readlinkat(fs->ctx, c->dir_fd, HOME_LINK, target, sizeof target);
    if (len > 0 && (size_t) len < sizeof target) {
        c->home = arena_copy(c->arena, (slice) { target, (size_t) len });
        if (c->home == NULL) {
            return no_memory(err);
        }
    } else if (create) {
        TRY(choose_home(c, err));
    } else {
        c->home = c->dir;
    }
    c->home_fd = fs->openat(fs->ctx, AT_FDCWD, c->home, O_RDONLY | O_DIRECTORY, 0);
    if (c->home_fd < 0) {
        return pgc_error_errno(err, errno, "open folder %s", c->home);
    }
    c->data = arena_printf(c->arena, "%s/data", c->home);
    return c->data == NULL ? no_memory(err) : PGC_OK;
}

/* From here on the folder is known by its absolute path: the server changes its working folder. */
static pgc_status attach_parts(pgc_cluster *c, const char *dir, bool create, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    c->dir = dir;
    if (create) {
        TRY(file_mkdirs(&c->e, AT_FDCWD, dir, 0700, true, err));
    }
    c->dir_fd = fs->openat(fs->ctx, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
    if (c->dir_fd < 0) {
        bool absent = errno == ENOENT;
        pgc_status status = pgc_error_errno(err, errno, "open folder %s", dir);
        return absent ? pgc_error_set(err, PGC_NOT_FOUND, "no cluster in %s", dir) : status;
    }
    TRY(path_of(c, c->dir_fd, &c->dir, err));
    TRY(find_users(c, err));
    return resolve_home(c, create, err);
}

/* Makes the handle and finds the folders; no lock is taken, no server touched. The handle lives
 * in its own arena, so that detaching frees everything at once. */
pgc_status cluster_attach(const env *e, const char *dir, bool create, pgc_cluster **out,
                          pgc_error *err)
{
    arena *a = arena_new(e->alloc, 0, 0);
    pgc_cluster *c = a == NULL ? NULL : ARENA_NEW(a, pgc_cluster);
    if (c == NULL) {
        arena_free(a);
        return no_memory(err);
    }
    c->e = *e;
    c->arena = a;
    assert(c->conninfo == NULL);
    c->dir_fd = c->home_fd = c->control_fd = c->users_fd = -1;
    pgc_status status = attach_parts(c, dir, create, err);
    if (status != PGC_OK) {
        cluster_detach(c);
        return status;
    }
    *out = c;
    return PGC_OK;
}

/* Closing the descriptors gives up the locks. */
void cluster_detach(pgc_cluster *c)
{
    if (c != NULL) {
        close_fd(c, &c->users_fd);
        close_fd(c, &c->control_fd);
        close_fd(c, &c->home_fd);
        close_fd(c, &c->dir_fd);
        arena_free(c->arena);
    }
}

/* True when the locked file still has its name: a removed cluster leaves its locks nameless. */
static bool still_named(const pgc_cluster *c)
{
    const vfs *fs = c->e.fs;
    struct stat mine;
    struct stat named;
    return fs->fstat(fs->ctx, c->control_fd, &mine) == 0 &&
           fs->fstatat(fs->ctx, c->home_fd, CLUSTER_CONTROL_LOCK, &named, AT_SYMLINK_NOFOLLOW) ==
               0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

/* flock() belongs to the open file, so it ends with the last process that has it: we, or an
 * initdb that outlives us. */
pgc_status cluster_lock(pgc_cluster *c, pgc_error *err)
{
    assert(c->control_fd < 0);
    const vfs *fs = c->e.fs;
    for (;;) {
        int flags = O_RDWR | O_CREAT | O_NOFOLLOW;
        c->control_fd = fs->openat(fs->ctx, c->home_fd, CLUSTER_CONTROL_LOCK, flags, 0600);
        if (c->control_fd < 0) {
            return pgc_error_errno(err, errno, "open %s/" CLUSTER_CONTROL_LOCK, c->home);
        }
        while (fs->flock(fs->ctx, c->control_fd, LOCK_EX | LOCK_NB) != 0) {
            int reason = errno;
            if (reason != EWOULDBLOCK && reason != EINTR) {
                cluster_unlock(c);
                return pgc_error_errno(err, reason, "lock %s/" CLUSTER_CONTROL_LOCK, c->home);
            }
            if (!cluster_pause(c)) {
                cluster_unlock(c);
                return pgc_error_set(err, PGC_TIMEOUT,
                                     "another process is starting or stopping the cluster in %s",
                                     c->home);
            }
        }
        if (still_named(c)) {
            return PGC_OK;
        }
        cluster_unlock(c);
    }
}

/* The lock ends with its descriptor; the file stays for those who wait. */
void cluster_unlock(pgc_cluster *c)
{
    close_fd(c, &c->control_fd);
}

/* Everybody who uses the server holds a shared lock on the users file. Whoever gets it
 * exclusively is the last one. The control lock must be held: nobody can join meanwhile. */
bool cluster_alone(pgc_cluster *c)
{
    assert(c->control_fd >= 0);
    const vfs *fs = c->e.fs;
    if (c->users_fd < 0) {
        int flags = O_RDWR | O_CREAT | O_NOFOLLOW;
        c->users_fd = fs->openat(fs->ctx, c->home_fd, USERS_LOCK, flags, 0600);
    }
    /* A conversion that fails gives up the share; its holder is on the way out then. */
    return c->users_fd >= 0 && fs->flock(fs->ctx, c->users_fd, LOCK_EX | LOCK_NB) == 0;
}

/* True for a path that needs quoting neither in a settings file nor in a connection URI. */
static bool plain_path(const char *path)
{
    for (const char *at = path; *at != '\0'; at++) {
        unsigned char c = (unsigned char) *at;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && strchr("/._-", c) == NULL) {
            return false;
        }
    }
    return true;
}

/* A short path for the socket, in a folder that only our user can enter. */
static pgc_status short_socket_path(pgc_cluster *c, pgc_error *err)
{
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    if (!sha256_of(c->home, strlen(c->home), digest)) {
        return no_memory(err);
    }
    sha256_hex(digest, hex);
    const char *base = c->switch_user == NULL ? getenv("XDG_RUNTIME_DIR") : NULL;
    struct stat info;
    if (base != NULL && base[0] == '/' && plain_path(base) && strlen(base) < SOCKET_MAX - 60 &&
        c->e.fs->fstatat(c->e.fs->ctx, AT_FDCWD, base, &info, 0) == 0 &&
        info.st_uid == c->access.uid) {
        c->socket = arena_printf(c->arena, "%s/lumilio-%.*s", base, HASH_CHARS, hex);
    } else {
        c->socket = arena_printf(c->arena, "/tmp/lumilio-%u-%.*s", (unsigned) c->access.uid,
                                 HASH_CHARS, hex);
    }
    return c->socket == NULL ? no_memory(err) : PGC_OK;
}

/* The folder must be private: in a shared place somebody else may have made it before us. */
static pgc_status secure_socket_dir(const pgc_cluster *c, int fd, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    struct stat info;
    if (fs->fstat(fs->ctx, fd, &info) != 0) {
        return pgc_error_errno(err, errno, "inspect folder %s", c->socket);
    }
    if (info.st_uid != c->access.uid && info.st_uid != geteuid()) {
        return pgc_error_set(err, PGC_DENIED, "folder %s of the socket belongs to user id %u",
                             c->socket, (unsigned) info.st_uid);
    }
    TRY(give(c, fd, c->socket, err));
    if (fs->fchmod(fs->ctx, fd, 0700) != 0) {
        return pgc_error_errno(err, errno, "close folder %s to others", c->socket);
    }
    return PGC_OK;
}

/* Decided anew at every start; sharing processes learn it from postmaster.pid. */
pgc_status cluster_socket_dir(pgc_cluster *c, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    c->socket = arena_printf(c->arena, "%s/socket", c->home);
    if (c->socket == NULL) {
        return no_memory(err);
    }
    if (strlen(c->socket) + strlen(SOCKET_FILE) > SOCKET_MAX || !plain_path(c->socket)) {
        TRY(short_socket_path(c, err));
    }
    if (fs->mkdirat(fs->ctx, AT_FDCWD, c->socket, 0700) != 0 && errno != EEXIST) {
        return pgc_error_errno(err, errno, "make folder %s", c->socket);
    }
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    int fd = fs->openat(fs->ctx, AT_FDCWD, c->socket, flags, 0);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "open folder %s", c->socket);
    }
    pgc_status status = secure_socket_dir(c, fd, err);
    close_fd(c, &fd);
    return status;
}

/* Only what we made, by name. The locks go last: whoever waits for one finds it nameless and
 * starts over. */
void cluster_remove(pgc_cluster *c)
{
    static const char *const NAMES[] = { "data",         "socket",
                                         "server.log",   "server.log.1",
                                         "keep-running", LABEL_FILE,
                                         USERS_LOCK,     CLUSTER_CONTROL_LOCK };
    assert(c->throw_away);
    assert(c->control_fd >= 0);
    const vfs *fs = c->e.fs;
    if (c->socket != NULL && file_remove_tree(&c->e, AT_FDCWD, c->socket, NULL) != PGC_OK) {
        log_line(c->e.log, LOG_WARN, "cluster", "folder %s stays behind", c->socket);
    }
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (file_remove_tree(&c->e, c->home_fd, NAMES[i], NULL) != PGC_OK) {
            log_line(c->e.log, LOG_WARN, "cluster", "%s/%s stays behind", c->home, NAMES[i]);
        }
    }
    if (c->home != c->dir) {
        (void) fs->unlinkat(fs->ctx, AT_FDCWD, c->home, AT_REMOVEDIR);
        (void) fs->unlinkat(fs->ctx, c->dir_fd, HOME_LINK, 0);
    }
    /* Fails when the caller keeps other things there: they are not ours to remove. */
    (void) fs->unlinkat(fs->ctx, AT_FDCWD, c->dir, AT_REMOVEDIR);
}
