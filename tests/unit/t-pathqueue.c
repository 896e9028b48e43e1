/* The bounded queue between walk and workers. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "oom.h"
#include "tap.h"
#include "work/pathqueue.h"

static void gives_paths_in_order_and_then_ends(void)
{
    pathqueue queue;
    bool no_memory = false;
    pathqueue_init(&queue, pgc_alloc_libc());
    CHECK(pathqueue_put(&queue, "a", &no_memory));
    CHECK(pathqueue_put(&queue, "b", &no_memory));
    pathqueue_end(&queue);
    char *first = pathqueue_take(&queue);
    char *second = pathqueue_take(&queue);
    CHECK_STR(first, "a");
    CHECK_STR(second, "b");
    CHECK(pathqueue_take(&queue) == NULL);
    mem_free_str(pgc_alloc_libc(), first);
    mem_free_str(pgc_alloc_libc(), second);
    pathqueue_done(&queue);
}

static void closing_refuses_and_frees(void)
{
    pathqueue queue;
    oom_plan plan = { .fail_at = 0 };
    const pgc_alloc alloc = oom_alloc(&plan);
    bool no_memory = true;
    pathqueue_init(&queue, &alloc);
    CHECK(pathqueue_put(&queue, "left behind", &no_memory));
    pathqueue_close(&queue);
    CHECK(!pathqueue_put(&queue, "late", &no_memory));
    CHECK(!no_memory);
    CHECK(pathqueue_take(&queue) == NULL);
    pathqueue_done(&queue);
    CHECK_INT(plan.live, 0);
}

static void no_memory_is_told_apart(void)
{
    pathqueue queue;
    oom_plan plan = { .fail_at = 1 };
    const pgc_alloc alloc = oom_alloc(&plan);
    bool no_memory = false;
    pathqueue_init(&queue, &alloc);
    CHECK(!pathqueue_put(&queue, "x", &no_memory));
    CHECK(no_memory);
    pathqueue_done(&queue);
}

#define MANY 20000

static void *take_all(void *arg)
{
    size_t *count = arg;
    pathqueue *queue = *(pathqueue **) (void *) (count + 1);
    for (;;) {
        char *path = pathqueue_take(queue);
        if (path == NULL) {
            return NULL;
        }
        (*count)++;
        mem_free_str(pgc_alloc_libc(), path);
    }
}

static void a_slow_taker_holds_the_producer_back(void)
{
    struct {
        size_t count;
        pathqueue *queue;
    } takers[3];
    pathqueue queue;
    pthread_t threads[3];
    bool no_memory = false;
    bool all = true;
    pathqueue_init(&queue, pgc_alloc_libc());
    for (size_t i = 0; i < 3; i++) {
        takers[i].count = 0;
        takers[i].queue = &queue;
        CHECK(pthread_create(&threads[i], NULL, take_all, &takers[i]) == 0);
    }
    for (int i = 0; i < MANY; i++) {
        all = pathqueue_put(&queue, "path", &no_memory) && all;
    }
    pathqueue_end(&queue);
    size_t total = 0;
    for (size_t i = 0; i < 3; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        total += takers[i].count;
    }
    CHECK(all);
    CHECK_INT(total, MANY);
    pathqueue_done(&queue);
}

TAP_MAIN(TAP("pathqueue: paths come in order, then the end", gives_paths_in_order_and_then_ends),
         TAP("pathqueue: after close nothing goes in or out and all is freed",
             closing_refuses_and_frees),
         TAP("pathqueue: lack of memory is told apart from close", no_memory_is_told_apart),
         TAP("pathqueue: many takers get everything once", a_slow_taker_holds_the_producer_back))
