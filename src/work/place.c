/* Names and places inside a repository. Pure functions: no file is touched here. */
#include "base/prelude.h"

#include "work/place.h"

#define STEM_MAX 180 /* bytes of an original's name that are kept on disk */

/* The database holds UTF-8 only, a file system any bytes. Not exact means that the caller keeps
 * the bytes as well. */
bool place_display_name(slice name, char *out, size_t out_size, size_t *out_len)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t used = 0;
    size_t characters = 0;
    bool exact = true;
    while (name.len > 0) {
        size_t len = slice_char_length(name);
        const char *from = len > 0 ? name.ptr : REPLACEMENT;
        size_t size = len > 0 ? len : sizeof REPLACEMENT - 1;
        exact = exact && len > 0;
        if (characters == PLACE_NAME_MAX || used + size + 1 > out_size) {
            exact = false;
            break;
        }
        memcpy(out + used, from, size);
        used += size;
        characters++;
        name = slice_sub(name, len > 0 ? len : 1, name.len);
    }
    out[used] = '\0';
    *out_len = used;
    return exact;
}

/* The part of a name before its last dot, with characters that trouble other systems replaced. */
static void stem_copy(slice name, char out[static STEM_MAX + 1])
{
    size_t end = name.len;
    for (size_t i = name.len; i-- > 1;) {
        if (name.ptr[i] == '.') {
            end = i;
            break;
        }
    }
    name = slice_sub(name, 0, end);
    size_t used = 0;
    while (name.len > 0) {
        size_t len = slice_char_length(name);
        unsigned char first = (unsigned char) name.ptr[0];
        bool bad = len == 0 || first < 0x20 || first == 0x7f || (len == 2 && first == 0xc2) ||
                   (len == 1 && strchr("/\\:*?\"<>|", (int) first) != NULL) ||
                   (used == 0 && (first == '.' || first == '-' || first == ' '));
        size_t size = bad ? 1 : len;
        if (used + size > STEM_MAX) {
            break;
        }
        if (bad) {
            out[used] = '_';
        } else {
            memcpy(out + used, name.ptr, size);
        }
        used += size;
        name = slice_sub(name, len == 0 ? 1 : len, name.len);
    }
    out[used] = '\0';
}

/* "" for the plain name, then "_" and 8, 16, 64 characters of the hash. */
static pgc_status suffix_make(const char *hash_hex, unsigned attempt, char out[static 66],
                              pgc_error *err)
{
    static const int LENGTHS[] = { 0, 8, 16, 64 };
    if (attempt >= ARRAY_LEN(LENGTHS)) {
        return pgc_error_set(err, PGC_LIMIT,
                             "every name for this original is taken by other files");
    }
    (void) snprintf(out, 66, "%s%.*s", attempt > 0 ? "_" : "", LENGTHS[attempt], hash_hex);
    return PGC_OK;
}

/* Layouts by date and flat keep the name that people know; the one by content spreads over three
 * levels of 256 folders. */
pgc_status place_original(lum_strategy strategy, const place_facts *facts, unsigned attempt,
                          char out[static PLACE_PATH_SIZE], pgc_error *err)
{
    char stem[STEM_MAX + 1];
    char suffix[66];
    assert(strlen(facts->hash_hex) == 64);
    TRY(suffix_make(facts->hash_hex, attempt, suffix, err));
    stem_copy(facts->name, stem);
    const char *name = stem[0] != '\0' ? stem : "file";
    const char *hex = facts->hash_hex;
    struct tm parts = { .tm_year = 70 };
    time_t seconds = (time_t) (facts->local_us / 1000000);
    switch (strategy) {
    case LUM_STRATEGY_DATE:
        (void) gmtime_r(&seconds, &parts);
        (void) snprintf(out, PLACE_PATH_SIZE, "inbox/%04d/%02d/%s%s.%s", parts.tm_year + 1900,
                        parts.tm_mon + 1, name, suffix, facts->extension);
        break;
    case LUM_STRATEGY_FLAT:
        (void) snprintf(out, PLACE_PATH_SIZE, "inbox/%s%s.%s", name, suffix, facts->extension);
        break;
    case LUM_STRATEGY_CAS:
        (void) snprintf(out, PLACE_PATH_SIZE, "inbox/%.2s/%.2s/%.2s/%s%s.%s", hex, hex + 2, hex + 4,
                        hex, attempt > 0 ? suffix : "", facts->extension);
        break;
    }
    return PGC_OK;
}

/* By content: equal pictures of two assets share their thumbnails. */
void place_thumbnail(const char *hash_hex, media_size size, char out[static PLACE_PATH_SIZE])
{
    const char *text = media_size_text(size);
    (void) snprintf(out, PLACE_PATH_SIZE, ".lumilio/assets/thumbnails/%s/%.2s/%s_%s.webp", text,
                    hash_hex, hash_hex, text);
}
