/* Named crash points: places where a test wants the process to die.
 *
 * CRASH_POINT("import.linked") registers the name in the linker section "crash_points" and, when
 * the process was started with LUMILIO_CRASH_AT=import.linked (or NAME:N for the N-th passage),
 * kills the process with SIGKILL there. Compiled to nothing unless -Dcrash_points=true. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <stddef.h>

#ifdef LUM_CRASH_POINTS
struct crash_point {
    const char *name;
};
void crash_point_hit(const struct crash_point *point);
#define CRASH_POINT(text)                                                                       \
    do {                                                                                        \
        static const struct crash_point crash_point_                                            \
            __attribute__((used, section("crash_points"), aligned(sizeof(void *)))) = { text }; \
        crash_point_hit(&crash_point_);                                                         \
    } while (0)
#else
#define CRASH_POINT(text) \
    do {                  \
    } while (0)
#endif

/* Die at "NAME" or "NAME:N" (NULL: nowhere) whatever the environment says: for a child that a test
 * has forked, before it starts threads. The text must outlive the process. */
void crash_point_want(const char *text);

/* Number of crash points linked into this program, and the name of one. A name may appear more
 * than once when inlined code repeats it. 0 when the build has none. */
size_t crash_point_count(void);
const char *crash_point_name(size_t index);

#endif
