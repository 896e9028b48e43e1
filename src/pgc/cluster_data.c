/* Making the data directory. initdb works in a folder with another name, which becomes "data" when
 * everything in it is on disk: whatever has the name "data" is complete. initdb holds control.lock
 * as its standard input, so when we are killed the next process waits until it has ended before it
 * removes what is half made. One thread per cluster handle. */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/crash.h"
#include "base/proc.h"
#include "pgc/cluster_parts.h"

#define HALF_MADE         "data.new-"
#define OUTPUT_MAX        65536
#define REMOVE_ATTEMPTS   100
#define INITDB_TIMEOUT_US INT64_C(600000000)

static const char HBA[] = "# The system user decides who may be which role: see pg_ident.conf.\n"
                          "local all all peer map=lumilio\n"
                          "local replication all peer map=lumilio\n";
/* Tests and generators play any role. The socket's folder keeps other users out. */
static const char HBA_THROW_AWAY[] = "local all all trust\n";

/* Something called "data" that is no data directory is never removed: it may be precious. */
pgc_status cluster_data_major(const pgc_cluster *c, int32_t *out, pgc_error *err)
{
    if (!file_exists(&c->e, c->home_fd, "data")) {
        *out = 0;
        return PGC_OK;
    }
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, 64);
    pgc_status status = file_read(&c->e, c->home_fd, "data/PG_VERSION", &text, err);
    int64_t major = 0;
    if (status == PGC_OK && slice_to_i64(slice_trim(buf_view(&text)), &major) && major > 0 &&
        major < 1000) {
        *out = (int32_t) major;
        return PGC_OK;
    }
    if (status == PGC_OK || status == PGC_NOT_FOUND) {
        return pgc_error_set(err, PGC_INVALID,
                             "%s is not a data directory of PostgreSQL: move it away", c->data);
    }
    return status;
}

/* Everything called data.new-* is ours and nobody is at work on it, since we hold control.lock. */
static pgc_status remove_half_made_once(const pgc_cluster *c, pgc_error *err)
{
    file_dir reader;
    file_entry entry;
    int fd = c->e.fs->openat(c->e.fs->ctx, c->home_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "read folder %s", c->home);
    }
    file_dir_init(&reader, &c->e, fd);
    pgc_status status = PGC_OK;
    do {
        status = file_dir_next(&reader, &entry, err);
        if (status == PGC_OK && entry.name != NULL &&
            strncmp(entry.name, HALF_MADE, strlen(HALF_MADE)) == 0) {
            status = file_remove_tree(&c->e, fd, entry.name, err);
        }
    } while (status == PGC_OK && entry.name != NULL);
    (void) c->e.fs->close(c->e.fs->ctx, fd);
    return pgc_error_wrap(err, status, "clean folder %s", c->home);
}

/* A server in bootstrap mode outlives its killed initdb by moments, and may still write. */
static pgc_status remove_half_made(const pgc_cluster *c, pgc_error *err)
{
    pgc_status status = PGC_OK;
    for (int attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
        status = remove_half_made_once(c, err);
        if (status == PGC_OK || !cluster_pause(c)) {
            break;
        }
    }
    return status;
}

/* The last lines of a log are the ones that say why; earlier ones are dropped whole. */
void cluster_last_lines(slice text, char *out, size_t size)
{
    assert(size > 0);
    slice rest = slice_trim(text);
    size_t start = rest.len;
    /* Whole lines from the end while they fit; each newline becomes three bytes. */
    size_t used = 1;
    while (start > 0) {
        size_t line = start;
        while (line > 0 && rest.ptr[line - 1] != '\n') {
            line--;
        }
        size_t need = start - line + 3;
        if (used + need > size) {
            break;
        }
        used += need;
        start = line > 0 ? line - 1 : 0;
        if (line == 0) {
            break;
        }
    }
    size_t at = 0;
    for (size_t i = start; i < rest.len; i++) {
        if (rest.ptr[i] == '\n') {
            at += i == start ? 0 : (size_t) snprintf(out + at, size - at, " | ");
        } else if (at + 1 < size) {
            out[at++] = rest.ptr[i];
        }
    }
    assert(at < size);
    out[at] = '\0';
}

/* initdb reports a system error as text only. The reasons that a user can do something about
 * become errors of the file system, with their errno. */
static pgc_status initdb_failed(const pgc_cluster *c, slice output, int code, pgc_error *err)
{
    static const struct {
        int os_errno;
        const char *text;
    } REASONS[] = { { ENOSPC, "No space left on device" },
                    { EDQUOT, "Disk quota exceeded" },
                    { EROFS, "Read-only file system" } };
    for (size_t i = 0; i < ARRAY_LEN(REASONS); i++) {
        if (output.len > 0 &&
            memmem(output.ptr, output.len, REASONS[i].text, strlen(REASONS[i].text)) != NULL) {
            return pgc_error_errno(err, REASONS[i].os_errno, "make data directory %s", c->data);
        }
    }
    char lines[320];
    cluster_last_lines(output, lines, sizeof lines);
    return pgc_error_set(err, PGC_DB, "make data directory %s: initdb ended with %d: %s", c->data,
                         code, lines);
}

/* The environment is ours, not the caller's: PGDATA and the like must not lead initdb elsewhere,
 * and its messages must be in the language that initdb_failed() reads. */
static pgc_status run_initdb(const pgc_cluster *c, const char *path, pgc_error *err)
{
    char program[PATH_MAX];
    (void) snprintf(program, sizeof program, "%s/initdb", c->bin);
    /* Bytewise order is fast and the same on every system; C.UTF-8 knows letters beyond ASCII. */
    const char *const argv[] = {
        program,
        "-D",
        path,
        "-U",
        CLUSTER_SUPERUSER,
        "-E",
        "UTF8",
        "--locale=C",
        "--lc-ctype=C.UTF-8",
        "-T",
        "simple",
        "-A",
        "peer",
        "--data-checksums",
        "--no-instructions",
        c->throw_away ? "--no-sync" : NULL,
        NULL,
    };
    const char *const vars[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
    AUTO(buf_auto) buf output;
    buf_init(&output, c->e.alloc, OUTPUT_MAX);
    proc_options options = {
        .argv = argv,
        .env_vars = vars,
        .dir = "/",
        .user = c->switch_user,
        .in_fd = c->control_fd,
        .timeout_us = INITDB_TIMEOUT_US,
        .output = &output,
    };
    int code = 1;
    TRY(proc_run(&c->e, &options, &code, err));
    return code == 0 ? PGC_OK : initdb_failed(c, buf_view(&output), code, err);
}

/* Our lines in the files that initdb wrote. */
static pgc_status adapt_files(const pgc_cluster *c, int fd, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, 1 << 20);
    TRY(file_read(&c->e, fd, "postgresql.conf", &text, err));
    buf_add_str(&text, "\ninclude_if_exists 'lumilio.conf'\n");
    TRY(buf_finish(&text, err));
    TRY(file_write_atomic_as(&c->e, fd, "postgresql.conf", buf_view(&text), &c->access, err));
    const char *hba = c->throw_away ? HBA_THROW_AWAY : HBA;
    slice content = { hba, strlen(hba) };
    TRY(file_write_atomic_as(&c->e, fd, "pg_hba.conf", content, &c->access, err));
    return file_write_atomic_as(&c->e, fd, "pg_ident.conf", SLICE("# map, system user, role\n"),
                                &c->access, err);
}

/* The rename is the moment at which the cluster exists. */
static pgc_status publish(const pgc_cluster *c, int fd, const char *name, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    TRY(adapt_files(c, fd, err));
    CRASH_POINT("cluster.made");
    if (fs->renameat2(fs->ctx, c->home_fd, name, c->home_fd, "data", 0) != 0 ||
        fs->fsync(fs->ctx, c->home_fd) != 0) {
        return pgc_error_errno(err, errno, "make data directory %s", c->data);
    }
    CRASH_POINT("cluster.named");
    return PGC_OK;
}

/* The folder is made here, not by initdb, because as root only we may write in its parent. */
static pgc_status make_data(const pgc_cluster *c, const char *name, pgc_error *err)
{
    const vfs *fs = c->e.fs;
    const char *path = arena_printf(c->arena, "%s/%s", c->home, name);
    if (path == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open cluster");
    }
    if (fs->mkdirat(fs->ctx, c->home_fd, name, 0700) != 0) {
        return pgc_error_errno(err, errno, "make folder %s", path);
    }
    int fd = fs->openat(fs->ctx, c->home_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    pgc_status status = PGC_OK;
    if (fd < 0 || (c->access.own && fs->fchown(fs->ctx, fd, c->access.uid, c->access.gid) != 0)) {
        status = pgc_error_errno(err, errno, "make folder %s", path);
    }
    if (status == PGC_OK) {
        CRASH_POINT("cluster.initdb");
        status = run_initdb(c, path, err);
    }
    if (status == PGC_OK) {
        status = publish(c, fd, name, err);
    }
    if (fd >= 0) {
        (void) fs->close(fs->ctx, fd);
    }
    return status;
}

/* The name is random so that a stray process of an earlier attempt cannot write into this one. */
pgc_status cluster_init_data(pgc_cluster *c, pgc_error *err)
{
    assert(c->control_fd >= 0);
    assert(c->bin != NULL);
    uint64_t number;
    char name[64];
    TRY(remove_half_made(c, err));
    if (!c->e.clock->random(c->e.clock->ctx, &number, sizeof number)) {
        return pgc_error_set(err, PGC_IO, "no randomness for a folder name");
    }
    (void) snprintf(name, sizeof name, HALF_MADE "%016" PRIx64, number);
    log_line(c->e.log, LOG_INFO, "cluster", "making data directory %s", c->data);
    pgc_status status = make_data(c, name, err);
    if (status != PGC_OK && file_remove_tree(&c->e, c->home_fd, name, NULL) != PGC_OK) {
        log_line(c->e.log, LOG_WARN, "cluster", "%s/%s stays behind", c->home, name);
    }
    return status;
}
