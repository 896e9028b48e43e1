/* Contents at work: equal ones wait for each other, others never. */
#include "base/prelude.h"

#include <stdatomic.h>

#include <pgc/error.h>

#include "tap.h"
#include "work/contentset.h"

#define THREADS 8
#define ROUNDS  2000
#define HASHES  3

static contentset set;
static atomic_int inside[HASHES];
static atomic_int clashes, visits;

static void hash_make(unsigned number, char out[static STAGE_HASH_SIZE])
{
    (void) snprintf(out, STAGE_HASH_SIZE, "sha256:%064u", number);
}

static void *worker(void *arg)
{
    unsigned state = *(const unsigned *) arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char hash[STAGE_HASH_SIZE];
        unsigned number = (state = state * 1103515245 + 12345) / 65536 % HASHES;
        hash_make(number, hash);
        size_t place = contentset_enter(&set, hash);
        if (atomic_fetch_add(&inside[number], 1) != 0) {
            atomic_fetch_add(&clashes, 1);
        }
        atomic_fetch_add(&visits, 1);
        atomic_fetch_sub(&inside[number], 1);
        contentset_leave(&set, place);
    }
    return NULL;
}

static void equal_contents_are_one_at_a_time(void)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    contentset_init(&set);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i;
        REQUIRE(CHECK_INT(pthread_create(&threads[i], NULL, worker, &seeds[i]), 0));
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void) pthread_join(threads[i], NULL);
    }
    CHECK_INT(atomic_load(&clashes), 0);
    CHECK_INT(atomic_load(&visits), THREADS * ROUNDS);
    contentset_done(&set);
}

static void other_contents_do_not_wait(void)
{
    size_t places[CONTENTSET_SIZE];
    contentset_init(&set);
    for (unsigned round = 0; round < 2; round++) { /* places are free again after leaving */
        for (unsigned i = 0; i < CONTENTSET_SIZE; i++) {
            char hash[STAGE_HASH_SIZE];
            hash_make(i, hash);
            places[i] = contentset_enter(&set, hash);
        }
        for (unsigned i = 0; i < CONTENTSET_SIZE; i++) {
            for (unsigned j = 0; j < i; j++) {
                CHECK(places[i] != places[j]);
            }
        }
        for (unsigned i = 0; i < CONTENTSET_SIZE; i++) {
            contentset_leave(&set, places[i]);
        }
    }
    contentset_done(&set);
}

TAP_MAIN(TAP("contentset: equal contents are one at a time", equal_contents_are_one_at_a_time),
         TAP("contentset: as many others as there may be threads do not wait",
             other_contents_do_not_wait))
