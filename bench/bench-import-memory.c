/* ./dev bench import-memory: what `lumilio import` itself needs in memory for many small pictures.
 *
 * Two rows: the peak beside the limit of 200 MB, and the peak of 10,000 pictures beside that of
 * 1,000, which shows whether it grows with their number. LUMILIO_BENCH_FILES is another number than
 * 10,000. The helper processes that decode are left out: theirs is bounded by the sandbox. Each
 * number of pictures is imported once, however many rounds are asked for. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "image.h"

enum {
    PATH_ROOM = 4096,
    FILES_DEFAULT = 10000,
    PART = 10,
    PICTURE_PIXELS = 48,
    FOLDER_FILES = 500
};

static const double LIMIT_MB = 200;

/* One import, run when its peak is first asked for. */
typedef struct import_peak {
    unsigned files;
    double peak_mb; /* BENCH_NONE: not run, or it failed */
    bool done;
} import_peak;

static char work[PATH_ROOM - 512];
static char lumilio[PATH_ROOM];
static import_peak all, part;

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void) info;
    (void) type;
    (void) at;
    return remove(path);
}

static bool make_pictures(const char *folder, unsigned count)
{
    char path[PATH_ROOM + 64];
    bool ok = mkdir(folder, 0700) == 0;
    for (unsigned i = 0; ok && i < count; i++) {
        if (i % FOLDER_FILES == 0) {
            (void) snprintf(path, sizeof path, "%s/%04u", folder, i / FOLDER_FILES);
            ok = mkdir(path, 0700) == 0;
        }
        (void) snprintf(path, sizeof path, "%s/%04u/%06u.png", folder, i / FOLDER_FILES, i);
        ok = ok && image_write(path, PICTURE_PIXELS, PICTURE_PIXELS, i);
    }
    return ok;
}

/* Highest resident set of a living process so far, in MB; the old value when it cannot be read. */
static double peak_of(pid_t pid, double old)
{
    char path[64];
    char line[256];
    long kilobytes = 0;
    (void) snprintf(path, sizeof path, "/proc/%ld/status", (long) pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) {
            old = (double) kilobytes / 1000;
        }
    }
    if (file != NULL) {
        (void) fclose(file);
    }
    return old;
}

/* Run an import and watch it; BENCH_NONE when it fails. */
static double import_watch(const char *folder)
{
    const struct timespec pause = { 0, 20000000 };
    double peak = BENCH_NONE;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL) {
            _exit(126);
        }
        (void) execl(lumilio, "lumilio", "import", folder, (char *) NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
        peak = peak_of(pid, peak);
        (void) nanosleep(&pause, NULL);
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? peak : BENCH_NONE;
}

static double measure(void *ctx)
{
    import_peak *import = ctx;
    char home[PATH_ROOM];
    char folder[PATH_ROOM];
    if (import->done) {
        return import->peak_mb;
    }
    import->done = true;
    import->peak_mb = BENCH_NONE;
    (void) snprintf(home, sizeof home, "%s/home%u", work, import->files);
    (void) snprintf(folder, sizeof folder, "%s/photos%u", work, import->files);
    if (setenv("LUMILIO_HOME", home, 1) == 0 && make_pictures(folder, import->files)) {
        (void) fprintf(stderr, "bench: importing %u pictures\n", import->files);
        import->peak_mb = import_watch(folder);
        (void) bench_command((const char *const[]) { lumilio, "db", "stop", NULL });
    }
    return import->peak_mb;
}

static double limit(void *ctx)
{
    (void) ctx;
    return LIMIT_MB;
}

static double peak_of_part(void *ctx)
{
    (void) ctx;
    return measure(&part);
}

/* build/bench/bench-import-memory -> build/lumilio */
static bool find_lumilio(void)
{
    ssize_t length = readlink("/proc/self/exe", lumilio, sizeof lumilio - 16);
    char *slash = NULL;
    for (int up = 0; length > 0 && up < 2; up++) {
        lumilio[slash != NULL ? slash - lumilio : length] = '\0';
        slash = strrchr(lumilio, '/');
    }
    if (slash == NULL) {
        return false;
    }
    (void) snprintf(slash, 16, "/lumilio");
    return access(lumilio, X_OK) == 0;
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    const char *wanted = getenv("LUMILIO_BENCH_FILES");
    unsigned long files = wanted != NULL ? strtoul(wanted, NULL, 10) : FILES_DEFAULT;
    (void) snprintf(work, sizeof work, "%s/lumilio-bench.XXXXXX", tmp != NULL ? tmp : "/tmp");
    /* The private server may run as another user, who has to reach its folder. */
    if (!find_lumilio() || files < PART || files > 1000000 || mkdtemp(work) == NULL ||
        chmod(work, 0711) != 0) {
        (void) fputs("bench: lumilio is not built, or there is no folder to work in\n", stderr);
        return 1;
    }
    all.files = (unsigned) files;
    part.files = (unsigned) files / PART;
    const bench_case cases[] = {
        { .name = "import, peak memory",
          .unit = "MB",
          .other_is = "the limit",
          .ours = measure,
          .other = limit,
          .ctx = &all,
          .goal = BENCH_AT_MOST,
          .bound = 1.0,
          .rounds = 1 },
        { .name = "import, growth",
          .unit = "MB",
          .other_is = "a tenth of the pictures",
          .ours = measure,
          .other = peak_of_part,
          .ctx = &all,
          .goal = BENCH_AT_MOST,
          .bound = 1.25,
          .rounds = 1 },
    };
    int status = bench_main(argc, argv, "import-memory", cases, sizeof cases / sizeof cases[0]);
    (void) nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
