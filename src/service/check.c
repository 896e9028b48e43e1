/* Checks of what people type. The table's own constraints stand behind them; here the message can
 * say what is allowed. No state; thread-safe. */
#include "base/prelude.h"

#include "service/check.h"

#include "service/asset.h"

#define QUOTE_MAX 60  /* bytes of a bad value that a message shows */
#define WORDS_MAX 128 /* bytes of a list of words */

slice check_quote(slice text)
{
    size_t end = 0;
    for (;;) {
        slice rest = slice_sub(text, end, text.len);
        size_t len = slice_char_length(rest);
        if (len == 0 || end + len > QUOTE_MAX || slice_is_control(slice_sub(rest, 0, len))) {
            return slice_sub(text, 0, end);
        }
        end += len;
    }
}

pgc_status check_name(const char *what, slice name, size_t max_chars, pgc_error *err)
{
    assert(max_chars > 0);
    if (slice_trim(name).len == 0) {
        return pgc_error_set(err, PGC_INVALID, "%s: must not be empty", what);
    }
    if (!slice_is_utf8(name)) {
        return pgc_error_set(err, PGC_INVALID, "%s: not valid UTF-8", what);
    }
    if (slice_trim(name).len != name.len) {
        return pgc_error_set(err, PGC_INVALID, "%s \"%" SLICE_FMT "\": blanks at an end", what,
                             SLICE_ARG(check_quote(name)));
    }
    size_t chars = 0;
    for (slice rest = name; rest.len > 0; chars++) {
        size_t len = slice_char_length(rest);
        assert(len > 0); /* it is UTF-8 */
        if (slice_is_control(slice_sub(rest, 0, len))) {
            return pgc_error_set(err, PGC_INVALID, "%s: control character at byte %zu", what,
                                 name.len - rest.len + 1);
        }
        rest = slice_sub(rest, len, rest.len);
    }
    if (chars > max_chars) {
        return pgc_error_set(err, PGC_INVALID,
                             "%s \"%" SLICE_FMT "…\": %zu characters, at most %zu are allowed",
                             what, SLICE_ARG(check_quote(name)), chars, max_chars);
    }
    return PGC_OK;
}

static pgc_status utf8_check(const char *what, slice text, pgc_error *err)
{
    return text.len == 0 || slice_is_utf8(text)
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "%s: not valid UTF-8, or with a NUL in it", what);
}

pgc_status check_text(const char *what, slice text, size_t max_bytes, pgc_error *err)
{
    if (text.len > max_bytes) {
        return pgc_error_set(err, PGC_INVALID, "%s: %zu bytes, at most %zu are allowed", what,
                             text.len, max_bytes);
    }
    return utf8_check(what, text, err);
}

pgc_status check_chars(const char *what, slice text, size_t max_chars, pgc_error *err)
{
    size_t chars = 0;
    TRY(utf8_check(what, text, err));
    for (size_t i = 0; i < text.len; i++) {
        chars += ((unsigned char) text.ptr[i] & 0xC0) != 0x80 ? 1 : 0;
    }
    if (chars > max_chars) {
        return pgc_error_set(err, PGC_INVALID, "%s: %zu characters, at most %zu are allowed", what,
                             chars, max_chars);
    }
    return PGC_OK;
}

/* "photo, video or audio" */
static void words_list(const check_words *words, char out[static WORDS_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < words->count && used < WORDS_MAX; i++) {
        const char *between = i == 0 ? "" : i + 1 < words->count ? ", " : " or ";
        int length = snprintf(out + used, WORDS_MAX - used, "%s%s", between, words->words[i]);
        used += length > 0 ? (size_t) length : 0;
    }
}

pgc_status check_word(const check_words *words, slice text, size_t *index, pgc_error *err)
{
    char list[WORDS_MAX];
    for (size_t i = 0; i < words->count; i++) {
        if (slice_eq_str(text, words->words[i])) {
            *index = i;
            return PGC_OK;
        }
    }
    words_list(words, list);
    return pgc_error_set(err, PGC_INVALID, "%s \"%" SLICE_FMT "\": use %s", words->what,
                         SLICE_ARG(check_quote(text)), list);
}

pgc_status check_confidence(const char *what, double value, pgc_error *err)
{
    if (!(value >= 0 && value <= 1)) { /* so that NaN fails, too */
        return pgc_error_set(err, PGC_INVALID, "%s %g: a number from 0 to 1", what, value);
    }
    return PGC_OK;
}

pgc_status check_count(const char *what, size_t count, size_t max, pgc_error *err)
{
    if (count < 1 || count > max) {
        return pgc_error_set(err, PGC_INVALID, "%s: %zu given, 1 to %zu are allowed", what, count,
                             max);
    }
    return PGC_OK;
}

pgc_status check_limit(const char *what, int32_t limit, pgc_error *err)
{
    if (limit < 1 || limit > LUM_PAGE_MAX) {
        return pgc_error_set(err, PGC_INVALID, "%s: page of %" PRId32 " rows: 1 to %d", what, limit,
                             LUM_PAGE_MAX);
    }
    return PGC_OK;
}
