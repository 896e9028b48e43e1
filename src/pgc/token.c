/* Positions in the write-ahead log as values and as text. Pure functions; any thread. */
#include "base/prelude.h"

#include <pgc/token.h>

/* "timeline-high/low", the last two as the server writes positions. */
void pgc_token_text(pgc_token token, char *text)
{
    text[0] = '\0';
    if (token.lsn != 0) {
        (void) snprintf(text, PGC_TOKEN_TEXT_SIZE, "%" PRIX32 "-%" PRIX32 "/%" PRIX32,
                        token.timeline, (uint32_t) (token.lsn >> 32), (uint32_t) token.lsn);
    }
}

/* One to eight hexadecimal digits, then `end`. NULL: not so. */
static const char *read_part(const char *at, char end, uint32_t *value)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    uint32_t sum = 0;
    size_t count = 0;
    for (; at[count] != '\0' && at[count] != end && count < 9; count++) {
        const char *digit = strchr(DIGITS, at[count]);
        if (digit == NULL || count == 8) {
            return NULL;
        }
        sum = sum << 4 | (uint32_t) (digit - DIGITS);
    }
    *value = sum;
    return count > 0 && at[count] == end ? at + count + (end == '\0' ? 0 : 1) : NULL;
}

/* Comes from outside (a cookie): nothing but the one form is taken. */
pgc_status pgc_token_parse(const char *text, pgc_token *out, pgc_error *err)
{
    if (text == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "token: no text or no place for the result");
    }
    uint32_t timeline = 0;
    uint32_t high = 0;
    uint32_t low = 0;
    if (text[0] != '\0') {
        const char *at = read_part(text, '-', &timeline);
        at = at == NULL ? NULL : read_part(at, '/', &high);
        at = at == NULL ? NULL : read_part(at, '\0', &low);
        if (at == NULL || timeline == 0 || (high == 0 && low == 0)) {
            return pgc_error_set(err, PGC_INVALID, "token: not a position: \"%.40s\"", text);
        }
    }
    *out = (pgc_token) { .lsn = (uint64_t) high << 32 | low, .timeline = timeline };
    return PGC_OK;
}

/* A later timeline starts where it left the earlier one. */
pgc_token pgc_token_max(pgc_token a, pgc_token b)
{
    if (a.timeline != b.timeline) {
        return a.timeline > b.timeline ? a : b;
    }
    return a.lsn >= b.lsn ? a : b;
}
