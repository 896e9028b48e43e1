/* Decoding and scaling by libvips. Invariant: pixels are pulled through a region in the calling
 * thread, so our own pipelines start none of libvips' threads; some of its loaders do. One thread
 * of ours. */
#define PRELUDE_NO_POISON /* GLib's headers use some of the names */
#include "base/prelude.h"

#include <vips/vips.h>

#define RUNTIME_COMPILER (VIPS_MAJOR_VERSION == 8 && VIPS_MINOR_VERSION < 15)
#if RUNTIME_COMPILER
#include <vips/vector.h>
#endif

#include <lumilio/status.h>

#include "media/pixels.h"
#include "media/webp.h"

#define STRIP_ROWS 64 /* rows computed at a time */
#define SRGB_NAME  "sRGB IEC61966"

static void unref_auto(VipsImage **image)
{
    if (*image != NULL) {
        g_object_unref(*image);
    }
}
#define AUTO_IMAGE AUTO(unref_auto) VipsImage

/* Loaders that libvips calls safe for untrusted bytes and that we want. */
static const char *const LOADERS[] = { "VipsForeignLoadJpeg", "VipsForeignLoadPng",
                                       "VipsForeignLoadWebp", "VipsForeignLoadTiff",
                                       "VipsForeignLoadNsgif" };

pgc_status pixels_init(pgc_error *err)
{
    if (vips_init("lumilio-media") != 0) {
        return pgc_error_set(err, PGC_UNSUPPORTED, "start libvips: %s", vips_error_buffer());
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
#if RUNTIME_COMPILER
    /* It needs pages that are both writable and code, which the child may not have. */
    vips_vector_set_enabled(FALSE);
#endif
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (size_t i = 0; i < ARRAY_LEN(LOADERS); i++) {
        vips_operation_block_set(LOADERS[i], FALSE);
    }
    return PGC_OK;
}

/* What libvips says, first line, as the reason; it tells causes apart by words only. */
static pgc_status vips_failed(const char *what, pgc_error *err)
{
    static const char *const LIMIT_WORDS[] = { "out of memory", "Maximum supported image dimension",
                                               "too large" };
    char text[200];
    (void) snprintf(text, sizeof text, "%s", vips_error_buffer());
    vips_error_clear();
    text[strcspn(text, "\n")] = '\0';
    pgc_status status = LUM_MEDIA_CORRUPT;
    for (size_t i = 0; i < ARRAY_LEN(LIMIT_WORDS); i++) {
        status = strstr(text, LIMIT_WORDS[i]) != NULL ? LUM_MEDIA_LIMIT : status;
    }
    bool unclear = text[0] == '\0' || strstr(text, "not in a known format") != NULL;
    return pgc_error_set(err, status, "%s: %s", what,
                         unclear ? "file ends early or its structure is damaged" : text);
}

pgc_status pixels_check_size(int64_t width, int64_t height, const media_limits *limits,
                             pgc_error *err)
{
    if (width <= 0 || height <= 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "image of %" PRId64 " x %" PRId64 " pixels",
                             width, height);
    }
    if (width > limits->pixels_max || height > limits->pixels_max / width) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT,
                             "image of %" PRId64 " x %" PRId64 " pixels; at most %" PRId64
                             " million are read",
                             width, height, limits->pixels_max / 1000000);
    }
    return PGC_OK;
}

/* Bytes of one row of an image of 8 bits per band. */
static size_t row_size(const VipsImage *image)
{
    return (size_t) image->Xsize * (size_t) image->Bands;
}

/* Rows [strip.top, +strip.height) of the region to where they belong. The region may hold more than
 * was asked for. */
static void copy_strip(const VipsRegion *region, const VipsRect *strip, size_t line, uint8_t *rows)
{
    const uint8_t *from = region->data;
    assert(strip->top >= region->valid.top);
    assert(strip->left >= region->valid.left);
    from += (size_t) (strip->top - region->valid.top) * (size_t) region->bpl;
    from += (size_t) (strip->left - region->valid.left) * (size_t) region->im->Bands;
    for (int row = 0; row < strip->height; row++) {
        memcpy(rows + (size_t) (strip->top + row) * line, from, line);
        from += region->bpl;
    }
}

/* Compute an image of 8 bits per band into memory, strip by strip in this thread. */
static pgc_status settle(VipsImage *in, VipsImage **out, pgc_error *err)
{
    assert(in->BandFmt == VIPS_FORMAT_UCHAR);
    AUTO_IMAGE *memory = vips_image_new_memory();
    if (vips_image_pipelinev(memory, VIPS_DEMAND_STYLE_THINSTRIP, in, NULL) != 0 ||
        vips_image_write_prepare(memory) != 0) {
        return vips_failed("cannot be decoded", err);
    }
    VipsRegion *region = vips_region_new(in);
    int failed = region == NULL ? -1 : 0;
    for (int top = 0; failed == 0 && top < in->Ysize; top += STRIP_ROWS) {
        VipsRect strip = { 0, top, in->Xsize, VIPS_MIN(STRIP_ROWS, in->Ysize - top) };
        failed = vips_region_prepare(region, &strip);
        if (failed == 0) {
            copy_strip(region, &strip, row_size(in), memory->data);
        }
    }
    if (region != NULL) {
        g_object_unref(region);
    }
    if (failed != 0) {
        return vips_failed("cannot be decoded", err);
    }
    *out = TAKE(memory);
    return PGC_OK;
}

/* Three or four bands of 8 bits, sRGB. */
static pgc_status to_rgb(VipsImage *in, VipsImage **out, pgc_error *err)
{
    AUTO_IMAGE *srgb = NULL;
    AUTO_IMAGE *bytes = NULL;
    if (vips_colourspace(in, &srgb, VIPS_INTERPRETATION_sRGB, NULL) != 0 ||
        vips_cast_uchar(srgb, &bytes, NULL) != 0) {
        return vips_failed("has colours that cannot be read", err);
    }
    int bands = bytes->Bands;
    if (bands < 3) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "image of %d channels", bands);
    }
    if (bands > 4) {
        return vips_extract_band(bytes, out, 0, "n", 3, NULL) != 0
                   ? vips_failed("has colours that cannot be read", err)
                   : PGC_OK;
    }
    *out = TAKE(bytes);
    return PGC_OK;
}

/* Upright, as EXIF's eight values ask for. */
static pgc_status turn(VipsImage *in, int32_t orientation, VipsImage **out, pgc_error *err)
{
    AUTO_IMAGE *copy = NULL;
    AUTO_IMAGE *turned = NULL;
    if (vips_copy(in, &copy, NULL) != 0) {
        return vips_failed("cannot be turned", err);
    }
    vips_image_set_int(copy, VIPS_META_ORIENTATION, orientation);
    if (vips_autorot(copy, &turned, NULL) != 0) {
        return vips_failed("cannot be turned", err);
    }
    return settle(turned, out, err);
}

/* One thumbnail file; its size goes into the report. */
static pgc_status write_size(VipsImage *image, media_size size, const pixels_target *target,
                             pgc_error *err)
{
    assert(image->BandFmt == VIPS_FORMAT_UCHAR);
    assert(image->Bands == 3 || image->Bands == 4);
    media_thumbnail *made = &target->report->thumbnails[size];
    pixels_view view = {
        .bytes = image->data, .width = image->Xsize, .height = image->Ysize, .bands = image->Bands
    };
    TRY(webp_write(&view, target->fds[size], &made->file_size, err));
    made->width = view.width;
    made->height = view.height;
    return PGC_OK;
}

/* A smaller copy that fits the size's square, or the same image when it fits already. */
static pgc_status shrink(VipsImage *in, media_size size, VipsImage **out, pgc_error *err)
{
    int side = media_size_pixels(size);
    if (in->Xsize <= side && in->Ysize <= side) {
        *out = in;
        g_object_ref(in);
        return PGC_OK;
    }
    AUTO_IMAGE *small = NULL;
    AUTO_IMAGE *rgb = NULL;
    if (vips_thumbnail_image(in, &small, side, "height", side, "size", VIPS_SIZE_DOWN, "no_rotate",
                             TRUE, NULL) != 0) {
        return vips_failed("cannot be scaled", err);
    }
    TRY(to_rgb(small, &rgb, err));
    return settle(rgb, out, err);
}

/* All three sizes from the large one, which is in memory and still lies as the camera held it:
 * medium from large, small from medium. */
static pgc_status write_all_sizes(VipsImage *large, int32_t orientation,
                                  const pixels_target *target, pgc_error *err)
{
    AUTO_IMAGE *upright = NULL;
    AUTO_IMAGE *medium = NULL;
    AUTO_IMAGE *small = NULL;
    if (orientation > 1) {
        TRY(turn(large, orientation, &upright, err));
    } else {
        upright = large;
        g_object_ref(large);
    }
    TRY(shrink(upright, MEDIA_MEDIUM, &medium, err));
    TRY(shrink(medium, MEDIA_SMALL, &small, err));
    TRY(write_size(upright, MEDIA_LARGE, target, err));
    TRY(write_size(medium, MEDIA_MEDIUM, target, err));
    return write_size(small, MEDIA_SMALL, target, err);
}

/* Whether colours must go through the embedded profile: most profiles are sRGB itself, and the
 * transformation costs as much as the decoding. */
static bool needs_profile(VipsImage *image)
{
    const void *profile = NULL;
    size_t size = 0;
    if (vips_image_get_interpretation(image) == VIPS_INTERPRETATION_CMYK) {
        return true;
    }
    if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) == 0 ||
        vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &size) != 0) {
        vips_error_clear();
        return false;
    }
    return memmem(profile, size, SRGB_NAME, sizeof SRGB_NAME - 1) == NULL;
}

/* The large thumbnail's pixels from the file; the decoder skips what the size does not need. The
 * box is never above the picture's own size: libvips' own "only down" picks the smallest level of a
 * pyramid. */
static pgc_status load_large(const uint8_t *bytes, size_t size, const VipsImage *header,
                             bool profile, VipsImage **out, pgc_error *err)
{
    int side = media_size_pixels(MEDIA_LARGE);
    bool fits = header->Xsize <= side && header->Ysize <= side;
    int width = fits ? header->Xsize : side;
    int height = fits ? header->Ysize : side;
    AUTO_IMAGE *thumbnail = NULL;
    AUTO_IMAGE *rgb = NULL;
    /* libvips only reads from the buffer; its interface lacks the const. */
    void *buffer = (void *) (uintptr_t) bytes;
    /* As text, for only so it reaches the loaders of all formats. */
    const char *options = "[fail-on=truncated]";
    int failed = profile ? vips_thumbnail_buffer(buffer, size, &thumbnail, width, "height", height,
                                                 "no_rotate", TRUE, "option_string", options,
                                                 "export_profile", "srgb", NULL)
                         : vips_thumbnail_buffer(buffer, size, &thumbnail, width, "height", height,
                                                 "no_rotate", TRUE, "option_string", options, NULL);
    if (failed != 0) {
        return vips_failed("cannot be decoded", err);
    }
    TRY(to_rgb(thumbnail, &rgb, err));
    return settle(rgb, out, err);
}

pgc_status pixels_from_file(const uint8_t *bytes, size_t size, int32_t orientation,
                            const pixels_target *target, pgc_error *err)
{
    AUTO_IMAGE *header =
        vips_image_new_from_buffer(bytes, size, "", "access", VIPS_ACCESS_SEQUENTIAL, NULL);
    if (header == NULL) {
        return vips_failed("cannot be decoded", err);
    }
    TRY(pixels_check_size(header->Xsize, header->Ysize, target->limits, err));
    media_facts *facts = &target->report->facts;
    if (orientation == 1 && facts->is_raw == 0) {
        /* The loader's own reading of the metadata knows formats that exiv2 does not. */
        orientation = vips_image_get_orientation(header);
        facts->orientation = orientation;
    }
    bool on_side = orientation >= 5;
    facts->width = on_side ? header->Ysize : header->Xsize;
    facts->height = on_side ? header->Xsize : header->Ysize;
    if (target->fds == NULL) {
        return PGC_OK;
    }
    bool profile = needs_profile(header);
    AUTO_IMAGE *large = NULL;
    pgc_status status = load_large(bytes, size, header, profile, &large, err);
    if (status != PGC_OK && profile) {
        /* A damaged profile must not cost the picture. */
        status = load_large(bytes, size, header, false, &large, err);
    }
    TRY(status);
    return write_all_sizes(large, orientation, target, err);
}

pgc_status pixels_from_view(const pixels_view *view, int32_t orientation,
                            const pixels_target *target, pgc_error *err)
{
    if (target->fds == NULL) {
        return PGC_OK;
    }
    AUTO_IMAGE *image = vips_image_new_from_memory(
        view->bytes, (size_t) view->width * (size_t) view->height * (size_t) view->bands,
        view->width, view->height, view->bands, VIPS_FORMAT_UCHAR);
    if (image == NULL) {
        return vips_failed("cannot be scaled", err);
    }
    AUTO_IMAGE *coloured = NULL;
    if (vips_copy(image, &coloured, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) != 0) {
        return vips_failed("cannot be scaled", err);
    }
    if (view->profile != NULL) {
        vips_image_set_blob_copy(coloured, VIPS_META_ICC_NAME, view->profile, view->profile_size);
    }
    int side = media_size_pixels(MEDIA_LARGE);
    AUTO_IMAGE *scaled = NULL;
    if (needs_profile(coloured) &&
        vips_thumbnail_image(coloured, &scaled, side, "height", side, "size", VIPS_SIZE_DOWN,
                             "no_rotate", TRUE, "export_profile", "srgb", NULL) != 0) {
        vips_error_clear();
    }
    if (scaled == NULL && vips_thumbnail_image(coloured, &scaled, side, "height", side, "size",
                                               VIPS_SIZE_DOWN, "no_rotate", TRUE, NULL) != 0) {
        return vips_failed("cannot be scaled", err);
    }
    AUTO_IMAGE *rgb = NULL;
    AUTO_IMAGE *large = NULL;
    TRY(to_rgb(scaled, &rgb, err));
    TRY(settle(rgb, &large, err));
    return write_all_sizes(large, orientation, target, err);
}
