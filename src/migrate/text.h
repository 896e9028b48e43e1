/* Unicode-aware odds and ends that the directory format needs: Atlas cuts and trims text by Go's
 * rules, so ours must agree byte for byte. */
#ifndef MIGRATE_TEXT_H
#define MIGRATE_TEXT_H

#include "base/slice.h"

/* Bytes of the character at the start of text: 1 to 4; 1 for malformed bytes; 0 at the end. */
size_t migrate_char_width(slice text);
/* Without Unicode white space in front, at both ends. */
slice migrate_trim_left(slice text);
slice migrate_trim(slice text);
/* Index of the first occurrence of needle (not empty), SIZE_MAX when there is none. */
size_t migrate_find(slice text, slice needle);
/* True for [A-Za-z0-9_]. */
bool migrate_is_word(char c);

#endif
