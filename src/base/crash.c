/* Named crash points. LUMILIO_CRASH_AT is read once, at the first point that is passed; a process
 * that should die gets SIGKILL, so that no handler, no atexit and no buffer flush can tidy up.
 * Thread-safe: the passage counter is atomic. */
#include "base/prelude.h"

#include <stdatomic.h>

#include "base/crash.h"

#ifdef LUM_CRASH_POINTS

#include "base/slice.h"

/* The linker defines both when the section exists; weak, for programs without any crash point. */
extern const struct crash_point __start_crash_points[] __attribute__((weak, visibility("hidden")));
extern const struct crash_point __stop_crash_points[] __attribute__((weak, visibility("hidden")));

static struct {
    slice name; /* absent: no crash wanted */
    int64_t passage;
} wanted;

static pthread_once_t wanted_once = PTHREAD_ONCE_INIT;

/* NAME or NAME:N. Anything malformed means no crash: a test that mistypes sees its child live and
 * fails for that. */
static void want(const char *text)
{
    wanted.name = (slice) { NULL, 0 };
    if (text == NULL || text[0] == '\0') {
        return;
    }
    slice rest = { text, strlen(text) };
    slice name = slice_next(&rest, ':');
    int64_t passage = 1;
    if (rest.ptr == NULL || (slice_to_i64(rest, &passage) && passage > 0)) {
        wanted.name = name;
        wanted.passage = passage;
    }
}

static void want_from_environment(void)
{
    want(getenv("LUMILIO_CRASH_AT"));
}

void crash_point_want(const char *text)
{
    (void) pthread_once(&wanted_once, want_from_environment);
    want(text);
}

/* SIGKILL is delivered before kill() returns to this thread, but another thread may run on for a
 * moment; this one must not. */
void crash_point_hit(const struct crash_point *point)
{
    static atomic_int_fast64_t passed;
    (void) pthread_once(&wanted_once, want_from_environment);
    if (wanted.name.ptr == NULL || !slice_eq_str(wanted.name, point->name)) {
        return;
    }
    if (atomic_fetch_add(&passed, 1) + 1 == wanted.passage) {
        (void) kill(getpid(), SIGKILL);
        for (;;) {
            (void) pause();
        }
    }
}

/* By addresses: comparing the weak symbols themselves would let the compiler assume that they
 * exist. */
size_t crash_point_count(void)
{
    uintptr_t start = (uintptr_t) __start_crash_points;
    uintptr_t stop = (uintptr_t) __stop_crash_points;
    return (stop - start) / sizeof(struct crash_point);
}

const char *crash_point_name(size_t index)
{
    assert(index < crash_point_count());
    return __start_crash_points[index].name;
}

#else

void crash_point_want(const char *text)
{
    (void) text;
}

size_t crash_point_count(void)
{
    return 0;
}

const char *crash_point_name(size_t index)
{
    (void) index;
    return "";
}

#endif
