/* Which failures pass by themselves: a lost or refused connection, and a transaction that the
 * server chose to cancel for another one. No state but the caller's; thread-safe. */
#include "base/prelude.h"

#include "work/retry.h"

#define PAUSE_FIRST_US 50000
#define PAUSE_MAX_US   1000000

void retry_begin(retry *r, const clock_ops *clock, int64_t wait_us)
{
    wait_us = wait_us == 0 ? RETRY_WAIT_US : wait_us;
    *r = (retry) { .clock = clock,
                   .until_us = clock->mono_us(clock->ctx) + wait_us,
                   .pause_us = PAUSE_FIRST_US };
}

/* A wrong password or an absent database does not come right by waiting. A commit whose outcome is
 * unknown counts as well: the caller says that his call may run twice. */
static bool passes_by_itself(pgc_status status, const pgc_error *err)
{
    if (status == PGC_IN_DOUBT) {
        return true;
    }
    if (status == PGC_CONNECTION) {
        return err == NULL ||
               (strncmp(err->sqlstate, "28", 2) != 0 && strncmp(err->sqlstate, "3D", 2) != 0);
    }
    return status == PGC_CONFLICT && err != NULL && err->retry;
}

bool retry_again(retry *r, pgc_status status, pgc_error *err)
{
    if (!passes_by_itself(status, err)) {
        return false;
    }
    int64_t left_us = r->until_us - r->clock->mono_us(r->clock->ctx);
    if (left_us <= 0) {
        return false;
    }
    r->clock->sleep_us(r->clock->ctx, left_us < r->pause_us ? left_us : r->pause_us);
    r->pause_us = r->pause_us * 2 < PAUSE_MAX_US ? r->pause_us * 2 : PAUSE_MAX_US;
    r->count++;
    pgc_error_clear(err);
    return true;
}
