/* Children that die by kill -9, at a named crash point or at a moment; for tests of what is left.
 * The seed of the moments is printed and may be given as the program's argument. */
#ifndef TEST_KILLING_H
#define TEST_KILLING_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "base/crash.h"

static unsigned killing_count; /* kills so far */
static uint32_t killing_seed;

/* xorshift32. */
static inline uint32_t killing_random(void)
{
    killing_seed ^= killing_seed << 13;
    killing_seed ^= killing_seed >> 17;
    killing_seed ^= killing_seed << 5;
    return killing_seed;
}

static inline void killing_begin(int argc, char **argv)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    killing_seed =
        argc > 1 ? (uint32_t) strtoul(argv[1], NULL, 10) : (uint32_t) now.tv_nsec | UINT32_C(1);
    (void) printf("# seed %u (give it as argument to repeat)\n", killing_seed);
}

/* Run fn in a child that dies at `point` (NULL: never) or after delay_us (0: never). True when it
 * was killed; *code is its exit code otherwise. */
static inline bool killing_run(int (*fn)(int arg), int arg, const char *point, int64_t delay_us,
                               int *code)
{
    pid_t pid = fork();
    if (pid == 0) {
        crash_point_want(point);
        _exit(fn(arg));
    }
    if (delay_us > 0) {
        (void) usleep((useconds_t) delay_us);
        (void) kill(pid, SIGKILL);
    }
    int status = 0;
    (void) waitpid(pid, &status, 0);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    bool dead = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    killing_count += dead ? 1 : 0;
    return dead;
}

#endif
