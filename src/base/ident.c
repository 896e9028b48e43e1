/* Quotes names and puts them into constant SQL text: the one thing that parameters cannot carry.
 * Values never come this way. Pure functions. */
#include "base/prelude.h"

#include "base/ident.h"

/* Capitals fold on the server, so they need quotes. */
bool ident_is_plain(const char *name)
{
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return plain > 0 && name[plain] == '\0' && (name[0] < '0' || name[0] > '9');
}

static size_t quoted_size(const char *name)
{
    size_t size = 2;
    for (const char *c = name; *c != '\0'; c++) {
        size += *c == '"' ? 2 : 1;
    }
    return size;
}

/* Doubling the quotes is all that SQL asks for; no byte is special besides. Fills quoted_size()
 * bytes. */
static void quote(const char *name, char *out)
{
    *out++ = '"';
    for (const char *c = name; *c != '\0'; c++) {
        *out++ = *c;
        if (*c == '"') {
            *out++ = '"';
        }
    }
    *out = '"';
}

void ident_add_quoted(buf *b, const char *name)
{
    char *room = buf_extend(b, quoted_size(name));
    if (room != NULL) {
        quote(name, room);
    }
}

void ident_add(buf *b, const char *name)
{
    if (ident_is_plain(name)) {
        buf_add_str(b, name);
    } else {
        ident_add_quoted(b, name);
    }
}

const char *ident_quote(const char *name, arena *mem)
{
    size_t size = quoted_size(name);
    char *out = arena_alloc(mem, size + 1);
    if (out == NULL) {
        return NULL;
    }
    quote(name, out);
    out[size] = '\0';
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
