/* Test harness: one program per module, one named case per behaviour, TAP on stdout.
 *
 *     static void drops_the_tail(void) { CHECK_INT(f(), 3); }
 *     TAP_MAIN(TAP("buf: a failed append drops the tail", drops_the_tail))
 *
 * A case passes when all its checks hold. TAP_SKIP(why) inside a case marks it as skipped. */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tap_case {
    const char *name;
    void (*run)(void);
} tap_case;

static int tap_failures;
static const char *tap_skip_reason;

#define CHECK(cond) tap_check((cond) != 0, #cond, __FILE__, __LINE__)
#define CHECK_INT(got, want) \
    tap_int((long long) (got), (long long) (want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) tap_str((got), (want), #got, __FILE__, __LINE__)
/* Leaves the case when the condition does not hold: what follows depends on it. */
#define REQUIRE(cond)       \
    do {                    \
        if (!CHECK(cond)) { \
            return;         \
        }                   \
    } while (0)
#define TAP_SKIP(why)            \
    do {                         \
        tap_skip_reason = (why); \
        return;                  \
    } while (0)
/* A status of pgc: prints the error's message when it is not the wanted one. */
#define CHECK_STATUS(got, want, err) \
    tap_status((int) (got), (int) (want), (err), #got, __FILE__, __LINE__)
#define REQUIRE_OK(got, err)                  \
    do {                                      \
        if (!CHECK_STATUS((got), 0, (err))) { \
            return;                           \
        }                                     \
    } while (0)

static inline bool tap_check(bool ok, const char *what, const char *file, int line)
{
    if (!ok) {
        tap_failures++;
        printf("# failed: %s\n#   at %s:%d\n", what, file, line);
    }
    return ok;
}

static inline bool tap_int(long long got, long long want, const char *what, const char *file,
                           int line)
{
    if (got != want) {
        printf("# got %lld, want %lld\n", got, want);
    }
    return tap_check(got == want, what, file, line);
}

static inline bool tap_str(const char *got, const char *want, const char *what, const char *file,
                           int line)
{
    bool same = got == want || (got != NULL && want != NULL && strcmp(got, want) == 0);
    if (!same) {
        printf("# got \"%s\"\n# want \"%s\"\n", got ? got : "(null)", want ? want : "(null)");
    }
    return tap_check(same, what, file, line);
}

#ifdef PGC_ERROR_H
static inline bool tap_status(int got, int want, const pgc_error *err, const char *what,
                              const char *file, int line)
{
    if (got != want) {
        printf("# got status %d, want %d: %s [%s]\n", got, want, err ? err->message : "",
               err ? err->sqlstate : "");
    }
    return tap_check(got == want, what, file, line);
}
#endif

static inline int tap_run(const tap_case *cases, size_t count)
{
    int failed_cases = 0;
    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        tap_failures = 0;
        tap_skip_reason = NULL;
        cases[i].run();
        bool ok = tap_failures == 0;
        failed_cases += ok ? 0 : 1;
        if (ok && tap_skip_reason != NULL) {
            printf("ok %zu - %s # SKIP %s\n", i + 1, cases[i].name, tap_skip_reason);
        } else {
            printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, cases[i].name);
        }
    }
    return failed_cases == 0 ? 0 : 1;
}

#define TAP(name, fn) \
    {                 \
        (name), (fn)  \
    }
#define TAP_MAIN(...)                                                         \
    int main(void)                                                            \
    {                                                                         \
        static const tap_case tap_cases_[] = { __VA_ARGS__ };                 \
        return tap_run(tap_cases_, sizeof tap_cases_ / sizeof tap_cases_[0]); \
    }

#endif
