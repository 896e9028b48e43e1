/* JSON as Go's encoding/json writes it. Unique keys are digests of that text, byte for byte, and
 * what Go cannot decode would poison its clients, so both sides need one spelling. Numbers keep the
 * spelling they came with; nested objects keep their order. */
#ifndef RIVER_JSON_H
#define RIVER_JSON_H

#include "base/buf.h"

#define JSON_DEPTH_MAX 1000u /* nested arrays and objects; Go gives up at 10,000 */

/* One member of an object; both are raw JSON text inside the object's text. */
typedef struct json_member {
    slice key; /* with its quotes */
    slice value;
} json_member;

/* Walks the members of an object. */
typedef struct json_walk {
    slice rest;
    bool started;
} json_walk;

/* PGC_INVALID with the byte offset when text is not exactly one JSON value in UTF-8 without NUL
 * (neither raw nor escaped: jsonb has no NUL). */
pgc_status json_check(slice text, pgc_error *err) PGC_MUST_CHECK;
/* The same, and it must be an object. */
pgc_status json_check_object(slice text, pgc_error *err) PGC_MUST_CHECK;

/* All below take text that json_check() accepted. */

/* Append the value as Go spells it: no blanks, short escapes, < > & and U+2028/9 escaped. */
void json_add_go(buf *out, slice text);
/* Append plain text as a JSON string in Go's spelling. Bad UTF-8 becomes U+FFFD, NUL is left out.
 */
void json_add_text(buf *out, slice text);

/* Begin at an object; false at its end or when it is none. */
void json_walk_begin(json_walk *walk, slice object);
bool json_walk_next(json_walk *walk, json_member *out);
/* The value of a key, given without quotes and unescaped; absent when there is none. */
slice json_get(slice object, slice key);
/* The same for the elements of an array; begin as for an object. */
bool json_walk_element(json_walk *walk, slice *out);
/* The text that a JSON string stands for; it is never longer than the string. Gives its bytes. */
size_t json_decode(slice string, char *bytes);
/* True for a string, an object, … by its first byte. */
bool json_is(slice value, char first);

#endif
