/* Crash points: the named one kills the process, at the wanted passage and nowhere else. */
#include "base/prelude.h"

#include <sys/wait.h>

#include "base/crash.h"

#include "tap.h"

#ifdef LUM_CRASH_POINTS

/* Passes "test.one" three times and "test.two" once in a child; its wait status. */
static int run_child(const char *crash_at)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void) setenv("LUMILIO_CRASH_AT", crash_at, 1);
        for (int i = 0; i < 3; i++) {
            CRASH_POINT("test.one");
        }
        CRASH_POINT("test.two");
        _exit(0);
    }
    int status = -1;
    (void) waitpid(pid, &status, 0);
    return status;
}

static void named_point_kills(void)
{
    CHECK(WIFSIGNALED(run_child("test.one")));
    CHECK_INT(WTERMSIG(run_child("test.two")), SIGKILL);
    CHECK_INT(WTERMSIG(run_child("test.one:3")), SIGKILL);
}

static void other_names_and_counts_live(void)
{
    static const char *const SAFE[] = { "",           "test",       "test.one.more", "test.one:4",
                                        "test.one:0", "test.one:x", "test.one:" };
    for (size_t i = 0; i < ARRAY_LEN(SAFE); i++) {
        CHECK_INT(run_child(SAFE[i]), 0);
    }
}

static void points_are_listed(void)
{
    bool one = false;
    bool two = false;
    CHECK(crash_point_count() >= 2);
    for (size_t i = 0; i < crash_point_count(); i++) {
        one = one || strcmp(crash_point_name(i), "test.one") == 0;
        two = two || strcmp(crash_point_name(i), "test.two") == 0;
    }
    CHECK(one);
    CHECK(two);
}

TAP_MAIN(TAP("crash: the named point kills", named_point_kills),
         TAP("crash: other names and counts live", other_names_and_counts_live),
         TAP("crash: points are listed", points_are_listed))

#else

static void none_are_listed(void)
{
    CRASH_POINT("test.one");
    CHECK_INT(crash_point_count(), 0);
}

TAP_MAIN(TAP("crash: a build without crash points lists none", none_are_listed))

#endif
