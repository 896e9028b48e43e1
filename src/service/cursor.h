/* Cursors of lists: where the next page begins. For callers a cursor is a text without meaning; it
 * fits only the list that gave it. */
#ifndef SERVICE_CURSOR_H
#define SERVICE_CURSOR_H

#include "base/sha256.h"
#include "base/slice.h"
#include "service/session.h"

#define LUM_CURSOR_SIZE 2048 /* bytes of any cursor with its NUL */

/* The keys of the last row of a page; what an order does not use is 0. */
typedef struct cursor_key {
    pgc_uuid asset_id;
    int64_t first;  /* time, size or stars */
    int64_t second; /* time behind stars */
    slice name;
} cursor_key;

/* `list` stands for the list: owner, filter and order. PGC_LIMIT for a name that has no room. */
pgc_status cursor_write(const cursor_key *key, const uint8_t list[static SHA256_SIZE],
                        char out[static LUM_CURSOR_SIZE], pgc_error *err) PGC_MUST_CHECK;
/* The name lies in `room`. PGC_INVALID for what is no cursor of this list, changed ones included.
 */
pgc_status cursor_read(slice text, const uint8_t list[static SHA256_SIZE],
                       char room[static LUM_CURSOR_SIZE], cursor_key *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
