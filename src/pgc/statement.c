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

/* Statements are one block each: the struct, the parameter types, the text. */
void statement_free(const statement_cache *cache, statement *old)
{
    if (old != NULL) {
        mem_free(cache->alloc, old, old->size);
    }
}

/* Frees the statements of one list, which is empty then. */
static void free_list(statement_cache *cache, list_node *head)
{
    while (!list_empty(head)) {
        statement *old = CONTAINER_OF(head->next, statement, link);
        list_remove(&old->link);
        statement_free(cache, old);
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

#define TEXT_MAX 65536 /* longer texts, surely made at run time, are not kept */

#define HASH_SEED UINT64_C(0x9e3779b97f4a7c15)
#define HASH_MUL  UINT64_C(0xd6e8feb86659fd93)

/* For descriptors without a hash: eight bytes at a time, because it is made anew at each call. The
 * same text has the same hash on every connection, which names depend on. */
static uint64_t hash_text(const char *text)
{
    size_t len = strlen(text);
    uint64_t hash = HASH_SEED ^ len;
    for (; len > 0; text += 8) {
        uint64_t word = 0;
        size_t part = len < 8 ? len : 8;
        memcpy(&word, text, part);
        len -= part;
        hash = (hash ^ word) * HASH_MUL;
        hash ^= hash >> 32;
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

static uint32_t param_oid(const pgc_query *query, size_t index)
{
    return query->params == NULL ? 0 : query->params[index].oid;
}

/* Same text and same parameter types: the same statement, whichever descriptor asks. The text is
 * compared each time, because a descriptor may be made at run time, with another text at the
 * address of the last one. */
static bool same_query(const statement *known, const pgc_query *query)
{
    if (known->param_count != query->param_count || strcmp(known->sql, query->sql) != 0) {
        return false;
    }
    for (size_t i = 0; i < query->param_count; i++) {
        if (known->param_oids[i] != param_oid(query, i)) {
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
        if (found->key == key && same_query(found, query)) {
            if (cache->used.next != &found->link) {
                list_remove(&found->link);
                list_prepend(&cache->used, &found->link);
            }
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
        statement_free(cache, old);
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

/* Those of the running exchange stay. */
static void evict_oldest(statement_cache *cache)
{
    statement *oldest = CONTAINER_OF(cache->used.prev, statement, link);
    if (!oldest->queued) {
        statement_drop(cache, oldest);
    }
}

/* Text and types are copied, so that a descriptor need not outlive its calls. */
static statement *statement_new(const statement_cache *cache, const pgc_query *query)
{
    size_t oid_bytes = query->param_count * sizeof(uint32_t);
    size_t text_bytes = strlen(query->sql) + 1, size;
    if (text_bytes > TEXT_MAX || !size_add(sizeof(statement) + oid_bytes, text_bytes, &size)) {
        return NULL;
    }
    statement *made = mem_new(cache->alloc, size);
    if (made == NULL) {
        return NULL;
    }
    uint32_t *oids = (uint32_t *) (void *) (made + 1);
    for (size_t i = 0; i < query->param_count; i++) {
        oids[i] = param_oid(query, i);
    }
    char *text = (char *) oids + oid_bytes;
    memcpy(text, query->sql, text_bytes);
    made->size = size;
    made->param_count = query->param_count;
    made->param_oids = oids;
    made->sql = text;
    return made;
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
    statement *made = statement_new(cache, query);
    if (made == NULL) {
        return NULL;
    }
    if (cache->count >= cache->max) {
        evict_oldest(cache);
    }
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
