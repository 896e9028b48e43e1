/* ./dev bench import: `lumilio import` beside `vipsthumbnail`, which only makes the same three
 * sizes from the same files. Everything, the server too, shares one core.
 *
 * Two rows: real photos (the folder in LUMILIO_BENCH_PHOTOS, else shared/photos beside the
 * checkout; left out where there are none) and generated pictures of 12 megapixels. Every round
 * imports into a library of its own, set up before the clock starts; the first import of a library
 * is what people wait for. Files that vipsthumbnail cannot read and second copies are left out. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

enum { PATH_ROOM = 4096, BIG_PICTURES = 12, MAX_FILES = 600, SIZES = 3 };

#define FAR_HOME "/var/lib/lumilio/cluster-"

static const char *const SIZE_TEXT[SIZES] = { "400x400>", "800x800>", "1920x1920>" };

/* A folder of input files; `work` is scratch space that both sides write to. */
typedef struct photo_set {
    char folder[PATH_ROOM];
    char *files[MAX_FILES];
    uint64_t hashes[MAX_FILES];
    size_t count;
} photo_set;

static char work[PATH_ROOM];
static char lumilio[PATH_ROOM];
static photo_set real_photos, big_pictures;

static bool join(char *out, const char *folder, const char *name)
{
    int wanted = snprintf(out, PATH_ROOM, "%s/%s", folder, name);
    return wanted > 0 && wanted < PATH_ROOM;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void) info;
    (void) type;
    (void) at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    (void) nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* As root the server may live behind home/postgres/server: its user cannot enter every folder. */
static void remove_library(const char *home)
{
    char link[PATH_ROOM], target[PATH_ROOM];
    if (join(link, home, "postgres/server")) {
        ssize_t length = readlink(link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        /* Only what the cluster makes itself, whatever the link says. */
        if (strncmp(target, FAR_HOME, strlen(FAR_HOME)) == 0 && strstr(target, "..") == NULL &&
            strlen(target) > strlen(FAR_HOME)) {
            remove_tree(target);
        }
    }
    remove_tree(home);
}

/* A fresh library whose server runs and whose tables are there. */
static bool open_library(const char *home)
{
    remove_library(home);
    return setenv("LUMILIO_HOME", home, 1) == 0 &&
           !isnan(bench_command((const char *const[]) { lumilio, "db", "start", NULL })) &&
           !isnan(bench_command((const char *const[]) { lumilio, "list", NULL }));
}

static double ours(void *ctx)
{
    const photo_set *set = ctx;
    char home[PATH_ROOM];
    double seconds = BENCH_NONE;
    if (!join(home, work, "home")) {
        return seconds;
    }
    if (open_library(home)) {
        seconds = bench_command(
            (const char *const[]) { lumilio, "import", set->folder, "--jobs", "1", NULL });
    }
    (void) bench_command((const char *const[]) { lumilio, "db", "stop", NULL });
    remove_library(home);
    return (double) set->count / seconds;
}

static double thumbnail_run(const photo_set *set, const char *size, const char *folder)
{
    const char *argv[MAX_FILES + 8] = { "vipsthumbnail", "--size", size, "-o" };
    char output[PATH_ROOM];
    size_t argc = 4;
    if (!join(output, folder, "%s.webp[Q=80,strip]")) {
        return BENCH_NONE;
    }
    argv[argc++] = output;
    for (size_t i = 0; i < set->count; i++) {
        argv[argc++] = set->files[i];
    }
    return bench_command(argv);
}

static double other(void *ctx)
{
    const photo_set *set = ctx;
    char folder[PATH_ROOM];
    double seconds = 0;
    if (!join(folder, work, "thumbnails")) {
        return BENCH_NONE;
    }
    for (size_t i = 0; i < SIZES; i++) {
        remove_tree(folder);
        if (mkdir(folder, 0700) != 0) {
            return BENCH_NONE;
        }
        seconds += thumbnail_run(set, SIZE_TEXT[i], folder);
    }
    remove_tree(folder);
    return (double) set->count / seconds;
}

static bool read_whole(const char *path, uint8_t **bytes, size_t *size)
{
    FILE *file = fopen(path, "rbe");
    struct stat info;
    bool ok = false;
    *bytes = NULL;
    if (file != NULL && fstat(fileno(file), &info) == 0 && info.st_size > 4) {
        *size = (size_t) info.st_size;
        *bytes = malloc(*size);
        ok = *bytes != NULL && fread(*bytes, 1, *size, file) == *size;
    }
    if (file != NULL) {
        (void) fclose(file);
    }
    return ok;
}

/* Writes the bytes as file number set->count; `mark` goes into a comment segment behind the start
 * of a JPEG file, so that files of one picture differ. */
static bool add_file(photo_set *set, const uint8_t *bytes, size_t size, bool mark)
{
    char name[64], path[PATH_ROOM];
    uint8_t comment[6] = { 0xff, 0xfe, 0, 4, (uint8_t) (set->count >> 8), (uint8_t) set->count };
    (void) snprintf(name, sizeof name, "photo-%04zu.jpg", set->count);
    if (!join(path, set->folder, name)) {
        return false;
    }
    FILE *file = fopen(path, "wbe");
    if (file == NULL) {
        return false;
    }
    bool ok = fwrite(bytes, 1, 2, file) == 2;
    ok = ok && (!mark || fwrite(comment, 1, sizeof comment, file) == sizeof comment);
    ok = ok && fwrite(bytes + 2, 1, size - 2, file) == size - 2;
    ok = fclose(file) == 0 && ok;
    set->files[set->count] = ok ? strdup(path) : NULL;
    set->count += set->files[set->count] != NULL ? 1 : 0;
    return ok;
}

/* FNV-1a: second copies would be no work for us. */
static bool seen_before(photo_set *set, const uint8_t *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (set->hashes[i] == hash) {
            return true;
        }
    }
    set->hashes[set->count] = hash;
    return false;
}

static bool readable(const char *path)
{
    char folder[PATH_ROOM];
    const char *const argv[] = { "vipsthumbnail", "--size", "64x64>", "-o", folder, path, NULL };
    return join(folder, work, "probe-%s.webp") && !isnan(bench_command(argv));
}

static int take_photo(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void) info;
    const char *dot = strrchr(path + at->base, '.');
    if (type != FTW_F || dot == NULL || real_photos.count == MAX_FILES ||
        (strcasecmp(dot, ".jpg") != 0 && strcasecmp(dot, ".jpeg") != 0)) {
        return 0;
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (read_whole(path, &bytes, &size) && bytes[0] == 0xff && bytes[1] == 0xd8 &&
        !seen_before(&real_photos, bytes, size) && readable(path)) {
        (void) add_file(&real_photos, bytes, size, false);
    }
    free(bytes);
    return 0;
}

static bool make_big_pictures(void)
{
    char noise[PATH_ROOM], soft[PATH_ROOM], jpeg[PATH_ROOM], save[PATH_ROOM + 16];
    if (!join(noise, work, "noise.v") || !join(soft, work, "soft.v") ||
        !join(jpeg, work, "big.jpg")) {
        return false;
    }
    (void) snprintf(save, sizeof save, "%s[Q=88]", jpeg);
    const char *const make[] = { "vips",   "gaussnoise", noise,     "12000", "3000",
                                 "--mean", "128",        "--sigma", "90",    NULL };
    const char *const blur[] = { "vips", "gaussblur", noise, soft, "2.5", NULL };
    /* The three thirds of the grey noise become the channels. */
    const char *const fold[] = { "vips", "bandfold", soft, noise, "--factor", "3", NULL };
    const char *const cast[] = { "vips", "cast", noise, soft, "uchar", NULL };
    const char *const name[] = { "vips", "copy", soft, save, "--interpretation", "srgb", NULL };
    const char *const *const steps[] = { make, blur, fold, cast, name };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (isnan(bench_command(steps[i]))) {
            return false;
        }
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool ok = read_whole(jpeg, &bytes, &size);
    for (int i = 0; ok && i < BIG_PICTURES; i++) {
        ok = add_file(&big_pictures, bytes, size, true);
    }
    free(bytes);
    return ok;
}

/* build/bench/bench-import -> build/lumilio */
static bool find_lumilio(void)
{
    char self[PATH_ROOM];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        return false;
    }
    self[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (slash == NULL) {
            return false;
        }
        *slash = '\0';
    }
    return join(lumilio, self, "lumilio") && access(lumilio, X_OK) == 0;
}

static bool prepare(void)
{
    const char *tmp = getenv("TMPDIR");
    if (!join(work, tmp != NULL ? tmp : "/tmp", "lumilio-bench.XXXXXX") || mkdtemp(work) == NULL) {
        return false;
    }
    /* The private server may run as another user, who has to reach its folder. */
    return chmod(work, 0711) == 0 && join(real_photos.folder, work, "real") &&
           join(big_pictures.folder, work, "big") && mkdir(real_photos.folder, 0700) == 0 &&
           mkdir(big_pictures.folder, 0700) == 0;
}

static void clean_up(void)
{
    for (size_t i = 0; i < real_photos.count; i++) {
        free(real_photos.files[i]);
    }
    for (size_t i = 0; i < big_pictures.count; i++) {
        free(big_pictures.files[i]);
    }
    if (work[0] != '\0') {
        remove_tree(work);
    }
}

int main(int argc, char **argv)
{
    if (!find_lumilio()) {
        (void) fputs("bench: lumilio is not built\n", stderr);
        return 1;
    }
    const char *photos = getenv("LUMILIO_BENCH_PHOTOS");
    if (!prepare() || !make_big_pictures()) {
        (void) fputs("bench: the input could not be made\n", stderr);
        clean_up();
        return 1;
    }
    photos = photos != NULL ? photos : "../shared/photos";
    (void) nftw(photos, take_photo, 16, FTW_PHYS);
    if (!bench_one_core()) {
        (void) fputs("bench: this system does not let us choose a core\n", stderr);
    }
    bench_case cases[2] = {
        { .name = "import, 12 megapixels",
          .unit = "files/s",
          .other_is = "vipsthumbnail, the same 3 sizes",
          .ours = ours,
          .other = other,
          .ctx = &big_pictures,
          .goal = BENCH_AT_LEAST,
          .bound = 0.70 },
    };
    size_t count = 1;
    if (real_photos.count > 0) {
        cases[count] = cases[0];
        cases[count].name = "import, real photos";
        cases[count++].ctx = &real_photos;
    } else {
        (void) fputs("bench: no real photos (LUMILIO_BENCH_PHOTOS names a folder)\n", stderr);
    }
    int status = bench_main(argc, argv, "import", cases, count);
    clean_up();
    return status;
}
