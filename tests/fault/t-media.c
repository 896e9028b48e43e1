/* Reading media files through the confined helper: good files, hostile files, attempts to break
 * out. Files are made by make-media; the real photos are used where they lie beside the checkout.
 */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <lumilio/status.h>

#include "media/wire.h"

#include "oom.h"
#include "tap.h"
#include "tmpdir.h"

#include "media-host.h"

#ifdef MEDIA_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* --- good files --- */

static const struct {
    const char *file, *mime;
    int32_t width, height, large_width, large_height;
} PICTURES[] = {
    { "photo.jpg", "image/jpeg", 2000, 3000, 1280, 1920 },
    { "progressive.jpg", "image/jpeg", 2200, 1500, 1920, 1309 },
    { "small.jpg", "image/jpeg", 320, 200, 320, 200 },
    { "plain.png", "image/png", 640, 400, 640, 400 },
    { "interlaced.png", "image/png", 640, 400, 640, 400 },
    { "palette.png", "image/png", 640, 400, 640, 400 },
    { "strips.tif", "image/tiff", 640, 400, 640, 400 },
    { "tiles.tif", "image/tiff", 640, 400, 640, 400 },
    { "jpeg.tif", "image/tiff", 640, 400, 640, 400 },
    { "deflate.tif", "image/tiff", 640, 400, 640, 400 },
    { "lossy.webp", "image/webp", 640, 400, 640, 400 },
    { "lossless.webp", "image/webp", 640, 400, 640, 400 },
    { "picture.gif", "image/gif", 320, 200, 320, 200 },
    { "picture.bmp", "image/bmp", 320, 240, 320, 240 },
    { "picture.heic", "image/heic", 640, 400, 640, 400 },
    { "picture.avif", "image/avif", 320, 200, 320, 200 },
};

/* A WebP file of the size that the report says, in the square of its kind. */
static void check_thumbnails(const probed *p)
{
    for (int i = 0; i < MEDIA_SIZE_COUNT; i++) {
        const media_thumbnail *made = &p->report.thumbnails[i];
        char head[12] = "";
        CHECK_INT(pread(p->thumbnails[i], head, sizeof head, 0), sizeof head);
        CHECK(memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0);
        CHECK(made->width > 0 && made->width <= media_size_pixels((media_size) i));
        CHECK(made->height > 0 && made->height <= media_size_pixels((media_size) i));
        CHECK(made->file_size > 0);
    }
}

static void pictures_give_facts_and_thumbnails(void)
{
    for (size_t i = 0; i < ARRAY_LEN(PICTURES); i++) {
        probed p;
        if (!probe_file(&p, PICTURES[i].file)) {
            printf("# %s could not be made here\n", PICTURES[i].file);
            continue;
        }
        const media_facts *facts = &p.report.facts;
        printf("# %s\n", PICTURES[i].file);
        if (CHECK_STATUS(p.status, PGC_OK, &p.err)) {
            CHECK_STR(facts->mime, PICTURES[i].mime);
            CHECK_INT(facts->kind, MEDIA_PHOTO);
            CHECK_INT(facts->width, PICTURES[i].width);
            CHECK_INT(facts->height, PICTURES[i].height);
            CHECK_INT(p.report.thumbnails[MEDIA_LARGE].width, PICTURES[i].large_width);
            CHECK_INT(p.report.thumbnails[MEDIA_LARGE].height, PICTURES[i].large_height);
            check_thumbnails(&p);
        }
        probed_done(&p);
    }
}

static const struct {
    const char *file, *mime;
    int32_t kind, width, height;
    bool place;
} STREAMS[] = {
    { "video.mp4", "video/mp4", MEDIA_VIDEO, 320, 240, true },
    { "turned.mov", "video/quicktime", MEDIA_VIDEO, 240, 320, true },
    { "video.mkv", "video/x-matroska", MEDIA_VIDEO, 320, 240, true },
    { "video.webm", "video/webm", MEDIA_VIDEO, 320, 240, true },
    { "video.avi", "video/x-msvideo", MEDIA_VIDEO, 320, 240, false },
    { "video.flv", "video/x-flv", MEDIA_VIDEO, 320, 240, true },
    { "video.wmv", "video/x-ms-wmv", MEDIA_VIDEO, 320, 240, true },
    { "video.mpg", "video/mpeg", MEDIA_VIDEO, 320, 240, false },
    { "video.mts", "video/mp2t", MEDIA_VIDEO, 320, 240, false },
    { "video.3gp", "video/3gpp", MEDIA_VIDEO, 320, 240, true },
    { "sound.wav", "audio/wav", MEDIA_AUDIO, 0, 0, false },
    { "sound.aiff", "audio/x-aiff", MEDIA_AUDIO, 0, 0, false },
    { "sound.flac", "audio/flac", MEDIA_AUDIO, 0, 0, true },
    { "sound.mp3", "audio/mpeg", MEDIA_AUDIO, 0, 0, true },
    { "sound.ogg", "audio/ogg", MEDIA_AUDIO, 0, 0, true },
    { "sound.opus", "audio/opus", MEDIA_AUDIO, 0, 0, true },
    { "sound.aac", "audio/aac", MEDIA_AUDIO, 0, 0, false },
    { "sound.m4a", "audio/mp4", MEDIA_AUDIO, 0, 0, true },
    { "sound.wma", "audio/x-ms-wma", MEDIA_AUDIO, 0, 0, true },
};

static void videos_and_recordings_give_facts(void)
{
    for (size_t i = 0; i < ARRAY_LEN(STREAMS); i++) {
        probed p;
        if (!probe_file(&p, STREAMS[i].file)) {
            printf("# %s could not be made here\n", STREAMS[i].file);
            continue;
        }
        const media_facts *facts = &p.report.facts;
        printf("# %s\n", STREAMS[i].file);
        if (CHECK_STATUS(p.status, PGC_OK, &p.err)) {
            CHECK_STR(facts->mime, STREAMS[i].mime);
            CHECK_INT(facts->kind, STREAMS[i].kind);
            CHECK_INT(facts->width, STREAMS[i].width);
            CHECK_INT(facts->height, STREAMS[i].height);
            CHECK(facts->duration_us > 2800000 && facts->duration_us < 3200000);
            CHECK_INT(facts->has_gps, STREAMS[i].place ? 1 : 0);
            CHECK(!STREAMS[i].place || fabs(facts->latitude - 48.8577) < 1e-4);
            if (STREAMS[i].kind == MEDIA_VIDEO) {
                CHECK_INT(p.report.thumbnails[MEDIA_LARGE].width, STREAMS[i].width);
                check_thumbnails(&p);
            } else {
                CHECK_INT(p.report.thumbnails[MEDIA_LARGE].width, 0);
            }
        }
        probed_done(&p);
    }
}

static void facts_alone_write_nothing(void)
{
    AUTO(fd_auto) int fd = open_made("photo.jpg");
    pgc_error err;
    media_report report;
    REQUIRE(fd >= 0);
    REQUIRE_OK(media_host_probe(shared_host(), fd, NULL, &report, &err), &err);
    CHECK_INT(report.facts.width, 2000);
    CHECK_INT(report.thumbnails[MEDIA_LARGE].file_size, 0);
}

/* --- damaged and hostile files --- */

static void cut_photos_are_refused(void)
{
    static const int PERCENT[] = { 99, 90, 50, 10, 1 };
    AUTO(bytes_auto) bytes whole = read_made("photo.jpg");
    REQUIRE(whole.size > 1000);
    for (size_t i = 0; i < ARRAY_LEN(PERCENT); i++) {
        probed p;
        probe_bytes(&p, whole.ptr, whole.size * (size_t) PERCENT[i] / 100);
        if (!CHECK_STATUS(p.status, LUM_MEDIA_CORRUPT, &p.err)) {
            printf("# at %d %%\n", PERCENT[i]);
        }
        CHECK(strstr(p.err.message, "JPEG image") != NULL);
        probed_done(&p);
    }
}

static void cut_files_of_other_kinds_are_refused(void)
{
    static const char *const FILES[] = { "plain.png",    "interlaced.png", "strips.tif",
                                         "tiles.tif",    "lossy.webp",     "lossless.webp",
                                         "picture.gif",  "picture.bmp",    "picture.heic",
                                         "picture.avif", "video.mp4",      "sound.flac" };
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        AUTO(bytes_auto) bytes whole = read_made(FILES[i]);
        probed p;
        if (whole.size == 0) {
            continue;
        }
        probe_bytes(&p, whole.ptr, whole.size / 2);
        if (!CHECK_STATUS(p.status, LUM_MEDIA_CORRUPT, &p.err)) {
            printf("# %s\n", FILES[i]);
        }
        probed_done(&p);
    }
}

static void broken_exif_does_not_cost_the_picture(void)
{
    AUTO(bytes_auto) bytes whole = read_made("small.jpg");
    REQUIRE(whole.size > 100);
    /* A second application segment with an EXIF directory that points everywhere. */
    uint8_t exif[4 + 6 + 8 + 2 + 120] = {
        0xff, 0xe1, 0, sizeof exif - 2, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8
    };
    exif[18] = 200;
    memset(exif + 20, 0xee, sizeof exif - 20);
    uint8_t *all = malloc(whole.size + sizeof exif);
    REQUIRE(all != NULL);
    memcpy(all, whole.ptr, 2);
    memcpy(all + 2, exif, sizeof exif);
    memcpy(all + 2 + sizeof exif, whole.ptr + 2, whole.size - 2);
    probed p;
    probe_bytes(&p, all, whole.size + sizeof exif);
    CHECK_STATUS(p.status, PGC_OK, &p.err);
    CHECK_INT(p.report.facts.width, 320);
    probed_done(&p);
    free(all);
}

static void other_files_are_refused_by_name(void)
{
    static const struct {
        const char *bytes, *words;
        pgc_status status;
    } ROWS[] = {
        { "", "empty", LUM_MEDIA_CORRUPT },
        { "x", "text", LUM_NOT_MEDIA },
        { "%PDF-1.7\n", "PDF document", LUM_NOT_MEDIA },
        { "\xff\xd8\xff", "JPEG image", LUM_MEDIA_CORRUPT },
        { "\x89PNG\r\n\x1a\n", "PNG image", LUM_MEDIA_CORRUPT },
        { "RIFF\x10", "unknown data", LUM_NOT_MEDIA },
        { "OggS", "text", LUM_NOT_MEDIA },
        { "fLaC", "FLAC audio", LUM_MEDIA_CORRUPT },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        probed p;
        probe_bytes(&p, (const uint8_t *) ROWS[i].bytes, strlen(ROWS[i].bytes));
        CHECK_STATUS(p.status, ROWS[i].status, &p.err);
        if (!CHECK(strstr(p.err.message, ROWS[i].words) != NULL)) {
            printf("# %s\n", p.err.message);
        }
        probed_done(&p);
    }
}

/* CRC-32 as PNG wants it. */
static uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
        }
    }
    return ~crc;
}

static void put_be32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t) (value >> (24 - 8 * i));
    }
}

static void bombs_are_refused_before_they_grow(void)
{
    uint8_t png[64] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    put_be32(png + 16, 30000);
    put_be32(png + 20, 30000);
    png[24] = 8;
    png[25] = 2;
    put_be32(png + 29, crc32_of(png + 12, 17));
    memcpy(png + 33, "\0\0\0\x02IDAT\x78\x9c", 10);
    put_be32(png + 43, crc32_of(png + 37, 6));
    memcpy(png + 47, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
    probed p;
    probe_bytes(&p, png, sizeof png);
    CHECK_STATUS(p.status, LUM_MEDIA_LIMIT, &p.err);
    CHECK(strstr(p.err.message, "30000 x 30000 pixels") != NULL);
    probed_done(&p);
    if (probe_file(&p, "huge.png")) {
        CHECK_STATUS(p.status, LUM_MEDIA_LIMIT, &p.err);
        probed_done(&p);
    }
    AUTO(bytes_auto) bytes jpeg = read_made("small.jpg");
    for (size_t i = 0; i + 9 < jpeg.size; i++) {
        if (jpeg.ptr[i] == 0xff && jpeg.ptr[i + 1] == 0xc0) {
            memset(jpeg.ptr + i + 5, 0xff, 4); /* 65535 x 65535 */
            break;
        }
    }
    probe_bytes(&p, jpeg.ptr, jpeg.size);
    CHECK_STATUS(p.status, LUM_MEDIA_LIMIT, &p.err);
    probed_done(&p);
}

/* Statuses that a file of any content may have; a crash is not among the expected ones, but the
 * libraries are what they are: it is counted and must stay contained. */
static bool definite(pgc_status status)
{
    return status == PGC_OK || status == LUM_NOT_MEDIA || status == LUM_MEDIA_CORRUPT ||
           status == LUM_MEDIA_LIMIT || status == LUM_MEDIA_CRASHED;
}

static void mutated_files_end_in_a_definite_class(void)
{
    static const char *const SEEDS[] = { "small.jpg",   "strips.tif",   "plain.png", "lossy.webp",
                                         "picture.gif", "picture.heic", "video.mp4", "picture.avif",
                                         "sound.flac",  "video.mts",    "video.mkv", "sound.mp3" };
    clock_fake random;
    clock_fake_init(&random, 0, 42);
    int classes[5] = { 0 };
    int64_t before = memory_of_this_process();
    for (size_t seed = 0; seed < ARRAY_LEN(SEEDS); seed++) {
        AUTO(bytes_auto) bytes whole = read_made(SEEDS[seed]);
        for (int round = 0; whole.size > 0 && round < 40; round++) {
            uint8_t *copy = malloc(whole.size);
            REQUIRE(copy != NULL);
            memcpy(copy, whole.ptr, whole.size);
            for (int i = 0; i < 1 + round; i++) {
                uint32_t dice[2] = { 0 };
                CHECK(random.ops.random(random.ops.ctx, dice, sizeof dice));
                /* Headers are short: half of the changes go there. */
                size_t room = i % 2 == 0 && whole.size > 512 ? 512 : whole.size;
                copy[dice[0] % room] = (uint8_t) dice[1];
            }
            probed p;
            probe_bytes(&p, copy, whole.size);
            if (!CHECK(definite(p.status))) {
                printf("# %s: %d %s\n", SEEDS[seed], (int) p.status, p.err.message);
            }
            classes[p.status == PGC_OK ? 0 : p.status - LUM_NOT_MEDIA + 1]++;
            if (p.status == LUM_MEDIA_CRASHED) {
                printf("# contained: %s round %d: %s\n", SEEDS[seed], round, p.err.message);
            }
            probed_done(&p);
            free(copy);
        }
    }
    printf("# read %d, not media %d, damaged %d, over limits %d, contained crashes %d\n",
           classes[0], classes[1], classes[2], classes[3], classes[4]);
    CHECK(classes[0] > 0 && classes[2] > 0);
    int64_t grown = memory_of_this_process() - before;
    if (!SANITIZED && !CHECK(grown < 4 << 20)) {
        printf("# this process grew by %lld bytes\n", (long long) grown);
    }
}

/* 64 GiB of nothing behind a good start. */
static void endless_files_end(void)
{
    static const char *const SEEDS[] = { "video.mts", "video.mkv", "video.mpg", "sound.mp3",
                                         "video.flv" };
    media_limits limits = { .wall_us = 5 * 1000000, .cpu_seconds = 4 };
    for (size_t i = 0; i < ARRAY_LEN(SEEDS); i++) {
        AUTO(bytes_auto) bytes start = read_made(SEEDS[i]);
        probed p;
        probe_padded(&p, &limits, start.ptr, start.size, (off_t) 64 << 30);
        printf("# %s: %d %s\n", SEEDS[i], (int) p.status, p.err.message);
        CHECK(definite(p.status) && p.status != LUM_MEDIA_CRASHED);
        probed_done(&p);
    }
}

static void little_memory_is_a_limit(void)
{
    static const int MIB[] = { 230, 260, 300, 400 };
    for (size_t i = 0; i < ARRAY_LEN(MIB); i++) {
        media_limits limits = { .memory_bytes = (int64_t) MIB[i] << 20 };
        AUTO(bytes_auto) bytes whole = read_made("photo.jpg");
        probed p;
        probe_padded(&p, &limits, whole.ptr, whole.size, 0);
        printf("# %d MiB: %d %s\n", MIB[i], (int) p.status, p.err.message);
        CHECK(p.status == PGC_OK || p.status == LUM_MEDIA_LIMIT);
        probed_done(&p);
    }
}

/* --- attempts to break out --- */

static void every_forbidden_call_is_contained(void)
{
    int attempts = 0;
    for (;; attempts++) {
        char text[32];
        (void) snprintf(text, sizeof text, "ESCAPE %d", attempts);
        probed p;
        probe_escape(&p, text);
        if (p.status == LUM_NOT_MEDIA && strcmp(p.err.message, "NO MORE") == 0) {
            probed_done(&p);
            break;
        }
        bool denied = p.status == LUM_NOT_MEDIA && strncmp(p.err.message, "denied", 6) == 0;
        if (!CHECK(denied || p.status == LUM_MEDIA_CRASHED)) {
            printf("# attempt %d: %d %s\n", attempts, (int) p.status, p.err.message);
        }
        probed_done(&p);
        REQUIRE(attempts < 1000);
    }
    printf("# %d forbidden calls\n", attempts);
    CHECK(attempts >= 60);
}

/* In sanitizer builds memory is not limited, and crashes are the sanitizer's. */
static void attacks_on_limits_and_answers_are_classified(void)
{
    static const struct {
        const char *name, *words;
        pgc_status status;
    } ROWS[] = {
        { "loop", "needs over", LUM_MEDIA_LIMIT },
        { "sleep", "ms", LUM_MEDIA_LIMIT },
        { "8 GiB", "memory", LUM_MEDIA_LIMIT },
        { "memory", "memory", LUM_MEDIA_LIMIT },
        { "output", "bytes", LUM_MEDIA_LIMIT },
        { "far output", "bytes", LUM_MEDIA_LIMIT },
        { "threads", "threads", LUM_MEDIA_LIMIT },
        { "stack", "SIGSEGV", LUM_MEDIA_CRASHED },
        { "null", "SIGSEGV", LUM_MEDIA_CRASHED },
        { "abort", "kill", LUM_MEDIA_CRASHED },
        { "silence", "without an answer", LUM_MEDIA_CRASHED },
        { "code", "exit 7", LUM_MEDIA_CRASHED },
        { "garbage", "without an answer", LUM_MEDIA_CRASHED },
        { "flood", "", LUM_MEDIA_CRASHED },
        { "lies", "impossible", LUM_MEDIA_CRASHED },
        { "sizes", "thumbnail", LUM_MEDIA_CRASHED },
        { "answer and crash", "SIGSEGV", LUM_MEDIA_CRASHED },
        { "answer and stay", "ms", LUM_MEDIA_LIMIT },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        char text[48];
        (void) snprintf(text, sizeof text, "ESCAPE %s", ROWS[i].name);
        if (SANITIZED && strcmp(ROWS[i].name, "8 GiB") == 0) {
            continue;
        }
        probed p;
        probe_escape(&p, text);
        if (!CHECK_STATUS(p.status, ROWS[i].status, &p.err) ||
            !CHECK(SANITIZED || strstr(p.err.message, ROWS[i].words) != NULL)) {
            printf("# %s: %s\n", ROWS[i].name, p.err.message);
        }
        probed_done(&p);
    }
}

/* --- the host --- */

static void a_killed_helper_is_started_again(void)
{
    media_host *host = shared_host();
    REQUIRE(host != NULL);
    for (int i = 0; i < 3; i++) {
        CHECK(kill_children_of_this_process("lumilio-media") > 0);
        probed p;
        REQUIRE(probe_file(&p, "small.jpg"));
        CHECK_STATUS(p.status, PGC_OK, &p.err);
        probed_done(&p);
    }
}

static void wrong_helpers_are_clear_errors(void)
{
    pgc_error err;
    media_host *host = NULL;
    CHECK_STATUS(media_host_open(env_default(), "/nonexistent/helper", NULL, &host, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "/nonexistent/helper") != NULL);
    CHECK_STATUS(media_host_open(env_default(), "/bin/true", NULL, &host, &err), PGC_CLOSED, &err);
    CHECK(host == NULL);
}

static void odd_sources_are_refused(void)
{
    pgc_error err;
    media_report report;
    media_host *host = shared_host();
    AUTO(fd_auto) int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_STATUS(media_host_probe(host, folder, NULL, &report, &err), PGC_INVALID, &err);
    AUTO(fd_auto) int device = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    CHECK_STATUS(media_host_probe(host, device, NULL, &report, &err), PGC_INVALID, &err);
    AUTO(fd_auto) int writable = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    CHECK_STATUS(media_host_probe(host, writable, NULL, &report, &err), PGC_INVALID, &err);
    CHECK_STATUS(media_host_probe(host, -1, NULL, &report, &err), PGC_INVALID, &err);
}

static void opening_survives_every_failing_allocation(void)
{
    char path[256];
    helper_path("../lumilio-media", path, sizeof path);
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 100; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        env seams = *env_default();
        seams.alloc = &alloc;
        pgc_error err;
        media_host *host = NULL;
        pgc_status status = media_host_open(&seams, path, NULL, &host, &err);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        media_host_close(host);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(complete);
}

/* --- the real photos --- */

static void real_photos_end_in_a_definite_class(void)
{
    char folder[512];
    if (!find_photos(folder, sizeof folder)) {
        TAP_SKIP("no real photos beside the checkout");
    }
    int classes[5] = { 0 };
    walk_files(folder, classes);
    printf("# read %d, not media %d, damaged %d, over limits %d, crashed %d\n", classes[0],
           classes[1], classes[2], classes[3], classes[4]);
    CHECK(classes[0] > 150);
    CHECK_INT(classes[4], 0);
}

TAP_MAIN(TAP("pictures give facts and thumbnails", pictures_give_facts_and_thumbnails),
         TAP("videos and recordings give facts", videos_and_recordings_give_facts),
         TAP("facts alone write nothing", facts_alone_write_nothing),
         TAP("cut photos are refused", cut_photos_are_refused),
         TAP("cut files of other kinds are refused", cut_files_of_other_kinds_are_refused),
         TAP("broken EXIF does not cost the picture", broken_exif_does_not_cost_the_picture),
         TAP("other files are refused by name", other_files_are_refused_by_name),
         TAP("bombs are refused before they grow", bombs_are_refused_before_they_grow),
         TAP("mutated files end in a definite class", mutated_files_end_in_a_definite_class),
         TAP("endless files end", endless_files_end),
         TAP("little memory is a limit, not a crash", little_memory_is_a_limit),
         TAP("every forbidden call is contained", every_forbidden_call_is_contained),
         TAP("attacks on limits and answers are classified",
             attacks_on_limits_and_answers_are_classified),
         TAP("a killed helper is started again", a_killed_helper_is_started_again),
         TAP("wrong helpers are clear errors", wrong_helpers_are_clear_errors),
         TAP("odd sources are refused", odd_sources_are_refused),
         TAP("opening survives every failing allocation",
             opening_survives_every_failing_allocation),
         TAP("real photos end in a definite class", real_photos_end_in_a_definite_class))
