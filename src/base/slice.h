/* Borrowed text. {NULL, 0} is "absent" (SQL NULL), {"", 0} the empty text; not NUL-terminated. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <pgc/types.h>

typedef pgc_text slice;

#define SLICE(literal) ((slice) { "" literal, sizeof(literal) - 1 })
#define SLICE_FMT      ".*s"
#define SLICE_ARG(s)   ((int) ((s).len < INT_MAX ? (s).len : INT_MAX)), ((s).ptr ? (s).ptr : "")

/* Equal bytes; an absent slice equals an empty one. */
bool slice_eq(slice a, slice b);
bool slice_eq_str(slice a, const char *b);
/* ASCII letters compare without case. */
bool slice_eq_nocase(slice a, slice b);
bool slice_starts(slice text, slice prefix);
bool slice_ends(slice text, slice suffix);
/* Bytes [from, to), cut to what is there. */
slice slice_sub(slice text, size_t from, size_t to);
/* Without ASCII white space at both ends. */
slice slice_trim(slice text);
/* Index of the first byte c at or after from, SIZE_MAX when there is none. */
size_t slice_find(slice text, char c, size_t from);
/* Cut *rest at the first c: gives the part before it, *rest becomes the part behind it (absent when
 * there was no c). Loop while rest->ptr != NULL. */
slice slice_next(slice *rest, char c);
/* memcmp order, shorter first. */
int slice_cmp(slice a, slice b);

/* True for well-formed UTF-8 without NUL: what the server accepts as text. */
bool slice_is_utf8(slice text);
/* Bytes of the UTF-8 character at the start; 0 when there is none or it is not well-formed. */
size_t slice_char_length(slice text);
/* A character that is C0, DEL or C1 (C2 80 … C2 9F): a terminal may obey those. */
bool slice_is_control(slice character);

/* Strict decimal numbers: the whole text, optional sign, no blanks; false leaves *out alone. */
bool slice_to_i64(slice text, int64_t *out);
bool slice_to_f64(slice text, double *out);

#endif
