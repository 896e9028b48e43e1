/* Coordinates as metadata writes them. Pure functions. */
#ifndef MEDIA_METADATA_PLACE_H
#define MEDIA_METADATA_PLACE_H

#include "media/metadata_text.h"

typedef enum metadata_axis { METADATA_LATITUDE, METADATA_LONGITUDE } metadata_axis;

/* Degrees, minutes, seconds and the letter N, S, E or W beside them. False, *out untouched: a zero
 * denominator, a letter that does not fit the axis, or a place off the globe. */
bool metadata_coordinate(const metadata_ratio parts[3], metadata_axis axis, slice reference,
                         double *out);

/* "-48.8577", "48.8577N", "48,51.462N", "48,51,27.7N", "48 deg 51' 27.7\" N". A value with minutes
 * or marks of degrees must have its letter. False as above. */
bool metadata_parse_coordinate(slice text, metadata_axis axis, double *out);

#endif
