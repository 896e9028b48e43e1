/* Names of schemas and roles inside SQL text that is otherwise constant. */
#ifndef BASE_IDENT_H
#define BASE_IDENT_H

#include "base/arena.h"
#include "base/buf.h"

#define IDENT_MAX 63u /* bytes of a name that the server keeps */

/* Small ASCII letters, digits and underscores, no digit first: means itself without quotes, unless
 * it is a keyword. */
bool ident_is_plain(const char *name);
/* Append the name in double quotes, quotes inside doubled. */
void ident_add_quoted(buf *b, const char *name);
/* As it is when it is plain, else in quotes: where keywords do no harm. */
void ident_add(buf *b, const char *name);
/* The name in double quotes, quotes inside doubled; NULL when memory is exhausted. */
const char *ident_quote(const char *name, arena *mem);
/* The text with every occurrence of place (not empty) replaced; NULL when memory is exhausted. */
const char *ident_fill(const char *sql, const char *place, const char *value, arena *mem);

#endif
