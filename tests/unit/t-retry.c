/* Waiting for a database that is away: which failures are worth it, for how long, in which steps.
 */
#include "base/prelude.h"

#include <pgc/error.h>

#include "tap.h"
#include "work/retry.h"

#define SECOND 1000000

/* Calls that fail with `status` and `sqlstate` until retry_again() gives up; how many it allowed.
 */
static unsigned tries(pgc_status status, const char *sqlstate, bool flagged, int64_t wait_us,
                      int64_t *took_us)
{
    clock_fake clock;
    retry again;
    pgc_error err;
    unsigned count = 0;
    clock_fake_init(&clock, 0, 1);
    int64_t began_us = clock.mono_us;
    retry_begin(&again, &clock.ops, wait_us);
    do {
        (void) pgc_error_set(&err, status, "away");
        (void) snprintf(err.sqlstate, sizeof err.sqlstate, "%s", sqlstate);
        err.retry = flagged;
    } while (count++ < 1000 && retry_again(&again, status, &err));
    CHECK_INT(again.count, count - 1);
    CHECK_INT(err.status, status); /* the last failure is there to be told */
    *took_us = clock.mono_us - began_us;
    return count;
}

static void waits_ten_seconds_for_a_lost_server(void)
{
    int64_t took_us = 0;
    unsigned count = tries(PGC_CONNECTION, "", false, 0, &took_us);
    CHECK(count > 8); /* often enough to notice early */
    CHECK(count < 40);
    CHECK_INT(took_us, 10 * SECOND);
    CHECK(tries(PGC_CONNECTION, "57P03", true, 0, &took_us) > 8);
    CHECK_INT(took_us, 10 * SECOND);
}

static void waits_as_long_as_told(void)
{
    int64_t took_us = 0;
    CHECK(tries(PGC_CONNECTION, "", false, SECOND, &took_us) > 2);
    CHECK_INT(took_us, SECOND);
    CHECK_INT(tries(PGC_CONNECTION, "", false, -1, &took_us), 1);
    CHECK_INT(took_us, 0);
}

static void does_not_wait_for_what_stays(void)
{
    static const struct {
        pgc_status status;
        const char *sqlstate;
    } LASTING[] = {
        { PGC_OK, "" },
        { PGC_CONNECTION, "28P01" },
        { PGC_CONNECTION, "3D000" },
        { PGC_CONFLICT, "23505" },
        { PGC_NOT_FOUND, "" },
        { PGC_INVALID, "22001" },
        { PGC_CLOSED, "" },
        { PGC_IO, "" },
    };
    int64_t took_us = 0;
    for (size_t i = 0; i < ARRAY_LEN(LASTING); i++) {
        CHECK_INT(tries(LASTING[i].status, LASTING[i].sqlstate, false, 0, &took_us), 1);
        CHECK_INT(took_us, 0);
    }
}

static void a_cancelled_transaction_is_run_again(void)
{
    int64_t took_us = 0;
    CHECK(tries(PGC_CONFLICT, "40P01", true, 0, &took_us) > 8);
}

static void works_without_an_error(void)
{
    clock_fake clock;
    retry again;
    clock_fake_init(&clock, 0, 1);
    retry_begin(&again, &clock.ops, 0);
    CHECK(retry_again(&again, PGC_CONNECTION, NULL));
    CHECK(!retry_again(&again, PGC_CONFLICT, NULL));
    CHECK_INT(again.count, 1);
}

TAP_MAIN(TAP("retry: a lost server gets ten seconds", waits_ten_seconds_for_a_lost_server),
         TAP("retry: or as long as told", waits_as_long_as_told),
         TAP("retry: what stays wrong is not tried again", does_not_wait_for_what_stays),
         TAP("retry: a transaction cancelled for another one is",
             a_cancelled_transaction_is_run_again),
         TAP("retry: works without an error struct", works_without_an_error))
