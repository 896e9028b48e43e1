/* What a connection knows about the queries that ran on it: found by SQL text and parameter types,
 * least recently used ones make room. Names are "pgc_" and the query's hash, the same on every
 * connection. Queries that run without a name are remembered as well. */
#ifndef PGC_STATEMENT_H
#define PGC_STATEMENT_H

#include <pgc/query.h>

#include "base/alloc.h"
#include "base/list.h"

#define STATEMENT_NAME_SIZE 40

typedef struct statement {
    list_node link;         /* on the cache's used list, newest first, or on its doomed list */
    struct statement *next; /* same bucket */
    uint64_t key;
    size_t size; /* bytes of this block, texts included */
    char name[STATEMENT_NAME_SIZE];
    bool ready;     /* the server has it under its name */
    bool queued;    /* its Prepare is under way in the running exchange */
    bool text_rows; /* a column's type has no binary form: ask for text */
    /* The descriptor columns that the server's were compared with; count 0 and NULL: none yet. */
    const pgc_type_ref *checked;
    uint16_t checked_count;
    uint16_t param_count;
    const uint32_t *param_oids; /* behind the struct, as is the text */
    const char *sql;
} statement;

typedef struct statement_cache {
    const pgc_alloc *alloc;
    statement **buckets;
    size_t bucket_count; /* power of two */
    list_node used;      /* most recently used first */
    list_node doomed;    /* forgotten here, still on the server */
    uint32_t count, max;
    uint32_t renamed; /* how many names carry a number because their plain name was taken */
    bool reset;       /* all was forgotten: DEALLOCATE ALL is due */
} statement_cache;

/* max > 0. False: no memory. */
bool statement_cache_init(statement_cache *cache, const pgc_alloc *alloc, uint32_t max);
void statement_cache_done(statement_cache *cache);
/* The statement of a query, now the most recently used; NULL when there is none. */
statement *statement_find(statement_cache *cache, const pgc_query *query);
/* A new one, not ready yet; may doom the oldest. NULL: no memory, or another text has its hash. */
statement *statement_add(statement_cache *cache, const pgc_query *query);
/* Forget a statement: doomed when the server has it, else freed. */
void statement_drop(statement_cache *cache, statement *old);
/* Forget all: what the server has is not what we believed. */
void statement_forget_all(statement_cache *cache);
/* Take one from the doomed list, for DEALLOCATE; NULL when it is empty. */
statement *statement_take_doomed(statement_cache *cache);
void statement_free(const statement_cache *cache, statement *old);
/* Something is to be told to the server before the next query. */
static inline bool statement_cache_dirty(const statement_cache *cache)
{
    return cache->reset || !list_empty(&cache->doomed);
}

#endif
