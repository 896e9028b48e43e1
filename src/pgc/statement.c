/* Statement cache. Invariant: every statement is on exactly one list; those on `used` are in one
 * bucket as well and counted. Nobody keeps a pointer to a statement between two calls. One thread
 * per connection. */
#include "base/prelude.h"

#include "pgc/statement.h"

/* A power of two of buckets, so that a mask finds one. The table never grows: at most as many
 * statements as `max` are in it. */
bool statement_cache_init(statement_cache *cache, const pgc_alloc *alloc, uint32_t max)
{
    assert(max > 0);
    *cache = (statement_cache) { .alloc = alloc, .max = max, .bucket_count = 16 };
    list_init(&cache->used);
    list_init(&cache->doomed);
    while (cache->bucket_count < max && cache->bucket_count < 4096) {
        cache->bucket_count *= 2;
    }
    cache->buckets = mem_new(alloc, cache->bucket_count * sizeof(statement *));
    return cache->buckets != NULL;
}

/* Frees the statements of one list, which is empty then. */
static void free_list(statement_cache *cache, list_node *head)
{
    while (!list_empty(head)) {
        statement *old = CONTAINER_OF(head->next, statement, link);
        list_remove(&old->link);
        mem_free(cache->alloc, old, sizeof *old);
    }
}

/* The server forgets its statements with the session; nothing is sent. */
void statement_cache_done(statement_cache *cache)
{
    if (cache->buckets != NULL) {
        free_list(cache, &cache->used);
        free_list(cache, &cache->doomed);
        mem_free(cache->alloc, cache->buckets, cache->bucket_count * sizeof(statement *));
        cache->buckets = NULL;
    }
}

/* FNV-1a, for descriptors without a hash. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 14695981039346656037U;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t) *text) * 1099511628211U;
    }
    return hash;
}

/* Generated descriptors bring their hash; those written by hand may leave it 0. */
static uint64_t key_of(const pgc_query *query)
{
    return query->hash != 0 ? query->hash : hash_text(query->sql);
}

/* The hash may be weak in its lower half: fold it. */
static statement **bucket_of(const statement_cache *cache, uint64_t key)
{
    return &cache->buckets[(key ^ (key >> 32)) & (cache->bucket_count - 1)];
}

/* Same text and same parameter types: the same statement, whichever descriptor asks. */
static bool same_query(const pgc_query *a, const pgc_query *b)
{
    if (a == b) {
        return true;
    }
    if (a->param_count != b->param_count || strcmp(a->sql, b->sql) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->param_count; i++) {
        if (a->params[i].oid != b->params[i].oid) {
            return false;
        }
    }
    return true;
}

/* Finding counts as use: the list is in order of use, newest first, and evict_oldest() takes
 * from its end. */
statement *statement_find(statement_cache *cache, const pgc_query *query)
{
    assert(cache->buckets != NULL);
    uint64_t key = key_of(query);
    for (statement *found = *bucket_of(cache, key); found != NULL; found = found->next) {
        if (found->key == key && same_query(found->query, query)) {
            list_remove(&found->link);
            list_prepend(&cache->used, &found->link);
            return found;
        }
    }
    return NULL;
}

/* The statement must be in its bucket. */
static void unchain(statement_cache *cache, statement *old)
{
    statement **link = bucket_of(cache, old->key);
    while (*link != old) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = old->next;
    old->next = NULL;
}

/* What the server does not have needs no DEALLOCATE. */
void statement_drop(statement_cache *cache, statement *old)
{
    assert(cache->count > 0);
    unchain(cache, old);
    list_remove(&old->link);
    cache->count--;
    if (old->ready) {
        list_append(&cache->doomed, &old->link);
    } else {
        mem_free(cache->alloc, old, sizeof *old);
    }
}

/* The server's statements are dropped by one DEALLOCATE ALL in front of the next exchange. */
void statement_forget_all(statement_cache *cache)
{
    free_list(cache, &cache->used);
    free_list(cache, &cache->doomed);
    memset(cache->buckets, 0, cache->bucket_count * sizeof(statement *));
    cache->count = 0;
    cache->reset = true;
}

/* The plain name may still be in use on the server by a doomed statement. */
static bool name_taken(statement_cache *cache, uint64_t key)
{
    if (cache->reset) {
        return true;
    }
    for (list_node *node = cache->doomed.next; node != &cache->doomed; node = node->next) {
        if (CONTAINER_OF(node, statement, link)->key == key) {
            return true;
        }
    }
    return false;
}

/* Statements that are not ready belong to the running exchange and stay. */
static void evict_oldest(statement_cache *cache)
{
    statement *oldest = CONTAINER_OF(cache->used.prev, statement, link);
    if (oldest->ready) {
        statement_drop(cache, oldest);
    }
}

/* Two texts with one hash: the second one runs without a name, which is slower but right. */
statement *statement_add(statement_cache *cache, const pgc_query *query)
{
    assert(cache->buckets != NULL);
    uint64_t key = key_of(query);
    statement **bucket = bucket_of(cache, key);
    for (const statement *other = *bucket; other != NULL; other = other->next) {
        if (other->key == key) {
            return NULL;
        }
    }
    statement *made = MEM_NEW(cache->alloc, statement);
    if (made == NULL) {
        return NULL;
    }
    if (cache->count >= cache->max) {
        evict_oldest(cache);
    }
    made->query = query;
    made->key = key;
    if (name_taken(cache, key)) {
        (void) snprintf(made->name, sizeof made->name, "pgc_%016" PRIx64 "_%" PRIu32, key,
                        ++cache->renamed);
    } else {
        (void) snprintf(made->name, sizeof made->name, "pgc_%016" PRIx64, key);
    }
    made->next = *bucket;
    *bucket = made;
    list_prepend(&cache->used, &made->link);
    cache->count++;
    return made;
}

/* Ownership goes to the caller, who tells the server. */
statement *statement_take_doomed(statement_cache *cache)
{
    if (list_empty(&cache->doomed)) {
        return NULL;
    }
    statement *old = CONTAINER_OF(cache->doomed.next, statement, link);
    list_remove(&old->link);
    return old;
}
