/* For t-media: hosts, made files and probes of bytes. The helper programs lie in the build folder,
 * found from this program's own place. */
#ifndef TEST_MEDIA_HOST_H
#define TEST_MEDIA_HOST_H

#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <lumilio/status.h>

#include "base/file.h"
#include "base/proc.h"
#include "media/media.h"

#include "tap.h"
#include "tmpdir.h"

typedef struct bytes {
    uint8_t *ptr;
    size_t size;
} bytes;

static inline void bytes_auto(bytes *b)
{
    free(b->ptr);
}

/* One look at one file. */
typedef struct probed {
    pgc_status status;
    pgc_error err;
    media_report report;
    int thumbnails[MEDIA_SIZE_COUNT];
} probed;

static media_host *test_host;   /* the product's helper */
static media_host *escape_host; /* the one that breaks out */
static tmpdir made_dir = { .path = "", .fd = -1 };

/* The path of a program beside (or, with "../", above) this one. */
static inline void helper_path(const char *name, char *out, size_t room)
{
    char self[192] = "";
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = size > 0 ? strrchr(self, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
    }
    (void) snprintf(out, room, "%s/%s", self, name);
}

static inline void end_of_tests(void)
{
    media_host_close(test_host);
    media_host_close(escape_host);
    tmpdir_remove(&made_dir);
}

static inline media_host *open_host(const char *name, const media_limits *limits)
{
    char path[256];
    pgc_error err;
    media_host *host = NULL;
    helper_path(name, path, sizeof path);
    (void) CHECK_STATUS(media_host_open(env_default(), path, limits, &host, &err), PGC_OK, &err);
    return host;
}

static inline media_host *shared_host(void)
{
    if (test_host == NULL) {
        test_host = open_host("../lumilio-media", NULL);
    }
    return test_host;
}

/* The folder that make-media filled; made with the first call. */
static inline int made_files(void)
{
    if (made_dir.fd < 0) {
        made_dir = tmpdir_make();
        (void) atexit(end_of_tests);
        char path[256];
        helper_path("make-media", path, sizeof path);
        const char *const argv[] = { path, made_dir.path, NULL };
        proc_options options = { .argv = argv };
        int code = -1;
        pgc_error err;
        (void) CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_OK, &err);
        CHECK_INT(code, 0);
    }
    return made_dir.fd;
}

/* Negative when this system could not make it. */
static inline int open_made(const char *name)
{
    return openat(made_files(), name, O_RDONLY | O_CLOEXEC);
}

static inline bytes read_made(const char *name)
{
    bytes out = { NULL, 0 };
    AUTO(fd_auto) int fd = open_made(name);
    struct stat facts;
    if (fd >= 0 && fstat(fd, &facts) == 0) {
        out.size = (size_t) facts.st_size;
        out.ptr = malloc(out.size + 1);
        ssize_t got = out.ptr != NULL ? pread(fd, out.ptr, out.size, 0) : -1;
        out.size = got > 0 ? (size_t) got : 0;
    }
    return out;
}

static inline void probe_fd(probed *p, media_host *host, int source)
{
    memset(p, 0, sizeof *p);
    pgc_error_clear(&p->err);
    for (int i = 0; i < MEDIA_SIZE_COUNT; i++) {
        p->thumbnails[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    p->status = host == NULL ? PGC_CLOSED
                             : media_host_probe(host, source, p->thumbnails, &p->report, &p->err);
}

static inline void probed_done(probed *p)
{
    for (int i = 0; i < MEDIA_SIZE_COUNT; i++) {
        (void) close(p->thumbnails[i]);
    }
}

/* False when the file could not be made on this system; *p is not to be used then. */
static inline bool probe_file(probed *p, const char *name)
{
    AUTO(fd_auto) int fd = open_made(name);
    if (fd >= 0) {
        probe_fd(p, shared_host(), fd);
    }
    return fd >= 0;
}

/* The bytes in a file of their own, opened for reading; as a sparse file of `length` bytes when
 * that is more. */
static inline int source_of(const void *data, size_t size, off_t length)
{
    AUTO(fd_auto) int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[64];
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool ok = pwrite(fd, data, size, 0) == (ssize_t) size;
    ok = ok && (length <= (off_t) size || ftruncate(fd, length) == 0);
    return ok ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static inline void probe_bytes(probed *p, const uint8_t *data, size_t size)
{
    AUTO(fd_auto) int fd = source_of(data, size, 0);
    probe_fd(p, shared_host(), fd);
}

/* With limits of its own and, for length above size, zeros to the end. */
static inline void probe_padded(probed *p, const media_limits *limits, const uint8_t *data,
                                size_t size, off_t length)
{
    AUTO(fd_auto) int fd = source_of(data, size, length);
    media_host *host = open_host("../lumilio-media", limits);
    probe_fd(p, host, fd);
    media_host_close(host);
}

static inline void probe_escape(probed *p, const char *text)
{
    static const media_limits LIMITS = { .wall_us = 3000000,
                                         .cpu_seconds = 2,
                                         .memory_bytes = 512 << 20 };
    if (escape_host == NULL) {
        escape_host = open_host("lumilio-media-escape", &LIMITS);
    }
    AUTO(fd_auto) int fd = source_of(text, strlen(text), 0);
    probe_fd(p, escape_host, fd);
}

/* Resident memory in bytes. */
static inline int64_t memory_of_this_process(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long total = 0;
    long long resident = 0;
    if (file != NULL) {
        CHECK_INT(fscanf(file, "%lld %lld", &total, &resident), 2);
        (void) fclose(file);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

/* End our own children of that name; how many there were. */
static inline int kill_children_of_this_process(const char *name)
{
    DIR *proc = opendir("/proc");
    int killed = 0;
    for (struct dirent *entry = proc ? readdir(proc) : NULL; entry != NULL; entry = readdir(proc)) {
        char path[300];
        char comm[64] = "";
        int pid = 0;
        int parent = 0;
        (void) snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = isdigit((unsigned char) entry->d_name[0]) ? fopen(path, "re") : NULL;
        if (file != NULL) {
            if (fscanf(file, "%d (%63[^)]) %*c %d", &pid, comm, &parent) == 3 &&
                parent == getpid() && strcmp(comm, name) == 0) {
                killed += kill(pid, SIGKILL) == 0 ? 1 : 0;
            }
            (void) fclose(file);
        }
    }
    if (proc != NULL) {
        (void) closedir(proc);
    }
    return killed;
}

/* The folder of real photos out of LUMILIO_TEST_PHOTOS, a list of places. */
static inline bool find_photos(char *out, size_t room)
{
    const char *list = getenv("LUMILIO_TEST_PHOTOS");
    slice rest = { list, list != NULL ? strlen(list) : 0 };
    while (rest.ptr != NULL) {
        slice place = slice_next(&rest, ':');
        struct stat facts;
        (void) snprintf(out, room, "%" SLICE_FMT, SLICE_ARG(place));
        if (stat(out, &facts) == 0 && S_ISDIR(facts.st_mode)) {
            return true;
        }
    }
    return false;
}

/* Probe every file below the folder; count by class: read, not media, damaged, limits, crashed. */
static inline void walk_files(const char *folder, int classes[5])
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir)) {
        char path[1024];
        (void) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            walk_files(path, classes);
        } else if (entry->d_type == DT_REG) {
            AUTO(fd_auto) int fd = open(path, O_RDONLY | O_CLOEXEC);
            probed p;
            probe_fd(&p, shared_host(), fd);
            int class = p.status == PGC_OK ? 0 : (int) p.status - (int) LUM_NOT_MEDIA + 1;
            if (CHECK(class >= 0 && class < 5)) {
                classes[class]++;
            }
            if (p.status != PGC_OK && p.status != LUM_NOT_MEDIA) {
                printf("# %s: %s\n", entry->d_name, p.err.message);
            }
            probed_done(&p);
        }
    }
    if (dir != NULL) {
        (void) closedir(dir);
    }
}

#endif
