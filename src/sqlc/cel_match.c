/* matches() by libpcre2. CEL's patterns are those of RE2; what RE2 knows PCRE2 knows too and reads
 * the same, and only whether there is a match is asked. Work per match is bounded, because PCRE2
 * goes back and tries again where RE2 does not. Thread-safe: yes. */
#include "base/prelude.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sqlc/cel_parts.h"

/* Steps of one match: far above what any sound pattern takes on an SQL text. */
#define MATCH_MAX 1000000u

static void code_auto(pcre2_code **local)
{
    pcre2_code_free(*local);
}

static void data_auto(pcre2_match_data **local)
{
    pcre2_match_data_free(*local);
}

static void context_auto(pcre2_match_context **local)
{
    pcre2_match_context_free(*local);
}

pgc_status cel_matches(cel_run *run, size_t at, slice text, slice pattern, bool *out)
{
    int number = 0;
    PCRE2_SIZE offset = 0;
    assert(text.ptr != NULL);
    assert(pattern.ptr != NULL);
    AUTO(code_auto)
    pcre2_code *code = pcre2_compile((PCRE2_SPTR) pattern.ptr, pattern.len,
                                     PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                                     &number, &offset, NULL);
    if (code == NULL) {
        PCRE2_UCHAR words[128] = "";
        (void) pcre2_get_error_message(number, words, sizeof words);
        return cel_fail(run->problem, at, "the pattern is faulty at its character %zu: %s",
                        (size_t) offset + 1, (const char *) words);
    }
    AUTO(data_auto) pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    AUTO(context_auto) pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (data == NULL || context == NULL) {
        return PGC_NOMEM;
    }
    (void) pcre2_set_match_limit(context, MATCH_MAX);
    int found = pcre2_match(code, (PCRE2_SPTR) text.ptr, text.len, 0, 0, data, context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
        return found == PCRE2_ERROR_NOMEMORY
                   ? PGC_NOMEM
                   : cel_fail(run->problem, at, "the match was given up: too much to try");
    }
    *out = found >= 0;
    return PGC_OK;
}
