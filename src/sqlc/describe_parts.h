/* What the files behind describe_query.h share. */
#ifndef SQLC_DESCRIBE_PARTS_H
#define SQLC_DESCRIBE_PARTS_H

#include "sqlc/describe_query.h"

/* Expanded text included. */
#define DESCRIBE_SQL_MAX ((size_t) 16 << 20)

/* PGC_NOMEM with the query's name. */
pgc_status describe_no_memory(const describe_work *w, pgc_error *err);

/* describe_embed.c: the text with markers around the columns of each embed. */
pgc_status embed_probe(describe_work *w, slice *out, pgc_error *err) PGC_MUST_CHECK;
/* The server did not take the probe. */
void embed_refused(describe_work *w, const char *what);
/* Fill facts.embeds by what the probe gave, and write the columns into *sql. Mistakes go to diags
 * (then w->ok is false). */
pgc_status embed_expand(describe_work *w, const described *probe, slice *sql, pgc_error *err)
    PGC_MUST_CHECK;

#endif
