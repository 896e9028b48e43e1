/* Decoding texts, bytes, numerics, bit strings, addresses, paths. Text and bytes are lent from the
 * cell; what must be turned into host order goes into the result's memory. Every count is checked
 * against the cell before it becomes memory. One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

#include "pgc/numeric.h"
#include "pgc/types_parse.h"

bool value_text(const value_at *at, cell c, void *out)
{
    (void) at;
    const pgc_text text = value_text_of(c);
    memcpy(out, &text, sizeof text);
    return true;
}

bool value_json(const value_at *at, cell c, void *out)
{
    return value_text(at, c, out);
}

/* In binary a version byte comes first; version 1 is the only one there ever was. */
bool value_jsonb(const value_at *at, cell c, void *out)
{
    pgc_text text = value_text_of(c);
    if (!value_is_text(at)) {
        if (text.len == 0 || text.ptr[0] != 1) {
            return value_fail(at, "has an unknown version of its binary form");
        }
        text = (pgc_text) { text.ptr + 1, text.len - 1 };
    }
    memcpy(out, &text, sizeof text);
    return true;
}

/* "\x00ff", or with bytea_output = escape: \\ for a backslash, \ooo for a byte. */
static bool unescape_bytes(pgc_text text, uint8_t *to, size_t *len_out)
{
    size_t len = 0;
    if (text.len >= 2 && text.ptr[0] == '\\' && text.ptr[1] == 'x') {
        for (size_t i = 2; i < text.len; i += 2) {
            unsigned high = scan_hex(text.ptr[i]);
            unsigned low = i + 1 < text.len ? scan_hex(text.ptr[i + 1]) : 16;
            if (high > 15 || low > 15) {
                return false;
            }
            to[len++] = (uint8_t) (high << 4 | low);
        }
        *len_out = len;
        return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\\') {
            to[len++] = (uint8_t) text.ptr[i];
        } else if (i + 1 < text.len && text.ptr[i + 1] == '\\') {
            to[len++] = '\\';
            i++;
        } else {
            char byte;
            if (text.len - i < 4 || !parse_char((pgc_text) { text.ptr + i, 4 }, &byte)) {
                return false;
            }
            to[len++] = (uint8_t) byte;
            i += 3;
        }
    }
    *len_out = len;
    return true;
}

bool value_bytes(const value_at *at, cell c, void *out)
{
    pgc_bytes value = { c.ptr, c.len };
    if (value_is_text(at)) {
        uint8_t *bytes = value_alloc(at, c.len, 1);
        if (bytes == NULL) {
            return false;
        }
        if (!unescape_bytes(value_text_of(c), bytes, &value.len)) {
            return value_bad_text(at);
        }
        value.ptr = bytes;
    }
    memcpy(out, &value, sizeof value);
    return true;
}

#define NUMERIC_HEADER 8 /* bytes: digit count, weight, sign, dscale */

static bool numeric_from_text(const value_at *at, cell c, pgc_numeric *out)
{
    /* Groups of four digits, aligned at the point: at most one more on either side of it. */
    size_t capacity = c.len / 4 + 3;
    uint16_t *digits = value_alloc(at, capacity, sizeof *digits);
    if (digits == NULL) {
        return false;
    }
    return parse_numeric(value_text_of(c), digits, capacity, out) || value_bad_text(at);
}

bool value_numeric(const value_at *at, cell c, void *out)
{
    if (value_is_text(at)) {
        return numeric_from_text(at, c, out);
    }
    if (c.len < NUMERIC_HEADER || c.len != NUMERIC_HEADER + (size_t) wire_u16(c.ptr) * 2) {
        return value_fail(at, "has the wrong length for its digits");
    }
    pgc_numeric value = {
        .present = true,
        .digit_count = wire_u16(c.ptr),
        .weight = (int16_t) wire_u16(c.ptr + 2),
        .sign = wire_u16(c.ptr + 4),
        .dscale = wire_u16(c.ptr + 6),
    };
    if (value.digit_count > 0) {
        uint16_t *digits = value_alloc(at, value.digit_count, sizeof *digits);
        if (digits == NULL) {
            return false;
        }
        wire_swap_u16(digits, c.ptr + NUMERIC_HEADER, value.digit_count);
        value.digits = digits;
    }
    if (!numeric_is_valid(&value)) {
        return value_fail(at, "has a sign, scale or digit out of range");
    }
    if (value.sign != PGC_NUMERIC_POS && value.sign != PGC_NUMERIC_NEG) {
        value.weight = 0;
        value.dscale = 0; /* the server sends 32 with infinities; it means nothing */
    }
    memcpy(out, &value, sizeof value);
    return true;
}

/* "10110"; each character a bit. */
static bool bits_from_text(const value_at *at, cell c, pgc_bits *out)
{
    uint8_t *bytes = value_alloc(at, c.len / 8 + 1, 1);
    if (bytes == NULL) {
        return false;
    }
    memset(bytes, 0, c.len / 8 + 1);
    for (size_t i = 0; i < c.len; i++) {
        if (c.ptr[i] != '0' && c.ptr[i] != '1') {
            return value_bad_text(at);
        }
        bytes[i / 8] = (uint8_t) (bytes[i / 8] | (c.ptr[i] & 1) << (7 - i % 8));
    }
    *out = (pgc_bits) { bytes, (uint32_t) c.len };
    return true;
}

/* Bits behind the last one must be zero: two equal values have equal bytes. */
bool value_bits(const value_at *at, cell c, void *out)
{
    if (value_is_text(at)) {
        return bits_from_text(at, c, out);
    }
    if (c.len < 4 || wire_u32(c.ptr) > INT32_MAX ||
        c.len != 4 + ((size_t) wire_u32(c.ptr) + 7) / 8) {
        return value_fail(at, "has the wrong length for its bits");
    }
    const pgc_bits value = { c.ptr + 4, wire_u32(c.ptr) };
    if (value.count % 8 != 0 && (c.ptr[c.len - 1] & (0xFFu >> value.count % 8)) != 0) {
        return value_fail(at, "has bits behind the last one");
    }
    memcpy(out, &value, sizeof value);
    return true;
}

#define INET_HEADER 4 /* bytes: family, bits, is cidr, length of the address */

/* The server's numbers of the families; those of operating systems differ from each other. */
bool value_inet(const value_at *at, cell c, void *out)
{
    pgc_inet value = { .family = 0 };
    if (value_is_text(at)) {
        if (!parse_inet(value_text_of(c), &value)) {
            return value_bad_text(at);
        }
        memcpy(out, &value, sizeof value);
        return true;
    }
    if (c.len < INET_HEADER || (c.ptr[0] != WIRE_INET4 && c.ptr[0] != WIRE_INET6)) {
        return value_fail(at, "has an unknown address family");
    }
    value.family = c.ptr[0] == WIRE_INET4 ? 4 : 6;
    size_t size = value.family == 4 ? 4 : 16;
    if (c.len != INET_HEADER + size || c.ptr[3] != size || c.ptr[1] > size * 8) {
        return value_fail(at, "has the wrong length for its address family");
    }
    value.bits = c.ptr[1];
    memcpy(value.addr, c.ptr + INET_HEADER, size);
    memcpy(out, &value, sizeof value);
    return true;
}

/* Points of a path or polygon in text: "(0,0),(1,1)" up to `end`, which is taken too. */
static bool points_from_text(const value_at *at, scan *s, char end, pgc_polygon *out)
{
    /* A point has at least five characters, and a comma lies between two. */
    size_t room = (size_t) (s->end - s->pos) / 6 + 1;
    pgc_point *points = value_alloc(at, room, sizeof *points);
    if (points == NULL) {
        return false;
    }
    size_t count = 0;
    do {
        if (count == room || !scan_point(s, &points[count])) {
            return value_bad_text(at);
        }
        count++;
    } while (scan_char(s, ','));
    if (!scan_char(s, end) || !scan_done(s)) {
        return value_bad_text(at);
    }
    *out = (pgc_polygon) { (uint32_t) count, points };
    return true;
}

/* A count and as many points, which are all there is. */
static bool points_from_binary(const value_at *at, cell c, pgc_polygon *out)
{
    if (c.len < 4 || c.len - 4 != (size_t) wire_u32(c.ptr) * sizeof(pgc_point)) {
        return value_fail(at, "has the wrong length for its points");
    }
    uint32_t count = wire_u32(c.ptr);
    pgc_point *points = value_alloc(at, count, sizeof *points);
    if (points == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        points[i] = pgc_load_point(c.ptr + 4 + i * sizeof(pgc_point));
    }
    *out = (pgc_polygon) { count, points };
    return true;
}

bool value_polygon(const value_at *at, cell c, void *out)
{
    pgc_polygon value;
    scan s = scan_of(value_text_of(c));
    if (value_is_text(at) ? !scan_char(&s, '(') : false) {
        return value_bad_text(at);
    }
    if (value_is_text(at) ? !points_from_text(at, &s, ')', &value)
                          : !points_from_binary(at, c, &value)) {
        return false;
    }
    memcpy(out, &value, sizeof value);
    return true;
}

/* Closed paths stand in parentheses, open ones in brackets. */
bool value_path(const value_at *at, cell c, void *out)
{
    bool closed = false;
    pgc_polygon line;
    if (value_is_text(at)) {
        scan s = scan_of(value_text_of(c));
        closed = scan_char(&s, '(');
        if (!closed && !scan_char(&s, '[')) {
            return value_bad_text(at);
        }
        if (!points_from_text(at, &s, closed ? ')' : ']', &line)) {
            return false;
        }
    } else {
        if (c.len < 1 || c.ptr[0] > 1) {
            return value_fail(at, "has an unknown flag of paths");
        }
        closed = c.ptr[0] == 1;
        if (!points_from_binary(at, (cell) { c.ptr + 1, c.len - 1 }, &line)) {
            return false;
        }
    }
    const pgc_path value = { closed, line.count, line.points };
    memcpy(out, &value, sizeof value);
    return true;
}

/* The readers of these types: the value itself says whether it is NULL. */
#define READERS(name, type)                                  \
    VALUE_READER(type, pgc_read_##name, value_##name, false) \
    VALUE_READER(type, pgc_read_opt_##name, value_##name, true)
READERS(jsonb, pgc_text)
READERS(bytes, pgc_bytes)
READERS(numeric, pgc_numeric)
READERS(bits, pgc_bits)
READERS(path, pgc_path)
READERS(polygon, pgc_polygon)
READERS(vector, pgc_vector)
READERS(halfvec, pgc_halfvec)
READERS(sparsevec, pgc_sparsevec)
READERS(tsvector, pgc_tsvector)
READERS(tsquery, pgc_tsquery)
READERS(hstore, pgc_hstore)
