/* Growable byte buffer with a ceiling; poisoned by the first failure, checked once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <pgc/error.h>

#include "base/alloc.h"
#include "base/slice.h"

typedef struct buf {
    const pgc_alloc *alloc;
    char *ptr;   /* NUL-terminated once anything was appended */
    size_t len;  /* bytes used, NUL not counted */
    size_t cap;  /* bytes allocated */
    size_t max;  /* ceiling for cap, > 0 */
    bool failed; /* set by the first failure; later appends do nothing */
} buf;

/* alloc NULL means libc. */
void buf_init(buf *b, const pgc_alloc *alloc, size_t max);
void buf_done(buf *b);
/* Empty, keep memory, forget a failure. */
void buf_reset(buf *b);

void buf_add(buf *b, slice text);
void buf_add_str(buf *b, const char *string);
void buf_add_char(buf *b, char c);
void buf_printf(buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
/* Room for `size` more bytes at the end, to be filled by the caller; NULL on failure. */
char *buf_extend(buf *b, size_t size);
/* Network byte order. */
void buf_add_u16(buf *b, uint16_t value);
void buf_add_u32(buf *b, uint32_t value);
void buf_add_u64(buf *b, uint64_t value);

/* What was appended; borrowed, {"", 0} when nothing was. */
slice buf_view(const buf *b);
/* The one check of a builder: PGC_NOMEM when any append failed. */
pgc_status buf_finish(const buf *b, pgc_error *err) PGC_MUST_CHECK;

static inline void buf_auto(buf *b)
{
    buf_done(b);
}

#endif
