/* Behind the linker's --wrap: calls of our objects come here, those of shared libraries do not. One
 * thread at a time. */
#include "base/prelude.h"

#include "oom_all.h"

#include <stdarg.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/arena.h"

static long fail_number, calls, json_live;
static bool counting, was_json;

static bool fails(void)
{
    return counting && ++calls == fail_number;
}

static void *take_json(size_t size)
{
    bool failed = fails();
    void *taken = failed ? NULL : malloc(size);
    was_json = was_json || failed;
    json_live += taken == NULL ? 0 : 1;
    return taken;
}

static void leave_json(void *pointer)
{
    json_live -= pointer == NULL ? 0 : 1;
    free(pointer);
}

void oom_all_begin(long fail_at)
{
    json_set_alloc_funcs(take_json, leave_json);
    fail_number = fail_at;
    calls = 0;
    was_json = false;
    counting = true;
}

long oom_all_end(void)
{
    counting = false;
    return calls;
}

bool oom_all_was_json(void)
{
    return was_json;
}

long oom_all_json_live(void)
{
    return json_live;
}

/* The names are those that the linker gives. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_realloc(void *ptr, size_t size);
void *__real_arena_alloc(arena *a, size_t size);
void *__real_arena_take(arena *a, size_t size);
void *__real_arena_array(arena *a, size_t count, size_t size);
char *__real_arena_strdup(arena *a, const char *string);
char *__real_arena_copy(arena *a, slice text);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_arena_alloc(arena *a, size_t size);
void *__wrap_arena_take(arena *a, size_t size);
void *__wrap_arena_array(arena *a, size_t count, size_t size);
char *__wrap_arena_strdup(arena *a, const char *string);
char *__wrap_arena_copy(arena *a, slice text);
char *__wrap_arena_printf(arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __real_realloc(ptr, size);
}

void *__wrap_arena_alloc(arena *a, size_t size)
{
    return fails() ? NULL : __real_arena_alloc(a, size);
}

void *__wrap_arena_take(arena *a, size_t size)
{
    return fails() ? NULL : __real_arena_take(a, size);
}

void *__wrap_arena_array(arena *a, size_t count, size_t size)
{
    return fails() ? NULL : __real_arena_array(a, count, size);
}

char *__wrap_arena_strdup(arena *a, const char *string)
{
    return fails() ? NULL : __real_arena_strdup(a, string);
}

char *__wrap_arena_copy(arena *a, slice text)
{
    return fails() ? NULL : __real_arena_copy(a, text);
}

char *__wrap_arena_printf(arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *out = len < 0 || fails() ? NULL : __real_arena_alloc(a, (size_t) len + 1);
    if (out != NULL) {
        va_start(args, fmt);
        (void) vsnprintf(out, (size_t) len + 1, fmt, args);
        va_end(args);
    }
    return out;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
