/* What a file is, by its first bytes: names and extensions lie. */
#ifndef MEDIA_DETECT_H
#define MEDIA_DETECT_H

#include "base/slice.h"
#include "media/facts.h"

/* Bytes that media_detect() wants to see; less when the file is shorter. */
#define MEDIA_DETECT_BYTES ((size_t) 64 * 1024)

/* Which code reads it. */
typedef enum media_reader {
    MEDIA_READER_NONE,
    MEDIA_READER_VIPS, /* whole file in memory, libvips */
    MEDIA_READER_HEIF, /* whole file in memory, libheif */
    MEDIA_READER_RAW,  /* whole file in memory, the embedded preview */
    MEDIA_READER_AV    /* by descriptor, libavformat */
} media_reader;

/* One line per format that we take: name, kind, reader, what people call it, MIME type, canonical
 * extension, libavformat's demuxer. */
#define MEDIA_FORMAT_MAP(X)                                                             \
    X(JPEG, PHOTO, VIPS, "JPEG image", "image/jpeg", "jpg", NULL)                       \
    X(PNG, PHOTO, VIPS, "PNG image", "image/png", "png", NULL)                          \
    X(WEBP, PHOTO, VIPS, "WebP image", "image/webp", "webp", NULL)                      \
    X(GIF, PHOTO, VIPS, "GIF image", "image/gif", "gif", NULL)                          \
    X(TIFF, PHOTO, VIPS, "TIFF image", "image/tiff", "tif", NULL)                       \
    X(BMP, PHOTO, AV, "BMP image", "image/bmp", "bmp", "bmp_pipe")                      \
    X(HEIC, PHOTO, HEIF, "HEIC image", "image/heic", "heic", NULL)                      \
    X(HEIF, PHOTO, HEIF, "HEIF image", "image/heif", "heif", NULL)                      \
    X(AVIF, PHOTO, HEIF, "AVIF image", "image/avif", "avif", NULL)                      \
    X(CR2, PHOTO, RAW, "Canon CR2 raw image", "image/x-canon-cr2", "cr2", NULL)         \
    X(CR3, PHOTO, RAW, "Canon CR3 raw image", "image/x-canon-cr3", "cr3", NULL)         \
    X(CRW, PHOTO, RAW, "Canon CRW raw image", "image/x-canon-crw", "crw", NULL)         \
    X(NEF, PHOTO, RAW, "Nikon NEF raw image", "image/x-nikon-nef", "nef", NULL)         \
    X(ARW, PHOTO, RAW, "Sony ARW raw image", "image/x-sony-arw", "arw", NULL)           \
    X(DNG, PHOTO, RAW, "DNG raw image", "image/x-adobe-dng", "dng", NULL)               \
    X(ORF, PHOTO, RAW, "Olympus ORF raw image", "image/x-olympus-orf", "orf", NULL)     \
    X(RW2, PHOTO, RAW, "Panasonic RW2 raw image", "image/x-panasonic-rw2", "rw2", NULL) \
    X(RWL, PHOTO, RAW, "Leica RWL raw image", "image/x-leica-rwl", "rwl", NULL)         \
    X(PEF, PHOTO, RAW, "Pentax PEF raw image", "image/x-pentax-pef", "pef", NULL)       \
    X(RAF, PHOTO, RAW, "Fujifilm RAF raw image", "image/x-fuji-raf", "raf", NULL)       \
    X(MRW, PHOTO, RAW, "Minolta MRW raw image", "image/x-minolta-mrw", "mrw", NULL)     \
    X(SRW, PHOTO, RAW, "Samsung SRW raw image", "image/x-samsung-srw", "srw", NULL)     \
    X(X3F, PHOTO, RAW, "Sigma X3F raw image", "image/x-sigma-x3f", "x3f", NULL)         \
    X(IIQ, PHOTO, RAW, "Phase One IIQ raw image", "image/x-phaseone-iiq", "iiq", NULL)  \
    X(FFF, PHOTO, RAW, "Hasselblad raw image", "image/x-hasselblad-3fr", "3fr", NULL)   \
    X(ERF, PHOTO, RAW, "Epson ERF raw image", "image/x-epson-erf", "erf", NULL)         \
    X(DCR, PHOTO, RAW, "Kodak DCR raw image", "image/x-kodak-dcr", "dcr", NULL)         \
    X(MEF, PHOTO, RAW, "Mamiya MEF raw image", "image/x-mamiya-mef", "mef", NULL)       \
    X(MP4, VIDEO, AV, "MP4 video", "video/mp4", "mp4", "mov")                           \
    X(M4V, VIDEO, AV, "M4V video", "video/mp4", "m4v", "mov")                           \
    X(MOV, VIDEO, AV, "QuickTime video", "video/quicktime", "mov", "mov")               \
    X(THREEGP, VIDEO, AV, "3GP video", "video/3gpp", "3gp", "mov")                      \
    X(AVI, VIDEO, AV, "AVI video", "video/x-msvideo", "avi", "avi")                     \
    X(MKV, VIDEO, AV, "Matroska video", "video/x-matroska", "mkv", "matroska")          \
    X(WEBM, VIDEO, AV, "WebM video", "video/webm", "webm", "matroska")                  \
    X(FLV, VIDEO, AV, "Flash video", "video/x-flv", "flv", "flv")                       \
    X(WMV, VIDEO, AV, "Windows Media video", "video/x-ms-wmv", "wmv", "asf")            \
    X(MPEG, VIDEO, AV, "MPEG video", "video/mpeg", "mpg", "mpeg")                       \
    X(MPEGES, VIDEO, AV, "MPEG video stream", "video/mpeg", "mpg", "mpegvideo")         \
    X(MPEGTS, VIDEO, AV, "MPEG transport stream", "video/mp2t", "mts", "mpegts")        \
    X(OGV, VIDEO, AV, "Ogg video", "video/ogg", "ogv", "ogg")                           \
    X(OGG, AUDIO, AV, "Ogg audio", "audio/ogg", "ogg", "ogg")                           \
    X(OPUS, AUDIO, AV, "Opus audio", "audio/opus", "opus", "ogg")                       \
    X(MP3, AUDIO, AV, "MP3 audio", "audio/mpeg", "mp3", "mp3")                          \
    X(AAC, AUDIO, AV, "AAC audio", "audio/aac", "aac", "aac")                           \
    X(M4A, AUDIO, AV, "MPEG-4 audio", "audio/mp4", "m4a", "mov")                        \
    X(FLAC, AUDIO, AV, "FLAC audio", "audio/flac", "flac", "flac")                      \
    X(WAV, AUDIO, AV, "WAV audio", "audio/wav", "wav", "wav")                           \
    X(AIFF, AUDIO, AV, "AIFF audio", "audio/x-aiff", "aiff", "aiff")                    \
    X(WMA, AUDIO, AV, "Windows Media audio", "audio/x-ms-wma", "wma", "asf")            \
    X(MKA, AUDIO, AV, "Matroska audio", "audio/x-matroska", "mka", "matroska")

typedef enum media_format {
    MEDIA_FORMAT_NONE = 0, /* not ours */
#define X(id, kind, reader, name, mime, extension, demuxer) MEDIA_FORMAT_##id,
    MEDIA_FORMAT_MAP(X)
#undef X
        MEDIA_FORMAT_COUNT
} media_format;

/* All texts are static. */
typedef struct media_type {
    media_format format;
    media_kind kind; /* MEDIA_NONE: not a photo, video or recording; only name is set */
    media_reader reader;
    const char *name; /* "JPEG image", "PDF document" */
    const char *mime;
    const char *extension;
    const char *demuxer; /* of libavformat; NULL when another library reads it */
} media_type;

/* Row of a format; MEDIA_FORMAT_NONE gives "unknown data". */
const media_type *media_type_of(media_format format);
/* head: the first min(file size, MEDIA_DETECT_BYTES) bytes. Always gives an answer. */
media_type media_detect(const uint8_t *head, size_t size);
/* The same container without pictures ("mp4" becomes "m4a"), or with ("ogg" becomes "ogv"). */
const media_type *media_type_as(const media_type *type, media_kind kind);

/* detect_tiff.c: which of the many formats built on TIFF this is; NONE when it is no TIFF. */
media_format detect_tiff(const uint8_t *head, size_t size);
/* detect_audio.c: MPEG audio, with or without tags in front. */
media_format detect_mpeg_audio(const uint8_t *head, size_t size);
/* detect_other.c: name of something that is no photo, video or recording. */
const char *detect_other(const uint8_t *head, size_t size);

#endif
