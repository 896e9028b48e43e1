/* The plans of all generated queries in the large library, see tools/plan-suite. What is wrong with
 * one is on stderr. */
#include "parts.h"

#include "base/buf.h"
#include "base/proc.h"

#define OUTPUT_MAX (1U << 20)

/* The two numbers of the last line, `GOOD of ALL plans`. */
typedef struct plan_count {
    services_site *site;
    long good, all;
} plan_count;

static bool run_suite(plan_count *count)
{
    AUTO(buf_auto) buf output;
    int code = 0;
    const char *const argv[] = { "tools/plan-suite", lum_library_url(count->site->library), NULL };
    buf_init(&output, NULL, OUTPUT_MAX);
    const proc_options options = { .argv = argv, .output = &output };
    if (proc_run(env_default(), &options, &code, &count->site->err) != PGC_OK) {
        (void) site_failed(count->site, "run tools/plan-suite");
        return false;
    }
    const char *text = output.len > 0 ? output.ptr : "";
    const char *last = text;
    for (const char *at = text; *at != '\0'; at++) {
        last = at[0] == '\n' && at[1] != '\0' ? at + 1 : last;
    }
    (void) fprintf(stderr, "%.*s", (int) (last - text), text);
    return sscanf(last, "%ld of %ld plans", &count->good, &count->all) == 2;
}

static double count_good(void *ctx)
{
    plan_count *count = ctx;
    if (count->all == 0 && !run_suite(count)) {
        return BENCH_NONE;
    }
    return (double) count->good;
}

static double count_all(void *ctx)
{
    const plan_count *count = ctx;
    return (double) count->all;
}

void plan_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static plan_count count;
    (void) small;
    count.site = big;
    rows_add(rows, (bench_case) { .name = "plans that scale",
                                  .unit = "",
                                  .other_is = "all plans of the generated queries",
                                  .ours = count_good,
                                  .other = count_all,
                                  .ctx = &count,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 1,
                                  .rounds = 1 });
}
