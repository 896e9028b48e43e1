/* From the tags of a photo to its facts. Knows tag names and which of them wins, no file format. */
#ifndef MEDIA_METADATA_FIELDS_H
#define MEDIA_METADATA_FIELDS_H

#include "media/facts.h"
#include "media/metadata_text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where tags are looked up, by the names that exiv2 gives them ("Exif.Photo.FNumber"). */
typedef struct metadata_source {
    void *ctx;
    bool big_endian; /* order of the bytes in the file */
    /* Bytes of a text as stored into out, not terminated, cut at room. Gives their number; 0: there
     * is no such tag, or it holds no text. */
    size_t (*bytes)(void *ctx, const char *key, char *out, size_t room);
    /* Number `index` of the tag; false: there is none. */
    bool (*ratio)(void *ctx, const char *key, size_t index, metadata_ratio *out);
    /* The tag as exiv2 words it for people, else like bytes. */
    size_t (*wording)(void *ctx, const char *key, char *out, size_t room);
} metadata_source;

/* Fill what the tags say into *facts; what they do not say stays as it is. */
void metadata_fill(const metadata_source *source, media_facts *facts);

/* Size of a raw photo, behind metadata_fill() and unless its tags told already: what exiv2 takes
 * for it (width, height; 0: nothing), else what EXIF says, as with exiv2 0.28 for Fuji's files. */
void metadata_fill_size(const metadata_source *source, int32_t width, int32_t height,
                        media_facts *facts);

/* The part of the above that looks for the time of capture. */
void metadata_fill_time(const metadata_source *source, media_facts *facts);

#ifdef __cplusplus
}
#endif

#endif
