/* Growable buffer. Invariants: len < cap <= max once anything was appended, the byte at len is NUL;
 * after the first failure nothing is appended any more, so that a builder checks once at its end.
 * One thread at a time. */
#include "base/prelude.h"

#include "base/buf.h"

#define FIRST_CAP ((size_t) 64)

void buf_init(buf *b, const pgc_alloc *alloc, size_t max)
{
    assert(max > 0);
    *b = (buf) { .alloc = alloc_or_libc(alloc), .max = max };
}

/* Leaves a buffer that may be freed again: AUTO() and an early call by hand go together. */
void buf_done(buf *b)
{
    if (b->ptr != NULL) {
        mem_free(b->alloc, b->ptr, b->cap);
    }
    b->ptr = NULL;
    b->len = b->cap = 0;
}

/* The memory stays, so a loop that reuses one buffer stops allocating after its largest round. */
void buf_reset(buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->ptr != NULL) {
        b->ptr[0] = '\0';
    }
}

/* Room for extra bytes and the NUL behind them. */
static bool reserve(buf *b, size_t extra)
{
    size_t need;
    if (!size_add(b->len, extra, &need) || !size_add(need, 1, &need) || need > b->max) {
        return false;
    }
    size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
    while (cap < need) {
        cap = cap > b->max / 2 ? b->max : cap * 2;
    }
    cap = cap > b->max ? b->max : cap;
    assert(cap >= need);
    if (cap > b->cap) {
        char *ptr = (char *) mem_resize(b->alloc, b->ptr, b->cap, cap);
        if (ptr == NULL) {
            return false;
        }
        b->ptr = ptr;
        b->cap = cap;
    }
    return true;
}

/* The caller fills what it gets; until then the bytes are whatever was there. All appends come
 * through here, so the poison and the invariant are kept in one place. */
char *buf_extend(buf *b, size_t size)
{
    assert(b->max > 0);
    if (b->failed || !reserve(b, size)) {
        b->failed = true;
        return NULL;
    }
    char *start = b->ptr + b->len;
    b->len += size;
    assert(b->len < b->cap);
    b->ptr[b->len] = '\0';
    return start;
}

void buf_add(buf *b, slice text)
{
    if (text.len == 0) {
        return;
    }
    char *start = buf_extend(b, text.len);
    if (start != NULL) {
        memcpy(start, text.ptr, text.len);
    }
}

void buf_add_str(buf *b, const char *string)
{
    buf_add(b, (slice) { string, strlen(string) });
}

void buf_add_char(buf *b, char c)
{
    buf_add(b, (slice) { &c, 1 });
}

/* Formats twice, as arena_printf() does: the length first. A format that fails to format poisons
 * the buffer like missing memory, for the text would be wrong either way. */
void buf_vprintf(buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    char *start = len < 0 ? NULL : buf_extend(b, (size_t) len);
    if (start != NULL) {
        (void) vsnprintf(start, (size_t) len + 1, fmt, again);
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_printf(buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}

/* By shifts, not by copying a swapped integer: right on every machine without asking which it is.
 */
static void add_big_endian(buf *b, uint64_t value, size_t bytes)
{
    char *start = buf_extend(b, bytes);
    for (size_t i = 0; start != NULL && i < bytes; i++) {
        start[i] = (char) (unsigned char) (value >> (8 * (bytes - 1 - i)));
    }
}

void buf_add_u16(buf *b, uint16_t value)
{
    add_big_endian(b, value, sizeof value);
}

void buf_add_u32(buf *b, uint32_t value)
{
    add_big_endian(b, value, sizeof value);
}

void buf_add_u64(buf *b, uint64_t value)
{
    add_big_endian(b, value, sizeof value);
}

slice buf_view(const buf *b)
{
    return b->len == 0 ? (slice) { "", 0 } : (slice) { b->ptr, b->len };
}

/* The buffer does not remember whether memory or the ceiling ended; for a caller both mean that
 * the text does not fit. */
pgc_status buf_finish(const buf *b, pgc_error *err)
{
    if (b->failed) {
        return pgc_error_set(err, PGC_NOMEM, "text over %zu bytes or out of memory", b->max);
    }
    return PGC_OK;
}
