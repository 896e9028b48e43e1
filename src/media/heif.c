/* Reads the primary image of an ISO image file. libheif's decoders start threads of their own,
 * which is why the walls let threads through. Invariant: the size is checked before decoding. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <libheif/heif.h>

#include <lumilio/status.h>

#include "base/alloc.h"
#include "media/heif.h"
#include "media/metadata.h"

#define METADATA_BYTES_MAX  ((size_t) 4 << 20)
#define METADATA_BLOCKS_MAX 32
#define TIFF_OFFSET_BYTES   4

/* What a reader has open. */
typedef struct heif_open {
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
    uint8_t *rows;
    size_t rows_size;
    void *profile;
    size_t profile_size;
} heif_open;

static void heif_open_auto(heif_open *open)
{
    mem_free(NULL, open->rows, open->rows_size);
    mem_free(NULL, open->profile, open->profile_size);
    if (open->image != NULL) {
        heif_image_release(open->image);
    }
    if (open->handle != NULL) {
        heif_image_handle_release(open->handle);
    }
    if (open->context != NULL) {
        heif_context_free(open->context);
    }
}

/* libheif tells lack of memory apart from damage. */
static pgc_status heif_failed(struct heif_error error, pgc_error *err)
{
    if (error.code == heif_error_Memory_allocation_error) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory: %s", error.message);
    }
    return pgc_error_set(err, LUM_MEDIA_CORRUPT, "cannot be decoded: %s", error.message);
}

pgc_status heif_prepare(pgc_error *err)
{
    struct heif_error error = heif_init(NULL);
    if (error.code != heif_error_Ok) {
        return pgc_error_set(err, PGC_UNSUPPORTED, "start libheif: %s", error.message);
    }
    /* Newer versions load their decoders with the first context. */
    heif_context_free(heif_context_alloc());
    return PGC_OK;
}

/* libheif pads its rows; what follows wants them without gaps. */
static pgc_status pack_rows(heif_open *open, int bands, pixels_view *view, pgc_error *err)
{
    assert(bands == 3 || bands == 4);
    int stride = 0;
    const uint8_t *plane =
        heif_image_get_plane_readonly(open->image, heif_channel_interleaved, &stride);
    view->width = heif_image_get_width(open->image, heif_channel_interleaved);
    view->height = heif_image_get_height(open->image, heif_channel_interleaved);
    view->bands = bands;
    if (plane == NULL || view->width <= 0 || view->height <= 0 || stride < view->width * bands) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "cannot be decoded: no pixels");
    }
    size_t line = (size_t) view->width * (size_t) bands;
    open->rows_size = line * (size_t) view->height;
    open->rows = mem_resize(NULL, NULL, 0, open->rows_size);
    if (open->rows == NULL) {
        open->rows_size = 0;
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory");
    }
    for (int32_t y = 0; y < view->height; y++) {
        memcpy(open->rows + (size_t) y * line, plane + (size_t) y * (size_t) stride, line);
    }
    view->bytes = open->rows;
    return PGC_OK;
}

/* The ICC profile, when the file has one; without it colours are taken as sRGB. */
static void read_profile(heif_open *open, pixels_view *view)
{
    size_t size = heif_image_handle_get_raw_color_profile_size(open->handle);
    if (size == 0 || size > ((size_t) 4 << 20)) {
        return;
    }
    open->profile = mem_new(NULL, size);
    open->profile_size = open->profile != NULL ? size : 0;
    if (open->profile != NULL &&
        heif_image_handle_get_raw_color_profile(open->handle, open->profile).code ==
            heif_error_Ok) {
        view->profile = open->profile;
        view->profile_size = size;
    }
}

/* One block of metadata. */
typedef struct heif_block {
    uint8_t *bytes;
    size_t size;
} heif_block;

static void heif_block_auto(heif_block *block)
{
    mem_free(NULL, block->bytes, block->size);
}

/* The block with this type, and this content type when that is not NULL; none: size is 0. */
static heif_block read_block(const struct heif_image_handle *handle, const char *type,
                             const char *content_type)
{
    heif_item_id ids[METADATA_BLOCKS_MAX];
    heif_block block = { .size = 0 };
    int count =
        heif_image_handle_get_list_of_metadata_block_IDs(handle, type, ids, METADATA_BLOCKS_MAX);
    for (int i = 0; i < count && i < METADATA_BLOCKS_MAX; i++) {
        const char *content = heif_image_handle_get_metadata_content_type(handle, ids[i]);
        size_t size = heif_image_handle_get_metadata_size(handle, ids[i]);
        bool wanted =
            content_type == NULL || (content != NULL && strcmp(content, content_type) == 0);
        if (!wanted || size == 0 || size > METADATA_BYTES_MAX) {
            continue;
        }
        block.bytes = mem_new(NULL, size);
        if (block.bytes == NULL) {
            break;
        }
        block.size = size;
        if (heif_image_handle_get_metadata(handle, ids[i], block.bytes).code == heif_error_Ok) {
            break;
        }
        heif_block_auto(&block);
        block = (heif_block) { .size = 0 };
    }
    return block;
}

/* EXIF stands behind four bytes that say how much further its TIFF structure begins. */
static void read_metadata(const heif_open *open, media_facts *facts)
{
    AUTO(heif_block_auto) heif_block exif = read_block(open->handle, "Exif", NULL);
    AUTO(heif_block_auto)
    heif_block xmp = read_block(open->handle, "mime", "application/rdf+xml");
    size_t from = exif.size;
    if (exif.size > TIFF_OFFSET_BYTES) {
        const uint8_t *b = exif.bytes;
        from = (size_t) b[0] << 24 | (size_t) b[1] << 16 | (size_t) b[2] << 8 | (size_t) b[3];
        from = from < exif.size - TIFF_OFFSET_BYTES ? from + TIFF_OFFSET_BYTES : exif.size;
    }
    const uint8_t *tiff = from < exif.size ? exif.bytes + from : NULL;
    metadata_read_blocks(tiff, exif.size - from, xmp.bytes, xmp.size, facts);
}

pgc_status heif_read(const uint8_t *bytes, size_t size, const pixels_target *target, pgc_error *err)
{
    AUTO(heif_open_auto) heif_open open = { .context = heif_context_alloc() };
    if (open.context == NULL) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory");
    }
    struct heif_error error =
        heif_context_read_from_memory_without_copy(open.context, bytes, size, NULL);
    if (error.code == heif_error_Ok) {
        error = heif_context_get_primary_image_handle(open.context, &open.handle);
    }
    if (error.code != heif_error_Ok) {
        return heif_failed(error, err);
    }
    media_facts *facts = &target->report->facts;
    int32_t width = heif_image_handle_get_width(open.handle);
    int32_t height = heif_image_handle_get_height(open.handle);
    TRY(pixels_check_size(width, height, target->limits, err));
    facts->width = width;
    facts->height = height;
    read_metadata(&open, facts);
    if (target->fds == NULL) {
        return PGC_OK;
    }
    bool alpha = heif_image_handle_has_alpha_channel(open.handle) != 0;
    error =
        heif_decode_image(open.handle, &open.image, heif_colorspace_RGB,
                          alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
    if (error.code != heif_error_Ok) {
        return heif_failed(error, err);
    }
    pixels_view view = { .profile = NULL };
    TRY(pack_rows(&open, alpha ? 4 : 3, &view, err));
    read_profile(&open, &view);
    return pixels_from_view(&view, 1, target, err);
}
