/* Condition variables with a limit of time. */
#include "base/prelude.h"

#include "base/clock.h"
#include "base/cond.h"

#include "tap.h"

typedef struct box {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool set, seen;
} box;

static void box_make(box *b)
{
    *b = (box) { .set = false };
    (void) pthread_mutex_init(&b->lock, NULL);
    cond_init(&b->changed);
}

static void box_done(box *b)
{
    (void) pthread_cond_destroy(&b->changed);
    (void) pthread_mutex_destroy(&b->lock);
}

/* Sets what the other side waits for, then waits in its turn. */
static void *answer(void *arg)
{
    box *b = arg;
    (void) pthread_mutex_lock(&b->lock);
    b->set = true;
    (void) pthread_cond_signal(&b->changed);
    while (!b->seen && cond_wait(&b->changed, &b->lock, -1)) {
    }
    b->set = false;
    (void) pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void a_wait_ends_with_its_time(void)
{
    const clock_ops *clock = clock_os();
    box b;
    box_make(&b);
    (void) pthread_mutex_lock(&b.lock);
    int64_t began_us = clock->mono_us(clock->ctx);
    while (cond_wait(&b.changed, &b.lock, 3000)) {
    }
    CHECK(clock->mono_us(clock->ctx) - began_us >= 3000);
    CHECK(!cond_wait(&b.changed, &b.lock, 0));
    (void) pthread_mutex_unlock(&b.lock);
    box_done(&b);
}

static void several_waits_share_a_limit(void)
{
    const clock_ops *clock = clock_os();
    box b;
    box_make(&b);
    (void) pthread_mutex_lock(&b.lock);
    int64_t began_us = clock->mono_us(clock->ctx);
    const struct timespec until = cond_from_now(3000);
    for (int i = 0; i < 3; i++) {
        while (cond_wait_until(&b.changed, &b.lock, &until)) {
        }
    }
    CHECK(clock->mono_us(clock->ctx) - began_us >= 3000);
    (void) pthread_mutex_unlock(&b.lock);
    box_done(&b);
}

static void a_signal_wakes(void)
{
    box b;
    pthread_t thread;
    box_make(&b);
    (void) pthread_mutex_lock(&b.lock);
    CHECK_INT(pthread_create(&thread, NULL, answer, &b), 0);
    const struct timespec until = cond_from_now(60000000);
    while (!b.set && cond_wait_until(&b.changed, &b.lock, &until)) {
    }
    CHECK(b.set);
    b.seen = true;
    (void) pthread_cond_signal(&b.changed);
    (void) pthread_mutex_unlock(&b.lock);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(!b.set);
    box_done(&b);
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void points_of_time_carry_over(void)
{
    static const int64_t steps_us[] = { INT64_MIN, 0,       999999,        1000000,
                                        1000001,   1999999, 3600000000000, INT64_MAX };
    struct timespec last = cond_from_now(-1);
    for (size_t i = 0; i < ARRAY_LEN(steps_us); i++) {
        const struct timespec at = cond_from_now(steps_us[i]);
        CHECK(at.tv_nsec >= 0 && at.tv_nsec < 1000000000);
        CHECK(!is_before(&at, &last));
        last = cond_from_now(steps_us[i]);
    }
    const struct timespec soon = cond_from_now(1500000), later = cond_from_now(2500000);
    CHECK(later.tv_sec - soon.tv_sec >= 1);
}

TAP_MAIN(TAP("cond: a wait ends with its time", a_wait_ends_with_its_time),
         TAP("cond: several waits share a limit", several_waits_share_a_limit),
         TAP("cond: a signal wakes who waits without end", a_signal_wakes),
         TAP("cond: points of time carry over", points_of_time_carry_over))
