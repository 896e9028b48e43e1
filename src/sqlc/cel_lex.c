/* Text of a CEL expression to tokens. Literals are read here, so that the parser sees values only.
 * Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/cel_parts.h"

#include "base/buf.h"
#include "sqlc/lex.h"

/* A literal; rules are short. */
#define LITERAL_MAX ((size_t) 1 << 20)

pgc_status cel_fail(cel_problem *problem, size_t at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    problem->at = at;
    (void) vsnprintf(problem->message, sizeof problem->message, fmt, args);
    va_end(args);
    return PGC_INVALID;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex(char c)
{
    return lex_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Blanks and comments to the end of the line. */
static size_t skip_blanks(slice text, size_t pos)
{
    while (pos < text.len) {
        if (strchr(" \t\r\n\f", text.ptr[pos]) != NULL) {
            pos++;
        } else if (slice_starts(slice_sub(text, pos, text.len), SLICE("//"))) {
            size_t end = slice_find(text, '\n', pos);
            pos = end == SIZE_MAX ? text.len : end;
        } else {
            break;
        }
    }
    return pos;
}

/* Where a number ends; *real: it has a point or an exponent. */
static size_t number_end(slice text, size_t start, bool hex, bool *real)
{
    size_t end = start + (hex ? 2 : 0);
    for (; end < text.len; end++) {
        char c = text.ptr[end];
        char before = end > start ? text.ptr[end - 1] : '\0';
        bool sign = (c == '+' || c == '-') && !hex && (before == 'e' || before == 'E');
        bool exponent = !hex && (c == 'e' || c == 'E');
        bool point =
            !hex && c == '.' && !*real && end + 1 < text.len && lex_digit(text.ptr[end + 1]);
        bool digit = hex ? is_hex(c) : lex_digit(c);
        if (!digit && !sign && !exponent && !point) {
            break;
        }
        *real = *real || point || exponent;
    }
    return end;
}

/* The most negative number is written with a minus in front: the parser puts them together, so its
 * digits are let through here. */
static pgc_status read_whole(slice word, bool hex, cel_token *out, cel_problem *problem)
{
    char digits[64];
    char *stop = NULL;
    if (word.len >= sizeof digits) {
        return cel_fail(problem, out->at, "a number with too many digits");
    }
    memcpy(digits, word.ptr, word.len);
    digits[word.len] = '\0';
    errno = 0;
    unsigned long long value = strtoull(digits, &stop, hex ? 16 : 10);
    if (errno != 0 || *stop != '\0' || value > (unsigned long long) INT64_MAX + 1) {
        return cel_fail(problem, out->at, "not a whole number of 64 bits: %s", digits);
    }
    out->value = cel_int((int64_t) value);
    return PGC_OK;
}

/* Digits, or 0x and hexadecimal ones; with a point or an exponent it is a double. */
static pgc_status read_number(slice text, size_t *pos, cel_token *out, cel_problem *problem)
{
    bool hex = slice_starts(slice_sub(text, *pos, text.len), SLICE("0x"));
    bool real = false;
    double value = 0;
    size_t end = number_end(text, *pos, hex, &real);
    slice word = slice_sub(text, *pos, end);
    if (end < text.len && is_letter(text.ptr[end])) {
        return cel_fail(problem, end, "\"%c\" behind a number%s", text.ptr[end],
                        text.ptr[end] == 'u' ? ": unsigned numbers are not supported" : "");
    }
    *out = (cel_token) { .kind = real ? TOKEN_DOUBLE : TOKEN_INT, .at = *pos, .text = word };
    *pos = end;
    if (!real) {
        return read_whole(word, hex, out, problem);
    }
    if (!slice_to_f64(word, &value)) {
        return cel_fail(problem, out->at, "not a number: %" SLICE_FMT, SLICE_ARG(word));
    }
    out->value = cel_double(value);
    return PGC_OK;
}

static void add_code_point(buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(b, (char) c);
    } else if (c < 0x800) {
        buf_add_char(b, (char) (0xC0 | c >> 6));
        buf_add_char(b, (char) (0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_add_char(b, (char) (0xE0 | c >> 12));
        buf_add_char(b, (char) (0x80 | (c >> 6 & 0x3F)));
        buf_add_char(b, (char) (0x80 | (c & 0x3F)));
    } else {
        buf_add_char(b, (char) (0xF0 | c >> 18));
        buf_add_char(b, (char) (0x80 | (c >> 12 & 0x3F)));
        buf_add_char(b, (char) (0x80 | (c >> 6 & 0x3F)));
        buf_add_char(b, (char) (0x80 | (c & 0x3F)));
    }
}

/* Escapes: \n and its like, \xHH, \uHHHH, \UHHHHHHHH, \OOO; at: of the backslash. */
static pgc_status read_escape(slice text, size_t *pos, buf *b, cel_problem *problem)
{
    static const char PLAIN[] = "abfnrtv\\?\"'`";
    static const char MEANS[] = "\a\b\f\n\r\t\v\\?\"'`";
    size_t at = *pos;
    char c = at + 1 < text.len ? text.ptr[at + 1] : '\0';
    const char *plain = c == '\0' ? NULL : strchr(PLAIN, c);
    size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t value = 0;
    if (plain != NULL) {
        buf_add_char(b, MEANS[plain - PLAIN]);
        *pos = at + 2;
        return PGC_OK;
    }
    bool octal = c >= '0' && c <= '3';
    size_t first = octal ? at + 1 : at + 2;
    digits = octal ? 3 : digits;
    for (size_t i = 0; i < digits; i++) {
        char d = first + i < text.len ? text.ptr[first + i] : '\0';
        if (octal ? d < '0' || d > '7' : !is_hex(d)) {
            return cel_fail(problem, at, "an escape with too few digits");
        }
        uint32_t digit = lex_digit(d) ? (uint32_t) (d - '0') : (uint32_t) ((d | 0x20) - 'a') + 10;
        value = value * (octal ? 8 : 16) + digit;
    }
    bool fits = value > 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    if (digits == 0 || !fits) {
        return cel_fail(problem, at, "no such escape");
    }
    add_code_point(b, value);
    *pos = first + digits;
    return PGC_OK;
}

/* 'x', "x", three of them for text of several lines; r in front: no escapes. */
static pgc_status read_string(arena *mem, slice text, size_t *pos, cel_token *out,
                              cel_problem *problem)
{
    AUTO(buf_auto) buf b;
    size_t start = *pos;
    bool raw = text.ptr[start] == 'r' || text.ptr[start] == 'R';
    size_t at = start + (raw ? 1 : 0);
    char quote = text.ptr[at];
    const char three[] = { quote, quote, quote, '\0' };
    bool is_long = slice_starts(slice_sub(text, at, text.len), (slice) { three, 3 });
    slice mark = { three, is_long ? 3 : 1 };
    buf_init(&b, NULL, LITERAL_MAX);
    at += mark.len;
    while (at < text.len && !slice_starts(slice_sub(text, at, text.len), mark)) {
        if (text.ptr[at] == '\n' && !is_long) {
            break;
        }
        if (text.ptr[at] == '\\' && !raw) {
            TRY(read_escape(text, &at, &b, problem));
        } else {
            buf_add_char(&b, text.ptr[at++]);
        }
    }
    if (!slice_starts(slice_sub(text, at, text.len), mark)) {
        return cel_fail(problem, start, "unterminated string");
    }
    at += mark.len;
    char *copy = b.failed ? NULL : arena_copy(mem, buf_view(&b));
    if (copy == NULL) {
        return PGC_NOMEM;
    }
    *out = (cel_token) { .kind = TOKEN_STRING,
                         .at = start,
                         .text = slice_sub(text, start, at),
                         .value = cel_text((slice) { copy, b.len }) };
    *pos = at;
    return PGC_OK;
}

static pgc_status read_mark(slice text, size_t *pos, cel_token *out, cel_problem *problem)
{
    static const char *const MARKS[] = { "&&", "||", "==", "!=", "<=", ">=", "<", ">",
                                         "+",  "-",  "*",  "/",  "%",  "!",  "?", ":",
                                         "(",  ")",  "[",  "]",  "{",  "}",  ",", "." };
    slice rest = slice_sub(text, *pos, text.len);
    for (size_t i = 0; i < ARRAY_LEN(MARKS); i++) {
        slice mark = { MARKS[i], strlen(MARKS[i]) };
        if (slice_starts(rest, mark)) {
            *out = (cel_token) { .kind = TOKEN_MARK, .at = *pos, .text = mark };
            *pos += mark.len;
            return PGC_OK;
        }
    }
    return cel_fail(problem, *pos, "unexpected character \"%c\"", rest.ptr[0]);
}

pgc_status cel_next_token(arena *mem, slice text, size_t *pos, cel_token *out, cel_problem *problem)
{
    *pos = skip_blanks(text, *pos);
    if (*pos >= text.len) {
        *out = (cel_token) { .kind = TOKEN_END, .at = text.len };
        return PGC_OK;
    }
    char c = text.ptr[*pos];
    char after = *pos + 1 < text.len ? text.ptr[*pos + 1] : '\0';
    if (c == '"' || c == '\'' || ((c == 'r' || c == 'R') && (after == '"' || after == '\''))) {
        return read_string(mem, text, pos, out, problem);
    }
    if (lex_digit(c) || (c == '.' && lex_digit(after))) {
        return read_number(text, pos, out, problem);
    }
    if (!is_letter(c)) {
        return read_mark(text, pos, out, problem);
    }
    size_t end = *pos;
    while (end < text.len && (is_letter(text.ptr[end]) || lex_digit(text.ptr[end]))) {
        end++;
    }
    *out = (cel_token) { .kind = TOKEN_NAME, .at = *pos, .text = slice_sub(text, *pos, end) };
    *pos = end;
    return PGC_OK;
}
