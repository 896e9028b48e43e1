/* Quotes names and puts them into constant SQL text: the one thing that parameters cannot carry.
 * Values never come this way. Pure functions. */
#include "base/prelude.h"

#include "base/ident.h"

/* Doubling the quotes is all that SQL asks for; no byte is special besides. */
const char *ident_quote(const char *name, arena *mem)
{
    size_t len = strlen(name);
    char *out = arena_alloc(mem, len * 2 + 3);
    size_t used = 0;
    if (out == NULL) {
        return NULL;
    }
    out[used++] = '"';
    for (size_t i = 0; i < len; i++) {
        out[used++] = name[i];
        if (name[i] == '"') {
            out[used++] = '"';
        }
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}

/* The value is not searched again: it may hold the placeholder's text. */
const char *ident_fill(const char *sql, const char *place, const char *value, arena *mem)
{
    size_t place_len = strlen(place);
    size_t value_len = strlen(value);
    size_t count = 0;
    assert(place_len > 0);
    for (const char *at = strstr(sql, place); at != NULL; at = strstr(at + place_len, place)) {
        count++;
    }
    char *out = arena_alloc(mem, strlen(sql) + count * value_len + 1);
    if (out == NULL) {
        return NULL;
    }
    char *end = out;
    for (const char *at = strstr(sql, place); at != NULL; at = strstr(sql, place)) {
        size_t before = (size_t) (at - sql);
        memcpy(end, sql, before);
        memcpy(end + before, value, value_len);
        end += before + value_len;
        sql = at + place_len;
    }
    memcpy(end, sql, strlen(sql) + 1);
    return out;
}
