/* Probes: calls of a service in a row, one owner after the other, and the percentile of their
 * times. One thread, one connection; what a caller waits for, not what a server can carry. */
#include "parts.h"

enum { CALLS_DEFAULT = 200, CALLS_MAX = 2000, WARM_UP = 20 };

typedef struct probe_case {
    services_site *big, *small;
    const probe *probe;
    char name[2][80];
} probe_case;

void rows_add(bench_rows *rows, bench_case one)
{
    assert(rows->count < SITE_ROWS_MAX);
    rows->cases[rows->count++] = one;
}

double probe_time(services_site *site, const probe *one, unsigned percent)
{
    static double times[CALLS_MAX];
    int calls = one->calls > 0 ? one->calls : CALLS_DEFAULT;
    assert(calls <= CALLS_MAX);
    for (int i = -WARM_UP; i < calls; i++) {
        uint32_t turn = (uint32_t) (i + WARM_UP);
        double began = bench_now();
        if (one->call(site, site_actor(site, turn), turn, &site->err) != PGC_OK) {
            return site_failed(site, one->name);
        }
        if (i >= 0) {
            times[i] = (bench_now() - began) * 1e3;
        }
    }
    return bench_percentile(times, (size_t) calls, percent);
}

static double time_big(void *ctx)
{
    const probe_case *c = ctx;
    return probe_time(c->big, c->probe, 95);
}

static double time_small(void *ctx)
{
    const probe_case *c = ctx;
    return probe_time(c->small, c->probe, 95);
}

static double time_limit(void *ctx)
{
    const probe_case *c = ctx;
    return c->probe->limit_ms;
}

void probes_add(bench_rows *rows, services_site *big, services_site *small, const probe *probes,
                size_t count)
{
    static probe_case cases[SITE_ROWS_MAX];
    static size_t used;
    for (size_t i = 0; i < count; i++) {
        assert(used < ARRAY_LEN(cases));
        probe_case *c = &cases[used++];
        *c = (probe_case) { .big = big, .small = small, .probe = &probes[i] };
        (void) snprintf(c->name[0], sizeof c->name[0], "%s", probes[i].name);
        (void) snprintf(c->name[1], sizeof c->name[1], "%s, growth", probes[i].name);
        rows_add(rows, (bench_case) { .name = c->name[0],
                                      .unit = "ms",
                                      .other_is = "the limit of the 95th percentile",
                                      .ours = time_big,
                                      .other = time_limit,
                                      .ctx = c,
                                      .goal = BENCH_AT_MOST,
                                      .bound = 1 });
        rows_add(rows, (bench_case) { .name = c->name[1],
                                      .unit = "ms",
                                      .other_is = "the small library",
                                      .ours = time_big,
                                      .other = time_small,
                                      .ctx = c,
                                      .goal = BENCH_SHOWN });
    }
}
