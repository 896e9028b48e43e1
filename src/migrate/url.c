/* The search_path parameter of a database URL. Atlas puts the schema that a project owns there;
 * libpq knows no such parameter. Pure functions. */
#include "base/prelude.h"

#include "migrate/session.h"

/* Value of a hexadecimal digit, -1 for anything else. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo percent escapes; NULL when memory is exhausted. */
static const char *unescape(slice text, arena *mem)
{
    char *out = arena_copy(mem, text);
    size_t used = 0;
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            out[used++] = (char) (high * 16 + low);
            i += 2;
        } else {
            out[used++] = text.ptr[i];
        }
    }
    if (out != NULL) {
        out[used] = '\0';
    }
    return out;
}

/* Only URLs have parameters; a keyword string is passed on as it is. An empty value counts as none.
 */
pgc_status migrate_url_cut(const char *url, arena *mem, const char **rest, const char **path,
                           pgc_error *err)
{
    assert(url != NULL);
    slice text = pgc_text_from(url);
    size_t query = slice_find(text, '?', 0);
    *path = NULL;
    *rest = url;
    if (query == SIZE_MAX || (!slice_starts(text, SLICE("postgres://")) &&
                              !slice_starts(text, SLICE("postgresql://")))) {
        return PGC_OK;
    }
    char *kept = arena_alloc(mem, text.len + 1);
    if (kept == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read database URL");
    }
    memcpy(kept, text.ptr, query);
    size_t used = query;
    for (slice params = slice_sub(text, query + 1, text.len); params.ptr != NULL;) {
        slice param = slice_next(&params, '&');
        slice key = SLICE("search_path=");
        if (slice_starts(param, key)) {
            *path = unescape(slice_sub(param, key.len, param.len), mem);
            if (*path == NULL) {
                return pgc_error_set(err, PGC_NOMEM, "read database URL");
            }
        } else if (param.len > 0) {
            kept[used] = used == query ? '?' : '&';
            used++;
            memcpy(kept + used, param.ptr, param.len);
            used += param.len;
        }
    }
    kept[used] = '\0';
    *path = *path != NULL && (*path)[0] == '\0' ? NULL : *path;
    *rest = kept;
    return PGC_OK;
}
