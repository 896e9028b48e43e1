/* Names of schemas and roles inside SQL text that is otherwise constant. */
#ifndef BASE_IDENT_H
#define BASE_IDENT_H

#include "base/arena.h"

#define IDENT_MAX 63u /* bytes of a name that the server keeps */

/* The name in double quotes, quotes inside doubled; NULL when memory is exhausted. */
const char *ident_quote(const char *name, arena *mem);
/* The text with every occurrence of place (not empty) replaced; NULL when memory is exhausted. */
const char *ident_fill(const char *sql, const char *place, const char *value, arena *mem);

#endif
