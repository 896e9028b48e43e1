/* The server's text forms, parsed: for results that came as text. They take what the server prints
 * with DateStyle ISO and any IntervalStyle but sql_standard; no blanks around. Pure functions; the
 * locale plays no role; outputs are written on success only. */
#ifndef PGC_TYPES_PARSE_H
#define PGC_TYPES_PARSE_H

#include <pgc/query.h>

#define X(name, type) bool parse_##name(pgc_text text, type *out);
PGC_OPT_MAP(X)
#undef X

/* numeric with room for `capacity` base-10000 digits at `digits`. */
bool parse_numeric(pgc_text text, uint16_t *digits, size_t capacity, pgc_numeric *out);

/* What is left of a text. */
typedef struct scan {
    const char *pos, *end;
} scan;

static inline scan scan_of(pgc_text text)
{
    return (scan) { text.ptr, text.ptr + text.len };
}

/* '\0' at the end. */
static inline char scan_peek(const scan *s)
{
    return s->pos < s->end ? *s->pos : '\0';
}

static inline bool scan_done(const scan *s)
{
    return s->pos == s->end;
}

/* Step over c if it comes next. */
static inline bool scan_char(scan *s, char c)
{
    if (s->pos == s->end || *s->pos != c) {
        return false;
    }
    s->pos++;
    return true;
}

/* Step over `word` if it comes next. */
bool scan_word(scan *s, const char *word);
/* Decimal digits, at most `most` of them and at least one; false on overflow. */
bool scan_u64(scan *s, size_t most, uint64_t *out);
/* One float8 as the server prints it, infinities and NaN too. */
bool scan_f64(scan *s, double *out);
/* The same as float4, rounded once. */
bool scan_f32(scan *s, float *out);
/* "(x,y)" */
bool scan_point(scan *s, pgc_point *out);
/* Value of a hexadecimal digit, 16 for other characters. */
unsigned scan_hex(char c);

#endif
