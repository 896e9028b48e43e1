/* A primary and its standby, by PostgreSQL's own programs. */
#include "base/prelude.h"

#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/proc.h"

#include "pair.h"

static const char *const NAMES[] = { "a", "b" };

/* Runs a program of the server; its output only when it fails. */
static bool run(const pair *p, const char *const *argv)
{
    char path[128];
    const char *full[16] = { path };
    (void) snprintf(path, sizeof path, "%s/%s", p->bin, argv[0]);
    for (size_t i = 1; i < ARRAY_LEN(full) - 1 && argv[i] != NULL; i++) {
        full[i] = argv[i];
    }
    AUTO(buf_auto) buf output;
    buf_init(&output, pgc_alloc_libc(), 65536);
    pgc_error err;
    int code = 1;
    proc_options options = { .argv = full,
                             .user = p->user,
                             .dir = p->dir.path,
                             .output = &output,
                             .timeout_us = INT64_C(60000000) };
    pgc_status status = proc_run(env_default(), &options, &code, &err);
    if (status != PGC_OK || code != 0) {
        printf("# %s: code %d: %s %.*s\n", argv[0], code, status == PGC_OK ? "" : err.message,
               (int) output.len, (const char *) output.ptr);
    }
    return status == PGC_OK && code == 0;
}

static bool append(const pair *p, const char *file, const char *text)
{
    char path[128];
    (void) snprintf(path, sizeof path, "%s/%s", p->dir.path, file);
    FILE *out = fopen(path, "a");
    bool ok = out != NULL && fputs(text, out) >= 0;
    return out != NULL && fclose(out) == 0 && ok;
}

/* The newest version whose server is installed. */
static bool find_bin(pair *p)
{
    for (int major = 18; major >= 15; major--) {
        char path[96];
        (void) snprintf(p->bin, sizeof p->bin, "/usr/lib/postgresql/%d/bin", major);
        (void) snprintf(path, sizeof path, "%s/pg_basebackup", p->bin);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    printf("# no server programs\n");
    return false;
}

/* As root the servers run as another user, who must reach the folder. */
static bool prepare(pair *p)
{
    p->dir = tmpdir_make();
    p->user = NULL;
    if (p->dir.fd < 0 || !find_bin(p)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        (void) snprintf(p->conninfo[i], sizeof p->conninfo[i],
                        "host=%s/socket-%s dbname=postgres user=postgres", p->dir.path, NAMES[i]);
    }
    const struct passwd *entry = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (geteuid() == 0 && entry == NULL) {
        printf("# no user to run servers as\n");
        return false;
    }
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        char path[128];
        (void) snprintf(path, sizeof path, "%s/socket-%s", p->dir.path, NAMES[i]);
        ok = ok && mkdir(path, 0700) == 0;
        ok = ok && (entry == NULL || chown(path, entry->pw_uid, entry->pw_gid) == 0);
    }
    if (entry != NULL) {
        p->user = "postgres";
        ok = ok && chown(p->dir.path, entry->pw_uid, entry->pw_gid) == 0;
    }
    return ok;
}

bool pair_start(pair *p, int which)
{
    char log[16], options[160];
    (void) snprintf(log, sizeof log, "%s.log", NAMES[which]);
    (void) snprintf(options, sizeof options, "-k %s/socket-%s", p->dir.path, NAMES[which]);
    const char *const argv[] = { "pg_ctl", "start", "-w", "-s",    "-D", NAMES[which],
                                 "-l",     log,     "-o", options, NULL };
    p->running[which] = run(p, argv);
    return p->running[which];
}

bool pair_stop(pair *p, int which, bool crash)
{
    const char *const argv[] = { "pg_ctl", "stop",       "-w", "-s",
                                 "-D",     NAMES[which], "-m", crash ? "immediate" : "fast",
                                 NULL };
    p->running[which] = false;
    return run(p, argv);
}

/* The first number of a file. */
static pid_t read_pid(const char *path)
{
    long pid = 0;
    FILE *in = fopen(path, "r");
    bool ok = in != NULL && fscanf(in, "%ld", &pid) == 1;
    if (in != NULL) {
        (void) fclose(in);
    }
    return ok ? (pid_t) pid : 0;
}

/* A process that nobody has reaped yet is as dead as one that is gone. */
static bool is_dead(pid_t pid)
{
    char path[48], state = 'Z';
    (void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *in = fopen(path, "r");
    bool read = in != NULL && fscanf(in, "%*d (%*[^)]) %c", &state) == 1;
    if (in != NULL) {
        (void) fclose(in);
    }
    return !read || state == 'Z';
}

bool pair_kill(pair *p, int which)
{
    enum { PROCESSES_MAX = 200 };
    char path[128], pid_file[128];
    pid_t pids[PROCESSES_MAX];
    size_t count = 1;
    (void) snprintf(pid_file, sizeof pid_file, "%s/%s/postmaster.pid", p->dir.path, NAMES[which]);
    pids[0] = read_pid(pid_file);
    (void) snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int) pids[0], (int) pids[0]);
    /* Stopped first: what it would fork after our look would live on. */
    FILE *in = pids[0] > 1 && kill(pids[0], SIGSTOP) == 0 ? fopen(path, "r") : NULL;
    for (int pid; in != NULL && count < PROCESSES_MAX && fscanf(in, "%d", &pid) == 1;) {
        pids[count++] = pid;
    }
    bool ok = in != NULL && fclose(in) == 0 && count > 1;
    for (size_t i = count; ok && i > 0; i--) { /* it last: its end is a signal to them */
        (void) kill(pids[i - 1], SIGKILL);
    }
    for (size_t i = 0; ok && i < count;) {
        if (is_dead(pids[i])) {
            i++;
        } else {
            clock_os()->sleep_us(NULL, 1000);
        }
    }
    /* Dead but not reaped, its number in the lock files would look like that of a living server. */
    (void) snprintf(path, sizeof path, "%s/socket-%s/.s.PGSQL.5432.lock", p->dir.path,
                    NAMES[which]);
    ok = ok && unlink(pid_file) == 0 && unlink(path) == 0;
    p->running[which] = p->running[which] && !ok;
    return ok;
}

bool pair_promote(pair *p, int which)
{
    const char *const argv[] = { "pg_ctl", "promote", "-w", "-s", "-D", NAMES[which], NULL };
    return run(p, argv);
}

bool pair_follow(pair *p, int which)
{
    char target[32], source[192];
    (void) snprintf(target, sizeof target, "--target-pgdata=%s", NAMES[which]);
    (void) snprintf(source, sizeof source, "--source-server=%s", p->conninfo[1 - which]);
    /* Until its first checkpoint the new primary's files are those of the old timeline, and it
     * would seem that nothing is to be dropped. */
    const char *const note[] = { "psql", "-Xq",        "-d", p->conninfo[1 - which],
                                 "-c",   "CHECKPOINT", NULL };
    const char *const argv[] = { "pg_rewind", target, source, "-R", "--no-sync", NULL };
    return run(p, note) && run(p, argv) && pair_start(p, which);
}

bool pair_open(pair *p)
{
    static const char SETTINGS[] = "listen_addresses = ''\n"
                                   "wal_level = replica\n"
                                   "wal_log_hints = on\n"
                                   "wal_keep_size = 256MB\n"
                                   "max_connections = 60\n"
                                   "shared_buffers = 16MB\n"
                                   "fsync = off\n"
                                   "hot_standby = on\n"
                                   "hot_standby_feedback = off\n"
                                   "wal_receiver_status_interval = 1s\n"
                                   "wal_retrieve_retry_interval = 100ms\n";
    memset(p, 0, sizeof *p);
    p->dir.fd = -1;
    char socket[96];
    const char *const make[] = {
        "initdb", "-D", "a", "-U", "postgres", "-A", "trust", "-N", "--no-instructions", NULL
    };
    const char *const copy[] = {
        "pg_basebackup", "-h", socket, "-U", "postgres", "-D", "b", "-R", "-X",
        "stream",        "-c", "fast", "-N", NULL
    };
    if (!prepare(p)) {
        return false;
    }
    (void) snprintf(socket, sizeof socket, "%s/socket-a", p->dir.path);
    return run(p, make) && append(p, "a/postgresql.conf", SETTINGS) && pair_start(p, PAIR_A) &&
           run(p, copy) && pair_start(p, PAIR_B);
}

void pair_close(pair *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->running[i]) {
            (void) pair_stop(p, i, true);
        }
    }
    tmpdir_remove(&p->dir);
}

const char *pair_conninfo(const pair *p, int which)
{
    return p->conninfo[which];
}
