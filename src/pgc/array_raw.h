/* An array before its element type is named, and sizes of its binary form. */
#ifndef PGC_ARRAY_RAW_H
#define PGC_ARRAY_RAW_H

#include <pgc/types.h>

#define ARRAY_HEADER 12 /* bytes: dimensions, NULL flag, element OID */
#define ARRAY_BOUNDS 8  /* bytes per dimension: length, lower bound */

/* The members of all pgc_arr_x. */
typedef struct raw_array {
    bool has;
    size_t count;
    const void *v;
    const uint8_t *nulls;
    uint32_t ndim;
    const pgc_dim *dims;
    uint32_t oid; /* of the elements, as it is sent; readers do not set it */
} raw_array;

#endif
