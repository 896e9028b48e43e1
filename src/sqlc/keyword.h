/* Which identifiers need quotes in SQL text. */
#ifndef SQLC_KEYWORD_H
#define SQLC_KEYWORD_H

#include <stdbool.h>

/* True for names that are not plain lower-case identifiers or that the grammar of PostgreSQL 15 to
 * 18 does not take as column names. */
bool keyword_needs_quotes(const char *name);

#endif
