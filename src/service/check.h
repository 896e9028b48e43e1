/* Checks of what people type, before it goes to the database: the message names the thing and says
 * what is allowed. */
#ifndef SERVICE_CHECK_H
#define SERVICE_CHECK_H

#include "base/slice.h"
#include "service/session.h"

#define CHECK_IDS_MAX 1000 /* ids of one call */

/* A name: 1..max_chars characters of valid UTF-8 without control characters, not blank, no blanks
 * at its ends. `what` is "album name". */
pgc_status check_name(const char *what, slice name, size_t max_chars, pgc_error *err)
    PGC_MUST_CHECK;
/* Free text: valid UTF-8 without NUL, at most max_bytes bytes; absent and empty are fine. */
pgc_status check_text(const char *what, slice text, size_t max_bytes, pgc_error *err)
    PGC_MUST_CHECK;
/* A text of a column with a limit in characters: the same, but for the unit. */
pgc_status check_chars(const char *what, slice text, size_t max_chars, pgc_error *err)
    PGC_MUST_CHECK;
/* One of a few words; *index is which. The message lists them. */
typedef struct check_words {
    const char *what; /* "asset type" */
    const char *const *words;
    size_t count;
} check_words;
pgc_status check_word(const check_words *words, slice text, size_t *index, pgc_error *err)
    PGC_MUST_CHECK;
/* The beginning of a text as messages may show it: short, whole characters, none of them a control
 * character. */
slice check_quote(slice text);
/* A number from 0 to 1, both included; NaN is none. */
pgc_status check_confidence(const char *what, double value, pgc_error *err) PGC_MUST_CHECK;
/* 1..max things. */
pgc_status check_count(const char *what, size_t count, size_t max, pgc_error *err) PGC_MUST_CHECK;
/* Rows of a page: 1..LUM_PAGE_MAX. */
pgc_status check_limit(const char *what, int32_t limit, pgc_error *err) PGC_MUST_CHECK;

#endif
