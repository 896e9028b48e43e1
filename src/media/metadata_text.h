/* Texts and numbers of metadata: cleaning, character sets, fractions, exposures. Pure functions. */
#ifndef MEDIA_METADATA_TEXT_H
#define MEDIA_METADATA_TEXT_H

#include "base/slice.h"

typedef struct metadata_ratio {
    int64_t num, den;
} metadata_ratio;

/* num / den; false, *out untouched, when there is no such finite number. */
bool metadata_ratio_value(metadata_ratio ratio, double *out);

/* "28/10", "+1/3", "2.8", "f/2.8", "100, 100" (the first), "50 mm" (the number in front). False,
 * *out untouched, when no finite number stands there. */
bool metadata_parse_number(slice text, double *out);

/* Up to the first NUL as UTF-8 into out[room], terminated; cut at a character border. Bytes that
 * are not UTF-8 are taken as Windows-1252, the superset of Latin-1. White space around goes,
 * control characters become blanks, "null" and "undefined" are no text. False and "" when nothing
 * is left.
 */
bool metadata_clean(slice bytes, char *out, size_t room);

/* The same for two-byte characters; without a mark of their order they are read as given. */
bool metadata_clean_wide(slice bytes, bool big_endian, char *out, size_t room);

/* The same for a user comment: eight bytes name the character set. Undefined ones are taken when
 * they look like text. */
bool metadata_clean_comment(slice bytes, bool big_endian, char *out, size_t room);

/* "1/250" up to a quarter of a second, else seconds with at most one decimal: "0.5", "30". False
 * and "" when that is no time to expose for. room: at least 32. */
bool metadata_exposure(double seconds, char *out, size_t room);

/* "18-70mm f/3.5-4.5" from shortest and longest focal length and their widest apertures; unknown
 * apertures are 0. False and "" without focal lengths. room: at least 64. */
bool metadata_lens(const double focal_mm[2], const double aperture[2], char *out, size_t room);

#endif
