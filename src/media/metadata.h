/* EXIF, XMP and IPTC of photos: runs in the confined child. Plain C interface over exiv2. Damaged
 * or absent metadata is no error: what cannot be read stays unknown. */
#ifndef MEDIA_METADATA_H
#define MEDIA_METADATA_H

#include "media/facts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Once per process, before the first fork: everything that exiv2 would otherwise set up late. */
void metadata_init(void);

/* Fill what the photo's metadata says into *facts, other members stay. For raw files width and
 * height are set when the metadata has them (upright); others know better. */
void metadata_read(const uint8_t *bytes, size_t size, media_facts *facts);

/* The same for a photo whose EXIF (a TIFF structure) and XMP (text) somebody else took out of the
 * file. NULL with 0: there is none. */
void metadata_read_blocks(const uint8_t *exif, size_t exif_size, const uint8_t *xmp,
                          size_t xmp_size, media_facts *facts);

#ifdef __cplusplus
}
#endif

#endif
