/* A table with one place a thread: at most CONTENTSET_SIZE threads use it, so there is always a
 * free place. One lock and one condition; entries are few, a scan is cheaper than anything clever.
 */
#include "base/prelude.h"

#include "work/contentset.h"

void contentset_init(contentset *set)
{
    memset(set, 0, sizeof *set);
    (void) pthread_mutex_init(&set->lock, NULL);
    (void) pthread_cond_init(&set->left, NULL);
}

void contentset_done(contentset *set)
{
    (void) pthread_cond_destroy(&set->left);
    (void) pthread_mutex_destroy(&set->lock);
}

/* Place of a hash; CONTENTSET_SIZE when nobody is at it. */
static size_t find(const contentset *set, const char *hash)
{
    size_t place = 0;
    while (place < CONTENTSET_SIZE && strcmp(set->hashes[place], hash) != 0) {
        place++;
    }
    return place;
}

/* Two files of equal content would both find nothing in the database and both become assets; the
 * second one waits here and then finds the first. */
size_t contentset_enter(contentset *set, const char *hash)
{
    assert(hash[0] != '\0');
    (void) pthread_mutex_lock(&set->lock);
    while (find(set, hash) < CONTENTSET_SIZE) {
        (void) pthread_cond_wait(&set->left, &set->lock);
    }
    size_t place = find(set, "");
    assert(place < CONTENTSET_SIZE);
    (void) snprintf(set->hashes[place], sizeof set->hashes[place], "%s", hash);
    (void) pthread_mutex_unlock(&set->lock);
    return place;
}

/* Everybody wakes, because nobody knows who waits for which content. */
void contentset_leave(contentset *set, size_t place)
{
    assert(place < CONTENTSET_SIZE);
    (void) pthread_mutex_lock(&set->lock);
    assert(set->hashes[place][0] != '\0');
    set->hashes[place][0] = '\0';
    (void) pthread_cond_broadcast(&set->left);
    (void) pthread_mutex_unlock(&set->lock);
}
