/*
 * A scanner that finds where values end, and writers on top of it. It never builds a tree: keys
 * need the raw spelling of numbers and the order of members, which JSON libraries forget. Threads:
 * no shared state.
 */
#include "base/prelude.h"

#include "river/json.h"

#include <string.h>

typedef struct scan {
    slice text;
    size_t at;
    size_t depth;
    const char *wrong; /* what is wrong at `at`; NULL: nothing so far */
} scan;

static bool fail(scan *s, const char *wrong)
{
    s->wrong = wrong;
    return false;
}

static int peek(const scan *s)
{
    return s->at < s->text.len ? (unsigned char) s->text.ptr[s->at] : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(scan *s)
{
    while (is_blank(peek(s))) {
        s->at++;
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(int c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Four hex digits at `at`; -1 when there are none. */
static int32_t hex4(slice text, size_t at)
{
    int32_t value = 0;
    if (at + 4 > text.len) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_value((unsigned char) text.ptr[at + i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static bool scan_escape(scan *s)
{
    s->at++; /* the backslash */
    int c = peek(s);
    if (c == 'u') {
        int32_t code = hex4(s->text, s->at + 1);
        if (code < 0) {
            return fail(s, "\\u needs four hexadecimal digits");
        }
        if (code == 0) {
            return fail(s, "a NUL character, which jsonb cannot hold");
        }
        s->at += 5;
        return true;
    }
    if (c <= 0 || strchr("\"\\/bfnrt", c) == NULL) {
        return fail(s, "an unknown escape");
    }
    s->at++;
    return true;
}

static bool scan_string(scan *s)
{
    s->at++; /* the quote */
    for (;;) {
        int c = peek(s);
        if (c < 0) {
            return fail(s, "a string without end");
        }
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return fail(s, "a control character in a string");
        }
        if (c == '\\') {
            if (!scan_escape(s)) {
                return false;
            }
            continue;
        }
        size_t length = slice_char_length(slice_sub(s->text, s->at, s->text.len));
        if (length == 0) {
            return fail(s, "bytes that are not UTF-8");
        }
        s->at += length;
    }
}

static bool scan_digits(scan *s)
{
    if (!is_digit(peek(s))) {
        return fail(s, "a digit is missing");
    }
    while (is_digit(peek(s))) {
        s->at++;
    }
    return true;
}

static bool scan_number(scan *s)
{
    if (peek(s) == '-') {
        s->at++;
    }
    if (peek(s) == '0') {
        s->at++;
    } else if (!scan_digits(s)) {
        return false;
    }
    if (peek(s) == '.') {
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-') {
            s->at++;
        }
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(scan *s, slice word)
{
    if (!slice_starts(slice_sub(s->text, s->at, s->text.len), word)) {
        return fail(s, "no JSON value");
    }
    s->at += word.len;
    return true;
}

static bool scan_value(scan *s);

/* "key" : */
static bool scan_key(scan *s)
{
    skip_blanks(s);
    if (peek(s) != '"') {
        return fail(s, "a key in quotes is missing");
    }
    if (!scan_string(s)) {
        return false;
    }
    skip_blanks(s);
    if (peek(s) != ':') {
        return fail(s, "a colon is missing");
    }
    s->at++;
    return true;
}

/* An array or an object: entries with commas between. */
static bool scan_entries(scan *s, char close)
{
    s->at++; /* the bracket */
    if (++s->depth > JSON_DEPTH_MAX) {
        return fail(s, "nested too deep");
    }
    skip_blanks(s);
    if (peek(s) == close) {
        s->at++;
        s->depth--;
        return true;
    }
    for (;;) {
        if (close == '}' && !scan_key(s)) {
            return false;
        }
        if (!scan_value(s)) {
            return false;
        }
        skip_blanks(s);
        int c = peek(s);
        if (c != ',' && c != close) {
            return fail(s, "a comma or a closing bracket is missing");
        }
        s->at++;
        if (c == close) {
            s->depth--;
            return true;
        }
    }
}

static bool scan_value(scan *s)
{
    skip_blanks(s);
    switch (peek(s)) {
    case '{':
        return scan_entries(s, '}');
    case '[':
        return scan_entries(s, ']');
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, SLICE("true"));
    case 'f':
        return scan_word(s, SLICE("false"));
    case 'n':
        return scan_word(s, SLICE("null"));
    case -1:
        return fail(s, "a value is missing");
    default:
        return scan_number(s);
    }
}

pgc_status json_check(slice text, pgc_error *err)
{
    scan s = { .text = text };
    if (scan_value(&s)) {
        skip_blanks(&s);
        if (s.at < text.len) {
            (void) fail(&s, "more text behind the value");
        }
    }
    if (s.wrong == NULL) {
        return PGC_OK;
    }
    return pgc_error_set(err, PGC_INVALID, "not JSON at byte %zu: %s", s.at, s.wrong);
}

pgc_status json_check_object(slice text, pgc_error *err)
{
    TRY(json_check(text, err));
    if (!json_is(text, '{')) {
        return pgc_error_set(err, PGC_INVALID, "JSON, but no object");
    }
    return PGC_OK;
}

bool json_is(slice value, char first)
{
    slice text = slice_trim(value);
    return text.len > 0 && text.ptr[0] == first;
}

/* One character by its code point, in Go's spelling. */
static void add_char_go(buf *out, uint32_t code, slice raw)
{
    static const struct {
        uint32_t code;
        const char *text;
    } short_escapes[] = {
        { '"', "\\\"" }, { '\\', "\\\\" }, { '\b', "\\b" }, { '\f', "\\f" },
        { '\n', "\\n" }, { '\r', "\\r" },  { '\t', "\\t" },
    };
    for (size_t i = 0; i < sizeof(short_escapes) / sizeof(short_escapes[0]); i++) {
        if (short_escapes[i].code == code) {
            buf_add_str(out, short_escapes[i].text);
            return;
        }
    }
    bool html = code == '<' || code == '>' || code == '&';
    if (code < 0x20 || html || code == 0x2028 || code == 0x2029) {
        buf_printf(out, "\\u%04x", code);
    } else {
        buf_add(out, raw);
    }
}

/* Bytes of a code point as UTF-8. */
static slice encode(uint32_t code, char bytes[static 4])
{
    size_t count;
    if (code < 0x80) {
        bytes[0] = (char) code;
        return (slice) { bytes, 1 };
    }
    if (code < 0x800) {
        bytes[0] = (char) (0xc0 | code >> 6);
        count = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char) (0xe0 | code >> 12);
        count = 3;
    } else {
        bytes[0] = (char) (0xf0 | code >> 18);
        count = 4;
    }
    for (size_t i = 1; i < count; i++) {
        bytes[i] = (char) (0x80 | (code >> (6 * (count - 1 - i)) & 0x3f));
    }
    return (slice) { bytes, count };
}

static uint32_t decode(slice raw)
{
    static const unsigned char lead_masks[] = { 0x7f, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t code = (unsigned char) raw.ptr[0] & lead_masks[raw.len];
    for (size_t i = 1; i < raw.len; i++) {
        code = code << 6 | ((unsigned char) raw.ptr[i] & 0x3f);
    }
    return code;
}

/* A \u escape at `at` (behind the u), with the second half of a pair; *at moves behind it. A lone
 * half is U+FFFD, as Go decodes it. */
static uint32_t decode_u(slice text, size_t *at)
{
    uint32_t code = (uint32_t) hex4(text, *at);
    *at += 4;
    if (code < 0xd800 || code > 0xdfff) {
        return code;
    }
    slice next = slice_sub(text, *at, *at + 2);
    if (code < 0xdc00 && slice_eq(next, SLICE("\\u"))) {
        int32_t low = hex4(text, *at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((code - 0xd800) << 10) + ((uint32_t) low - 0xdc00);
        }
    }
    return 0xfffd;
}

/* Next character of a checked string, escapes resolved; *at moves behind it. */
static uint32_t next_char(slice text, size_t *at)
{
    if (text.ptr[*at] != '\\') {
        size_t length = slice_char_length(slice_sub(text, *at, text.len));
        uint32_t code = decode(slice_sub(text, *at, *at + length));
        *at += length;
        return code;
    }
    char kind = text.ptr[*at + 1];
    *at += 2;
    switch (kind) {
    case 'u':
        return decode_u(text, at);
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return (unsigned char) kind;
    }
}

/* Without its quotes. */
static slice inside(slice string)
{
    return slice_sub(string, 1, string.len - 1);
}

static void add_string_go(buf *out, slice string)
{
    slice text = inside(string);
    buf_add_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        uint32_t code = next_char(text, &at);
        add_char_go(out, code, encode(code, bytes));
    }
    buf_add_char(out, '"');
}

void json_add_go(buf *out, slice text)
{
    scan s = { .text = text };
    while (s.at < text.len) {
        size_t from = s.at;
        if (peek(&s) == '"') {
            bool whole = scan_string(&s);
            if (whole) {
                add_string_go(out, slice_sub(text, from, s.at));
            } else {
                s.at = text.len;
            }
            continue;
        }
        if (!is_blank(peek(&s))) {
            buf_add_char(out, text.ptr[from]);
        }
        s.at++;
    }
}

size_t json_decode(slice string, char *bytes)
{
    slice text = inside(string);
    size_t count = 0;
    for (size_t at = 0; at < text.len;) {
        char piece[4];
        slice encoded = encode(next_char(text, &at), piece);
        memcpy(bytes + count, encoded.ptr, encoded.len);
        count += encoded.len;
    }
    assert(count <= text.len);
    return count;
}

void json_add_text(buf *out, slice text)
{
    buf_add_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t length = slice_char_length(slice_sub(text, at, text.len));
        if (text.ptr[at] == '\0') {
            at++;
            continue;
        }
        slice raw = length == 0 ? SLICE("\xef\xbf\xbd") : slice_sub(text, at, at + length);
        add_char_go(out, decode(raw), raw);
        at += length == 0 ? 1 : length;
    }
    buf_add_char(out, '"');
}

void json_walk_begin(json_walk *walk, slice object)
{
    *walk = (json_walk) { .rest = slice_trim(object) };
}

/* To the next entry: over the opening bracket or the comma. False at the end. */
static bool walk_step(json_walk *walk, char open, char close, scan *s)
{
    *s = (scan) { .text = walk->rest };
    skip_blanks(s);
    if (peek(s) != (walk->started ? ',' : open)) {
        return false;
    }
    s->at++;
    skip_blanks(s);
    walk->started = true;
    return peek(s) != close;
}

bool json_walk_next(json_walk *walk, json_member *out)
{
    scan s;
    if (!walk_step(walk, '{', '}', &s)) {
        return false;
    }
    size_t key = s.at;
    if (!scan_string(&s)) {
        return false;
    }
    out->key = slice_sub(s.text, key, s.at);
    skip_blanks(&s);
    s.at++; /* the colon */
    skip_blanks(&s);
    size_t value = s.at;
    if (!scan_value(&s)) {
        return false;
    }
    out->value = slice_sub(s.text, value, s.at);
    walk->rest = slice_sub(s.text, s.at, s.text.len);
    return true;
}

bool json_walk_element(json_walk *walk, slice *out)
{
    scan s;
    if (!walk_step(walk, '[', ']', &s)) {
        return false;
    }
    size_t value = s.at;
    if (!scan_value(&s)) {
        return false;
    }
    *out = slice_sub(s.text, value, s.at);
    walk->rest = slice_sub(s.text, s.at, s.text.len);
    return true;
}

/* A raw key against plain text, escapes resolved. */
static bool key_is(slice raw, slice key)
{
    slice text = inside(raw);
    size_t matched = 0;
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        slice c = encode(next_char(text, &at), bytes);
        if (!slice_eq(slice_sub(key, matched, matched + c.len), c)) {
            return false;
        }
        matched += c.len;
    }
    return matched == key.len;
}

slice json_get(slice object, slice key)
{
    slice found = { NULL, 0 };
    json_walk walk;
    json_member member;
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &member)) {
        if (key_is(member.key, key)) {
            found = member.value; /* the last one counts, as in jsonb */
        }
    }
    return found;
}
