/* Unique keys, byte-exact to River's Go client: SHA-256 over kind, arguments, period and queue. */
#ifndef RIVER_UNIQUE_H
#define RIVER_UNIQUE_H

#include <river/insert.h>

#include "base/buf.h"
#include "base/sha256.h"

/* States that block a second job unless the caller says otherwise. */
#define UNIQUE_STATES_DEFAULT           \
    ((river_states) (RIVER_STATES_ALL & \
                     ~(RIVER_STATE_BIT(RIVER_CANCELLED) | RIVER_STATE_BIT(RIVER_DISCARDED))))

/* Is there anything that makes the job unique? exclude_kind alone does not. */
bool unique_wanted(const river_unique *unique);
/* PGC_INVALID names the member: period under 1 s, states without the required ones, no object, or
 * keys that River's path syntax would read as something else. */
pgc_status unique_check(const river_unique *unique, pgc_error *err) PGC_MUST_CHECK;
/* The text that is hashed. now: microseconds since 2000. */
pgc_status unique_text(const river_insert *job, pgc_timestamptz now, buf *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Its digest. */
pgc_status unique_key(const river_insert *job, pgc_timestamptz now, const pgc_alloc *alloc,
                      uint8_t key[static SHA256_SIZE], pgc_error *err) PGC_MUST_CHECK;

#endif
