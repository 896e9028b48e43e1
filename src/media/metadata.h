/* EXIF, XMP and IPTC of photos: runs in the confined child. Plain C interface over exiv2. */
#ifndef MEDIA_METADATA_H
#define MEDIA_METADATA_H

#include "media/facts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Once per process, before the first fork: everything that exiv2 would otherwise set up late. */
void metadata_init(void);

/* Fill what the photo's metadata says into *facts, other members stay. Damaged or absent metadata
 * is no error: what cannot be read stays unknown. For raw files width and height are set when the
 * metadata has them (upright); others know better. LUM_MEDIA_LIMIT: memory exhausted. */
pgc_status metadata_read(const uint8_t *bytes, size_t size, media_facts *facts, pgc_error *err)
    PGC_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
