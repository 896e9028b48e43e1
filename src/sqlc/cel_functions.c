/* Functions of CEL: sizes, conversions, and the extension functions on text (version 1 of them,
 * without format and quote). Positions in text count characters, not bytes. Thread-safe: yes. */
#include "base/prelude.h"

#include <math.h>

#include "base/buf.h"
#include "sqlc/cel_parts.h"

/* A text that a function makes. */
#define TEXT_MAX ((size_t) 16 << 20)

static pgc_status wrong_kind(cel_run *run, size_t at, const cel_value *value, const char *wanted)
{
    return cel_fail(run->problem, at, "%s wanted, this is %s", wanted, cel_kind_name(value->kind));
}

/* All of them must be texts. */
static pgc_status need_texts(cel_run *run, size_t at, const cel_value *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (args[i].kind != CEL_STRING) {
            return wrong_kind(run, at, &args[i], "string");
        }
    }
    return PGC_OK;
}

/* Characters of a text. */
static size_t text_length(slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char) text.ptr[i] & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

/* Byte where the character with this number starts. */
static size_t text_offset(slice text, size_t index)
{
    size_t at = 0;
    for (; at < text.len; at++) {
        bool starts = ((unsigned char) text.ptr[at] & 0xC0) != 0x80;
        if (starts && index-- == 0) {
            break;
        }
    }
    return at;
}

static pgc_status need_index(cel_run *run, size_t at, const cel_value *value, size_t max,
                             size_t *out)
{
    if (value->kind != CEL_INT) {
        return wrong_kind(run, at, value, "int");
    }
    if (value->v.integer < 0 || (uint64_t) value->v.integer > max) {
        return cel_fail(run->problem, at, "position %" PRId64 " of a text of %zu characters",
                        value->v.integer, max);
    }
    *out = (size_t) value->v.integer;
    return PGC_OK;
}

static pgc_status call_size(cel_run *run, size_t at, const cel_value *args, size_t count,
                            cel_value *out)
{
    (void) count;
    if (args[0].kind == CEL_STRING) {
        *out = cel_int((int64_t) text_length(args[0].v.text));
    } else if (args[0].kind == CEL_LIST || args[0].kind == CEL_MAP) {
        *out = cel_int((int64_t) args[0].count);
    } else {
        return wrong_kind(run, at, &args[0], "string, list or map");
    }
    return PGC_OK;
}

/* First place of needle at or behind byte `from`; SIZE_MAX: none. */
static size_t find_text(slice text, slice needle, size_t from)
{
    for (size_t i = from; i + needle.len <= text.len; i++) {
        if (memcmp(text.ptr + i, needle.ptr, needle.len) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static pgc_status call_contains(cel_run *run, size_t at, const cel_value *args, size_t count,
                                cel_value *out)
{
    TRY(need_texts(run, at, args, count));
    *out = cel_bool(find_text(args[0].v.text, args[1].v.text, 0) != SIZE_MAX);
    return PGC_OK;
}

static pgc_status call_starts(cel_run *run, size_t at, const cel_value *args, size_t count,
                              cel_value *out)
{
    TRY(need_texts(run, at, args, count));
    *out = cel_bool(slice_starts(args[0].v.text, args[1].v.text));
    return PGC_OK;
}

static pgc_status call_ends(cel_run *run, size_t at, const cel_value *args, size_t count,
                            cel_value *out)
{
    TRY(need_texts(run, at, args, count));
    *out = cel_bool(slice_ends(args[0].v.text, args[1].v.text));
    return PGC_OK;
}

static pgc_status call_matches(cel_run *run, size_t at, const cel_value *args, size_t count,
                               cel_value *out)
{
    bool found = false;
    TRY(need_texts(run, at, args, count));
    TRY(cel_matches(run, at, args[0].v.text, args[1].v.text, &found));
    *out = cel_bool(found);
    return PGC_OK;
}

static pgc_status call_int(cel_run *run, size_t at, const cel_value *args, size_t count,
                           cel_value *out)
{
    int64_t value = 0;
    (void) count;
    if (args[0].kind == CEL_INT) {
        *out = args[0];
        return PGC_OK;
    }
    if (args[0].kind == CEL_STRING && slice_to_i64(args[0].v.text, &value)) {
        *out = cel_int(value);
        return PGC_OK;
    }
    double number = args[0].kind == CEL_DOUBLE ? args[0].v.number : (double) NAN;
    if (number > -9223372036854775808.0 && number < 9223372036854775808.0) {
        *out = cel_int((int64_t) number);
        return PGC_OK;
    }
    return cel_fail(run->problem, at, "this %s is no whole number of 64 bits",
                    cel_kind_name(args[0].kind));
}

static pgc_status call_double(cel_run *run, size_t at, const cel_value *args, size_t count,
                              cel_value *out)
{
    double value = 0;
    (void) count;
    if (args[0].kind == CEL_DOUBLE) {
        *out = args[0];
    } else if (args[0].kind == CEL_INT) {
        *out = cel_double((double) args[0].v.integer);
    } else if (args[0].kind == CEL_STRING && slice_to_f64(args[0].v.text, &value)) {
        *out = cel_double(value);
    } else {
        return cel_fail(run->problem, at, "this %s is no number", cel_kind_name(args[0].kind));
    }
    return PGC_OK;
}

/* The shortest digits that read back as the same number. */
static const char *double_text(arena *mem, double value)
{
    char text[40];
    double back = 0;
    for (int digits = 15; digits <= 17; digits++) {
        (void) snprintf(text, sizeof text, "%.*g", digits, value);
        if (slice_to_f64((slice) { text, strlen(text) }, &back) &&
            !(back < value || back > value)) {
            break;
        }
    }
    return arena_strdup(mem, text);
}

static pgc_status call_string(cel_run *run, size_t at, const cel_value *args, size_t count,
                              cel_value *out)
{
    const char *text = NULL;
    (void) count;
    if (args[0].kind == CEL_STRING) {
        *out = args[0];
        return PGC_OK;
    }
    if (args[0].kind == CEL_BOOL) {
        text = args[0].v.boolean ? "true" : "false";
    } else if (args[0].kind == CEL_INT) {
        text = arena_printf(run->arena, "%" PRId64, args[0].v.integer);
    } else if (args[0].kind == CEL_DOUBLE) {
        text = double_text(run->arena, args[0].v.number);
    } else {
        return wrong_kind(run, at, &args[0], "bool, number or string");
    }
    if (text == NULL) {
        return PGC_NOMEM;
    }
    *out = cel_text((slice) { text, strlen(text) });
    return PGC_OK;
}

static pgc_status call_bool(cel_run *run, size_t at, const cel_value *args, size_t count,
                            cel_value *out)
{
    (void) count;
    if (args[0].kind == CEL_BOOL) {
        *out = args[0];
        return PGC_OK;
    }
    bool yes = args[0].kind == CEL_STRING && slice_eq_str(args[0].v.text, "true");
    if (!yes && (args[0].kind != CEL_STRING || !slice_eq_str(args[0].v.text, "false"))) {
        return cel_fail(run->problem, at, "this %s is neither true nor false",
                        cel_kind_name(args[0].kind));
    }
    *out = cel_bool(yes);
    return PGC_OK;
}

static pgc_status call_same(cel_run *run, size_t at, const cel_value *args, size_t count,
                            cel_value *out)
{
    (void) run;
    (void) at;
    (void) count;
    *out = args[0];
    return PGC_OK;
}

static pgc_status call_char_at(cel_run *run, size_t at, const cel_value *args, size_t count,
                               cel_value *out)
{
    size_t index = 0;
    TRY(need_texts(run, at, args, 1));
    (void) count;
    slice text = args[0].v.text;
    TRY(need_index(run, at, &args[1], text_length(text), &index));
    *out = cel_text(slice_sub(text, text_offset(text, index), text_offset(text, index + 1)));
    return PGC_OK;
}

/* Position of a text in a text, from a position on; -1: it is not there. */
static pgc_status call_index_of(cel_run *run, size_t at, const cel_value *args, size_t count,
                                cel_value *out)
{
    size_t index = 0;
    TRY(need_texts(run, at, args, 2));
    slice text = args[0].v.text;
    if (count == 3) {
        TRY(need_index(run, at, &args[2], text_length(text), &index));
    }
    size_t found = find_text(text, args[1].v.text, text_offset(text, index));
    *out = cel_int(found == SIZE_MAX ? -1 : (int64_t) text_length(slice_sub(text, 0, found)));
    return PGC_OK;
}

static pgc_status call_last_index_of(cel_run *run, size_t at, const cel_value *args, size_t count,
                                     cel_value *out)
{
    TRY(need_texts(run, at, args, 2));
    slice text = args[0].v.text;
    size_t max = text_length(text);
    size_t last = SIZE_MAX;
    if (count == 3) {
        TRY(need_index(run, at, &args[2], max, &max));
    }
    size_t from = 0;
    for (;;) {
        size_t found = find_text(text, args[1].v.text, from);
        if (found == SIZE_MAX || text_length(slice_sub(text, 0, found)) > max) {
            break;
        }
        last = found;
        from = found + 1;
    }
    *out = cel_int(last == SIZE_MAX ? -1 : (int64_t) text_length(slice_sub(text, 0, last)));
    return PGC_OK;
}

static pgc_status call_substring(cel_run *run, size_t at, const cel_value *args, size_t count,
                                 cel_value *out)
{
    size_t first = 0;
    TRY(need_texts(run, at, args, 1));
    slice text = args[0].v.text;
    size_t end = text_length(text);
    TRY(need_index(run, at, &args[1], end, &first));
    if (count == 3) {
        TRY(need_index(run, at, &args[2], end, &end));
    }
    if (first > end) {
        return cel_fail(run->problem, at, "substring from %zu to %zu", first, end);
    }
    *out = cel_text(slice_sub(text, text_offset(text, first), text_offset(text, end)));
    return PGC_OK;
}

static pgc_status copied(cel_run *run, const buf *b, cel_value *out)
{
    char *copy = b->failed ? NULL : arena_copy(run->arena, buf_view(b));
    if (copy == NULL) {
        return PGC_NOMEM;
    }
    *out = cel_text((slice) { copy, b->len });
    return PGC_OK;
}

/* ASCII letters only, as the name says. */
static pgc_status change_case(cel_run *run, size_t at, const cel_value *arg, char first,
                              cel_value *out)
{
    TRY(need_texts(run, at, arg, 1));
    char *copy = arena_copy(run->arena, arg->v.text);
    if (copy == NULL) {
        return PGC_NOMEM;
    }
    for (size_t i = 0; i < arg->v.text.len; i++) {
        copy[i] = copy[i] >= first && copy[i] <= first + 25 ? (char) (copy[i] ^ 0x20) : copy[i];
    }
    *out = cel_text((slice) { copy, arg->v.text.len });
    return PGC_OK;
}

static pgc_status call_lower(cel_run *run, size_t at, const cel_value *args, size_t count,
                             cel_value *out)
{
    (void) count;
    return change_case(run, at, args, 'A', out);
}

static pgc_status call_upper(cel_run *run, size_t at, const cel_value *args, size_t count,
                             cel_value *out)
{
    (void) count;
    return change_case(run, at, args, 'a', out);
}

static pgc_status call_trim(cel_run *run, size_t at, const cel_value *args, size_t count,
                            cel_value *out)
{
    TRY(need_texts(run, at, args, count));
    *out = cel_text(slice_trim(args[0].v.text));
    return PGC_OK;
}

/* text.replace(old, new[, at most]). */
static pgc_status call_replace(cel_run *run, size_t at, const cel_value *args, size_t count,
                               cel_value *out)
{
    AUTO(buf_auto) buf b;
    int64_t left = -1;
    size_t from = 0;
    buf_init(&b, NULL, TEXT_MAX);
    TRY(need_texts(run, at, args, 3));
    if (count == 4 && args[3].kind != CEL_INT) {
        return wrong_kind(run, at, &args[3], "int");
    }
    left = count == 4 ? args[3].v.integer : left;
    slice text = args[0].v.text;
    slice old = args[1].v.text;
    if (old.len == 0) {
        return cel_fail(run->problem, at, "replace() of an empty text");
    }
    for (; left != 0; left--) {
        size_t found = find_text(text, old, from);
        if (found == SIZE_MAX) {
            break;
        }
        buf_add(&b, slice_sub(text, from, found));
        buf_add(&b, args[2].v.text);
        from = found + old.len;
    }
    buf_add(&b, slice_sub(text, from, text.len));
    return copied(run, &b, out);
}

/* text.split(separator[, at most]); an empty separator parts the characters. */
static pgc_status call_split(cel_run *run, size_t at, const cel_value *args, size_t count,
                             cel_value *out)
{
    size_t from = 0;
    size_t made = 0;
    TRY(need_texts(run, at, args, 2));
    if (count == 3 && args[2].kind != CEL_INT) {
        return wrong_kind(run, at, &args[2], "int");
    }
    slice text = args[0].v.text;
    slice mark = args[1].v.text;
    size_t max = count == 3 && args[2].v.integer >= 0 ? (size_t) args[2].v.integer : SIZE_MAX;
    cel_value *items = ARENA_ARRAY(run->arena, text.len + 2, cel_value);
    if (items == NULL) {
        return PGC_NOMEM;
    }
    while (max > 0 && (mark.len > 0 || from < text.len)) {
        size_t next = mark.len == 0 ? text_offset(slice_sub(text, from, text.len), 1) + from
                                    : find_text(text, mark, from);
        bool last =
            next == SIZE_MAX || next >= text.len + (mark.len > 0 ? 1 : 0) || made + 1 == max;
        items[made++] = cel_text(slice_sub(text, from, last ? text.len : next));
        if (last) {
            break;
        }
        from = next + mark.len;
    }
    *out = cel_list(items, made);
    return PGC_OK;
}

/* list.join([separator]). */
static pgc_status call_join(cel_run *run, size_t at, const cel_value *args, size_t count,
                            cel_value *out)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, TEXT_MAX);
    if (args[0].kind != CEL_LIST) {
        return wrong_kind(run, at, &args[0], "list");
    }
    TRY(need_texts(run, at, args[0].v.items, args[0].count));
    TRY(need_texts(run, at, args + 1, count - 1));
    for (size_t i = 0; i < args[0].count; i++) {
        if (i > 0 && count == 2) {
            buf_add(&b, args[1].v.text);
        }
        buf_add(&b, args[0].v.items[i].v.text);
    }
    return copied(run, &b, out);
}

const cel_function *cel_function_find(slice name, bool method)
{
    static const cel_function FUNCTIONS[] = {
        { "size", true, true, 1, 1, call_size },
        { "contains", true, false, 2, 2, call_contains },
        { "startsWith", true, false, 2, 2, call_starts },
        { "endsWith", true, false, 2, 2, call_ends },
        { "matches", true, true, 2, 2, call_matches },
        { "int", false, true, 1, 1, call_int },
        { "double", false, true, 1, 1, call_double },
        { "string", false, true, 1, 1, call_string },
        { "bool", false, true, 1, 1, call_bool },
        { "dyn", false, true, 1, 1, call_same },
        { "charAt", true, false, 2, 2, call_char_at },
        { "indexOf", true, false, 2, 3, call_index_of },
        { "lastIndexOf", true, false, 2, 3, call_last_index_of },
        { "substring", true, false, 2, 3, call_substring },
        { "lowerAscii", true, false, 1, 1, call_lower },
        { "upperAscii", true, false, 1, 1, call_upper },
        { "trim", true, false, 1, 1, call_trim },
        { "replace", true, false, 3, 4, call_replace },
        { "split", true, false, 2, 3, call_split },
        { "join", true, false, 1, 2, call_join },
    };
    for (size_t i = 0; i < ARRAY_LEN(FUNCTIONS); i++) {
        bool form = method ? FUNCTIONS[i].method : FUNCTIONS[i].global;
        if (form && slice_eq_str(name, FUNCTIONS[i].name)) {
            return &FUNCTIONS[i];
        }
    }
    return NULL;
}
