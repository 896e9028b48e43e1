/* File type by content. Tables first, then the containers that need a look inside. Invariant: never
 * reads past size, never loops without moving on. Pure, any thread. */
#include "base/prelude.h"

#include "media/detect.h"

static const media_type TYPES[MEDIA_FORMAT_COUNT] = {
    [MEDIA_FORMAT_NONE] = { .name = "unknown data" },
#define X(id, kind_, reader_, name_, mime_, extension_, demuxer_) \
    [MEDIA_FORMAT_##id] = { .format = MEDIA_FORMAT_##id,          \
                            .kind = MEDIA_##kind_,                \
                            .reader = MEDIA_READER_##reader_,     \
                            .name = name_,                        \
                            .mime = mime_,                        \
                            .extension = extension_,              \
                            .demuxer = demuxer_ },
    MEDIA_FORMAT_MAP(X)
#undef X
};

/* Bytes at a place: first match wins. */
static const struct {
    uint8_t offset, length;
    const char *bytes;
    media_format format;
} MAGIC[] = {
    { 0, 3, "\xff\xd8\xff", MEDIA_FORMAT_JPEG },
    { 0, 8, "\x89PNG\r\n\x1a\n", MEDIA_FORMAT_PNG },
    { 0, 6, "GIF87a", MEDIA_FORMAT_GIF },
    { 0, 6, "GIF89a", MEDIA_FORMAT_GIF },
    { 8, 4, "WEBP", MEDIA_FORMAT_WEBP },
    { 0, 15, "FUJIFILMCCD-RAW", MEDIA_FORMAT_RAF },
    { 0, 4, "FOVb", MEDIA_FORMAT_X3F },
    { 0, 4, "\0MRM", MEDIA_FORMAT_MRW },
    { 6, 8, "HEAPCCDR", MEDIA_FORMAT_CRW },
    { 8, 4, "AVI ", MEDIA_FORMAT_AVI },
    { 8, 4, "WAVE", MEDIA_FORMAT_WAV },
    { 8, 4, "AIFF", MEDIA_FORMAT_AIFF },
    { 8, 4, "AIFC", MEDIA_FORMAT_AIFF },
    { 0, 4, "FLV\x01", MEDIA_FORMAT_FLV },
    { 0, 4, "fLaC", MEDIA_FORMAT_FLAC },
    { 0, 4, "\0\0\x01\xba", MEDIA_FORMAT_MPEG },
    { 0, 4, "\0\0\x01\xb3", MEDIA_FORMAT_MPEGES },
    { 0, 16, "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", MEDIA_FORMAT_WMV },
};

/* Container words that count only behind the container's own mark. */
static bool outer_mark_ok(const uint8_t *head, media_format format)
{
    switch ((int) format) {
    case MEDIA_FORMAT_WEBP:
    case MEDIA_FORMAT_AVI:
        return memcmp(head, "RIFF", 4) == 0;
    case MEDIA_FORMAT_WAV:
        return memcmp(head, "RIFF", 4) == 0 || memcmp(head, "RF64", 4) == 0;
    case MEDIA_FORMAT_AIFF:
        return memcmp(head, "FORM", 4) == 0;
    case MEDIA_FORMAT_CRW:
        return memcmp(head, "II", 2) == 0 || memcmp(head, "MM", 2) == 0;
    default:
        return true;
    }
}

/* The table of fixed marks. */
static media_format from_magic(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(MAGIC); i++) {
        size_t end = (size_t) MAGIC[i].offset + MAGIC[i].length;
        if (size >= end && memcmp(head + MAGIC[i].offset, MAGIC[i].bytes, MAGIC[i].length) == 0 &&
            outer_mark_ok(head, MAGIC[i].format)) {
            return MAGIC[i].format;
        }
    }
    return MEDIA_FORMAT_NONE;
}

/* "BM", then a header whose size is one that was ever used. */
static media_format detect_bmp(const uint8_t *head, size_t size)
{
    static const uint8_t HEADER_SIZES[] = { 12, 40, 52, 56, 64, 108, 124 };
    if (size < 26 || memcmp(head, "BM", 2) != 0 || head[15] != 0 || head[16] != 0 ||
        head[17] != 0) {
        return MEDIA_FORMAT_NONE;
    }
    return memchr(HEADER_SIZES, head[14], sizeof HEADER_SIZES) != NULL ? MEDIA_FORMAT_BMP
                                                                       : MEDIA_FORMAT_NONE;
}

/* Brands of ISO base media files. "jxl ", "jp2 " and their like are not here: not ours. */
static const struct {
    const char *brand;
    media_format format;
} BRANDS[] = {
    { "avif", MEDIA_FORMAT_AVIF },   { "avis", MEDIA_FORMAT_AVIF },
    { "heic", MEDIA_FORMAT_HEIC },   { "heix", MEDIA_FORMAT_HEIC },
    { "heim", MEDIA_FORMAT_HEIC },   { "heis", MEDIA_FORMAT_HEIC },
    { "hevc", MEDIA_FORMAT_HEIC },   { "hevx", MEDIA_FORMAT_HEIC },
    { "mif1", MEDIA_FORMAT_HEIF },   { "msf1", MEDIA_FORMAT_HEIF },
    { "crx ", MEDIA_FORMAT_CR3 },    { "qt  ", MEDIA_FORMAT_MOV },
    { "M4A ", MEDIA_FORMAT_M4A },    { "M4B ", MEDIA_FORMAT_M4A },
    { "M4P ", MEDIA_FORMAT_M4A },    { "M4V ", MEDIA_FORMAT_M4V },
    { "M4VH", MEDIA_FORMAT_M4V },    { "M4VP", MEDIA_FORMAT_M4V },
    { "3gp", MEDIA_FORMAT_THREEGP }, { "3g2", MEDIA_FORMAT_THREEGP },
    { "3ge", MEDIA_FORMAT_THREEGP }, { "3gg", MEDIA_FORMAT_THREEGP },
    { "isom", MEDIA_FORMAT_MP4 },    { "iso2", MEDIA_FORMAT_MP4 },
    { "iso3", MEDIA_FORMAT_MP4 },    { "iso4", MEDIA_FORMAT_MP4 },
    { "iso5", MEDIA_FORMAT_MP4 },    { "iso6", MEDIA_FORMAT_MP4 },
    { "mp41", MEDIA_FORMAT_MP4 },    { "mp42", MEDIA_FORMAT_MP4 },
    { "mp71", MEDIA_FORMAT_MP4 },    { "avc1", MEDIA_FORMAT_MP4 },
    { "dash", MEDIA_FORMAT_MP4 },    { "MSNV", MEDIA_FORMAT_MP4 },
    { "f4v ", MEDIA_FORMAT_MP4 },    { "mmp4", MEDIA_FORMAT_MP4 },
    { "XAVC", MEDIA_FORMAT_MP4 },    { "NDSC", MEDIA_FORMAT_MP4 },
};

/* Four letters of an ISO media file; shorter rows stand for families ("3gp4", "3gp5", …). */
static media_format from_brand(const uint8_t *brand)
{
    for (size_t i = 0; i < ARRAY_LEN(BRANDS); i++) {
        if (memcmp(brand, BRANDS[i].brand, strlen(BRANDS[i].brand)) == 0) {
            return BRANDS[i].format;
        }
    }
    return MEDIA_FORMAT_NONE;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* The major brand decides; "mif1" leaves the codec to the compatible brands. */
static media_format detect_iso_media(const uint8_t *head, size_t size)
{
    /* QuickTime files from before brands begin with one of these. */
    static const char *const OLD_ATOMS[] = { "moov", "mdat", "wide", "pnot", "skip", "free" };
    if (size < 12) {
        return MEDIA_FORMAT_NONE;
    }
    if (memcmp(head + 4, "ftyp", 4) != 0) {
        for (size_t i = 0; i < ARRAY_LEN(OLD_ATOMS); i++) {
            if (memcmp(head + 4, OLD_ATOMS[i], 4) == 0 && (be32(head) >= 8 || be32(head) == 1)) {
                return MEDIA_FORMAT_MOV;
            }
        }
        return MEDIA_FORMAT_NONE;
    }
    media_format major = from_brand(head + 8);
    if (major != MEDIA_FORMAT_NONE && major != MEDIA_FORMAT_HEIF) {
        return major;
    }
    size_t end = be32(head);
    end = end < size ? end : size;
    assert(end <= size);
    for (size_t pos = 16; pos + 4 <= end; pos += 4) {
        media_format format = from_brand(head + pos);
        if (format == MEDIA_FORMAT_HEIC || format == MEDIA_FORMAT_AVIF ||
            (major == MEDIA_FORMAT_NONE && format != MEDIA_FORMAT_NONE)) {
            return format;
        }
    }
    return major;
}

static bool contains(const uint8_t *head, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++) {
        if (memcmp(head + i, word, length) == 0) {
            return true;
        }
    }
    return false;
}

/* The kind of document stands in the first header, whose fields may come in any order. */
static media_format detect_matroska(const uint8_t *head, size_t size)
{
    if (size < 8 || memcmp(head, "\x1a\x45\xdf\xa3", 4) != 0) {
        return MEDIA_FORMAT_NONE;
    }
    size_t room = size < 256 ? size : 256;
    if (contains(head, room, "webm")) {
        return MEDIA_FORMAT_WEBM;
    }
    return contains(head, room, "matroska") ? MEDIA_FORMAT_MKV : MEDIA_FORMAT_NONE;
}

/* The codec stands at the start of the first packet, behind a page header of 27 bytes and its
 * table. */
static media_format detect_ogg(const uint8_t *head, size_t size)
{
    if (size < 28 || memcmp(head, "OggS", 4) != 0) {
        return MEDIA_FORMAT_NONE;
    }
    size_t packet = 27 + (size_t) head[26];
    if (packet + 8 > size) {
        return MEDIA_FORMAT_OGG;
    }
    if (memcmp(head + packet, "OpusHead", 8) == 0) {
        return MEDIA_FORMAT_OPUS;
    }
    if (memcmp(head + packet, "\x80theora", 7) == 0 || memcmp(head + packet, "fishead", 7) == 0) {
        return MEDIA_FORMAT_OGV;
    }
    return MEDIA_FORMAT_OGG;
}

/* Packets of 188 bytes, or 192 with a time stamp in front of each (AVCHD). */
static media_format detect_mpegts(const uint8_t *head, size_t size)
{
    static const struct {
        size_t first, step;
    } LAYOUTS[] = { { 0, 188 }, { 4, 192 } };
    for (size_t i = 0; i < ARRAY_LEN(LAYOUTS); i++) {
        size_t packets = 0;
        size_t pos = LAYOUTS[i].first;
        while (packets < 5 && pos < size && head[pos] == 0x47) {
            packets++;
            pos += LAYOUTS[i].step;
        }
        if (packets >= 5 || (packets >= 2 && pos >= size)) {
            return MEDIA_FORMAT_MPEGTS;
        }
    }
    return MEDIA_FORMAT_NONE;
}

const media_type *media_type_of(media_format format)
{
    assert((size_t) format < ARRAY_LEN(TYPES));
    return &TYPES[format];
}

media_type media_detect(const uint8_t *head, size_t size)
{
    static media_format (*const DETECTORS[])(const uint8_t *, size_t) = {
        from_magic,      detect_tiff, detect_bmp,    detect_iso_media,
        detect_matroska, detect_ogg,  detect_mpegts, detect_mpeg_audio,
    };
    for (size_t i = 0; i < ARRAY_LEN(DETECTORS); i++) {
        media_format format = DETECTORS[i](head, size);
        if (format != MEDIA_FORMAT_NONE) {
            return TYPES[format];
        }
    }
    return (media_type) { .name = detect_other(head, size) };
}

const media_type *media_type_as(const media_type *type, media_kind kind)
{
    static const struct {
        const char *demuxer;
        media_format video, audio;
    } TWINS[] = {
        { "mov", MEDIA_FORMAT_MP4, MEDIA_FORMAT_M4A },
        { "ogg", MEDIA_FORMAT_OGV, MEDIA_FORMAT_OGG },
        { "asf", MEDIA_FORMAT_WMV, MEDIA_FORMAT_WMA },
        { "matroska", MEDIA_FORMAT_MKV, MEDIA_FORMAT_MKA },
    };
    for (size_t i = 0; type->demuxer != NULL && i < ARRAY_LEN(TWINS); i++) {
        if (type->kind != kind && strcmp(type->demuxer, TWINS[i].demuxer) == 0) {
            return &TYPES[kind == MEDIA_VIDEO ? TWINS[i].video : TWINS[i].audio];
        }
    }
    return &TYPES[type->format];
}
