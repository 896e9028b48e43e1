/* One file, in the confined child. Invariant: not a byte of the source is looked at before
 * confine_enter() succeeded; every way out goes through child_finish(). One thread of ours. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <glib.h>
#include <malloc.h>

#include <lumilio/status.h>

#include "base/alloc.h"
#include "media/av.h"
#include "media/heif.h"
#include "media/helper.h"
#include "media/metadata.h"
#include "media/png_check.h"
#include "media/preview.h"
#include "media/warm.h"

/* Photos are read into memory; half of the address space is left to the decoder. */
#define PHOTO_BYTES_MAX (2LL << 30)

/* The one job of this process; a process reads one file, so there is one. */
static wire_reply reply = { .kind = WIRE_REPLY, .size = sizeof reply };

_Noreturn void child_finish(pgc_status status, const char *reason)
{
    reply.status = (int32_t) status;
    if (reason != NULL) {
        (void) snprintf(reply.reason, sizeof reply.reason, "%s", reason);
    }
    ssize_t written = write(WIRE_FD_REPLY, &reply, sizeof reply);
    _exit(written == (ssize_t) sizeof reply ? 0 : 1);
}

/* GLib ends the process when memory runs out: the one chance to say why. All else it has to say
 * is dropped. */
static GLogWriterOutput on_glib_log(GLogLevelFlags level, const GLogField *fields, gsize count,
                                    gpointer data)
{
    (void) fields;
    (void) count;
    (void) data;
    if ((level & G_LOG_LEVEL_ERROR) != 0) {
        child_finish(LUM_MEDIA_LIMIT, "not enough memory");
    }
    return G_LOG_WRITER_HANDLED;
}

pgc_status child_prepare(pgc_error *err)
{
    /* One arena: threads of decoders would each reserve 64 MiB of address space. Freed memory
     * stays with the process, which lives for one file. */
    (void) mallopt(M_ARENA_MAX, 1);
    (void) mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void) mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void) mallopt(M_TOP_PAD, 1 << 20);
    g_log_set_writer_func(on_glib_log, NULL, NULL);
    tzset(); /* reads the environment, and no file because the host set TZ */
    TRY(pixels_init(err));
    TRY(heif_prepare(err));
    av_prepare();
    metadata_init();
    return warm_up(err);
}

/* Bytes [0, size) of the source; PGC_OK with everything or an error. */
static pgc_status read_source(uint8_t *bytes, size_t size, pgc_error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(WIRE_FD_SOURCE, bytes + done, size - done, (off_t) done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pgc_error_errno(err, errno, "read");
        }
        if (got == 0) {
            return pgc_error_set(err, LUM_SOURCE_CHANGED, "file became shorter while it was read");
        }
        done += (size_t) got;
    }
    return PGC_OK;
}

/* A raw file shows the picture that the camera put into it; one without is imported without
 * thumbnails. The picture's metadata stands in where exiv2 does not know the raw format. */
static pgc_status read_raw(const uint8_t *bytes, size_t size, const pixels_target *target,
                           pgc_error *err)
{
    media_facts *facts = &target->report->facts;
    preview found;
    (void) preview_x3f_size(bytes, size, &facts->width, &facts->height);
    if (!preview_find(bytes, size, &found)) {
        return PGC_OK;
    }
    if (facts->has_taken == 0 && facts->camera_make[0] == '\0') {
        metadata_read(bytes + found.offset, size - found.offset, facts);
    }
    media_facts before = *facts;
    pgc_status status = pixels_from_file(bytes + found.offset, size - found.offset,
                                         facts->orientation, target, err);
    /* The preview's size is the photo's only when the metadata has none. */
    if (before.width > 0 && before.height > 0) {
        facts->width = before.width;
        facts->height = before.height;
    }
    return status;
}

/* A photo as a whole in memory: metadata first, because the picture is turned by what it says. */
static pgc_status read_photo(const wire_request *request, const media_type *type,
                             const pixels_target *target, pgc_error *err)
{
    int64_t half = request->limits.memory_bytes / 2;
    int64_t most = half < PHOTO_BYTES_MAX ? half : PHOTO_BYTES_MAX;
    if (request->source_size > most) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT,
                             "photo of %" PRId64 " MB; at most %" PRId64 " are read",
                             request->source_size / 1000000, most / 1000000);
    }
    size_t size = (size_t) request->source_size;
    /* Never freed: the process ends with the file. */
    uint8_t *bytes = mem_resize(NULL, NULL, 0, size);
    if (bytes == NULL) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory");
    }
    TRY(read_source(bytes, size, err));
    if (type->format == MEDIA_FORMAT_PNG) {
        TRY(png_check(bytes, size, err));
    }
    media_facts *facts = &target->report->facts;
    if (type->reader != MEDIA_READER_HEIF) {
        metadata_read(bytes, size, facts);
    }
    assert(type->kind == MEDIA_PHOTO);
    switch (type->reader) {
    case MEDIA_READER_VIPS:
        return pixels_from_file(bytes, size, facts->orientation, target, err);
    case MEDIA_READER_HEIF:
        return heif_read(bytes, size, target, err);
    case MEDIA_READER_RAW:
        return read_raw(bytes, size, target, err);
    case MEDIA_READER_NONE:
    case MEDIA_READER_AV:
    default:
        return pgc_error_set(err, PGC_INVALID, "%s has no reader", type->name);
    }
}

/* From the first bytes to the complete report. The type decides on the reader and on whether
 * threads stay allowed. */
static pgc_status read_file(const wire_request *request, const pixels_target *target,
                            pgc_error *err)
{
    static uint8_t head[MEDIA_DETECT_BYTES];
    if (request->source_size <= 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "file is empty");
    }
    size_t size =
        request->source_size < (int64_t) sizeof head ? (size_t) request->source_size : sizeof head;
    TRY(read_source(head, size, err));
#ifdef MEDIA_ESCAPE
    escape_attempt(head, size);
#endif
    media_type found = media_detect(head, size);
    if (found.kind == MEDIA_NONE) {
        return pgc_error_set(err, LUM_NOT_MEDIA, "%s", found.name);
    }
    /* libvips and libheif decode some files with threads of their own; libav, the largest parser,
     * is told to do without and may not have any. */
    if (found.reader == MEDIA_READER_AV) {
        TRY(confine_forbid_threads(err));
    }
    media_facts *facts = &target->report->facts;
    const media_type *type = media_type_of(found.format);
    facts->is_raw = type->reader == MEDIA_READER_RAW ? 1 : 0;
    pgc_status status = type->reader == MEDIA_READER_AV
                            ? av_read(WIRE_FD_SOURCE, request->source_size, &type, target, err)
                            : read_photo(request, type, target, err);
    facts->kind = (int32_t) type->kind;
    (void) snprintf(facts->mime, sizeof facts->mime, "%s", type->mime);
    (void) snprintf(facts->extension, sizeof facts->extension, "%s", type->extension);
    return pgc_error_wrap(err, status, "%s", type->name);
}

_Noreturn void child_run(const wire_request *request)
{
    static const int THUMBNAILS[MEDIA_SIZE_COUNT] = { WIRE_FD_THUMBNAIL, WIRE_FD_THUMBNAIL + 1,
                                                      WIRE_FD_THUMBNAIL + 2 };
    pgc_error err;
    pgc_error_clear(&err);
    media_facts_init(&reply.report.facts);
    pixels_target target = { .fds = request->thumbnails == 1 ? THUMBNAILS : NULL,
                             .limits = &request->limits,
                             .report = &reply.report };
    pgc_status status = confine_enter(&request->limits, &err);
    if (status == PGC_OK) {
        status = read_file(request, &target, &err);
    }
    child_finish(status, status == PGC_OK ? NULL : err.message);
}
