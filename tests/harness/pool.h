/* Pools of tests: opening one on the test server, and its figures. */
#ifndef TEST_POOL_H
#define TEST_POOL_H

#include <pgc/pool.h>

#include "pgc/auto.h"

#include "live.h"
#include "tap.h"

/* First in a case that cannot go without. */
#define NEED_SERVER() REQUIRE(live_url() != NULL)

static inline pgc_pool_options pool_options(uint32_t max_conns)
{
    return (pgc_pool_options) { .struct_size = sizeof(pgc_pool_options),
                                .conn = live_options(),
                                .max_conns = max_conns,
                                .min_conns = 1 };
}

/* Declares the pool, which closes at the end of the block; needs an `err`. */
#define OPEN_POOL(name, options)           \
    AUTO(pool_auto) pgc_pool *name = NULL; \
    REQUIRE_OK(pgc_pool_open(&(options), &name, &err), &err)

static inline pgc_pool_stats stats_of(pgc_pool *pool)
{
    pgc_pool_stats stats;
    pgc_pool_get_stats(pool, &stats); /* asserts that lists and counters agree */
    return stats;
}

#endif
