/* ./dev bench services: what the services take in a library of a million assets and a hundred
 * owners, and how that grows from ten thousand; see bench/services/parts.h for how a row is added.
 *
 * LUMILIO_BENCH_DATA=DIR keeps the libraries for the next run: making the large one takes long.
 * LUMILIO_BENCH_ASSETS and LUMILIO_BENCH_VECTORS give other sizes of it, up to as many vectors as
 * assets. LUMILIO_BENCH_PLANS=5000000 measures nothing but the plans, in a library of that many
 * assets. How to repeat a whole run stands in docs/benchmarks.md. */
#include "services/parts.h"

#define SMALL_ASSETS  10000
#define SMALL_VECTORS 8000
#define PLAN_VECTORS  60000

static void (*const PARTS[])(bench_rows *, services_site *, services_site *) = {
    list_rows,       collection_rows, statistics_rows, label_rows,
    other_list_rows, search_rows,     policy_rows,     plan_rows,
};

static const char HELP[] =
    "usage: ./dev bench services [--json] [--rounds N] [--only WORDS]\n"
    "In the environment:\n"
    "  LUMILIO_BENCH_DATA=DIR      keep the libraries in DIR for the next run\n"
    "  LUMILIO_BENCH_ASSETS=N      assets of the large library (1000000)\n"
    "  LUMILIO_BENCH_VECTORS=N     and its vectors (200000)\n"
    "  LUMILIO_BENCH_PLANS=N       only the plans, in a library of N assets\n"
    "docs/benchmarks.md says how long that takes and what the rows mean.\n";

/* A size from the environment; 0 after a line on stderr. */
static int64_t size_of(const char *name, int64_t normal)
{
    const char *text = getenv(name);
    char *end = NULL;
    int64_t size = text != NULL ? strtoll(text, &end, 10) : normal;
    if (size < SMALL_ASSETS || (end != NULL && *end != '\0')) {
        (void) fprintf(stderr, "bench services: %s: a number, %d or more\n", name, SMALL_ASSETS);
        return 0;
    }
    return size;
}

/* Only the plans, in a library of that many assets; its vectors are as many as make a large table.
 */
static int run_plans(int argc, char **argv, services_site *site, int64_t assets)
{
    static bench_rows rows;
    static char name[32];
    int code = 1;
    (void) snprintf(name, sizeof name, "%" PRId64, assets);
    if (site_open(site, name, assets, PLAN_VECTORS)) {
        plan_rows(&rows, site, NULL);
        code = bench_main(argc, argv, "services", rows.cases, rows.count);
    }
    site_close(site);
    return code;
}

static int run_all(int argc, char **argv, services_site *big, services_site *small, int64_t assets,
                   int64_t vectors)
{
    static bench_rows rows;
    static char name[32];
    int code = 1;
    (void) snprintf(name, sizeof name, "%" PRId64, assets);
    if (site_open(small, "10000", SMALL_ASSETS, SMALL_VECTORS) &&
        site_open(big, name, assets, vectors)) {
        for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
            PARTS[i](&rows, big, small);
        }
        code = bench_main(argc, argv, "services", rows.cases, rows.count);
    }
    site_close(big);
    site_close(small);
    return code;
}

int main(int argc, char **argv)
{
    static services_site big, small;
    int64_t assets = size_of("LUMILIO_BENCH_ASSETS", 1000000);
    int64_t vectors = size_of("LUMILIO_BENCH_VECTORS", 200000);
    int64_t plans = size_of("LUMILIO_BENCH_PLANS", SMALL_ASSETS);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void) fputs(HELP, stdout);
        return 0;
    }
    if (assets == 0 || vectors == 0 || plans == 0) {
        return 2;
    }
    return getenv("LUMILIO_BENCH_PLANS") != NULL
               ? run_plans(argc, argv, &big, plans)
               : run_all(argc, argv, &big, &small, assets, vectors);
}
