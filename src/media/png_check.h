/* Whether a PNG file is whole: its chunks and their checksums. */
#ifndef MEDIA_PNG_CHECK_H
#define MEDIA_PNG_CHECK_H

#include <pgc/error.h>

/* PGC_OK when the chunks from IHDR to IEND are all there and each fits its checksum; bytes behind
 * IEND are nobody's. LUM_MEDIA_CORRUPT: the message names the chunk, its place and what is wrong.
 */
pgc_status png_check(const uint8_t *bytes, size_t size, pgc_error *err) PGC_MUST_CHECK;

#endif
