/* Passwords that are tried first: by people who guess, and by programs with lists. */
#ifndef SERVICE_AUTH_COMMON_H
#define SERVICE_AUTH_COMMON_H

#include "base/slice.h"

/* Whether a password of at most 72 bytes is nothing but usual words (with digits for letters, the
 * user's own name among them), keys in a row, one piece again and again, and a few digits or signs
 * between and behind them. Blanks end that: phrases are good. No I/O; thread-safe. */
bool password_is_common(slice password, slice username);

#endif
