/* The text forms of arrays, composites, ranges and multiranges, taken apart. Parts are unescaped
 * into one block, which has room for all of them and their NULs: a part is never longer than its
 * text. One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

#include "pgc/types_parse.h"

/* Where taking apart stands. */
typedef struct splitter {
    const value_at *at;
    scan s;
    char *to;    /* the next part's bytes */
    size_t room; /* parts that fit */
    value_parts parts;
} splitter;

/* Room for as many parts as there are separators, and one. */
static bool splitter_init(splitter *p, const value_at *at, cell c, char separator)
{
    *p = (splitter) { .at = at, .s = scan_of(value_text_of(c)), .room = 1 };
    for (size_t i = 0; i < c.len; i++) {
        p->room += c.ptr[i] == (uint8_t) separator ? 1 : 0;
    }
    p->to = value_alloc(at, c.len + p->room, 1);
    p->parts.cells = p->to == NULL ? NULL : value_alloc(at, p->room, sizeof *p->parts.cells);
    return p->parts.cells != NULL;
}

/* The bytes from start to p->to become a part; NULL start: a NULL. */
static bool add_part(splitter *p, const char *start)
{
    if (p->parts.count == p->room) {
        return false;
    }
    pgc_cell *part = &p->parts.cells[p->parts.count++];
    *part = (pgc_cell) { -1, NULL };
    if (start != NULL) {
        *part = (pgc_cell) { (int) (p->to - start), (const uint8_t *) start };
        *p->to++ = '\0';
    }
    return true;
}

/* Copies up to an unquoted character of `ends`; a quote within quotes is doubled or has a backslash
 * in front. *quoted_out: there were quotes. */
static bool copy_part(splitter *p, const char *ends, bool *quoted_out)
{
    bool inside = false;
    *quoted_out = false;
    for (; !scan_done(&p->s); p->s.pos++) {
        char c = *p->s.pos;
        if (!inside && strchr(ends, c) != NULL && c != '\0') {
            return true;
        }
        if (c == '"') {
            bool doubled = inside && p->s.end - p->s.pos > 1 && p->s.pos[1] == '"';
            if (!doubled) {
                inside = !inside;
                *quoted_out = true;
                continue;
            }
            p->s.pos++;
        } else if (c == '\\') {
            if (p->s.end - p->s.pos < 2) {
                return false;
            }
            c = *++p->s.pos;
        }
        *p->to++ = c;
    }
    return false; /* each form has an end of its own */
}

/* "[2:3][-1:1]=" in front of an array whose lower bounds are not all 1. */
static bool scan_bounds(scan *s, pgc_dim dims[PGC_DIMS_MAX], uint32_t *ndim_out)
{
    uint32_t ndim = 0;
    while (scan_char(s, '[')) {
        int64_t bounds[2] = { 0, 0 };
        for (int i = 0; i < 2; i++) {
            bool negative = scan_char(s, '-');
            uint64_t value;
            if (!scan_u64(s, 10, &value) || !scan_char(s, i == 0 ? ':' : ']')) {
                return false;
            }
            bounds[i] = negative ? -(int64_t) value : (int64_t) value;
        }
        int64_t count = bounds[1] - bounds[0] + 1;
        if (ndim == PGC_DIMS_MAX || bounds[0] < INT32_MIN || bounds[1] > INT32_MAX || count < 1 ||
            count > INT32_MAX) {
            return false;
        }
        dims[ndim++] = (pgc_dim) { (int32_t) count, (int32_t) bounds[0] };
    }
    *ndim_out = ndim;
    return ndim == 0 || scan_char(s, '=');
}

/* What is known of the dimensions while braces are read. */
typedef struct braces {
    int64_t counts[PGC_DIMS_MAX]; /* -1: not known yet */
    uint32_t ndim;                /* 0: not known yet */
    char delimiter;
} braces;

/* One element that is no brace. */
static bool split_element(splitter *p, const braces *b)
{
    const char ends[] = { b->delimiter, '}', '\0' };
    const char *start = p->to;
    bool quoted;
    if (!copy_part(p, ends, &quoted)) {
        return false;
    }
    bool null = !quoted && p->to - start == 4 && memcmp(start, "NULL", 4) == 0;
    if (null) {
        p->to -= 4;
    }
    return (quoted || p->to > start || null) && add_part(p, null ? NULL : start);
}

/* From '{' to its '}'; depth counts from 0. Recursion ends at PGC_DIMS_MAX. */
static bool split_braces(splitter *p, braces *b, uint32_t depth)
{
    int64_t count = 0;
    if (depth == PGC_DIMS_MAX || !scan_char(&p->s, '{')) {
        return false;
    }
    if (depth == 0 && scan_char(&p->s, '}')) {
        return true;
    }
    do {
        bool deeper = scan_peek(&p->s) == '{';
        if (!deeper && b->ndim == 0) {
            b->ndim = depth + 1;
        }
        /* Elements stand on the innermost level only. */
        if (b->ndim != 0 && (b->ndim == depth + 1) == deeper) {
            return false;
        }
        if (deeper ? !split_braces(p, b, depth + 1) : !split_element(p, b)) {
            return false;
        }
        count++;
    } while (scan_char(&p->s, b->delimiter));
    if (b->counts[depth] != -1 && b->counts[depth] != count) {
        return false;
    }
    b->counts[depth] = count;
    return scan_char(&p->s, '}');
}

/* True when readers must be told the dimensions. */
static bool dims_are_special(const pgc_dim *dims, uint32_t ndim)
{
    return ndim > 1 || (ndim == 1 && dims[0].lower != 1);
}

/* Bounds must say what the braces show. */
static bool split_dims(splitter *p, const braces *b, pgc_dim *dims, uint32_t ndim)
{
    if (p->parts.count == 0) {
        return ndim == 0;
    }
    if (ndim != 0 && ndim != b->ndim) {
        return false;
    }
    for (uint32_t i = 0; i < b->ndim; i++) {
        if (ndim != 0 && dims[i].count != b->counts[i]) {
            return false;
        }
        dims[i] = (pgc_dim) { (int32_t) b->counts[i], ndim == 0 ? 1 : dims[i].lower };
    }
    p->parts.ndim = b->ndim;
    return true;
}

bool value_split_array(const value_at *at, cell c, char delimiter, value_parts *out)
{
    splitter p;
    pgc_dim dims[PGC_DIMS_MAX];
    uint32_t ndim = 0;
    braces b = { .counts = { -1, -1, -1, -1, -1, -1 }, .delimiter = delimiter };
    if (!splitter_init(&p, at, c, delimiter)) {
        return false;
    }
    if (!scan_bounds(&p.s, dims, &ndim) || !split_braces(&p, &b, 0) || !scan_done(&p.s) ||
        !split_dims(&p, &b, dims, ndim)) {
        return value_bad_text(at);
    }
    if (dims_are_special(dims, p.parts.ndim)) {
        pgc_dim *kept = value_alloc(at, p.parts.ndim, sizeof *kept);
        if (kept == NULL) {
            return false;
        }
        memcpy(kept, dims, p.parts.ndim * sizeof *kept);
        p.parts.dims = kept;
    }
    *out = p.parts;
    return true;
}

/* "(1,,"a b")": nothing at all between two commas is NULL. A composite without fields is "()". */
bool value_split_record(const value_at *at, cell c, value_parts *out)
{
    splitter p;
    if (!splitter_init(&p, at, c, ',')) {
        return false;
    }
    bool ok = scan_char(&p.s, '(');
    bool more = ok && !(c.len == 2 && scan_char(&p.s, ')'));
    while (ok && more) {
        const char *start = p.to;
        bool quoted;
        ok = copy_part(&p, ",)", &quoted) && add_part(&p, quoted || p.to > start ? start : NULL);
        more = ok && scan_char(&p.s, ',');
        ok = ok && (more || scan_char(&p.s, ')'));
    }
    if (!ok || !scan_done(&p.s)) {
        return value_bad_text(at);
    }
    *out = p.parts;
    return true;
}

/* "[1,5)", "(,5]", "empty". */
bool value_split_range(const value_at *at, cell c, value_parts *out, uint8_t *flags_out)
{
    splitter p;
    unsigned flags = 0;
    if (!splitter_init(&p, at, c, ',')) {
        return false;
    }
    if (scan_word(&p.s, "empty") && scan_done(&p.s)) {
        pgc_cell *none = value_alloc(at, 2, sizeof *none);
        if (none == NULL) {
            return false;
        }
        none[0] = none[1] = (pgc_cell) { -1, NULL };
        *out = (value_parts) { .count = 2, .cells = none };
        *flags_out = PGC_RANGE_EMPTY;
        return true;
    }
    bool inclusive = scan_char(&p.s, '[');
    bool ok = inclusive || scan_char(&p.s, '(');
    flags |= inclusive ? PGC_RANGE_LOWER_INC : 0;
    for (int i = 0; ok && i < 2; i++) {
        const char *start = p.to;
        bool quoted;
        ok = copy_part(&p, i == 0 ? "," : ")]", &quoted) &&
             add_part(&p, quoted || p.to > start ? start : NULL) &&
             (i == 1 || scan_char(&p.s, ','));
    }
    inclusive = ok && scan_char(&p.s, ']');
    if (!ok || (!inclusive && !scan_char(&p.s, ')')) || !scan_done(&p.s)) {
        return value_bad_text(at);
    }
    flags |= inclusive ? PGC_RANGE_UPPER_INC : 0;
    flags |= p.parts.cells[0].len < 0 ? PGC_RANGE_LOWER_INF : 0;
    flags |= p.parts.cells[1].len < 0 ? PGC_RANGE_UPPER_INF : 0;
    *out = p.parts;
    *flags_out = (uint8_t) flags;
    return true;
}

/* Up to the unquoted end of a range, which is lent as it stands. */
static bool take_range_text(splitter *p)
{
    const char *start = p->s.pos;
    bool inside = false;
    for (; !scan_done(&p->s); p->s.pos++) {
        char c = *p->s.pos;
        if (c == '"') {
            inside = !inside;
        } else if (c == '\\' && p->s.end - p->s.pos > 1) {
            p->s.pos++;
        } else if (!inside && (c == ')' || c == ']')) {
            p->s.pos++;
            memcpy(p->to, start, (size_t) (p->s.pos - start));
            const char *copy = p->to;
            p->to += p->s.pos - start;
            return add_part(p, copy);
        }
    }
    return false;
}

/* "{[1,3),[5,7)}" */
bool value_split_multirange(const value_at *at, cell c, value_parts *out)
{
    splitter p;
    if (!splitter_init(&p, at, c, ',')) {
        return false;
    }
    bool ok = scan_char(&p.s, '{');
    bool more = ok && scan_peek(&p.s) != '}';
    while (ok && more) {
        ok = take_range_text(&p);
        more = ok && scan_char(&p.s, ',');
    }
    if (!ok || !scan_char(&p.s, '}') || !scan_done(&p.s)) {
        return value_bad_text(at);
    }
    *out = p.parts;
    return true;
}
