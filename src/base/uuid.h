/* UUID versions 4 and 7 (RFC 9562); text forms are in pgc/types.h. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <pgc/types.h>

#include "base/clock.h"

/* Random. False when the clock has no randomness; *out untouched then. */
bool uuid_v4(const clock_ops *clock, pgc_uuid *out);
/* 48 bits of Unix milliseconds, then random: sorts by time of creation to the millisecond. */
bool uuid_v7(const clock_ops *clock, pgc_uuid *out);

#endif
