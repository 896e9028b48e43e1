/* Names and places of originals and thumbnails inside a repository. All paths are relative to the
 * repository's folder, valid UTF-8, and made of allowed characters only. */
#ifndef WORK_PLACE_H
#define WORK_PLACE_H

#include <pgc/error.h>

#include "base/slice.h"
#include "media/media.h"
#include "service/repository.h"

#define PLACE_PATH_SIZE 512 /* bytes of any path made here, NUL included */
#define PLACE_NAME_MAX  255 /* characters that assets.original_filename holds */

/* The name of a file as text: invalid UTF-8 becomes U+FFFD, cut to PLACE_NAME_MAX characters. True
 * when the text is the name itself, false when the bytes must be kept beside it. */
bool place_display_name(slice name, char *out, size_t out_size, size_t *out_len);

/* What decides where an original lands. */
typedef struct place_facts {
    slice name;            /* display name */
    const char *extension; /* of the detected type, without dot */
    const char *hash_hex;  /* 64 characters */
    int64_t local_us;      /* wall clock of capture, else time of the file; since 1970 */
} place_facts;

/* Path of an original. attempt 0 is the plain name, later ones carry more of the hash: an existing
 * file of other content is never replaced. PGC_LIMIT after the last attempt. */
pgc_status place_original(lum_strategy strategy, const place_facts *facts, unsigned attempt,
                          char out[static PLACE_PATH_SIZE], pgc_error *err) PGC_MUST_CHECK;

/* Path of a thumbnail: by content, so that the same original always has the same one. */
void place_thumbnail(const char *hash_hex, media_size size, char out[static PLACE_PATH_SIZE]);

#endif
